"""The programs beside Python that tests need; `scripts/needs` has the table of them, with their packages."""

import os
import shutil
import sysconfig
from pathlib import Path


class MissingToolError(RuntimeError):
    """Something that a test needs is not on this machine: the test is skipped; see tests/support/skips.py.

    It has a name as in the table of `scripts/needs`, or the command that brings it.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is needed and not here: see scripts/needs")
        self.name = name


def tool(name: str) -> str:
    """Return where a program of this name is, a header of Python, or a library of Java."""
    folder = {".h": sysconfig.get_path("include"), ".jar": "/usr/share/java"}.get(Path(name).suffix, "")
    found = Path(folder, name).is_file() and f"{folder}/{name}" if folder else shutil.which(name, path=_searched())
    if not found:
        raise MissingToolError(name)
    return found


def _searched() -> str:
    """Return where programs are: in PATH, and where Debian puts those of PostgreSQL and MariaDB."""
    folders = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
    return os.pathsep.join([os.environ.get("PATH", os.defpath), *folders, "/usr/sbin"])


def node_package(folder: Path, name: str) -> Path:
    """Return where a package of Node.js is that `scripts/test` installs in a folder of tests, with npm."""
    package = folder / "node_modules" / name
    if not package.is_dir():
        tool("npm")
        raise MissingToolError(f"npm ci --prefix {folder.relative_to(Path(__file__).parents[2])}")
    return package
