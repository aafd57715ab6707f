"""A client at the other end of an HTTP/1.1 connection. h11 translates between bytes and events."""

import asyncio
import contextlib
from http import HTTPStatus

import h11

Event = h11.Request | h11.Response | h11.Data | h11.EndOfMessage | h11.ConnectionClosed

HEAD_LIMIT = 16 * 1024
"""The most bytes of a head."""
LINGER_SECONDS = 2.0
LINGER_BYTES = 64 * 1024 * 1024
"""Seconds and bytes to read from a peer before the connection is closed: otherwise it might lose the answer."""

_CHUNK = 64 * 1024


class Peer:
    """The other end of a connection, which sends one request.

    Args:
        reader: Reads from it.
        writer: Writes to it.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_LIMIT)

    @property
    def unread(self) -> bytes:
        """The bytes after the last event."""
        return self._http.trailing_data[0]

    async def next_event(self) -> Event:
        """Wait for the next event.

        Raises:
            h11.RemoteProtocolError: The bytes are not HTTP, or end too early.
        """
        while True:
            event = self._http.next_event()
            if isinstance(event, Event):
                return event
            self._http.receive_data(await self.reader.read(_CHUNK))

    async def send(self, event: Event) -> None:
        """Send an event, and wait until the other end takes it."""
        content = self._http.send(event)
        if content:
            self.writer.write(content)
            await self.writer.drain()

    async def answer(self, status: int, text: str) -> None:
        """Send a whole response in plain text. The connection ends after it."""
        content = f"{text}\n".encode()
        headers = [
            ("content-type", "text/plain; charset=utf-8"),
            ("content-length", str(len(content))),
            ("connection", "close"),
        ]
        await self.send(h11.Response(status_code=status, headers=headers, reason=HTTPStatus(status).phrase.encode()))
        await self.send(h11.Data(data=content))
        await self.send(h11.EndOfMessage())

    async def close(self, *, linger: bool = False) -> None:
        """End the connection.

        Args:
            linger: First go on reading for a while.
        """
        try:
            with contextlib.suppress(OSError, TimeoutError):
                if linger:
                    await self._linger()
        finally:
            self.writer.close()
            with contextlib.suppress(OSError):
                await self.writer.wait_closed()

    async def _linger(self) -> None:
        self.writer.write_eof()
        left = LINGER_BYTES
        async with asyncio.timeout(LINGER_SECONDS):
            while left > 0 and (content := await self.reader.read(_CHUNK)):
                left -= len(content)
