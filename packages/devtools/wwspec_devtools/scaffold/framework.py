"""Where a new program gets our packages from: a package index, or wheels in the program's own folder.

A wheel is named by its path, so that pip asks no index for it: somebody else may publish there under our names.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from wwspec_contracts import __version__
from wwspec_contracts.errors import ConfigurationError

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
"""Of a program in the zone, and what its developers need besides."""


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
