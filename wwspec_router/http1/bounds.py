"""The limits that connections keep: those of the settings, and those that never change."""

from typing import NamedTuple

HEAD_BYTES = 64 << 10
"""Bytes that may come before the head ends, or without a byte of the body; one more read may exceed this."""
FIELDS = 1000
"""Header fields that a head may have, and trailers that may follow a body."""
TINY = 16
"""Bytes of a chunk below which reading it costs more than it brings."""
TINY_CHUNKS = 8192
"""Chunks of fewer bytes that a body may have."""
PIECE = 8 << 10
"""Bytes of a head, or of a body in chunks, that are read at once: at most 2,800 calls of the parser's functions."""
READ = 256 << 10
"""Bytes of other bodies that are read at once."""
SMALL = 2 << 10
"""Bytes that are read also when a turn of the event loop is used up: most requests are not larger."""
UNIT = 512
"""Bytes that count as one call of the parser's functions, which takes about 0.3 microseconds."""
SHARE = 512
"""Calls of these functions that a connection has in a turn of the event loop; one more read may exceed this."""
TURN = 1024
"""The same for all connections together."""
RESUMED = 4
"""Connections that may read on in a turn of the event loop, of those that had their share."""
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
"""Seconds between two reads of up to 256 KiB meanwhile: other clients come first."""


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
