"""What installed packages declare for this one: verbs, stores, checks, an observer, a stand-in for the SDK.

The files are read here, since importlib.metadata takes as long to import as all else that `wwspec --help` does, and
1.5 MiB of the memory of each program in development.
"""

import importlib
import os
import sys
from functools import lru_cache
from typing import Any, NamedTuple

__all__ = ["EntryPoint", "entry_points"]


class EntryPoint(NamedTuple):
    """One line of a package's `entry_points.txt`."""

    name: str
    value: str
    """Module and name in it: `greeting:command`."""
    package: str
    """The package's name, as its folder spells it: `wwspec_devtools`."""

    def load(self) -> Any:
        """Import the module, and return what is named in it.

        Raises:
            ImportError: There is no such module.
            AttributeError: The module has no such name.
        """
        module, _, name = self.value.partition(":")
        return getattr(importlib.import_module(module), name)


def entry_points(group: str) -> list[EntryPoint]:
    """Return the entry points of a group; of a package that is there twice, those of the first on `sys.path`."""
    found: list[EntryPoint] = []
    for package, text in _files(tuple(sys.path)).items():
        section = text.partition(f"[{group}]")[2].partition("\n[")[0]
        rows = (line.split("=", 1) for line in section.splitlines() if "=" in line)
        found += [EntryPoint(name.strip(), value.strip(), package) for name, value in rows]
    return found


@lru_cache(maxsize=1)
def _files(path: tuple[str, ...]) -> dict[str, str]:
    """Return the text of each package that declares something; a start asks for two groups."""
    found: dict[str, str] = {}
    for folder in path:
        try:
            names = os.listdir(folder or ".")  # noqa: PTH208  # pathlib is slow to import
        except OSError:  # an archive, or nothing
            continue
        for name in (each for each in names if each.endswith(".dist-info")):
            try:
                with open(f"{folder or '.'}/{name}/entry_points.txt", "rb", 0) as file:  # noqa: PTH123  # the same
                    found.setdefault(name.partition("-")[0], file.read().decode())
            except (FileNotFoundError, NotADirectoryError):  # it declares nothing
                continue
    return found
