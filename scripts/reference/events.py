"""The fields of WeCom's events, from `wwspec_contracts.events`."""

import pkgutil
from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

import wwspec_contracts.events
from scripts.reference.shapes import fields_of
from scripts.reference.text import Say, documents, summary, table

__all__ = ["PAGE", "events", "page"]

PAGE = "reference/events.md"


def page(say: Say) -> str:
    """Return the page."""
    modules = events()
    summaries = {name: summary(module.__doc__ or "") for name, module in modules.items()}
    return "\n".join(
        [
            say.head(
                say("Events", "事件"),
                say(
                    f"The {len(modules)} events that WeCom sends to a program: "
                    "`wwspec_contracts.events.<event_type>.Event`. "
                    "How to run code on one: [events](../program/events.md).",
                    f"企业微信发给程序的 {len(modules)} 个事件，即 `wwspec_contracts.events.<event_type>.Event`。"
                    "如何在收到事件时运行代码，见[收到事件时运行代码](../program/events.md)。",
                ),
            ),
            table(
                ("event_type", say("when it comes", "含义"), say("documents", "文档")),
                [
                    (
                        f'<a id="{name}"></a>`{name}`',
                        say(
                            f"{each.english} ({each.chinese}). {each.rest}", f"{each.chinese}。{say.of_code(each.rest)}"
                        ),
                        documents(each.documents),
                    )
                    for name, each in summaries.items()
                ],
            ),
            f"## {say('Fields', '字段 {#fields}')}\n",
            say(
                "Every event has `event_type`; `timestamp`, which is Unix time in seconds where nothing else is said; "
                "and, "
                "under its own name, an object with the other fields.",
                "每个事件都有 `event_type`、`timestamp`（没有另外说明时为 Unix 时间戳，单位秒），以及以事件名为键、存放"
                "其他字段的"
                "对象。",
            )
            + "\n",
            table(
                (say("field", "字段"), say("of", "所属事件"), say("type", "类型"), say("meaning", "说明")),
                _fields(modules, say),
            ),
        ]
    )


def _fields(modules: dict[str, ModuleType], say: Say) -> Iterator[tuple[str, ...]]:
    """Yield the fields of events with the events that have them, but those that all have alike."""
    found: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for name, module in modules.items():
        for field, kind, _, allowed, meaning in fields_of(module.Event, say):
            has_nothing_to_say = field == "`timestamp`" and meaning == say.of_code("Unix time in seconds.")
            if kind != "object" and field != "`event_type`" and not has_nothing_to_say:
                shown = say(f"{kind}, {allowed}", f"{kind}，{allowed}") if allowed else kind
                found[f"`{field.strip('`').rpartition('.')[2]}`", shown, meaning].append(f"`{name}`")
    for (field, kind, meaning), of in found.items():
        yield field, say(", ", "、").join(of), kind, meaning


def events() -> dict[str, ModuleType]:
    """Return the module of every event, by its event_type."""
    package = wwspec_contracts.events
    return {
        each.name: import_module(f"{package.__name__}.{each.name}") for each in pkgutil.iter_modules(package.__path__)
    }
