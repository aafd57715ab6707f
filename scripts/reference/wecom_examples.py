"""`api_examples.json`: the console examples of WeCom's contracts, which start-up reads."""

from importlib import import_module

import msgspec

from wwspec_contracts import api, events
from wwspec_contracts.examples import API_EXAMPLES, Examples, console_example
from wwspec_router.registry.faults import module_names
from wwspec_router.registry.loader import ApiContract, EventContract

__all__ = ["API_EXAMPLES", "text"]


def text() -> str:
    """Return the text of the file: a line for each module."""
    found: Examples = {}
    for package, kind in ((api, ApiContract), (events, EventContract)):
        for name in sorted(module_names(package.__path__)):
            module = import_module(f"{package.__name__}.{name}")
            found[module.__name__] = {each: console_example(getattr(module, each)) for each in kind.bases}
    lines = (f'"{name}": {msgspec.json.encode(each).decode()}' for name, each in found.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"
