"""Answers over HTTP: the plain ones, which need no SDK, and what a connection asks of the program that answers.

Each is defined once, for the connections and for ASGI. A plain answer is sent when no reply can be sealed. The platform
reports it to the app as 710676.
"""

from collections.abc import Callable
from typing import Protocol

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


def plain(status: int, text: str, *headers: tuple[bytes, bytes]) -> Answer:
    """Return an answer of plain text."""
    body = text.encode()
    about_body = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    return Answer([*about_body, *headers], body, 0, status)


CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CLOSE = (b"connection", b"close")

NOT_FOUND = plain(404, "Not Found")
WRONG_METHOD = plain(405, "the channel POSTs here\n", (b"allow", b"POST"))
ONLY_READ = plain(405, "Method Not Allowed", (b"allow", b"GET, HEAD"))
LATE_BODY = plain(408, "the body did not arrive in time\n", CLOSE)
LARGE_BODY = plain(413, "the body is too large\n", CLOSE)
NO_REPLY = plain(500, "no reply\n")
ENCODED_BODY = plain(501, "a body comes as it is, or in chunks\n", CLOSE)
NO_ROOM = plain(503, "too many large bodies\n", CLOSE)
OVERLOADED = plain(503, "overloaded\n")
TOO_MANY = plain(503, "too many connections\n", CLOSE)
STOPPING = plain(503, "stopping\n")


class SubmittedRequest(Protocol):
    """A request that the program has accepted."""

    @property
    def held(self) -> int:
        """Bytes of its body while it waits for a thread; 0 from then on."""

    def hang_up(self) -> None:
        """Note that the client is gone."""


Submit = Callable[[Headers, bytes, OnAnswer], SubmittedRequest | None]
"""Accepts a call: its headers, its body, and a function that is called once with the answer. Returns None when that was
called already."""


class RequestHandler(Protocol):
    """What answers requests."""

    @property
    def submit(self) -> Submit:
        """The function that accepts calls."""

    def page(self, path: str) -> Answer | None:
        """Return the answer to GET of a path; None when there is no such page."""


def answer_without_call(program: RequestHandler, method: bytes, path: str) -> Answer:
    """Return the answer to a request that is not a call."""
    if path == "/":
        return WRONG_METHOD
    page = program.page(path)
    if page is None:
        return NOT_FOUND
    return page if method in (b"GET", b"HEAD") else ONLY_READ
