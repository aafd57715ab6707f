"""Values, calls and assignments as Python source, in the form of `ruff format`: a line that is too long is split."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from wwspec_router.contracts.source_text import literal as on_one_line, width

__all__ = ["STEP", "Name", "assignment", "call", "literal", "replaced"]

WIDTH = 88
"""Columns of a line: ruff's own default."""
STEP = 4
"""Columns of an indent."""


class Name(msgspec.Struct, frozen=True):
    """A name, such as `ANY`, where a value could be."""

    text: str


def literal(value: Any, taken: int = 0, *, indent: int = 0, after: int = 0) -> str:
    """Return a JSON value as Python: on one line when that fits, else with a line for each member.

    Args:
        value: It may hold a `Name`.
        taken: Columns before it on its first line, the indent among them.
        indent: Columns before its line.
        after: Columns behind it on its last line.
    """
    flat = _flat(value, WIDTH - taken - after)
    if flat is not None:
        return flat
    if not value or not isinstance(value, dict | list):
        return _scalar(value)
    inner = indent + STEP
    lines = (
        f"{' ' * inner}{key}{literal(item, inner + width(key), indent=inner, after=1)},\n"
        for key, item in _members(value)
    )
    begin, end = "{}" if isinstance(value, dict) else "[]"
    return f"{begin}\n{''.join(lines)}{' ' * indent}{end}"


def call(head: str, given: Sequence[str], indent: int = STEP, after: str = "") -> str:
    """Return a call, indented: on one line when that fits, else its arguments on the next one, or a line for each.

    Args:
        head: Such as `answer = zone.call`.
        given: Arguments, each on one line.
        indent: Columns before it.
        after: What follows the call.
    """
    outer, inner = " " * indent, " " * (indent + STEP)
    flat = ", ".join(given)
    if width(line := f"{outer}{head}({flat}){after}") <= WIDTH:
        return line
    split = f"{inner}{flat}\n" if width(inner + flat) <= WIDTH else "".join(f"{inner}{each},\n" for each in given)
    return f"{outer}{head}(\n{split}{outer}){after}"


def assignment(name: str, value: Any) -> str:
    """Return an assignment, indented; a long text is put into parentheses when it then fits."""
    outer, inner = " " * STEP, " " * (2 * STEP)
    head = f"{outer}{name} = "
    source = literal(value, width(head), indent=STEP)
    if isinstance(value, dict | list) or width(head + source) <= WIDTH or width(inner + source) > WIDTH:
        return head + source
    return f"{head}(\n{inner}{source}\n{outer})"


def replaced(value: Any, replace: Callable[[str, Any], Any], key: str = "") -> Any:
    """Return a JSON value with some parts replaced.

    Args:
        value: It stays as it is.
        replace: Is given each part with its key, or the key of its list, and returns what is to be in its place.
        key: Of the value.
    """
    other = replace(key, value)
    if other is not value:
        return other
    if isinstance(value, dict):
        return {name: replaced(item, replace, name) for name, item in value.items()}
    return [replaced(item, replace, key) for item in value] if isinstance(value, list) else value


def _members(value: dict[str, Any] | list[Any]) -> Iterator[tuple[str, Any]]:
    """Yield each member with the source of its key."""
    if isinstance(value, dict):
        yield from ((f"{on_one_line(key)}: ", item) for key, item in value.items())
    else:
        yield from (("", item) for item in value)


def _flat(value: Any, room: int) -> str | None:
    """Return a value on one line; None when it takes more columns than there are."""
    if not isinstance(value, dict | list):
        source = None if isinstance(value, str) and len(value) > room else _scalar(value)
        return source if source is not None and width(source) <= room else None
    parts = list[str]()
    room -= 2
    for key, item in _members(value):
        room -= width(key) + (2 if parts else 0)
        source = _flat(item, room)
        if source is None:
            return None
        room -= width(source)
        parts.append(key + source)
    begin, end = "{}" if isinstance(value, dict) else "[]"
    return f"{begin}{', '.join(parts)}{end}" if room >= 0 else None


def _scalar(value: Any) -> str:
    return value.text if isinstance(value, Name) else on_one_line(value)
