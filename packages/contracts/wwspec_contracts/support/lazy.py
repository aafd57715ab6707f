"""Packages whose names are imported at their first use: who needs one of them does not wait for the others."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def lazily(package: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """Return the `__getattr__` of a package; see PEP 562.

    Args:
        package: Its name, such as `wwspec_client`.
        homes: For each module, such as `wwspec_client.tasks`, its names, with spaces between them.
    """
    modules = {name: module for module, names in homes.items() for name in names.split()}

    def get(name: str) -> object:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value: object = getattr(import_module(modules[name]), name)
        setattr(sys.modules[package], name, value)  # the next use finds it at once
        return value

    return get
