"""One worker process, as its parent sees it: what it reported, and how it ended."""

import codecs
import os
import signal
import socket
from contextlib import suppress
from math import inf
from time import monotonic

from wwspec_contracts.backoff import Backoff
from wwspec_router.serving.heartbeat import CLOSED, EXHAUSTED, FAILED, HELD_UP, SERVING

STEADY = 5.0
"""When a worker has served for so many seconds, the next one starts at once after its end."""
PAUSES = Backoff(first=0.1, longest=5.0)
"""The pauses before the next one starts, if it has not served that long."""
_READ_BYTES = 1 << 16
_unescape = codecs.getdecoder("unicode_escape")  # now: a parent that has no file left could not load it later


class WorkerProcess:
    """A worker process.

    Args:
        pid: Its process id.
        channel: The socket on which it reports.
        number: See `Pulse`.

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
        predecessor: What became of the last process; see `Pulse`.
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
