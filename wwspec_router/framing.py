"""Bytes of one connection that wait for the HTTP parser, cut so that it meets one request at a time.

The parser takes every request of a piece at once, however many there are, and can't be stopped in between. So each
piece ends where a request ends: a head, and a body in chunks, end with the first empty line; a body of a known length
ends with its last byte. What a request is, the parser alone decides. This module knows no parser and no socket.
"""

from collections.abc import Iterable

__all__ = ["Unparsed", "content_length", "length_of"]

_EMPTY_LINE = b"\r\n\r\n"
"""The end of the line before, and the empty one."""
_LENGTH = len(_EMPTY_LINE)
_DIGITS = 20
"""Enough for each length below 2**64."""


def length_of(value: bytes) -> int:
    """Return the length that the value of a content-length says; 0 when it says none.

    Any number of zeros may come first. A number that is too long for a length is cut short and is still too large for
    any limit: Python converts no more than 4300 digits.
    """
    digits = value.strip().lstrip(b"0")
    return int(digits[:_DIGITS]) if digits.isdigit() else 0


def content_length(headers: Iterable[tuple[bytes, bytes]]) -> int:
    """Return the length of a body as its head says; 0 when it says none.

    Args:
        headers: Names, in lower case, and values.
    """
    for name, value in headers:
        if name == b"content-length":
            return length_of(value)
    return 0


class Unparsed:
    """What has arrived and is not parsed yet.

    Attributes:
        data: What arrived, or as much of it as was kept; empty once all of it was taken.
    """

    __slots__ = ("_at", "_body", "_tail", "data")

    def __init__(self) -> None:
        self.data = b""
        self._at = 0
        """Where in the data the next piece begins."""
        self._tail = b""
        """The end of the piece before, in which an empty line may have begun."""
        self._body = 0
        """Bytes of a body of a known length that are still to come."""

    def add(self, data: bytes) -> None:
        """Take what has arrived."""
        self.data = self.data[self._at :] + data if self.data else data
        self._at = 0

    def expect_body(self, length: int) -> None:
        """Let the next pieces be a body of so many bytes, and not end with an empty line."""
        self._body = length

    def put_back(self, data: bytes) -> None:
        """Let this come before all that is there."""
        self.data = data + self.data[self._at :]
        self._at = 0

    def take(self) -> bytes:
        """Return the next piece: to the end of the head or body, or else all that is there."""
        data, start = self.data, self._at
        if self._body:
            end = start + self._body
        else:
            end = 0 if self._tail else data.find(_EMPTY_LINE, start) + _LENGTH
            if end < _LENGTH:
                end = self._end_of_part()
        if end < len(data):
            self._at = end
            self._body = 0
            return data[start:end]
        self._body = max(0, end - len(data))
        self.data = b""
        self._at = 0
        return data[start:] if start else data

    def clear(self) -> None:
        """Forget what is there."""
        self.data = b""
        self._at = 0

    def _end_of_part(self) -> int:
        """Return where the first empty line ends, when a head came in parts; the end of the data when there is none."""
        joined = self._tail + self.data[self._at :]
        end = joined.find(_EMPTY_LINE) + _LENGTH
        if end < _LENGTH:
            self._tail = joined[1 - _LENGTH :]
            return len(self.data)
        end += self._at - len(self._tail)
        self._tail = b""
        return end
