"""Decodes JSON from outside: a function, the exceptions that msgspec raises for such text, and a lock.

It knows JSON and types, not contracts. Codecs have their own decoders, and use only the exceptions and the lock.
"""

from collections.abc import Callable
from functools import cache
from threading import RLock
from typing import Any, TypeVar, overload

import msgspec

from wwspec_contracts.errors import JsonError

T = TypeVar("T")

UNREADABLE = (msgspec.DecodeError, ValueError, RecursionError)
"""The exceptions of msgspec's decoders for a text that they can't read: ValueError also for text that is not Unicode
and for numbers with too many digits, RecursionError for text that is nested too deeply."""

BUILDING = RLock()
"""Held while msgspec may see a type for the first time. It stores its description of a struct before that is complete
(0.22), and a thread that decodes the struct meanwhile crashes the process with a segmentation fault."""


@overload
def decode_json(text: str | bytes) -> Any: ...


@overload
def decode_json(text: str | bytes, type_: type[T]) -> T: ...


def decode_json(text: str | bytes, type_: Any = Any) -> Any:
    """Return the value of a JSON text.

    Raises:
        JsonError: The text is not JSON, or not of the type. Its cause is dropped, since that may hold the whole text.
    """
    try:
        return _decoder(type_)(text)
    except UNREADABLE as error:
        reason = _reason(error)
    raise JsonError(reason)


@cache
def _decoder(type_: Any) -> Callable[[str | bytes], Any]:
    with BUILDING:
        return msgspec.json.Decoder(type_).decode


def convert(value: Any, type_: type[T], *, strict: bool = True) -> T:
    """Return a value as one of the type, as `msgspec.convert` does.

    Raises:
        msgspec.ValidationError: It does not fit.
    """
    with BUILDING:
        return msgspec.convert(value, type_, strict=strict)


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeError):
        return "it is not text in UTF-8"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
