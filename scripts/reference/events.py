"""The fields of WeCom's events, from `wwspec_contracts.events`."""

import pkgutil
from importlib import import_module
from types import ModuleType

import wwspec_contracts.events
from scripts.reference.contracts import described
from scripts.reference.shapes import fields_table
from scripts.reference.text import Say, documents, summary, table

__all__ = ["PAGE", "events", "page"]

PAGE = "reference/events.md"


def page(say: Say) -> str:
    """Return the page."""
    modules = events()
    summaries = {name: summary(module.__doc__ or "") for name, module in modules.items()}
    parts = [
        say.head(
            say("Events", "事件"),
            say(
                f"The {len(modules)} events that WeCom sends to a program: "
                f"`wwspec_contracts.events.<event_type>.Event`. How "
                "to run code on one: [events](../program/events.md).",
                f"企业微信发给程序的 {len(modules)} 个事件，即 `wwspec_contracts.events.<event_type>.Event`。"
                "如何在收到事件时运行代码，见[收到事件时运行代码](../program/events.md)。",
            ),
        ),
        table(
            (say("event_type", "event_type"), say("when it comes", "含义"), say("documents", "文档")),
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
        fields = fields_table(module.Event, say, {}, request=False)
        parts.append(f"## `{name}` {{#{name}}}\n\n{described(summaries[name], say)}\n\n{fields}")
    return "\n".join(parts)


def events() -> dict[str, ModuleType]:
    """Return the module of every event, by its event_type."""
    package = wwspec_contracts.events
    return {
        each.name: import_module(f"{package.__name__}.{each.name}") for each in pkgutil.iter_modules(package.__path__)
    }
