"""The Python API, with signatures and members: a page for each module and for each class that has methods."""

from copy import copy

import griffe

from scripts.reference.entries import entry_pages, function_entry, loaded, ordered, place, summary
from scripts.reference.public import METHODS, MODULES, NAMES
from scripts.reference.text import Say, deeper, linked, table

__all__ = ["pages"]


def pages(say: Say) -> dict[str, str]:
    """Return the pages by their paths."""
    found: dict[str, str] = {}
    for module, names in NAMES.items():
        folder = f"api/{module}"
        entries = entry_pages(module, names, say)
        rows = [
            (f"[`{name}`]({place(module, name)})", linked(say.of_code(summary(module, name))))
            for name in ordered(names)
        ]
        parts = [
            f"# `{module}`\n",
            deeper(say(MODULES[module].english, MODULES[module].chinese)) + "\n",
            table((say("name", "名称"), say("what it is", "含义")), rows),
        ]
        found |= {f"{folder}/{file}": _with_way_back(text, module, say) for file, text in entries.items()}
        found[f"{folder}/index.md"] = "\n".join([*parts, entries["index.md"]])
    return found | {"api/wwspec_client/methods.md": _methods(say)}


def _with_way_back(page: str, module: str, say: Say) -> str:
    """Return the page of a class with a line below its title that leads to its module."""
    title, _, rest = page.partition("\n")
    return f"{title}\n\n{say('In the module', '所在模块：')} [`{module}`](index.md){say('.', '。')}\n{rest}"


def _methods(say: Say) -> str:
    """Return the page of the methods for WeCom's APIs, which both clients have."""
    return "\n".join(
        [
            say("# Methods for APIs of WeCom\n", "# 企业微信接口的方法\n"),
            say(
                "[`ZoneClient`](zoneclient.md) has each of them as a method, and "
                "[`AsyncZoneClient`](asynczoneclient.md) as "
                "a coroutine.\n",
                "下列接口在 [`ZoneClient`](zoneclient.md) 上是普通方法，在 [`AsyncZoneClient`](asynczoneclient.md) 上是"
                "协程。\n",
            ),
            *(_method(f"{function.__module__}.{function.__name__}", path, say) for path, function in METHODS),
        ]
    )


def _method(endpoint: str, path: str, say: Say) -> str:
    """Return the entry of an endpoint as a method: without the core, and with what its steps return."""
    function = copy(loaded(endpoint))
    function.parameters = griffe.Parameters(*list(function.parameters)[1:])
    function.returns = function.returns.slice
    return function_entry(function, say, 2) + say(f"\nIt calls `/cgi-bin/{path}`.\n", f"\n调用 `/cgi-bin/{path}`。\n")
