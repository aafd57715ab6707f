"""`wwspec` as a person uses it: a process, its output, its exit code.

The process is forked from one that has imported all verbs, since to import them takes most of the time of a verb.
"""

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

Done = subprocess.CompletedProcess[str]


def wwspec(folder: Path, *arguments: str | Path, environment: Mapping[str, str] | None = None) -> Done:
    """Run `wwspec` with arguments in a folder, with this environment or that of the tests."""
    environment = os.environ if environment is None else environment
    return forked(arguments, folder, environment, path=[folder])


def wwspec_anew(folder: Path, *arguments: str | Path, environment: Mapping[str, str] | None = None) -> Done:
    """Run `wwspec` as `wwspec` does, in a new interpreter: for what that reads or imports when it starts."""
    command = [sys.executable, "-m", "wwspec_router", *map(str, arguments)]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False
    )


def forked(
    arguments: Sequence[str | Path],
    folder: Path,
    environment: Mapping[str, str],
    *,
    path: Sequence[Path],
    without: Sequence[Path] = (),
    strict: bool = False,
) -> Done:
    """Run `wwspec` with a search path of its own.

    Args:
        arguments: Behind `wwspec`.
        folder: Where it runs.
        environment: All of it.
        path: Where modules are looked for first.
        without: Where no module is looked for.
        strict: Whether a warning is an error, and no bytecode is written.
    """
    given = [*map(str, arguments)]
    with tempfile.TemporaryDirectory() as written:
        stdout, stderr = Path(written) / "stdout", Path(written) / "stderr"
        stdout.touch()
        stderr.touch()
        order = {
            "arguments": given,
            "folder": str(folder),
            "environment": dict(environment),
            "path": [*map(str, path)],
            "without": [*map(str, without)],
            "stdout": str(stdout),
            "stderr": str(stderr),
            "strict": strict,
        }
        code = _server(os.environ.get("COVERAGE_PROCESS_CONFIG", "")).run(order)
        return subprocess.CompletedProcess(["wwspec", *given], code, stdout.read_text(), stderr.read_text())


class _ForkServer:
    def __init__(self) -> None:
        command = [sys.executable, str(Path(__file__).with_name("fork_server.py"))]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        atexit.register(self._end)

    def run(self, order: object) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(order), file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())

    def _end(self) -> None:
        self._process.communicate()


@cache
def _server(measured: str) -> _ForkServer:
    """Return the server for processes that measure their coverage so, as it does itself; see tests/conftest.py."""
    return _ForkServer()
