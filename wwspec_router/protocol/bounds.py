"""The limits that connections keep: those of the settings, and those that never change."""

from typing import NamedTuple

__all__ = ["HEAD_BYTES", "LINGER_BYTES", "LINGER_PAUSE", "LINGER_SECONDS", "SURPLUS", "Limits"]

HEAD_BYTES = 64 << 10
"""Bytes that may come without an end of the head, or without a byte of the body: what one read adds is allowed."""
SURPLUS = 256
"""Connections beyond the limit that are answered with status 503; those beyond these are closed unanswered."""
LINGER_SECONDS = 10.0
"""How long a client may go on sending after its last answer."""
LINGER_BYTES = 128 << 20
"""How much it may send meanwhile."""
LINGER_PAUSE = 0.01
"""Seconds between two reads of up to 256 KB then: who makes good calls comes first."""


class Limits(NamedTuple):
    """Limits of the settings."""

    connections: int
    """How many are served at once. Those that come when so many are open are refused, and no others."""
    head_timeout: float
    """Seconds within which a head must be complete, from the connection's start or a later request's first byte."""
    body_timeout: float
    """Seconds within which a body must have arrived."""
    max_body: int
    """Largest body of a call, in bytes."""
