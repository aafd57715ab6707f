"""What a worker process reports to its parent: that it lives, that it serves, and that it can no longer serve.

Each report is a line on a socket. A worker gives a sign of life once a second, from a thread of its own, so that a busy
one is never taken for dead. When the parent has ended for any reason, the worker notices at once and stops. Nothing
here knows HTTP or what a worker does.
"""

import logging
import os
import select
import signal
import socket
import threading
from contextlib import suppress

from wwspec_contracts.errors import NoThreadError

log = logging.getLogger(__name__)

BEAT = 1.0
"""Seconds between two signs of life."""
MARGIN = 2.5
"""Seconds beyond the grace after which a process that still runs is killed, so that a stop takes the grace and 3 s at
most."""

ALIVE, SERVING, HELD_UP, EXHAUSTED, CLOSED, FAILED = "alive", "serving", "held-up", "exhausted", "closed", "failed"


class Pulse:
    """A worker process's line to its parent; any thread may report.

    Args:
        parent: The socket to it.
        number: See the attribute.
        place: See the attribute.
        predecessor: See the attribute.
        grace: Seconds that a stop may take.

    Attributes:
        number: The number of this worker among those that run: 0, 1, 2 and so on.
        place: The number of its place, which its successor gets: below the number of worker processes.
        predecessor: What became of the worker process that this one replaces, such as "was ended by signal 9"; empty
            when it replaces none.
    """

    def __init__(self, parent: socket.socket, number: int, place: int, predecessor: str, grace: float) -> None:
        self._parent = parent
        self._grace = grace
        self.number = number
        self.place = place
        self.predecessor = predecessor

    @property
    def socket(self) -> socket.socket:
        """The socket to the parent."""
        return self._parent

    def start(self) -> None:
        """Begin to give signs of life, and to watch for the parent's end.

        Raises:
            NoThreadError: The system starts no thread.
        """
        try:
            threading.Thread(target=self._beat, name="wwspec-pulse", daemon=True).start()
        except (RuntimeError, MemoryError):
            raise NoThreadError from None

    def serving(self) -> None:
        """Report that this process serves from now on."""
        self._report(SERVING)

    def held_up(self) -> None:
        """Report that the event loop is held up: this process is killed and replaced."""
        self._report(HELD_UP)

    def exhausted(self) -> None:
        """Report that every thread hangs and none can be added: this process is stopped and replaced."""
        self._report(EXHAUSTED)

    def closed(self) -> None:
        """Report that this process takes no more connections."""
        self._report(CLOSED)

    def failed(self, reason: str) -> None:
        """Report why this process ends."""
        with suppress(OSError):
            self._parent.sendall(_line(f"{FAILED} {reason}"))

    def _report(self, what: str) -> None:
        # A parent that hangs must not block this process. When the socket is full, no report is needed.
        with suppress(OSError):
            self._parent.send(_line(what), socket.MSG_DONTWAIT)

    def _beat(self) -> None:
        """Give signs of life until the parent is gone; then stop, within the grace."""
        poll = select.poll()
        poll.register(self._parent, select.POLLIN)  # it sends nothing, so this is readable when it has ended
        while not poll.poll(BEAT * 1000):
            self._report(ALIVE)
        os.kill(os.getpid(), signal.SIGTERM)
        log.error("the parent process is gone: stopping")
        threading.Event().wait(self._grace + MARGIN)
        os._exit(1)


def _line(text: str) -> bytes:
    return text.encode("unicode_escape") + b"\n"
