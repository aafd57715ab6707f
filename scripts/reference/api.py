"""The names that an application imports from `wwspec_router`; mkdocstrings writes what their docstrings say."""

import inspect
from collections.abc import Iterable
from importlib import import_module
from typing import Any

import wwspec_router
from scripts.reference.text import Say

__all__ = ["PAGE", "entries", "page"]

PAGE = "reference/api.md"

_WITH_BASE = {"AsyncContext", "Context"}
"""Classes that the package itself makes, and whose public attributes are those of a base without an entry."""

_FOREIGN = {
    "UNSET": (
        "The value of an optional field that is left out. It is msgspec's.",
        "可选字段没有填写时的值，来自 msgspec。",
    ),
    "UnsetType": (
        "The type of `UNSET`, for annotations: `int | UnsetType`. It is msgspec's.",
        "`UNSET` 的类型，用于类型标注：`int | UnsetType`，来自 msgspec。",
    ),
}


def page(say: Say) -> str:
    """Return the page."""
    return (
        say.head(
            say("API of programs", "程序 API"),
            say(
                "All that an application imports from `wwspec_router`. WeCom's contracts are in `wwspec_router.wecom`: "
                "[SDK APIs](contracts.md), [events](events.md).",
                "应用代码从 `wwspec_router` 导入的全部名称。企业微信自己的协议类型在 `wwspec_router.wecom` 里，见 "
                "[SDK 接口](contracts.md)和[事件](events.md)。说明取自 docstring，为英文。",
            ),
        )
        + "\n"
        + entries("wwspec_router", wwspec_router.__all__, say)
    )


def entries(module: str, names: Iterable[str], say: Say) -> str:
    """Return a directive for each name of a module, functions and classes by their alphabet."""
    parts = []
    for name in sorted(names, key=str.lower):
        value = getattr(import_module(module), name)
        if name in _FOREIGN:
            parts.append(f"### `{name}` {{#{module}.{name}}}\n\n{say(*_FOREIGN[name])}\n")
        else:
            parts.append(f"::: {module}.{name}\n{_options(name, value)}")
    return "\n".join(parts)


def _options(name: str, value: Any) -> str:
    """Return the options of an entry where it needs other ones than those of the site."""
    if name in _WITH_BASE:
        filters = '["!^_", "!^open_mailbox$"]'
        options = f"inherited_members: true, merge_init_into_class: false, show_bases: false, filters: {filters}"
        return f"    options: {{{options}}}\n"
    if not (inspect.isclass(value) or inspect.isroutine(value)):
        return "    options: {show_root_heading: true}\n"
    return ""
