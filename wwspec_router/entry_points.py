"""What installed packages declare for this one: verbs, stores, checks, an observer, a stand-in for the SDK.

The files are read here, since importlib.metadata takes as long to import as all else that `wwspec --help` does, and
1.5 MiB of the memory of each program in development.
"""

import importlib
import sys
from glob import glob
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
    files: dict[str, str] = {}
    for folder in sys.path:
        for file in glob("*.dist-info/entry_points.txt", root_dir=folder):  # noqa: PTH207  # pathlib is slow to import
            files.setdefault(file.partition("-")[0], f"{folder or '.'}/{file}")
    found: list[EntryPoint] = []
    for package, file in files.items():
        with open(file, encoding="utf-8") as lines:  # noqa: PTH123  # pathlib is slow to import
            section = lines.read().partition(f"[{group}]")[2].partition("\n[")[0]
        rows = (line.split("=", 1) for line in section.splitlines() if "=" in line)
        found += [EntryPoint(name.strip(), value.strip(), package) for name, value in rows]
    return found
