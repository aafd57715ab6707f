"""Bytes of one connection become requests, one at a time; answers become bytes.

The parser of httptools parses all requests of a piece at once and can't be stopped in between. So each piece ends where
a request may end: after the first empty line, after the last byte of a body whose length is known, or after the last
chunk. Only the parser decides what a request is. This module knows no socket.
"""

from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import unquote

import httptools

from wwspec_router.protocol.answers import CLOSE, Answer, Headers
from wwspec_router.protocol.bounds import HEAD_BYTES

_CALL = b"POST / HTTP/1.1\r\n"
"""The beginning of nearly every call: such a request needs no look-up."""
_INVALID = "Invalid HTTP request received."
_END_OF_LINE = b"\r\n"
_EMPTY_LINE = b"\r\n\r\n"
"""The end of the last line, and the empty line."""
_LENGTH = len(_EMPTY_LINE)
_SHORTEST = len(b"GET / HTTP/1.1\r\n\r\n")
"""Length of the shortest head. Empty lines, which may come before a head, are shorter."""
_HEX_DIGITS = b"0123456789abcdefABCDEF"
"""All that the size of a chunk may have: `int` would take a sign too, with which the end of a chunk is before it."""
_DIGITS = 20
"""Enough for each length below 2**64."""

_STATUS_LINES = {each.value: b"HTTP/1.1 %d %b\r\n" % (each, each.phrase.encode()) for each in HTTPStatus}
_NAME_BYTES = bytes({*range(0x21, 0x7F), *range(0x80, 0x100)} - set(b'()<>@,;:\\[]={}"'))
_VALUE_BYTES = bytes([9, *range(0x20, 0x7F), *range(0x80, 0x100)])
"""The bytes that a header's name and value may have."""


def length_of(value: bytes) -> int:
    """Return the length that a content-length header says; 0 when it is no number.

    There may be any number of leading zeros. A number with too many digits is cut, since Python converts no more than
    4300; it is still too large for any limit.
    """
    if value.isdigit() and len(value) < _DIGITS:
        return int(value)
    digits = value.strip().lstrip(b"0")
    return int(digits[:_DIGITS]) if digits.isdigit() else 0


def content_length(headers: Iterable[tuple[bytes, bytes]]) -> int:
    """Return the length of a body by its head; 0 when the head has none.

    Args:
        headers: Names, in lower case, and values.
    """
    for name, value in headers:
        if name == b"content-length":
            return length_of(value)
    return 0


def head_of(answer: Answer, before: Iterable[tuple[bytes, bytes]], *, keep_alive: bool) -> bytes | None:
    """Return the head of an answer: the headers `before`, then its own; None when one of its own is not allowed."""
    headers = answer.headers if keep_alive or CLOSE in answer.headers else [*answer.headers, CLOSE]
    names = b"".join([name for name, _ in headers])
    values = b"".join([value for _, value in headers])
    if names.translate(None, _NAME_BYTES) or values.translate(None, _VALUE_BYTES):
        return None
    lines = [b"%b: %b\r\n" % header for header in (*before, *headers)]
    return b"".join([_STATUS_LINES[answer.status], *lines, b"\r\n"])


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
        """The end of the last piece: an empty line or a chunk's size may begin there."""
        self._body = 0
        """Bytes of a body or a chunk that are still to come."""
        self._chunked = False
        """Whether more chunks are to come."""

    def add(self, data: bytes) -> None:
        """Take what has arrived."""
        self.data = self.data[self._at :] + data if self.data else data
        self._at = 0

    def put_back(self, data: bytes) -> None:
        """Put data before all other data."""
        self.data = data + self.data[self._at :]
        self._at = 0

    def expect(self, length: int, in_chunks: bool) -> None:
        """Expect the body that a head announces."""
        self._body = length
        self._chunked = in_chunks

    def next_piece(self) -> bytes:
        """Return the next piece: up to the end of the head or body, or else all data."""
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
        """Return the end of a head that came in parts or after empty lines; without one the end of the data."""
        data = self._tail + self.data[self._at :]
        before = 0 if self._tail else len(data) - len(data.lstrip(_END_OF_LINE))
        return self._after_empty_line(data, before)

    def _end_of_chunks(self) -> int:
        """Return the end of the last chunk with its trailers, or the place where an incomplete chunk will end."""
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
    """Return the size at the beginning of a chunk; 0 when it is not digits alone, which the parser refuses."""
    digits = line.partition(b";")[0]
    return int(digits, 16) if digits and not digits.translate(None, _HEX_DIGITS) else 0


