"""Commands, run as a person runs them."""

import os
import sys
from pathlib import Path

from tests.support.command import Done, wwspec
from tests.support.processes import UNMEASURED, finished


def module(folder: Path, name: str, *arguments: str | Path) -> Done:
    """Run a module of this environment in a folder."""
    return finished(sys.executable, "-m", name, *arguments, cwd=folder, env={**os.environ, **UNMEASURED})


def refused(folder: Path, *arguments: str | Path) -> list[str]:
    """Return the lines that `wwspec new` refuses arguments with; fails when it writes anything."""
    before = sorted(folder.rglob("*"))
    done = wwspec(folder, "new", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert sorted(folder.rglob("*")) == before
    return done.stderr.splitlines()
