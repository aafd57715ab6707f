"""What a test asserts of a reply: its values, or its shape."""

import re
from functools import reduce
from typing import Any

from wwspec_contracts.source_text import Name
from wwspec_devtools.emulator.display.masking import MASK
from wwspec_devtools.emulator.pytests.python import replaced

ANY = Name("ANY")
"""Replaces a value that differs each time."""

_NEAR = 400 * 24 * 3600
"""A number within so many seconds of an exchange counts as a time."""
_ID = re.compile(r"[0-9a-f]{16}")
"""The pattern of random ids, such as those of notifications and jobs."""


def stable_values(reply: Any, seconds: float, request_id: str) -> Any:
    """Return a reply with `ANY` for masked values, and for times and ids of the exchange.

    Args:
        reply: A JSON value.
        seconds: Time of the exchange.
        request_id: Of the exchange; empty when it has none.
    """

    def stable(_: str, value: Any) -> Any:
        match value:
            case bool():
                return value
            case int() | float() if min(abs(value - seconds), abs(value / 1000 - seconds)) < _NEAR:
                return ANY
            case str() if value == MASK or _ID.search(value) or (request_id and value == request_id):
                return ANY
        return value

    return replaced(reply, stable)


def shape_of(reply: Any) -> Any:
    """Return an example of a reply: each list has one element, with the keys of all elements."""
    if isinstance(reply, dict):
        return {key: shape_of(item) for key, item in reply.items()}
    return [reduce(_together, map(shape_of, reply))] if reply and isinstance(reply, list) else reply


def _together(one: Any, other: Any) -> Any:
    """Return a shape with the keys of both."""
    match one, other:
        case [first], [second]:
            return [_together(first, second)]
        case list(), list():
            return one + other
        case dict(), dict():
            return one | {key: _together(one[key], item) if key in one else item for key, item in other.items()}
    return one


def is_mixed(reply: Any) -> bool:
    """Return whether a list of a reply has values of several types, or null and others. No example can show these."""
    members = reply.values() if isinstance(reply, dict) else reply if isinstance(reply, list) else ()
    return any(map(is_mixed, members)) or (isinstance(reply, list) and len({type(each) for each in reply}) > 1)
