"""Answers over HTTP, and the plain answers: those that need no SDK.

Each is defined once, for the connections and for ASGI. A plain answer is sent when no reply can be sealed. The platform
reports it to the app as 710676.
"""

from collections.abc import Callable, Iterable
from http import HTTPStatus

import msgspec

Headers = list[tuple[str, str]]
"""Names and values of a request's headers, in their order."""


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What is sent back."""

    headers: list[tuple[bytes, bytes]]
    body: bytes
    errcode: int
    """The program's own errcode; 0 for a reply."""
    status: int = 200
    """The HTTP status; only plain answers have another one than 200."""


OnAnswer = Callable[[Answer | None], None]
"""Sends an answer; None when there is nobody left to send it to."""


_STATUS_LINES = {each.value: b"HTTP/1.1 %d %b\r\n" % (each, each.phrase.encode()) for each in HTTPStatus}
_NAME_BYTES = bytes({*range(0x21, 0x7F), *range(0x80, 0x100)} - set(b'()<>@,;:\\[]={}"'))
_VALUE_BYTES = bytes([9, *range(0x20, 0x7F), *range(0x80, 0x100)])
"""The bytes that a header's name and value may have."""


def plain(status: int, text: str, *headers: tuple[bytes, bytes]) -> Answer:
    """Return an answer of plain text."""
    body = text.encode()
    about_body = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    return Answer([*about_body, *headers], body, 0, status)


def head_of(answer: Answer, before: Iterable[tuple[bytes, bytes]], *, keep_alive: bool) -> bytes | None:
    """Return the head of an answer: `more` headers, then its own; None when one of its own is not allowed."""
    headers = answer.headers if keep_alive or CLOSE in answer.headers else [*answer.headers, CLOSE]
    names = b"".join([name for name, _ in headers])
    values = b"".join([value for _, value in headers])
    if names.translate(None, _NAME_BYTES) or values.translate(None, _VALUE_BYTES):
        return None
    lines = [b"%b: %b\r\n" % header for header in (*before, *headers)]
    return b"".join([_STATUS_LINES[answer.status], *lines, b"\r\n"])


CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CLOSE = (b"connection", b"close")

NOT_FOUND = plain(404, "Not Found")
WRONG_METHOD = plain(405, "the channel POSTs here\n", (b"allow", b"POST"))
ONLY_READ = plain(405, "Method Not Allowed", (b"allow", b"GET, HEAD"))
LATE_BODY = plain(408, "the body did not arrive in time\n", CLOSE)
LARGE_BODY = plain(413, "the body is too large\n", CLOSE)
NO_REPLY = plain(500, "no reply\n")
OVERLOADED = plain(503, "overloaded\n")
TOO_MANY = plain(503, "too many connections\n", CLOSE)
STOPPING = plain(503, "stopping\n")
