"""Bytes of one connection that wait for the HTTP parser, cut so that it meets one request at a time.

The parser takes every request of a piece at once, however many there are, and can't be stopped in between. So each
piece ends where a request may end: with the first empty line, with the last byte of a body whose length is known, or
with the last chunk. What a request is, the parser alone decides. This module knows no parser and no socket.
"""

from collections.abc import Iterable

__all__ = ["Unparsed", "content_length", "length_of"]

_END_OF_LINE = b"\r\n"
_EMPTY_LINE = b"\r\n\r\n"
"""The end of the line before, and the empty one."""
_LENGTH = len(_EMPTY_LINE)
_SHORTEST = len(b"GET / HTTP/1.1\r\n\r\n")
"""A head that is shorter is none: empty lines may come before one."""
_DIGITS = 20
"""Enough for each length below 2**64."""


def length_of(value: bytes) -> int:
    """Return the length that the value of a content-length says; 0 when it says none.

    Any number of zeros may come first. A number that is too long for a length is cut short and is still too large for
    any limit: Python converts no more than 4300 digits.
    """
    if value.isdigit() and len(value) < _DIGITS:
        return int(value)
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

    __slots__ = ("_at", "_body", "_chunked", "_tail", "data")

    def __init__(self) -> None:
        self.data = b""
        self._at = 0
        """Where in the data the next piece begins."""
        self._tail = b""
        """The end of the piece before, in which an empty line or a chunk's size may have begun."""
        self._body = 0
        """Bytes of a body or a chunk that are still to come."""
        self._chunked = False
        """Whether more chunks are to come."""

    def add(self, data: bytes) -> None:
        """Take what has arrived."""
        self.data = self.data[self._at :] + data if self.data else data
        self._at = 0

    def put_back(self, data: bytes) -> None:
        """Let this come before all that is there."""
        self.data = data + self.data[self._at :]
        self._at = 0

    def expect_bytes(self, length: int) -> None:
        """Let a body of so many bytes come next."""
        self._body = length

    def expect_body(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Let the body come next that a head announces."""
        for name, value in headers:
            if name == b"content-length":
                self._body = length_of(value)
            elif name == b"transfer-encoding":
                self._chunked = True

    def take(self) -> bytes:
        """Return the next piece: to the end of the head or body, or else all that is there."""
        data, start = self.data, self._at
        if self._body:
            end = start + self._body
        elif self._chunked:
            end = self._end_of_chunks()
        else:
            end = 0 if self._tail else data.find(_EMPTY_LINE, start) + _LENGTH
            if end < start + _SHORTEST:
                end = self._end_of_head()
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

    def _end_of_head(self) -> int:
        """Return where a head ends that came in parts or after empty lines; the end of the data when it does not."""
        data = self._tail + self.data[self._at :]
        before = 0 if self._tail else len(data) - len(data.lstrip(_END_OF_LINE))
        return self._after_empty_line(data, before)

    def _end_of_chunks(self) -> int:
        """Return where the last chunk and its trailers end, or where a chunk will end that is not there as a whole."""
        data = self._tail + self.data[self._at :]
        self._tail = b""
        at = 0
        while at < len(data):
            line = data.find(_END_OF_LINE, at)
            if line < 0:
                self._tail = data[at:]
                return len(self.data)
            size = _size_of(data[at:line])
            if not size:
                self._chunked = False
                return self._after_empty_line(data, line)
            at = line + size + 2 * len(_END_OF_LINE)
        return at + len(self.data) - len(data)

    def _after_empty_line(self, data: bytes, start: int) -> int:
        """Return where the first empty line ends, as a place in all data; its end when there is none.

        Args:
            data: The end of all data, with the tail before it.
            start: From where to look.
        """
        end = data.find(_EMPTY_LINE, start) + _LENGTH
        if end < _LENGTH:
            self._tail = data[max(start, len(data) - _LENGTH + 1) :]
            return len(self.data)
        self._tail = b""
        return end + len(self.data) - len(data)


def _size_of(line: bytes) -> int:
    """Return the size that begins a chunk; 0 for none, at which the parser ends."""
    try:
        return int(line.partition(b";")[0], 16)
    except ValueError:
        return 0
