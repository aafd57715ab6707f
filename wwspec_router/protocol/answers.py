"""What is sent back over HTTP, and the plain answers: those that need no SDK. Each is written once, for all ways.

A plain answer is for when nothing can be sealed. The platform reports one as 710676 to the app.
"""

from collections.abc import Callable

import msgspec

__all__ = [
    "CLOSE",
    "LARGE_BODY",
    "LATE_BODY",
    "NO_REPLY",
    "OVERLOADED",
    "STOPPING",
    "WRONG_METHOD",
    "Answer",
    "Headers",
    "OnAnswer",
    "plain",
]

Headers = list[tuple[str, str]]
"""Names and values of a request's headers, in their order."""


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What is sent back."""

    headers: list[tuple[bytes, bytes]]
    body: bytes
    errcode: int
    """The program's own errcode; 0 for a reply."""
    status: int = 200
    """The HTTP status; another than 200 only for plain answers."""


OnAnswer = Callable[[Answer | None], None]
"""Sends an answer; None when there is nobody left to send it to."""


def plain(status: int, text: str, *headers: tuple[bytes, bytes]) -> Answer:
    """Return an answer of plain text."""
    body = text.encode("ascii")
    about_body = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    return Answer([*about_body, *headers], body, 0, status)


CLOSE = (b"connection", b"close")

WRONG_METHOD = plain(405, "the channel POSTs here\n", (b"allow", b"POST"))
LATE_BODY = plain(408, "the body did not arrive in time\n", CLOSE)
LARGE_BODY = plain(413, "the body is too large\n", CLOSE)
NO_REPLY = plain(500, "no reply\n")
OVERLOADED = plain(503, "overloaded\n")
STOPPING = plain(503, "stopping\n")
