"""Classes with fields, and what they say of them: whether they are frozen, and made by name."""

import inspect
from importlib import import_module
from pkgutil import walk_packages
from typing import Any


def values_below(*packages: str) -> dict[type, Any]:
    """Return the classes with fields that packages or modules define, each with what it says of them."""
    names = [*packages]
    for name in packages:
        names += [each.name for each in walk_packages(getattr(import_module(name), "__path__", ()), f"{name}.")]
    kinds = [each for name in names for each in vars(import_module(name)).values() if isinstance(each, type)]
    stated = {each: getattr(each, "__struct_config__", vars(each).get("__dataclass_params__")) for each in kinds}
    return {each: said for each, said in stated.items() if said is not None and each.__module__ in names}


def changing(*packages: str) -> set[str]:
    """Return the names of the classes that are not frozen."""
    return {each.__name__ for each, stated in values_below(*packages).items() if not stated.frozen}


def made_by_name(*packages: str) -> set[str]:
    """Return the names of the classes whose fields are all given by name."""
    parameters = {each.__name__: inspect.signature(each).parameters.values() for each in values_below(*packages)}
    return {
        name for name, found in parameters.items() if found and all(each.kind is each.KEYWORD_ONLY for each in found)
    }
