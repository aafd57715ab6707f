"""What a connection asks of the program that it serves, and the limits that it keeps."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from wwspec_router.protocol.answers import Answer, Headers, OnAnswer

__all__ = ["Limits", "PendingCall", "Program", "Submit"]


class PendingCall(Protocol):
    """A call that the program has taken."""

    def hang_up(self) -> None:
        """Note that the client is gone."""
        ...


Submit = Callable[[Headers, bytes, OnAnswer], PendingCall | None]
"""Takes a call: its headers, its body, and what is called once with the answer. None when that was done at once."""


class Program(Protocol):
    """What answers requests."""

    submit: Submit

    def page(self, path: str) -> Answer | None:
        """Return what GET of a path is answered; None when there is nothing."""
        ...


class Limits(NamedTuple):
    """Limits of all connections and of each."""

    connections: int
    """How many are served at once. Those that come when so many are open are refused, and no others."""
    head_timeout: float
    """Seconds within which a head must be complete, from the connection's start or a later request's first byte."""
    body_timeout: float
    """Seconds within which a body must have arrived."""
    max_body: int
    """Largest body of a call, in bytes."""
