"""Requests and replies of WeCom's SDK APIs, from `wwspec_contracts.api`."""

import enum
import pkgutil
from importlib import import_module
from types import ModuleType

import wwspec_contracts
import wwspec_contracts.api
from scripts.reference.shapes import Enums, fields_table, values_of
from scripts.reference.text import Say, Summary, documents, first_paragraph, summary, table

__all__ = ["PAGE", "apis", "described", "page"]

PAGE = "reference/contracts.md"


def page(say: Say) -> str:
    """Return the page."""
    enums = _enums()
    places: Enums = {name: f"#{name.lower()}" for name in enums}
    modules = apis()
    summaries = {name: summary(module.__doc__ or "") for name, module in modules.items()}
    parts = [
        say.head(
            say("SDK APIs", "SDK 接口"),
            say(
                f"The contracts of WeCom's {len(modules)} SDK APIs: `wwspec_contracts.<api>.Request` and "
                f"`.Response`. A "
                "path such as `msg_list[].msgid` is a field of each element of a list. A field that is not required "
                "may be "
                "left out. Times are Unix seconds. Every reply has `errcode` (0 is success) and `errmsg`, which are "
                "not "
                "repeated below.",
                f"企业微信 {len(modules)} 个 SDK 接口的协议，即 `wwspec_contracts.<接口名>` 的 `Request` 和 "
                f"`Response`。"
                "`msg_list[].msgid` 指列表中每个元素的字段。非必填字段可以不传。时间均为 Unix 时间戳，单位秒。"
                "每个应答都有 `errcode`（0 表示成功）和 `errmsg`，下文不再列出。字段说明取自代码，多为英文。",
            ),
        ),
        table(
            (say("API", "接口"), say("what it does", "作用"), say("documents", "文档")),
            [
                (
                    f"[`{name}`](#{name})",
                    say(f"{each.english} ({each.chinese})", each.chinese),
                    documents(each.documents),
                )
                for name, each in summaries.items()
            ],
        ),
    ]
    for name, module in modules.items():
        parts.append(f"## `{name}` {{#{name}}}\n\n{described(summaries[name], say)}\n")
        parts.append(f"**{say('Request', '请求')}**\n\n{fields_table(module.Request, say, places, request=True)}")
        reply = fields_table(module.Response, say, places, request=False)
        parts.append(f"**{say('Reply', '应答')}**\n\n{_without_outcome(reply, say)}")
    parts.append(f"## {say('Values', '枚举值')} {{#values}}\n")
    for name, cls in sorted(enums.items()):
        parts.append(f"### `{name}` {{#{name.lower()}}}\n\n{first_paragraph(cls.__doc__)}\n\n{values_of(cls, say)}")
    return "\n".join(parts)


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


def _enums() -> dict[str, type[enum.Enum]]:
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
