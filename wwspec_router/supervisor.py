"""Keeps several worker processes that serve one port: starts them, replaces those that die, and ends them together.

A worker tells its parent once a second that it lives, from a thread of its own, so that one that is merely busy is
never taken for dead; one that lives and can't serve any more says so. When the parent is gone, however it ended, the
workers notice at once and stop. Nothing here knows HTTP or what a worker does.
"""

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import connection, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from time import monotonic
from types import FrameType

from wwspec_router.errors import ConfigurationError

__all__ = ["LastResort", "Pulse", "Supervisor", "Work", "end_by"]

log = logging.getLogger(__name__)

BEAT = 1.0
"""Seconds between two signs of life of a worker; also the pause before a worker that never served is replaced."""
MARGIN = 3.0
"""Seconds beyond the grace after which a process that still runs is ended the hard way."""
LONGEST_PAUSE = 30.0
"""Seconds at most between two attempts to start a process that the system does not let us start."""
LAST_WORDS = 1.0
"""Seconds that a line in the log may take when a process is about to end."""

_ALIVE, _SERVING, _HELD_UP = b"alive", b"serving", b"held up"


class Pulse:
    """What a worker tells its parent; from any thread.

    Args:
        parent: The pipe to it.
    """

    def __init__(self, parent: Connection) -> None:
        self._parent = parent

    def alive(self) -> None:
        """Give a sign of life.

        Raises:
            OSError: The parent is gone.
        """
        self._parent.send_bytes(_ALIVE)  # too short for two threads to mix what they send

    def serving(self) -> None:
        """Tell that this process serves from now on."""
        self._tell(_SERVING)

    def held_up(self) -> None:
        """Tell that this process can't serve any more: it is killed and replaced."""
        self._tell(_HELD_UP)

    def _tell(self, what: bytes) -> None:
        with suppress(OSError):  # the parent is gone, which the next sign of life notices
            self._parent.send_bytes(what)


Work = Callable[[socket.socket, Pulse], None]
"""What a worker does: serve a socket until SIGTERM, and tell its parent once it serves. Must be picklable."""


