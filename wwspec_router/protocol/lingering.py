"""The end of a connection whose client has not sent all of its request: it must be able to read the last answer.

A system that closes a socket with unread data resets the connection, and the client may lose an answer that was on its
way [RFC 9112, 9.6]. A client that sends all of a request before it reads always does. So only the sending side is
closed at first; what still comes is dropped until the client closes too, for so many seconds and bytes at most, and not
as fast as it can be.
"""

import asyncio
from contextlib import suppress

__all__ = ["BYTES", "PAUSE", "SECONDS", "Lingering"]

SECONDS = 10.0
"""How long a client may go on sending after its last answer."""
BYTES = 128 << 20
"""How much it may send meanwhile."""
PAUSE = 0.01
"""Seconds between two reads of up to 256 KB: who makes good calls comes first."""


class Lingering(asyncio.Protocol):
    """Takes a connection over, once its last answer was written, and drops what still comes.

    Args:
        transport: The connection's.
        protocol: What has served it; its methods are called on writing and at the end.
    """

    def __init__(self, transport: asyncio.Transport, protocol: asyncio.Protocol) -> None:
        self._transport = transport
        self._protocol = protocol
        self._allowed = BYTES
        self._timer = asyncio.get_running_loop().call_later(SECONDS, transport.close)
        transport.set_protocol(self)
        with suppress(OSError):  # the client is gone; connection_lost follows
            transport.write_eof()
        transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Drop it, and read on later."""
        self._allowed -= len(data)
        if self._allowed < 0:
            self._transport.close()
            return
        self._transport.pause_reading()
        asyncio.get_running_loop().call_later(PAUSE, self._transport.resume_reading)

    def pause_writing(self) -> None:
        """Pass it on."""
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        self._protocol.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass it on."""
        self._timer.cancel()
        self._protocol.connection_lost(exc)
