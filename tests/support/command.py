"""`wwspec` as a person uses it: a process, its output, its exit code."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Self

from tests.support.forks import fork
from tests.support.processes import UNMEASURED, finished

Done = subprocess.CompletedProcess[str]
LIMIT = 600.0
"""Seconds after which a verb is killed."""


def wwspec(folder: Path, *arguments: str | Path, environment: Mapping[str, str] | None = None) -> Done:
    """Run `wwspec` with arguments in a folder, with this environment or that of the tests."""
    environment = os.environ if environment is None else environment
    return forked(arguments, folder, environment, path=[folder])


def wwspec_anew(folder: Path, *arguments: str | Path, environment: Mapping[str, str] | None = None) -> Done:
    """Run `wwspec` as `wwspec` does, in a new interpreter: for what that reads or imports when it starts."""
    return finished(sys.executable, "-m", "wwspec_router", *arguments, cwd=folder, env=environment)


def pytest_session(folder: Path, *arguments: str | Path, environment: Mapping[str, str] | None = None) -> Done:
    """Run pytest in a folder, forked from a process that has imported it, which pytest would warn of."""
    environment = {**(os.environ if environment is None else environment), **UNMEASURED}
    quiet = ("-p", "no:cacheprovider", "-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning")
    return forked([*quiet, *arguments], folder, environment, module="pytest")


def forked(arguments: Sequence[str | Path], folder: Path, environment: Mapping[str, str], **other: Any) -> Done:
    """Run `wwspec` with further arguments of `fork`."""
    with Running(arguments, folder, environment, **other) as running:
        return running.end()


class Running:
    """`wwspec` while it runs, without input; it is killed at the end of the context. See `fork` for the arguments."""

    def __init__(
        self, arguments: Sequence[str | Path], folder: Path, environment: Mapping[str, str], **other: Any
    ) -> None:
        self._arguments = [*map(str, arguments)]
        self._stdout, self._stderr = TemporaryFile(), TemporaryFile()
        with Path(os.devnull).open() as nothing:
            streams = [each.fileno() for each in (nothing, self._stdout, self._stderr)]
            self.process = fork(self._arguments, environment, streams, folder=folder, **other)

    @property
    def stdout(self) -> str:
        """What it has printed so far on standard output."""
        return _text(self._stdout)

    @property
    def stderr(self) -> str:
        """What it has printed so far on standard error."""
        return _text(self._stderr)

    def end(self) -> Done:
        """Wait until it has ended, and return its exit code and what it has printed."""
        code = self.process.wait(LIMIT)
        return subprocess.CompletedProcess(["wwspec", *self._arguments], code, self.stdout, self.stderr)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.wait()
        self._stdout.close()
        self._stderr.close()


def _text(file: IO[bytes]) -> str:
    """Return the whole text of a file, and leave alone where its writer goes on."""
    return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode()
