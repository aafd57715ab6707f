"""Decodes JSON that comes from outside: one function, and the exceptions that msgspec raises for such text.

It knows JSON and types, not contracts; codecs with a decoder of their own use `UNREADABLE` alone.
"""

from typing import Any, TypeVar, overload

import msgspec

from wwspec_router.errors import JsonError

__all__ = ["UNREADABLE", "decode_json"]

T = TypeVar("T")

UNREADABLE = (msgspec.DecodeError, ValueError, RecursionError)
"""What msgspec's decoders raise for a text that is not of their type: ValueError for text that is not Unicode and for
numbers of too many digits, RecursionError for text that is nested too deeply."""


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
        return msgspec.json.decode(text, type=type_)
    except UNREADABLE as error:
        reason = _reason(error)
    raise JsonError(reason)


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeError):
        return "it is not text in UTF-8"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
