"""The packages of this repository, each with its folder and its tests."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import ModuleInfo, walk_packages

ROOMS = {
    "router": (Path("wwspec_router"), Path("tests")),
    **{
        room: (Path("packages", room, f"wwspec_{room}"), Path("packages", room, "tests"))
        for room in ("contracts", "client", "devtools")
    },
}
"""By room, the folders of its package and of its tests, in the repository."""
PACKAGES = tuple(package.name for package, _ in ROOMS.values())


def all_modules() -> Iterator[ModuleInfo]:
    """Yield what all packages have, but the stand-in, which is imported under another name, and `__main__`."""
    for name in PACKAGES:
        for module in walk_packages(import_module(name).__path__, f"{name}."):
            if not module.name.endswith("__main__") and ".standin.wwspecapisdk" not in module.name:
                yield module
