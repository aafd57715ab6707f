"""What a connection asks of the program that it serves."""

from collections.abc import Callable
from typing import Protocol

from wwspec_router.protocol.answers import NOT_FOUND, ONLY_READ, WRONG_METHOD, Answer, Headers, OnAnswer


class SubmittedRequest(Protocol):
    """A request that the program has accepted."""

    def hang_up(self) -> None:
        """Note that the client is gone."""
        ...


Submit = Callable[[Headers, bytes, OnAnswer], SubmittedRequest | None]
"""Accepts a call: its headers, its body, and a function that is called once with the answer. Returns None when that was
called already."""


class RequestHandler(Protocol):
    """What answers requests."""

    @property
    def submit(self) -> Submit:
        """The function that accepts calls."""
        ...

    def page(self, path: str) -> Answer | None:
        """Return the answer to GET of a path; None when there is no such page."""
        ...


def answer_without_call(program: RequestHandler, method: bytes, path: str) -> Answer:
    """Return the answer to a request that is not a call."""
    if path == "/":
        return WRONG_METHOD
    page = program.page(path)
    if page is None:
        return NOT_FOUND
    return page if method in (b"GET", b"HEAD") else ONLY_READ