class BadRequestError(Exception):
    """The data is no request, so its end is unknown."""


class Reader:
    """Reads the requests of one connection.

    Args:
        max_body: Largest body of a call, in bytes.

    Attributes:
        unparsed: What has come and was not read.
        has_head: Whether the head of the request is complete.
        is_complete: Whether the request is.
        method: Of the request.
        path: Of the request, decoded.
        is_call: Whether it is `POST /`. The body of another request is dropped.
        is_too_large: Whether its body is, or says that it will be.
        expects: Whether the client waits for status 100 before it sends the body.
        keep_alive: Whether the connection goes on after the answer.
    """

    def __init__(self, max_body: int) -> None:
        self._max_body = max_body
        self._parser = httptools.HttpRequestParser(self)
        self._piece = b""
        """What the parser is given just now."""
        self._is_plain = False
        """Whether the request begins as nearly every call."""
        self._stalled = 0
        """Bytes since the last end of a head, or the last piece of a body."""
        self.unparsed = Unparsed()
        self.path = "/"
        self.forget()

    def forget(self) -> None:
        """Forget the request, so that an idle connection takes no memory for it."""
        self.has_head = self.is_complete = self.expects = self.is_too_large = False
        self.is_call = self.keep_alive = True
        self.method = b"POST"
        self._url = b""
        self._fields: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._length = 0

    def close(self) -> None:
        """Read no more, and drop the parser: it and the reader refer to each other."""
        self.unparsed.clear()
        self._parser = None  # type: ignore[assignment]

    def read(self) -> None:
        """Read on, at most to the end of the head or of the body.

        Raises:
            BadRequestError: The data is no request.
        """
        self._piece = piece = self.unparsed.next_piece()
        self._stalled += len(piece)
        try:
            self._parser.feed_data(piece)
        except httptools.HttpParserUpgrade as offer:
            self._ignore_upgrade(piece[offer.args[0] :])
        except httptools.HttpParserError:
            raise BadRequestError(_INVALID) from None
        self._piece = b""  # it may be large
        if self._stalled > HEAD_BYTES:
            raise BadRequestError("Request head too large.")

    def pop_call(self) -> tuple[Headers, bytes]:
        """Return the headers and the body of a call that is complete, and don't keep the body."""
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self._fields]
        body = b"".join(self._body)
        self._body.clear()
        return headers, body

    def on_message_begin(self) -> None:
        """Begin a request; the parser calls this and the following."""
        if self.has_head:  # a piece has two, and would mix them
            raise BadRequestError(_INVALID)
        self._is_plain = self._piece.startswith(_CALL)

    def on_url(self, url: bytes) -> None:
        """Take a part of the URL."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; trailers are dropped."""
        if not self.has_head:
            self._fields.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """End a head, unless it is parsed again."""
        parser = self._parser
        if parser.should_upgrade():
            return
        length, in_chunks = 0, False
        for name, value in self._fields:
            if name == b"content-length":
                length = length_of(value)
            elif name == b"transfer-encoding":
                in_chunks = True
            elif name == b"expect":
                self.expects = value.lower() == b"100-continue"
        self.keep_alive = parser.should_keep_alive()
        if not self._is_plain:
            self.method = parser.get_method()
            self.path = unquote((httptools.parse_url(self._url).path or b"/").decode("ascii"))
            self.is_call = self.path == "/" and self.method == b"POST"
            self.keep_alive = self.keep_alive and parser.get_http_version() != "1.0"
        self.unparsed.expect(length, in_chunks)
        self.is_too_large = self.is_call and length > self._max_body
        self.has_head = True
        self._stalled = 0

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._stalled = 0
        if self.is_call and not self.is_too_large:
            self._body.append(body)
            self._length += len(body)
            self.is_too_large = self._length > self._max_body

    def on_message_complete(self) -> None:
        """End a request."""
        self.is_complete = self.has_head

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Parse a head again without its offer to upgrade, with which the parser would skip the body.

        CONNECT, which the parser treats the same way, is refused.
        """
        method = self._parser.get_method()
        if method == b"CONNECT":
            raise BadRequestError(_INVALID)
        head = [b"%b %b HTTP/%b\r\n" % (method, self._url, self._parser.get_http_version().encode())]
        head += [b"%b: %b\r\n" % field for field in self._fields if field[0] != b"upgrade"]
        self.unparsed.put_back(b"%b\r\n%b" % (b"".join(head), rest))
        self._parser = httptools.HttpRequestParser(self)
        self._stalled = 0
        self.forget()
