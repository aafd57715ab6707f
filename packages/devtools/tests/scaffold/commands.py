"""Commands, run as a person runs them."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.command import wwspec
from tests.support.processes import UNMEASURED


def module(folder: Path, name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a module of this environment in a folder."""
    command = [sys.executable, "-m", name, *map(str, arguments)]
    env = {**os.environ, **UNMEASURED}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=600, check=False)


def refused(folder: Path, *arguments: str | Path) -> list[str]:
    """Return the lines that `wwspec new` refuses arguments with; fails when it writes anything."""
    before = sorted(folder.rglob("*"))
    done = wwspec(folder, "new", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert sorted(folder.rglob("*")) == before
    return done.stderr.splitlines()
