"""The code of earlier releases, run in processes of its own."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.apps import ROOT
from tests.support.processes import UNMEASURED
from wwspec_router.host.child import Child

DATA = Path(__file__).with_name("data")
"""A folder for each release; see `make`."""


@dataclass(frozen=True)
class Code:
    """The package of one release, or that of today."""

    release: str
    """`old` or `new`: what handlers say."""
    folder: Path
    """Where the package is imported from."""

    @property
    def environment(self) -> Mapping[str, str]:
        """What lets a process import this code, and not what is beside its program or in its folder."""
        return {"PYTHONPATH": str(self.folder), "PYTHONSAFEPATH": "1", "UPGRADE_RELEASE": self.release}

    def run(self, *command: str | Path, cwd: Path, **variables: str) -> str:
        """Run Python with arguments, which must succeed, and return its standard output; both show when it does not."""
        done = subprocess.run(
            [sys.executable, *command],
            cwd=cwd,
            env={**os.environ, **UNMEASURED, **self.environment, **variables},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def wwspec(self, *arguments: str | Path, cwd: Path) -> str:
        """Run a verb, as `run` does."""
        return self.run("-m", "wwspec_router", *arguments, cwd=cwd)

    def start(self, arguments: list[str], output: Path, **variables: str) -> Child:
        """Start a verb that goes on running."""
        return Child(arguments, {**UNMEASURED, **self.environment, **variables}, output)


NEW = Code("new", ROOT)
"""This code."""


@dataclass(frozen=True)
class Release:
    """An earlier release, and its data."""

    data: Path
    code: Code
    project: Path
    """What its `wwspec new` has made."""
    app: Path
    """The same with what the release's data adds."""


def unpacked(data: Path, folder: Path) -> Code:
    """Unpack the wheel of a release and return its code."""
    [wheel] = data.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return Code("old", folder)
