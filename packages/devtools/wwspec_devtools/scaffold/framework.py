"""Where a new program gets the framework from: a package index, or wheels in the program's own folder.

A wheel is named by its path, so that pip asks no index for it: somebody else may publish there under our name.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from wwspec_contracts.errors import ConfigurationError
from wwspec_router import __version__

PUBLISHED = False
"""Whether package indexes have wwspec-router. CONTRIBUTING.md lists what else changes with it."""

WHEELS = "wheels"
"""The folder of the wheels in a program."""
PURE_WHEEL = f"wwspec_router-{__version__}-py3-none-any.whl"
"""The wheel for every Python."""
_ZONE_WHEEL = re.compile(rf"wwspec_router-{re.escape(__version__)}-cp312-cp312-(?:many)?linux[\w.]*_x86_64\.whl")
_IN_ZONE = 'sys_platform == "linux" and platform_machine == "x86_64" and python_version == "3.12"'
_ELSEWHERE = 'sys_platform != "linux" or platform_machine != "x86_64" or python_version != "3.12"'
_HOW_TO_MAKE = "`scripts/package --build` in a clone of wwspec_router makes them in dist/"


def find_wheels(folder: Path) -> list[Path]:
    """Return the wheels of this version for a program: the one for the zone's Python, then the one for every Python.

    Args:
        folder: Holds one of them, or both; other files don't matter.

    Raises:
        ConfigurationError: It holds neither, or can't be read.
    """
    try:
        names = sorted(path.name for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise ConfigurationError(f"{folder}: can't be read: {error.strerror}; {_HOW_TO_MAKE}") from None
    zone = [name for name in names if _ZONE_WHEEL.fullmatch(name)][-1:]  # "manylinux" rather than "linux"
    found = [*zone, *({PURE_WHEEL} & set(names))]
    if not found:
        others = [name for name in names if name.startswith("wwspec_router-") and name.endswith(".whl")]
        there = f"it holds {', '.join(others)}" if others else "it holds no wheel of wwspec_router"
        raise ConfigurationError(
            f"{folder}: has neither {PURE_WHEEL} nor that for CPython 3.12 on Linux x86_64; {there}; {_HOW_TO_MAKE}"
        )
    return [folder / name for name in found]


def framework_requirements(extra: str, wheels: Sequence[str]) -> str:
    """Return the lines of a requirements file for the framework with an extra.

    Args:
        extra: What the program needs of it.
        wheels: The names of the program's wheels, in the order of `find_wheels`.
    """
    if not wheels and PUBLISHED:
        return f"wwspec-router[{extra}]=={__version__}"
    lines = [f"./{WHEELS}/{name}[{extra}]" for name in wheels or [PURE_WHEEL]]
    if len(lines) == 1:
        return lines[0]
    return "\n".join(f"{line} ; {where}" for line, where in zip(lines, (_IN_ZONE, _ELSEWHERE), strict=True))
