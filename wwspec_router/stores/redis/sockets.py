"""Connections to Redis whose answers have an end, and come from a Redis.

The package `redis` gives each read of a socket a timeout of its own, so a peer that sends a byte now and then keeps a
thread for as long as it likes. Here all reads and writes of one step have one deadline.
"""

import math
import threading
from socket import socket
from time import monotonic
from typing import Any


class StepDeadline(threading.local):
    """When the step of a thread must have its answers, in seconds of `time.monotonic`; never, where none is set."""

    ends = math.inf


class DeadlineSocket:
    """A connected socket that waits until the deadline of the thread's step, and no longer than its own timeout.

    Args:
        connected: The socket; all other methods are its own.
        deadline: The deadline.
    """

    def __init__(self, connected: socket, deadline: StepDeadline) -> None:
        self._socket = connected
        self._timeout = connected.gettimeout()
        self._deadline = deadline

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)

    def settimeout(self, timeout: float | None) -> None:
        """Set the longest wait of one read or write, in seconds."""
        self._timeout = timeout

    def recv(self, *arguments: int) -> bytes:
        """Do as `socket.recv` does.

        Raises:
            TimeoutError: Nothing came in time.
        """
        return self._in_time().recv(*arguments)

    def recv_into(self, buffer: bytearray) -> int:
        """Do as `socket.recv_into` does.

        Raises:
            TimeoutError: Nothing came in time.
        """
        return self._in_time().recv_into(buffer)

    def sendall(self, data: bytes) -> None:
        """Do as `socket.sendall` does.

        Raises:
            TimeoutError: The peer did not take it in time.
        """
        self._in_time().sendall(data)

    def _in_time(self) -> socket:
        left = self._deadline.ends - monotonic()
        if left <= 0:
            raise TimeoutError("the step took too long")
        self._socket.settimeout(left if self._timeout is None else min(left, self._timeout))
        return self._socket


def with_deadline(connection_class: type[Any], deadline: StepDeadline) -> type[Any]:
    """Return a class of the package's connections whose sockets keep the deadline.

    Args:
        connection_class: The package's class.
        deadline: The deadline.
    """

    class DeadlineConnection(connection_class):  # type: ignore[misc]  # the package is an extra
        """A connection whose socket keeps the deadline."""

        def _connect(self) -> DeadlineSocket:
            return DeadlineSocket(super()._connect(), deadline)

    return DeadlineConnection


def greet(package: Any, connection: Any) -> None:
    """Open a connection as the package does, and see that a Redis answers.

    Raises:
        redis.InvalidResponse: Something else does; it would take everything that the program stores for granted.
    """
    connection.on_connect()
    connection.send_command("PING")
    if connection.read_response() != b"PONG":
        raise package.InvalidResponse("PING has another answer than PONG")
