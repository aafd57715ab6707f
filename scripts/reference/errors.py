"""The errors that programs, apps and tests meet, from the classes themselves."""

from collections.abc import Iterator
from importlib import import_module

from scripts.reference.public import NAMES
from scripts.reference.text import Say, code, first_paragraph, linked, table
from scripts.rooms import all_modules
from wwspec_contracts.errors import CallError, ConfigurationError, WWSpecError

__all__ = ["PAGE", "errors", "imported_from", "page"]

PAGE = "reference/errors.md"

_INSIDE = tuple(f"wwspec_devtools.emulator.{each}." for each in ("answers", "http.reading", "program", "state"))
"""Modules whose errors the emulator raises within itself and turns into answers."""


def page(say: Say) -> str:
    """Return the page."""
    error, base, meaning = say("error", "异常"), say("base", "基类"), say("meaning", "含义")
    everything = list(errors())
    calls = [each for each in everything if issubclass(each, CallError)]
    start = [each for each in everything if issubclass(each, ConfigurationError)]
    others = [each for each in everything if not issubclass(each, CallError | ConfigurationError)]
    parts = [
        say.head(
            say("Errors", "异常"),
            say(
                "What programs, apps and tests meet; all are subclasses of `wwspec_contracts.errors.WWSpecError`. The "
                "errcodes that an app reads are [on a page of their own](errcodes.md).",
                "程序、应用和测试可能遇到的异常，都是 `wwspec_contracts.errors.WWSpecError` 的子类。"
                "应用收到的错误码见[错误码](errcodes.md)。",
            ),
        ),
        f"## {say('Errors of a call', '调用错误 {#errors-of-a-call}')}\n",
        say(
            "Each becomes the reply of one call. The app reads `errmsg`; the log has the message only where the last "
            "column "
            "says so, and names class and errcode otherwise.",
            "每个异常都会成为一次调用的应答，其文字就是应用读到的 `errmsg`。最后一列为“是”时，日志也会写入这段文字，"
            "否则只写类名和错误码。",
        )
        + "\n",
        table(
            (error, base, meaning, "`errmsg`", say("in the log", "写入日志")),
            [(*_row(each, say), _errmsg(each), _logged(each, say)) for each in calls],
        ),
        f"## {say('Errors at the start', '启动错误 {#errors-at-the-start}')}\n",
        say(
            "The program does not start; the text names the fix.",
            "出现这些异常时程序不会启动，错误信息里写有解决办法。",
        )
        + "\n",
        table((error, base, meaning), [_row(each, say) for each in start]),
        f"## {say('Other errors', '其他异常 {#other-errors}')}\n",
        table((error, base, meaning), [_row(each, say) for each in others]),
    ]
    return "\n".join(parts)


def errors() -> Iterator[type[WWSpecError]]:
    """Yield every error that leaves our packages, each behind its base."""
    for module in all_modules():
        if "wwspec_standin" not in module.name:
            import_module(module.name)
    yield WWSpecError
    yield from (each for each in _below(WWSpecError) if not f"{each.__module__}.".startswith(_INSIDE))


def imported_from(error: type[WWSpecError]) -> str:
    """Return the module from which an error is imported: one with public names where it is among them."""
    for module, names in NAMES.items():
        if error.__name__ in names and getattr(import_module(module), error.__name__) is error:
            return module
    return error.__module__


def _below(base: type[WWSpecError]) -> Iterator[type[WWSpecError]]:
    for each in sorted(base.__subclasses__(), key=lambda each: (each.__module__, each.__name__)):
        if each.__module__.startswith("wwspec_") and not each.__name__.startswith("_"):
            yield each
            yield from _below(each)


def _row(each: type[WWSpecError], say: Say) -> tuple[str, ...]:
    base = each.__base__
    name = f"`{imported_from(each)}.{each.__name__}`"
    return name, f"`{base.__name__ if base else ''}`", linked(say.of_code(first_paragraph(each.__doc__)))


def _errmsg(each: type[CallError]) -> str:
    """Return the text of an error that is raised without one; nothing when its own class makes it."""
    return code(each.default_message) if "__init__" not in vars(each) or each is CallError else ""


def _logged(each: type[CallError], say: Say) -> str:
    return say("yes", "是") if each.loggable else say("no", "否")
