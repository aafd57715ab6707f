"""Accepts connections in several worker processes, so that each of them has as many as the others.

They share one listening socket, and the system wakes all of them for a connection. Each sees in shared memory how many
connections the others have; it takes one at a time, and leaves it to those that have fewer. These have a millisecond to
take it, so that no client waits for a process that hangs. Nothing here knows HTTP.
"""

import errno
import logging
import mmap
import socket
from collections.abc import Callable
from dataclasses import InitVar, dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the parent imports this module, and needs neither
    import asyncio

    from uvicorn.server import ServerState

log = logging.getLogger(__name__)

PATIENCE = 0.001
"""Seconds for which a connection is left to processes that have fewer."""
TOLERANCE = 8
"""A process that has so many may have one more than others, with twice as many two more: where connections come and go,
a perfect balance costs more than it brings."""
RETRY = 1.0
"""Seconds until connections are accepted again, when the system had no file or memory for one."""


class ConnectionCounts:
    """What the worker processes show each other: how many connections they have, and how many they have accepted.

    Args:
        size: How many processes there can be at once.
    """

    def __init__(self, size: int) -> None:
        figures = memoryview(mmap.mmap(-1, 8 * size)).cast("I")  # shared with all processes that are forked
        self._open, self._accepted = figures[:size], figures[size:]

    def show(self, number: int, connections: int, accepted: int) -> None:
        """Show the figures of the process of this number to the others: it accepts connections."""
        self._open[number] = connections + 1
        self._accepted[number] = accepted & 0xFFFFFFFF

    def clear(self, number: int) -> None:
        """Show that the process of this number accepts no more: it stops or has ended."""
        self._open[number] = 0

    def accepted(self) -> list[int]:
        """Return how many connections each has accepted, and those before it with its number."""
        return self._accepted.tolist()

    def with_fewer(self, number: int) -> list[int]:
        """Return which processes have fewer connections than this one, by more than an eighth, and accept some."""
        connections = self._open.tolist()
        own = connections[number] - 1
        most = own - own // TOLERANCE
        if min(filter(None, connections)) > most:
            return []
        return [other for other, count in enumerate(connections) if 0 < count <= most]


class _Connections(set[Any]):
    """The connections of this process, as uvicorn keeps them.

    Args:
        on_lost: Called when there is one less.
    """

    def __init__(self, on_lost: Callable[[], None]) -> None:
        super().__init__()
        self._on_lost = on_lost

    def discard(self, connection: object) -> None:
        super().discard(connection)
        self._on_lost()


@dataclass(eq=False, repr=False)
class Acceptor:
    """Accepts connections in this process, from now on."""

    loop: "asyncio.AbstractEventLoop"
    """The event loop."""
    listening: socket.socket
    """The socket that the processes share; it listens."""
    connect: Callable[[], "asyncio.Protocol"]
    """Makes the protocol of a connection."""
    state: InitVar["ServerState"]
    """Gets the connections."""
    counts: ConnectionCounts
    """What the processes show each other."""
    number: int
    """The number of this process among them."""

    def __post_init__(self, state: "ServerState") -> None:
        state.connections = _Connections(self._on_lost)
        self._opening: set[asyncio.Task[None]] = set()
        """The connections that were accepted and may not be among those of `state` yet."""
        self._connections = 0
        self._accepted = self.counts.accepted()[self.number] + 1  # another figure than that of the process before
        self._left: tuple[int, float] | None = None
        """What all had accepted, and when, since a connection is left to others."""
        self._late: dict[int, int] = {}
        """Processes that let a connection wait that was left to them, with how many they had accepted.

        None is left to them until they accept one.
        """
        self._is_closed = False
        self.listening.setblocking(False)
        self.listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # connections inherit it
        self.counts.show(self.number, 0, self._accepted)
        self._read()

    def close(self) -> None:
        """Accept no more connections. Those that wait are the other processes'."""
        if not self._is_closed:
            self._is_closed = True
            self.loop.remove_reader(self.listening)
            self.counts.clear(self.number)

    async def wait_closed(self) -> None:
        """Wait until each connection that was accepted is among those of uvicorn."""
        for task in list(self._opening):
            await task

    def _read(self) -> None:
        if not self._is_closed:
            self.loop.add_reader(self.listening, self._on_connection)

    def _change(self, by: int) -> None:
        self._connections += by
        if not self._is_closed:
            self.counts.show(self.number, self._connections, self._accepted)

    def _on_lost(self) -> None:
        self._change(-1)

    def _on_connection(self) -> None:
        """Take one connection, or leave it to others; it is called again while one waits."""
        if self._leaves_it():
            return
        try:
            connection, _ = self.listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another process was faster, or the client is gone
        except OSError as error:
            self._pause(error)
            return
        self._left = None
        self._accepted += 1
        self._change(1)
        task = self.loop.create_task(self._open(connection))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    def _leaves_it(self) -> bool:
        """Return whether the connection that waits is left to processes that have fewer."""
        fewer = self.counts.with_fewer(self.number)
        if not fewer:
            return False
        accepted = self.counts.accepted()
        fewer = [each for each in fewer if self._late.get(each) != accepted[each]]
        if not fewer:
            return False
        now = monotonic()
        if self._left is None or self._left[0] != sum(accepted):  # this is another connection
            self._left = sum(accepted), now
        if now - self._left[1] < PATIENCE:
            return True
        self._late |= {each: accepted[each] for each in fewer}
        return False

    async def _open(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        try:
            await self.loop.connect_accepted_socket(self.connect, connection)
        except OSError:  # the client is gone
            connection.close()
            self._change(-1)

    def _pause(self, error: OSError) -> None:
        self.loop.remove_reader(self.listening)
        if error.errno != errno.EINVAL:  # else the parent has shut the port
            log.error("no connection can be accepted (%s): again in %g s", error.strerror, RETRY)
            self.loop.call_later(RETRY, self._read)
