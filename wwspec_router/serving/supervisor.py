"""Keeps the worker processes that serve one port: starts them, replaces those that fail, and ends them together.

The parent has one thread and loads none of the modules that its workers use. So it stays small, can fork at any moment,
and no worker can block it. A worker that gives no sign of life is killed, whatever the cause. Nothing here knows HTTP
or what a worker does.
"""

import logging
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import InitVar, dataclass
from math import inf
from time import monotonic
from types import FrameType

from wwspec_contracts.errors import ConfigurationError
from wwspec_contracts.support.lifeline import PATIENCE, STARTER_GONE
from wwspec_router.serving.heartbeat import BEAT, MARGIN, Heartbeat, Slot, WorkerProcess

log = logging.getLogger(__name__)

SILENCE = 60.0
"""Seconds without a sign of life after which a worker is killed, or `--hang-after` when that is longer."""
CLOSING = 0.5
"""Seconds after SIGTERM within which the workers close the port; then the parent closes it for all of them."""
EXIT_WAIT = 1.0
"""Seconds that a worker may take to end once it has reported why it can't serve."""
LOG_WAIT = 0.3
"""Seconds that writing the last line of the log may take: its reader may hang."""

_CAUGHT = (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGALRM)


@dataclass(eq=False, repr=False)
class Supervisor:
    """Runs worker processes until SIGTERM or SIGINT. Belongs on the only thread of its process."""

    listening: socket.socket
    """The bound socket that the workers share."""
    workers: InitVar[int]
    """How many there are."""
    grace: float
    """Seconds that they are given to stop."""
    hang_after: InitVar[float]
    """Seconds for which a worker may hang; it may be silent as long."""
    on_serving: Callable[[], None] = lambda: None
    """Called once, when the first worker serves."""
    on_ended: Callable[[int], None] = lambda number: None
    """Called with the number of each worker that has ended."""
    lifeline: int | None = None
    """What is readable when the process that has started this one is gone, and all must end; see `lifeline`."""

    def __post_init__(self, workers: int, hang_after: float) -> None:
        self._silence = max(SILENCE, hang_after)
        self._slots = [Slot() for _ in range(workers)]
        self._workers: list[WorkerProcess] = []
        self._served = False
        self._signals: list[int] = []
        self._exit_code = 0
        self._checked = monotonic()

    def run(self) -> Heartbeat | None:
        """Keep the workers until a signal; a second one kills them and this process.

        Returns in several processes, as `os.fork` does: in each worker with its heartbeat; at the end, in the parent,
        with None.

        Raises:
            ConfigurationError: The first worker could not serve, with its reason; or none could be started.
            SystemExit: Workers had to be killed, since they did not stop in time.
        """
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wake, False)
        handlers = [(each, signal.signal(each, self._on_signal)) for each in _CAUGHT]
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        try:
            while not self._signals:
                for slot in self._due():
                    if heartbeat := self._start(slot):
                        return heartbeat
                self._wait()
                if not self._signals:  # else a worker has ended because it got the signal, too
                    self._check()
            self._stop()
        except BaseException:
            self._kill_all()
            raise
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.set_wakeup_fd(-1)
        for number, handler in handlers:
            signal.signal(number, handler)
        self._close()
        if self._exit_code:
            sys.exit(self._exit_code)
        return None

    # Signals

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal at any moment: this process may be blocked by a reader of its log."""
        if number == signal.SIGCHLD:
            return
        if number == signal.SIGALRM:
            self._kill_all()
            os._exit(128 + self._signals[0])
        self._signals.append(number)
        if len(self._signals) > 1:
            self._kill_all()
            end_by(number)
        for worker in self._workers:
            worker.send(signal.SIGTERM)
        signal.setitimer(signal.ITIMER_REAL, self.grace + MARGIN + LOG_WAIT)

    # Starting

    def _due(self) -> list[Slot]:
        """Return the workers to start now. The first one starts alone: it shows whether the program can serve."""
        slots = self._slots if self._served else self._slots[:1]
        now = monotonic()
        free = 2 * len(self._slots) - len(self._workers)  # a worker may still be ending while its successor serves
        return [slot for slot in slots if slot.worker is None and slot.due <= now][:free]

    def _start(self, slot: Slot) -> Heartbeat | None:
        """Start a worker; returns its heartbeat in the worker, and None in the parent."""
        taken = {worker.number for worker in self._workers}
        number = next(number for number in range(2 * len(self._slots)) if number not in taken)
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _CAUGHT)  # a signal is for the one process or the other
        try:
            ours, theirs = socket.socketpair()
            try:
                pid = os.fork()
            except OSError:
                ours.close()
                theirs.close()
                raise
            if not pid:
                self._become_worker(ours)
                return Heartbeat(theirs, number, self._slots.index(slot), slot.predecessor, self.grace)
            theirs.close()
            slot.worker = WorkerProcess(pid, ours, number)
            self._workers.append(slot.worker)
        except OSError as error:
            self._retry_later(slot, error)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        return None

    def _become_worker(self, ours: socket.socket) -> None:
        """Close and reset everything that belongs to the parent."""
        signal.set_wakeup_fd(-1)
        for number in _CAUGHT:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, _leave)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to all; the parent passes it on
        ours.close()
        self._close()

    def _retry_later(self, slot: Slot, error: OSError) -> None:
        if not self._served:
            raise ConfigurationError(
                f"no worker process can be started ({error.strerror}): raise this system's limits on processes, "
                "open files and memory"
            ) from None
        pause = slot.vacate(slot.predecessor)
        log.error("no worker process can be started (%s); again in %g s", error.strerror, pause)

    # Watching

    def _wait(self, until: float = inf) -> None:
        """Wait until a worker has reported or ended, a signal has come, or something is due."""
        now = monotonic()
        slots = self._slots if self._served and not self._signals else []
        times = [until, now + BEAT, *(slot.due for slot in slots if slot.worker is None)]
        times += [worker.deadline for worker in self._workers]
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        if self.lifeline is not None:
            poll.register(self.lifeline, select.POLLIN)
        for worker in self._workers:
            if worker.may_report:
                poll.register(worker.channel, select.POLLIN)
        ready = poll.poll(max(0.0, min(times) - now) * 1000)
        with suppress(BlockingIOError):
            os.read(self._woken, 1 << 10)
        for worker in self._workers:
            self._read(worker)
        self._reap()
        if self.lifeline is not None and self.lifeline in dict(ready):
            self._end_soon(self.lifeline)

    def _end_soon(self, lifeline: int) -> None:
        """Stop, and kill what has not ended soon after: the process that has started this one is gone."""
        os.close(lifeline)
        self.lifeline = None
        if not self._signals:
            self._on_signal(signal.SIGTERM, None)
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        log.error("%s", STARTER_GONE)

    def _read(self, worker: WorkerProcess) -> None:
        worker.read()
        if worker.served_since is not None and not self._served:
            self._served = True
            self.on_serving()

    def _check(self) -> None:
        """Check each worker: which has ended, which is silent, and which can't go on."""
        now = monotonic()
        frozen = now - self._checked > 2 * BEAT  # this process was stopped too: silence proves nothing
        self._checked = now
        for worker in list(self._workers):
            if frozen:
                worker.last_sign = now
            if worker.status is not None:
                self._replace_ended(worker)
            elif now > worker.deadline:
                self._kill_late(worker)
            elif worker.reason:
                worker.deadline = min(worker.deadline, now + EXIT_WAIT)
            elif worker.held_up:
                log.error("worker process %d is held up by what it runs", worker.pid)
                worker.kill()
                worker.held_up = False
            elif now - worker.last_sign > self._silence:
                log.error("worker process %d gave no sign of life for %g seconds", worker.pid, self._silence)
                worker.kill()
                worker.last_sign = now
            elif worker.exhausted:
                worker.exhausted = False
                self._retire(worker)

    def _reap(self) -> None:
        """Read how processes ended: workers, and orphans of theirs when this is process 1 of a container."""
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                for worker in self._workers:
                    if worker.pid == ended[0]:
                        worker.status = ended[1]
                        self.on_ended(worker.number)

    def _replace_ended(self, worker: WorkerProcess) -> None:
        """Forget a worker that has ended, and start another in its place.

        Raises:
            ConfigurationError: No worker has served yet: the next one would fail too.
        """
        self._read(worker)
        self._forget(worker)
        slot = self._slot_of(worker)
        if slot is None:
            log.info("worker process %d, which was replaced, %s", worker.pid, worker.ending)
            return
        if not self._served:
            raise ConfigurationError(worker.reason or f"the worker process {worker.ending} before it could serve")
        pause = slot.vacate(worker.ending)
        log.error(
            "worker process %d %s and is replaced %s%s",
            worker.pid,
            worker.ending,
            _after(pause),
            f": {worker.reason}" if worker.reason else "",
        )

    def _retire(self, worker: WorkerProcess) -> None:
        """Replace a worker. It stops within the grace, so that its pending calls can end."""
        slot = self._slot_of(worker)
        if slot is None:
            return
        pause = slot.vacate("had no thread left")
        log.error("worker process %d has no thread left and is replaced %s", worker.pid, _after(pause))
        self._end(worker)
        retired = [each for each in self._workers if self._slot_of(each) is None]
        if len(retired) > len(self._slots):
            retired[0].kill()

    # Ending

    def _end(self, worker: WorkerProcess) -> None:
        """Let a worker stop within the grace."""
        worker.send(signal.SIGTERM)
        worker.deadline = min(worker.deadline, monotonic() + self.grace + MARGIN)

    def _stop(self) -> None:
        """Refuse new connections, and give the workers their grace."""
        close_at = monotonic() + CLOSING
        for worker in self._workers:
            self._end(worker)
        while self._workers:
            self._wait(close_at)
            now = monotonic()
            if now >= close_at or all(worker.has_closed for worker in self._workers):
                self._shut_port()
                close_at = inf
            for worker in list(self._workers):
                if worker.status is not None:
                    self._forget(worker)
                elif now > worker.deadline:
                    self._kill_late(worker)
                    self._exit_code = 128 + self._signals[0]
        self._shut_port()

    def _shut_port(self) -> None:
        """Refuse connections, even when a worker is too busy to close the port."""
        with suppress(OSError):  # no worker has listened yet
            self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()

    def _kill_all(self) -> None:
        for worker in self._workers:
            worker.kill()

    def _close(self) -> None:
        os.close(self._woken)
        os.close(self._wake)
        if self.lifeline is not None:
            os.close(self.lifeline)
        for worker in self._workers:
            worker.channel.close()
        self._workers = []

    def _kill_late(self, worker: WorkerProcess) -> None:
        if not worker.reason:
            log.error("worker process %d did not stop within %g seconds and is killed", worker.pid, self.grace + MARGIN)
        worker.kill()
        worker.deadline = inf

    def _forget(self, worker: WorkerProcess) -> None:
        worker.channel.close()
        self._workers.remove(worker)

    def _slot_of(self, worker: WorkerProcess) -> Slot | None:
        return next((slot for slot in self._slots if slot.worker is worker), None)


def _after(pause: float) -> str:
    return f"in {pause:g} s" if pause else "at once"


def end_by(number: int) -> None:
    """End this process at once by a signal that was caught."""
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)
    os._exit(128 + number)  # process 1 of a container does not get signals that it leaves to the default


def _leave(number: int, frame: FrameType | None) -> None:
    """End a worker that does not serve: before it begins, or when uvicorn repeats the signal after its stop."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(0)
