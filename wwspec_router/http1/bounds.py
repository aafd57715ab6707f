"""The limits that connections keep: those of the settings, and those that never change."""

from typing import NamedTuple

HEAD_BYTES = 64 << 10
"""Bytes that may come before the head ends, or without a byte of the body; one more read may exceed this."""
GATHERED = 4 << 10
"""Pieces of a body that are smaller, in bytes, are gathered: an object for each may take 20 times as much."""
GATHER = 64 << 10
"""Bytes of a buffer in which they are gathered. One for all of a body would be copied whenever it grows."""
FREE_BODY = 256 << 10
"""Bodies of up to so many bytes don't count in the budget of a worker."""
BODY_BUDGET = 32 << 20
"""Bytes of larger bodies that a worker holds while they are incomplete or wait for a thread."""
SURPLUS = 256
"""Connections beyond the limit that get the status 503; further ones are closed without an answer."""
LINGER_SECONDS = 10.0
"""How long a client may go on sending after its last answer."""
LINGER_BYTES = 128 << 20
"""How much it may send meanwhile."""
LINGER_PAUSE = 0.01
"""Seconds between two reads of up to 256 KB meanwhile: other clients come first."""


class Limits(NamedTuple):
    """Limits of the settings."""

    connections: int
    """How many connections are served at once; only those beyond are refused."""
    head_timeout: float
    """Seconds in which a head must be complete: from the start of the connection, or from the first byte of a later
    request."""
    body_timeout: float
    """Seconds within which a body must have arrived."""
    max_body: int
    """Largest body of a call, in bytes."""
