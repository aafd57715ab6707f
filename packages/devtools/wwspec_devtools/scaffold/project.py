"""Makes the folder of a new application from a template.

The template is in `files/`, beside this module. Some of it are copies of files of the repository's own program; a test
compares them.

A new program gets our packages from a package index, or from wheels in its own folder. A wheel is named by its path, so
that pip asks no index for it: somebody else may publish there under our names.
"""

import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from wwspec_contracts import __version__
from wwspec_contracts.errors import ConfigurationError
from wwspec_router.config import PROGRAM

PUBLISHED = False
"""Whether package indexes have our packages. CONTRIBUTING.md lists what else changes with it."""

WHEELS = "wheels"
"""The folder of the wheels in a program."""
PACKAGES = ("wwspec_router", "wwspec_contracts", "wwspec_client", "wwspec_devtools")
_ZONE_WHEEL = re.compile(rf"wwspec_router-{re.escape(__version__)}-cp312-cp312-(?:many)?linux[\w.]*_x86_64\.whl")
_IN_ZONE = 'sys_platform == "linux" and platform_machine == "x86_64" and python_version == "3.12"'
_ELSEWHERE = 'sys_platform != "linux" or platform_machine != "x86_64" or python_version != "3.12"'
_HOW_TO_MAKE = "`scripts/package --build` in a clone of wwspec_router builds the wheels in dist/"
_NEEDED = {"zone": ("wwspec_router[zone]", "wwspec_contracts"), "dev": ("wwspec_client", "wwspec_devtools[dev]")}
"""Packages of a program in the zone, and those that its developers need besides."""

_FILES = Path(__file__).parent / "files"

_OF_MINIMAL = (PROGRAM, "tests/test_program.py")
"""Files of a program of one file only."""
_OF_OTHERS = ("abilities/", "schemas/", "tests/", "README", "AGENTS.zh")
"""What the files begin with that only other programs have."""

_NAME = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*")
"""An image's name for container engines, without registry and folders."""
_LONGEST_NAME = 64


def project_files(name: str, wheels: Sequence[Path] = (), *, minimal: bool = False) -> dict[str, str]:
    """Return the files of a new application: path -> text.

    Args:
        name: Of the application and its image.
        wheels: The framework's wheels for the application; see `find_wheels`.
        minimal: Whether it has one file, `program.py`, instead of a registry file, abilities and contracts.

    Raises:
        ConfigurationError: The name can't be that of a folder and an image.
    """
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise ConfigurationError(
            f"{name!r} can't name a folder and an image: use up to {_LONGEST_NAME} lower-case letters and digits, with "
            "single . or _ or with - between them, such as chat-report"
        )
    files = (path for path in _FILES.rglob("*") if path.is_file() and path.suffix != ".pyc")  # which pip compiles
    sources = {path.relative_to(_FILES).as_posix(): path for path in files}
    either = (*_OF_MINIMAL, *_OF_OTHERS)
    sources = {
        path: source
        for path, source in sources.items()
        if (path in _OF_MINIMAL) is minimal or not path.startswith(either)
    }
    names = [wheel.name for wheel in wheels]
    marks = {"__NAME__": name}
    marks |= {f"__FRAMEWORK[{extra}]__": framework_requirements(extra, names) for extra in ("zone", "dev")}
    if minimal:
        marks['"abilities", "schemas"'] = f'"{PROGRAM}"'  # what mypy checks
    return {path: _fill(source.read_text("utf-8"), marks) for path, source in sorted(sources.items())}


def make_project(folder: Path, files: Mapping[str, str], wheels: Sequence[Path] = ()) -> None:
    """Write a new application's files: all of them, or on an error none.

    Args:
        folder: Must not exist yet, or be empty.
        files: Text by path in the folder.
        wheels: Files to copy into its wheels/.

    Raises:
        ConfigurationError: The folder holds something, or can't be made.
    """
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ConfigurationError(f"{folder}: exists already and is not an empty folder; choose another name")
        if not folder.parent.is_dir():
            raise ConfigurationError(
                f"{folder.parent}: there is no such folder to make {folder.name} in; make it first"
            )
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch:
            draft = Path(scratch) / folder.name
            for path, text in files.items():
                target = draft / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, "utf-8")
                if text.startswith("#!"):
                    target.chmod(target.stat().st_mode | 0o111)
            for wheel in wheels:
                (draft / WHEELS).mkdir(exist_ok=True)
                shutil.copyfile(wheel, draft / WHEELS / wheel.name)
            draft.rename(folder)
    except OSError as error:
        raise ConfigurationError(f"{folder}: can't be made: {error.strerror}") from None


def _fill(text: str, marks: Mapping[str, str]) -> str:
    for mark, value in marks.items():
        text = text.replace(mark, value)
    return text


def pure_wheel(package: str) -> str:
    """Return the name of a package's wheel for every Python."""
    return f"{package}-{__version__}-py3-none-any.whl"


def find_wheels(folder: Path) -> list[Path]:
    """Return the wheels of this version for a program: the router's for the zone's Python, its pure one, the others.

    Args:
        folder: Holds one of the router's, or both, and one of each other package; other files don't matter.

    Raises:
        ConfigurationError: One is missing, or the folder can't be read.
    """
    try:
        names = sorted(path.name for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise ConfigurationError(f"{folder}: can't be read: {error.strerror}; {_HOW_TO_MAKE}") from None
    router, *others = map(pure_wheel, PACKAGES)
    zone = [name for name in names if _ZONE_WHEEL.fullmatch(name)][-1:]  # "manylinux" rather than "linux"
    found = [*zone, *({router} & set(names))]
    if not found:
        wheels = [name for name in names if name.startswith("wwspec_") and name.endswith(".whl")]
        there = f"it holds {', '.join(wheels)}" if wheels else "it holds no wheel of wwspec_router"
        raise ConfigurationError(
            f"{folder}: has neither {router} nor that for CPython 3.12 on Linux x86_64; {there}; {_HOW_TO_MAKE}"
        )
    if missing := [name for name in others if name not in names]:
        raise ConfigurationError(f"{folder}: lacks {', '.join(missing)}; {_HOW_TO_MAKE}")
    return [folder / name for name in (*found, *others)]


def framework_requirements(of: str, wheels: Sequence[str]) -> str:
    """Return the lines of a requirements file for our packages.

    Args:
        of: `zone` for those of the program, `dev` for those of its developers.
        wheels: The names of the program's wheels, in the order of `find_wheels`.
    """
    return "\n".join(line for package in _NEEDED[of] for line in _lines(package, wheels))


def _lines(requirement: str, wheels: Sequence[str]) -> list[str]:
    package, bracket, extra = requirement.partition("[")
    if not wheels and PUBLISHED:
        return [f"{requirement.replace('_', '-')}=={__version__}"]
    own = [name for name in wheels if name.startswith(f"{package}-")] or [pure_wheel(package)]
    lines = [f"./{WHEELS}/{name}{bracket}{extra}" for name in own]
    if len(lines) == 1:
        return lines
    return [f"{line} ; {where}" for line, where in zip(lines, (_IN_ZONE, _ELSEWHERE), strict=True)]
