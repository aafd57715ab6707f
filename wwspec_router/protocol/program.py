"""What a connection asks of the program that it serves."""

from collections.abc import Callable
from typing import Protocol

from wwspec_router.protocol.answers import NOT_FOUND, ONLY_READ, WRONG_METHOD, Answer, Headers, OnAnswer

__all__ = ["SubmittedRequest", "RequestHandler", "Submit", "answer_without_call"]


class SubmittedRequest(Protocol):
    """A call that the program has taken."""

    def hang_up(self) -> None:
        """Note that the client is gone."""
        ...


Submit = Callable[[Headers, bytes, OnAnswer], SubmittedRequest | None]
"""Takes a call: its headers, its body, and what is called once with the answer. None when that was done at once."""


class RequestHandler(Protocol):
    """What answers requests."""

    @property
    def submit(self) -> Submit:
        """What takes calls."""
        ...

    def page(self, path: str) -> Answer | None:
        """Return what GET of a path is answered; None when there is nothing."""
        ...


def answer_without_call(program: RequestHandler, method: bytes, path: str) -> Answer:
    """Return what a request that is no call is answered."""
    if path == "/":
        return WRONG_METHOD
    page = program.page(path)
    if page is None:
        return NOT_FOUND
    return page if method in (b"GET", b"HEAD") else ONLY_READ
