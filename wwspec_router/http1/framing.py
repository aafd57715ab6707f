"""Bytes of one connection become requests, one at a time; answers become bytes.

Only llhttp, the parser of httptools, decides where a request ends. It is given all that has come, and stopped where a
second request begins: what follows a complete request is dropped. This module knows no socket.
"""

from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import unquote

import httptools

from wwspec_router.http1.answers import CLOSE, Answer, Headers
from wwspec_router.http1.bounds import FIELDS, GATHER, GATHERED, HEAD_BYTES, TINY, TINY_CHUNKS

_CALL = b"POST / HTTP/1.1\r\n"
"""The beginning of nearly every call: such a request needs no look-up."""
_INVALID = "Invalid HTTP request received."
_NO_VERSION = "The request line has no version, such as HTTP/1.1."
_NO_HOST = "The request has no header Host."
_HOSTS = "The request has more than one header Host."
_FIELDS = f"The request has more than {FIELDS:,} header fields or trailers."
_TINY = f"The body has more than {TINY_CHUNKS:,} chunks of fewer than {TINY} bytes."
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


class BadRequestError(Exception):
    """The data is no request, so its end is unknown."""


class Reader:
    """Reads the requests of one connection.

    Args:
        max_body: Largest body of a call, in bytes.

    Attributes:
        has_head: Whether the head of the request is complete.
        is_complete: Whether the request is.
        is_followed: Whether more came after a complete request; the connection ends with its answer.
        method: Of the request.
        path: Of the request, decoded.
        is_call: Whether it is `POST /`. The body of another request is dropped.
        is_encoded: Whether its body has another transfer coding than `chunked` alone. Nothing of it is read.
        is_too_large: Whether its body is, or says that it will be.
        size: Bytes of the body of a call that have come.
        expects: Whether the client waits for status 100 before it sends the body.
        is_chunked: Whether its body comes in chunks.
        keep_alive: Whether the connection goes on after the answer.
        work: How often the parser has called functions for fields and pieces of bodies; the connection sets it to 0.
    """

    def __init__(self, max_body: int) -> None:
        self._max_body = max_body
        self._parser = httptools.HttpRequestParser(self)
        self._begins_plain = self._is_plain = False
        """Whether what the parser is given, and the request, begin as nearly every call."""
        self._stalled = 0
        """Bytes since the last end of a head, or the last piece of a body."""
        self.is_followed = False
        self.work = 0
        self.path = "/"
        self.forget()

    def forget(self) -> None:
        """Forget the request, so that an idle connection takes no memory for it."""
        self.has_head = self.is_complete = self.expects = False
        self.is_chunked = self.is_encoded = self.is_too_large = False
        self.is_call = self.keep_alive = True
        self.method = b"POST"
        self._url = b""
        self._fields: list[tuple[bytes, bytes]] = []
        self._body: list[bytes | bytearray] = []
        self.size = 0
        self._chunk = self._tiny = self._trailers = 0
        """Bytes of the chunk, chunks that were tiny, and trailers so far."""

    def close(self) -> None:
        """Read no more, and drop the parser: it and the reader refer to each other."""
        self._parser = None  # type: ignore[assignment]

    def feed(self, data: bytes) -> None:
        """Read what has come, up to the end of the request.

        Raises:
            BadRequestError: The data is no request.
        """
        end = 0
        while end < len(data):
            begin = end
            piece = data[begin : begin + HEAD_BYTES]
            end += len(piece)
            self._stalled += len(piece)
            self._begins_plain = piece.startswith(_CALL)
            try:
                self._parser.feed_data(piece)
            except httptools.HttpParserUpgrade as offer:
                data, end = self._head_without_offer() + data[begin + offer.args[0] :], 0
                continue
            except httptools.HttpParserError as error:
                if not self.is_complete and not self.is_encoded:
                    own = error.__context__
                    raise BadRequestError(str(own) if isinstance(own, BadRequestError) else _INVALID) from None
                self.is_followed = self.is_complete
                return
            if len(self._fields) > FIELDS:
                raise BadRequestError(_FIELDS)
            if self.is_complete:
                break
            if self._stalled > HEAD_BYTES:
                raise BadRequestError("Request head too large.")
        self.is_followed = end < len(data)

    def pop_call(self) -> tuple[Headers, bytes]:
        """Return the headers and the body of a call that is complete, and don't keep the body."""
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self._fields]
        body = b"".join(self._body)
        self._body.clear()
        return headers, body

    def on_message_begin(self) -> None:
        """Begin a request, or stop the parser after a complete one; the parser calls this and the following."""
        if self.is_complete:
            raise BadRequestError(_INVALID)
        self._is_plain = self._begins_plain

    def on_url(self, url: bytes) -> None:
        """Take a part of the URL."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; trailers are dropped."""
        if not self.has_head:
            self._fields.append((name.lower(), value))
            return
        self.work += 1
        self._trailers += 1
        if self._trailers > FIELDS:
            raise BadRequestError(_FIELDS)

    def on_headers_complete(self) -> None:
        """End a head, unless it is parsed again."""
        parser = self._parser
        if parser.should_upgrade():
            return
        length, coding, hosts = 0, b"", 0
        for name, value in self._fields:
            if name == b"host":
                hosts += 1
            elif name == b"content-length":
                length = length_of(value)
            elif name == b"transfer-encoding":
                coding += value.strip().lower()
            elif name == b"expect":
                self.expects = value.lower() == b"100-continue"
        self.keep_alive = parser.should_keep_alive()
        if hosts != 1:
            self._check_hosts(hosts)
        if not self._is_plain:
            self._take_request_line()
        self.is_too_large = self.is_call and length > self._max_body
        self.is_chunked = bool(coding)
        self.is_encoded = self.is_chunked and coding != b"chunked"
        self.has_head = True
        self.work += len(self._fields)
        self._stalled = 0
        if self.is_encoded:
            raise BadRequestError(_INVALID)  # stops the parser

    def _take_request_line(self) -> None:
        """Take method, path and version."""
        self.method = self._parser.get_method()
        self.path = unquote((httptools.parse_url(self._url).path or b"/").decode("ascii"))
        self.is_call = self.path == "/" and self.method == b"POST"
        version = self._parser.get_http_version()
        if version < "1.0":
            raise BadRequestError(_NO_VERSION)
        if version < "1.1":
            self.keep_alive = self.expects = False

    def _check_hosts(self, hosts: int) -> None:
        """Refuse more hosts than one, and none but of HTTP/1.0 [RFC 9112, 3.2]."""
        if hosts:
            raise BadRequestError(_HOSTS)
        if self._parser.get_http_version() >= "1.1":
            raise BadRequestError(_NO_HOST)

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._stalled = 0
        self.work += 1
        self._chunk += len(body)
        if self.is_call and not self.is_too_large:
            self._keep(body)
            self.size += len(body)
            self.is_too_large = self.size > self._max_body

    def on_chunk_complete(self) -> None:
        """End a chunk."""
        self.work += 1
        if self._chunk < TINY:
            self._tiny += 1
            if self._tiny > TINY_CHUNKS:
                raise BadRequestError(_TINY)
        self._chunk = 0

    def _keep(self, piece: bytes) -> None:
        pieces = self._body
        if not pieces or len(piece) >= GATHERED:
            pieces.append(piece)
            return
        last = pieces[-1]
        if isinstance(last, bytearray) and len(last) < GATHER:
            last += piece
        else:
            pieces.append(bytearray(piece))

    def on_message_complete(self) -> None:
        """End a request."""
        self.is_complete = self.has_head

    def _head_without_offer(self) -> bytes:
        """Return a head without its offer to upgrade, with which the parser would skip the body, for a new parser.

        CONNECT, which the parser treats the same way, is refused.
        """
        method = self._parser.get_method()
        if method == b"CONNECT":
            raise BadRequestError(_INVALID)
        head = [b"%b %b HTTP/%b\r\n" % (method, self._url, self._parser.get_http_version().encode())]
        head += [b"%b: %b\r\n" % field for field in self._fields if field[0] != b"upgrade"]
        self._parser = httptools.HttpRequestParser(self)
        self._stalled = 0
        self.forget()
        return b"%b\r\n" % b"".join(head)
