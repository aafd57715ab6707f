"""Accepts connections in several worker processes, so that each of them gets some.

They share one listening socket, and the system wakes all of them for a connection. An event loop by itself would take
all connections that wait; this takes one at a time, and the others meanwhile take theirs. Nothing here knows HTTP.
"""

import asyncio
import errno
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)

RETRY = 1.0
"""Seconds until connections are accepted again, when the system had no file or memory for one."""


@dataclass(eq=False)
class Acceptor:
    """Accepts connections in this process, from now on."""

    loop: asyncio.AbstractEventLoop
    """The event loop."""
    listening: socket.socket
    """The socket that the processes share; it listens."""
    connect: Callable[[], asyncio.Protocol]
    """Makes the protocol of a connection."""

    def __post_init__(self) -> None:
        self._opening: set[asyncio.Task[None]] = set()
        """The connections that were accepted and may not be uvicorn's yet."""
        self._is_closed = False
        self.listening.setblocking(False)
        self.listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # connections inherit it
        self._read()

    def close(self) -> None:
        """Accept no more connections. Those that wait are the other processes'."""
        if not self._is_closed:
            self._is_closed = True
            self.loop.remove_reader(self.listening)

    async def wait_closed(self) -> None:
        """Wait until each connection that was accepted is among those of uvicorn."""
        for task in list(self._opening):
            await task

    def _read(self) -> None:
        if not self._is_closed:
            self.loop.add_reader(self.listening, self._on_connection)

    def _on_connection(self) -> None:
        """Take one connection; it is called again while one waits."""
        try:
            connection, _ = self.listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another process was faster, or the client is gone
        except OSError as error:
            self._pause(error)
            return
        task = self.loop.create_task(self._open(connection))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        try:
            await self.loop.connect_accepted_socket(self.connect, connection)
        except OSError:  # the client is gone
            connection.close()

    def _pause(self, error: OSError) -> None:
        self.loop.remove_reader(self.listening)
        if error.errno != errno.EINVAL:  # else the parent has shut the port
            log.error("no connection can be accepted (%s): again in %g s", error.strerror, RETRY)
            self.loop.call_later(RETRY, self._read)
