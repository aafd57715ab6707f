"""Values, calls and assignments as Python source, in the form of `ruff format`: a line that is too long is split."""

from collections.abc import Callable, Sequence
from typing import Any

from wwspec_contracts.source_text import literal as on_one_line, width

WIDTH = 88
"""Columns of a line: ruff's own default."""
STEP = 4
"""Columns of an indent."""


def literal(value: Any, taken: int = 0, *, indent: int = 0, after: int = 0) -> str:
    """Return a JSON value as Python: on one line when that fits, else with a line for each member.

    Args:
        value: It may hold a `Name`.
        taken: Columns before it on its first line, with the indent.
        indent: Columns before its line.
        after: Columns after it on its last line.
    """
    flat = on_one_line(value)
    if not value or not isinstance(value, dict | list) or fits(flat, taken + after):
        return flat
    inner = indent + STEP
    members = [(f"{on_one_line(key)}: ", each) for key, each in value.items()] if isinstance(value, dict) else []
    lines = [
        f"{' ' * inner}{key}{literal(each, inner + width(key), indent=inner, after=1)},"
        for key, each in members or [("", each) for each in value]
    ]
    return "\n".join([flat[0], *lines, " " * indent + flat[-1]])


def call(head: str, given: Sequence[str], indent: int = STEP, after: str = "") -> str:
    """Return a call, indented: on one line when that fits, else its arguments on the next one, or a line for each.

    Args:
        head: Such as `answer = zone.call`.
        given: Arguments, each on one line.
        indent: Columns before it.
        after: What follows the call.
    """
    outer, inner, flat = " " * indent, " " * (indent + STEP), ", ".join(given)
    if fits(line := f"{outer}{head}({flat}){after}"):
        return line
    split = f"{inner}{flat}\n" if fits(inner + flat) else "".join(f"{inner}{each},\n" for each in given)
    return f"{outer}{head}(\n{split}{outer}){after}"


def assignment(name: str, value: Any) -> str:
    """Return an assignment, indented; a long text is put into parentheses when it then fits."""
    head, inner = f"{' ' * STEP}{name} = ", " " * (2 * STEP)
    source = literal(value, width(head), indent=STEP)
    if isinstance(value, dict | list) or fits(head + source) or not fits(inner + source):
        return head + source
    return f"{head}(\n{inner}{source}\n{' ' * STEP})"


def fits(source: str, taken: int = 0) -> bool:
    """Return whether a source is one line that is not too long after the taken columns."""
    return "\n" not in source and len(source) <= WIDTH and width(source) + taken <= WIDTH


def replaced(value: Any, replace: Callable[[str, Any], Any], key: str = "") -> Any:
    """Return a JSON value with some parts replaced.

    Args:
        value: The value; it does not change.
        replace: Gets each part with its key, or the key of its list, and returns the new part.
        key: Of the value.
    """
    other = replace(key, value)
    if other is not value:
        return other
    if isinstance(value, dict):
        return {name: replaced(item, replace, name) for name, item in value.items()}
    return [replaced(item, replace, key) for item in value] if isinstance(value, list) else value
