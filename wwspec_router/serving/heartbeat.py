"""What a worker process reports to its parent, and the worker process as its parent sees it.

It reports that it lives, that it serves, and that it can no longer serve. Each report is a line on a socket. A worker
gives a sign of life once a second, from a thread of its own, so that a busy one is never taken for dead. When the
parent has ended for any reason, the worker notices at once and stops. Nothing here knows HTTP or what a worker does.
"""

import codecs
import os
import select
import signal
import socket
import threading
from contextlib import suppress
from math import inf
from time import monotonic

from wwspec_contracts.backoff import Backoff
from wwspec_contracts.errors import NoThreadError
from wwspec_contracts.support.lifeline import end_this_process

BEAT = 1.0
"""Seconds between two signs of life."""
MARGIN = 2.5
"""Seconds beyond the grace after which a process that still runs is killed, so that a stop takes the grace and 3 s at
most."""

ALIVE, SERVING, HELD_UP, EXHAUSTED, CLOSED, FAILED = "alive", "serving", "held-up", "exhausted", "closed", "failed"
"""What a worker reports: it lives; it serves from now on; its event loop is held up, so it is killed and replaced; each
thread hangs and none can be added, so it is stopped and replaced; it takes no more connections; why it ends."""


STEADY = 5.0
"""When a worker has served for so many seconds, the next one starts at once after its end."""
PAUSES = Backoff(first=0.1, longest=5.0)
"""The pauses before the next one starts, if it has not served that long."""
_READ_BYTES = 1 << 16
_unescape = codecs.getdecoder("unicode_escape")  # now: a parent that has no file left could not load it later


class Heartbeat:
    """A worker process's line to its parent; any thread may report.

    Args:
        parent: See the attribute.
        number: See the attribute.
        place: See the attribute.
        predecessor: See the attribute.
        grace: Seconds that a stop may take.

    Attributes:
        parent: The socket to the parent.
        number: The number of this worker among those that run: 0, 1, 2 and so on.
        place: The number of its place, which its successor gets: below the number of worker processes.
        predecessor: What became of the worker process that this one replaces, such as "was ended by signal 9"; empty
            when it replaces none.
    """

    def __init__(self, parent: socket.socket, number: int, place: int, predecessor: str, grace: float) -> None:
        self.parent = parent
        self._grace = grace
        self.number = number
        self.place = place
        self.predecessor = predecessor

    def start(self) -> None:
        """Begin to give signs of life, and to watch for the parent's end.

        Raises:
            NoThreadError: The system starts no thread.
        """
        try:
            threading.Thread(target=self._beat, name="wwspec-heartbeat", daemon=True).start()
        except (RuntimeError, MemoryError):
            raise NoThreadError from None

    def report(self, what: str) -> None:
        """Report one of `SERVING` and its like."""
        # A parent that hangs must not block this process. When the socket is full, no report is needed.
        with suppress(OSError):
            self.parent.send(_line(what), socket.MSG_DONTWAIT)

    def report_failure(self, reason: str) -> None:
        """Report why this process ends."""
        with suppress(OSError):
            self.parent.sendall(_line(f"{FAILED} {reason}"))

    def _beat(self) -> None:
        """Give signs of life until the parent is gone; then stop, within the grace."""
        poll = select.poll()
        poll.register(self.parent, select.POLLIN)  # it sends nothing, so this is readable when it has ended
        while not poll.poll(BEAT * 1000):
            self.report(ALIVE)
        end_this_process(self._grace + MARGIN)


def _line(text: str) -> bytes:
    return text.encode("unicode_escape") + b"\n"


class WorkerProcess:
    """A worker process.

    Args:
        pid: Its process id.
        channel: The socket on which it reports.
        number: See `Heartbeat`.

    Attributes:
        last_sign: When it last gave a sign of life, in seconds of `monotonic()`, like all times here.
        served_since: When it began to serve; None before.
        held_up: Whether it reported that its event loop is held up.
        exhausted: Whether it reported that every thread hangs.
        has_closed: Whether it reported that it takes no more connections.
        reason: Why it ends, in its own words.
        deadline: When it is killed if it still runs.
        may_report: Whether it may report more: its end of the socket is open.
        status: How it ended, as of `os.waitpid`; None while it runs.
    """

    def __init__(self, pid: int, channel: socket.socket, number: int) -> None:
        self.pid = pid
        self.channel = channel
        self.number = number
        self.last_sign = monotonic()
        self.served_since: float | None = None
        self.held_up = False
        self.exhausted = False
        self.has_closed = False
        self.reason = ""
        self.deadline = inf
        self.status: int | None = None
        self.may_report = True
        self._unread = b""

    def read(self) -> None:
        """Read what it has reported."""
        with suppress(BlockingIOError):
            while self.may_report:
                received = self.channel.recv(_READ_BYTES, socket.MSG_DONTWAIT)
                self.may_report = received != b""
                self.last_sign = monotonic()
                *lines, self._unread = (self._unread + received).split(b"\n")
                for line in lines:
                    self._on_report(_unescape(line)[0])

    def _on_report(self, line: str) -> None:
        what, _, text = line.partition(" ")
        if what == SERVING:
            self.served_since = monotonic()
        self.held_up = self.held_up or what == HELD_UP
        self.exhausted = self.exhausted or what == EXHAUSTED
        self.has_closed = self.has_closed or what == CLOSED
        self.reason = text if what == FAILED else self.reason

    def send(self, number: int) -> None:
        """Send it a signal, if it runs."""
        if self.status is None:
            with suppress(ProcessLookupError):  # it is being reaped, and this is in a signal's handler
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send(signal.SIGKILL)

    @property
    def ending(self) -> str:
        """How it ended, as the end of a sentence."""
        code = os.waitstatus_to_exitcode(self.status or 0)
        return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"


class Slot:
    """The place of one worker; several processes may have it, one after the other.

    Attributes:
        worker: The process that it is now; None while there is none.
        due: When the next process is started, in seconds of `monotonic()`.
        predecessor: What became of the last process; see `Heartbeat`.
    """

    def __init__(self) -> None:
        self.worker: WorkerProcess | None = None
        self.due = 0.0
        self.predecessor = ""
        self._failures = 0

    def vacate(self, predecessor: str) -> float:
        """Forget the process, and return in how many seconds another is started."""
        now = monotonic()
        worker, self.worker = self.worker, None
        served_since = worker.served_since if worker is not None else None
        is_steady = served_since is not None and now - served_since >= STEADY
        self._failures = 0 if is_steady else self._failures + 1
        pause = 0.0 if is_steady else PAUSES.pause(self._failures)
        self.due = now + pause
        self.predecessor = predecessor
        return pause