class Supervisor:
    """Runs a number of worker processes until SIGTERM or SIGINT.

    Args:
        work: What each of them does.
        listening: The bound socket that they share.
        workers: How many there are.
        grace: Seconds that they are given to stop.
        silence: Seconds without a sign of life after which one is killed and replaced.
    """

    def __init__(self, work: Work, listening: socket.socket, workers: int, grace: float, silence: float) -> None:
        self._work = work
        self._listening = listening
        self._size = workers
        self._grace = grace
        self._silence = silence
        self._spawn = get_context("spawn")
        self._workers: list[_Worker] = []
        self._served = False
        self._signals: list[int] = []
        self._woken, self._wake = self._spawn.Pipe(duplex=False)
        self._looked = monotonic()

    def run(self) -> None:
        """Run until a signal; a second one kills the workers and this process.

        Raises:
            ConfigurationError: The first workers ended before they served.
        """
        handlers = {each: signal.signal(each, self._note) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            self._start_first()
            while not self._signals:
                self._look()
            self._stop()
        finally:
            self._listening.close()
            for worker in self._workers:
                worker.kill()
            for number, handler in handlers.items():
                signal.signal(number, handler)
            self._woken.close()
            self._wake.close()
        if len(self._signals) > 1:
            end_by(self._signals[-1])

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._signals.append(number)
        self._wake.send_bytes(b"!")

    def _start_first(self) -> None:
        try:
            for _ in range(self._size):
                self._workers.append(self._start())
        except OSError as error:
            raise ConfigurationError(f"no worker process can be started: {error.strerror}") from None

    def _start(self) -> "_Worker":
        """Start a worker.

        Raises:
            OSError: The system has no process, memory or file left for it.
        """
        beats, pulse = self._spawn.Pipe(duplex=False)
        try:
            arguments = (self._work, self._listening, pulse, self._grace)
            process = self._spawn.Process(target=_live, args=arguments, daemon=False)
            process.start()
        except OSError:
            beats.close()
            raise
        finally:
            pulse.close()  # the worker has its own copy; with this one open its end would not show
        return _Worker(process, beats)

    def _look(self) -> None:
        """Wait for something to happen, and see to it."""
        ready = self._wait(BEAT)
        now = monotonic()
        frozen = now - self._looked > 2 * BEAT  # this process stood still itself, and can't blame others
        self._looked = now
        for index, worker in enumerate(self._workers):
            if worker.beats in ready:
                worker.listen()
                self._served = self._served or worker.serving
                if worker.held_up:
                    log.error("worker process %d is held up by what it runs", worker.process.pid)
                    worker.process.kill()
                    worker.process.join()
            elif frozen:
                worker.heard = now
            elif worker.process.exitcode is None and now - worker.heard > self._silence:
                log.error("worker process %d gave no sign of life for %g seconds", worker.process.pid, self._silence)
                worker.process.kill()
                worker.process.join()
            if worker.process.exitcode is not None and not self._signals:
                self._replace(index)

    def _wait(self, seconds: float) -> set[object]:
        """Wait until a worker has ended or beaten, or a signal has come."""
        watched: list[Connection | int] = [self._woken]
        for worker in self._workers:
            watched += worker.watched()
        ready: set[object] = set(connection.wait(watched, seconds))
        if self._woken in ready:
            self._woken.recv_bytes()
        return ready

    def _replace(self, index: int) -> None:
        """Start another worker in the place of one that has ended; later, when that fails."""
        worker = self._workers[index]
        if not worker.buried:
            self._bury(worker)
        if monotonic() < worker.next_attempt:
            return
        try:
            self._workers[index] = self._start()
        except OSError as error:
            pause = worker.pause_attempts()
            log.error("no worker process can be started (%s); again in %g s", error.strerror, pause)

    def _bury(self, worker: "_Worker") -> None:
        """Report a worker that has ended, and let go of it.

        Raises:
            ConfigurationError: None has served yet: the next would do no better.
        """
        pid, how = worker.process.pid, _ending(worker.process.exitcode)
        if not worker.serving and not self._served:
            raise ConfigurationError(f"worker process {pid} {how} before it served; its reason is in the log above")
        log.error("worker process %d %s and is replaced", pid, how)
        worker.kill()
        if not worker.serving:
            self._wait(BEAT)

    def _stop(self) -> None:
        """Refuse new connections, and give the workers their grace."""
        self._listening.close()
        deadline = monotonic() + self._grace + MARGIN
        for worker in self._workers:
            worker.process.terminate()
        while len(self._signals) < 2 and any(worker.process.exitcode is None for worker in self._workers):
            if monotonic() > deadline:
                log.error("worker processes did not stop within %g seconds and are killed", self._grace + MARGIN)
                return
            self._wait(BEAT)
            for worker in self._workers:
                worker.listen()


class _Worker:
    """A worker process, seen from its parent."""

    def __init__(self, process: SpawnProcess, beats: Connection) -> None:
        self.process = process
        self.beats = beats
        self.heard = monotonic()
        self.serving = False
        self.held_up = False
        """Whether it said that it can't serve any more."""
        self.buried = False
        """Whether it has ended, and was let go of."""
        self.next_attempt = 0.0
        """When to try again to start another in its place, in seconds of `monotonic()`."""
        self._pause = 0.0
        self._speaks = True

    def watched(self) -> list[Connection | int]:
        """Return what becomes ready when this worker beats or ends."""
        if self.process.exitcode is not None:
            return []
        return [self.process.sentinel, self.beats] if self._speaks else [self.process.sentinel]

    def listen(self) -> None:
        """Take in the signs of life that have come."""
        try:
            while self._speaks and self.beats.poll():
                said = self.beats.recv_bytes()
                self.serving = said == _SERVING or self.serving
                self.held_up = said == _HELD_UP or self.held_up
                self.heard = monotonic()
        except EOFError:
            self._speaks = False

    def pause_attempts(self) -> float:
        """Put off the next attempt to replace it, each time for longer, and return for how many seconds."""
        self._pause = min(max(BEAT, 2 * self._pause), LONGEST_PAUSE)
        self.next_attempt = monotonic() + self._pause
        return self._pause

    def kill(self) -> None:
        """End the process, if it runs, and let go of it."""
        self.process.kill()
        self.process.join()
        self.beats.close()
        self.buried = True
        self._speaks = False


class LastResort:
    """Ends a process whose stop takes longer than it may, whatever holds it up: a thread that waits until then.

    Args:
        grace: Seconds that a stop may take, to which `MARGIN` is added.
    """

    def __init__(self, grace: float) -> None:
        self._limit = grace + MARGIN
        self._begun = threading.Event()
        self._number = signal.SIGTERM
        # Not started by the signal itself, whose handler may have interrupted the start of another thread.
        threading.Thread(target=self._wait, name="wwspec-last-resort", daemon=True).start()

    def begin(self, number: int) -> None:
        """Begin to count, because of a signal; in its handler."""
        self._number = signal.Signals(number)
        self._begun.set()

    def _wait(self) -> None:
        self._begun.wait()
        # What holds up the process may be its standard output. Later on Python may start no thread any more.
        threading.Thread(target=self._end_after, args=(self._limit + LAST_WORDS,), daemon=True).start()
        threading.Event().wait(self._limit)
        log.error("the program did not stop within %g seconds and is ended", self._limit)
        self._end_after(0.0)

    def _end_after(self, seconds: float) -> None:
        threading.Event().wait(seconds)
        os._exit(128 + self._number)


def end_by(number: int) -> None:
    """End this process at once by a signal that was caught."""
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)
    os._exit(128 + number)  # process 1 of a container does not get signals that it leaves to the default


def _live(work: Work, listening: socket.socket, pulse: Connection, grace: float) -> None:
    """Be a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to all; the parent passes it on
    told = Pulse(pulse)
    threading.Thread(target=_beat, args=(told, grace), name="wwspec-pulse", daemon=True).start()
    work(listening, told)


def _beat(pulse: Pulse, grace: float) -> None:
    """Give signs of life until the parent is gone; then stop, within the grace."""
    parent = parent_process()
    while parent is not None and not connection.wait([parent.sentinel], BEAT):
        try:
            pulse.alive()
        except OSError:
            break
    log.error("the parent process is gone: stopping")
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(grace + MARGIN)
    os._exit(1)


def _ending(code: int | None) -> str:
    return f"was ended by signal {-code}" if code is not None and code < 0 else f"ended with exit code {code}"
