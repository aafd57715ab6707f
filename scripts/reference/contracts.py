"""Requests and replies of WeCom's SDK APIs, from `wwspec_contracts.api`: a page each, and one of the enums."""

import enum
import pkgutil
from functools import cache
from importlib import import_module
from types import ModuleType

import wwspec_contracts
import wwspec_contracts.api
from scripts.reference.shapes import Enums, fields_table, values_of
from scripts.reference.text import Say, Summary, documents, first_paragraph, summary
from wwspec_devtools.emulator.apis.table import APIS

__all__ = ["apis", "described", "enums", "pages"]

_FOLDER = "api/wwspec_contracts"


def pages(say: Say) -> dict[str, str]:
    """Return the pages by their paths."""
    found = {f"{_FOLDER}/{name}.md": _page(name, module, say) for name, module in apis().items()}
    values = [say("# Values\n", "# 枚举值\n")]
    for name, cls in sorted(enums().items()):
        values.append(f"## `{name}` {{#{name.lower()}}}\n")
        values.append(f"`{cls.__module__}`: {first_paragraph(cls.__doc__)}\n\n{values_of(cls, say)}")
    return found | {f"{_FOLDER}/values.md": "\n".join(values)}


def _page(name: str, module: ModuleType, say: Say) -> str:
    places: Enums = {each: f"values.md#{each.lower()}" for each in enums()}
    reply = _without_outcome(fields_table(module.Response, say, places, request=False), say)
    emulated = say.of_code(first_paragraph(APIS[name].__doc__)) if APIS[name].__doc__ else ""
    return "\n".join(
        [
            f"# `{name}`\n",
            described(summary(module.__doc__ or ""), say) + "\n",
            say(
                f"`from wwspec_contracts import {name}`. A path such as `msg_list[].msgid` is a field of each element "
                "of a "
                "list. A field that is not required may be left out. Times are Unix seconds. Every reply also has "
                "`errcode` (0 "
                "is success) and `errmsg`.\n",
                f"`from wwspec_contracts import {name}`。`msg_list[].msgid` 指列表中每个元素的字段。非必填字段可以不"
                "传。"
                "时间均为 Unix 时间戳，单位秒。每个应答还有 `errcode`（0 表示成功）和 `errmsg`。字段说明取自代码，多为"
                "英文。\n",
            ),
            say("## Request\n", "## 请求 {#request}\n"),
            fields_table(module.Request, say, places, request=True),
            say("## Reply\n", "## 应答 {#reply}\n"),
            reply,
            *([say("## In the emulator\n", "## 模拟器的行为 {#in-the-emulator}\n"), emulated] if emulated else []),
        ]
    )


def apis() -> dict[str, ModuleType]:
    """Return the module of every SDK API, by the API's name."""
    package = wwspec_contracts.api
    return {
        each.name: import_module(f"{package.__name__}.{each.name}") for each in pkgutil.iter_modules(package.__path__)
    }


def described(each: Summary, say: Say) -> str:
    """Return what an API or event is for."""
    head = say(f"{each.english} ({each.chinese}).", f"{each.chinese}。")
    links = documents(each.documents)
    rest = f"\n\n{say.of_code(each.rest)}" if each.rest else ""
    return head + say(f" WeCom's documents: {links}.", f"企业微信文档：{links.replace(', ', '、')}。") + rest


def _without_outcome(reply: str, say: Say) -> str:
    lines = [line for line in reply.splitlines() if not line.startswith(("| `errcode` |", "| `errmsg` |"))]
    return "\n".join(lines) + "\n" if len(lines) > 2 else say("No other fields.", "没有其他字段。") + "\n"


@cache
def enums() -> dict[str, type[enum.Enum]]:
    """Return every enum of WeCom's contracts by its name.

    Raises:
        ValueError: Two have the same name.
    """
    found: dict[str, type[enum.Enum]] = {}
    for module in pkgutil.walk_packages(wwspec_contracts.__path__, "wwspec_contracts."):
        for name, value in vars(import_module(module.name)).items():
            if (
                isinstance(value, type)
                and issubclass(value, enum.Enum)
                and value.__module__.startswith("wwspec_contracts")
            ):
                if found.setdefault(name, value) is not value:
                    raise ValueError(f"two enums of WeCom's contracts are named {name}")
    return found
