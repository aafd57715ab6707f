"""Keeps several worker processes that serve one port: starts them, replaces those that die, and ends them together.

A worker tells its parent once a second that it lives, from a thread of its own, so that one that is merely busy is
never taken for dead. When the parent is gone, however it ended, the workers notice at once and stop. Nothing here
knows HTTP or what a worker does.
"""

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from functools import partial
from multiprocessing import connection, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from time import monotonic
from types import FrameType

from wwspec_router.errors import ConfigurationError

__all__ = ["Supervisor", "Work", "end_by"]

log = logging.getLogger(__name__)

BEAT = 1.0
"""Seconds between two signs of life of a worker; also the pause before a worker that never served is replaced."""
MARGIN = 3.0
"""Seconds beyond the grace after which a worker that still runs is killed."""

_ALIVE, _SERVING = b"alive", b"serving"

Work = Callable[[socket.socket, Callable[[], None]], None]
"""What a worker does: serve a socket until SIGTERM, and call the function once it serves. Must be picklable."""


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
            self._workers = [self._start() for _ in range(self._size)]
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

    def _start(self) -> "_Worker":
        beats, pulse = self._spawn.Pipe(duplex=False)
        arguments = (self._work, self._listening, pulse, self._grace)
        process = self._spawn.Process(target=_live, args=arguments, daemon=False)
        process.start()
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
            elif frozen:
                worker.heard = now
            elif now - worker.heard > self._silence:
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
        worker = self._workers[index]
        pid, how = worker.process.pid, _ending(worker.process.exitcode)
        if not worker.serving and not self._served:
            raise ConfigurationError(f"worker process {pid} {how} before it served; its reason is in the log above")
        log.error("worker process %d %s and is replaced", pid, how)
        worker.kill()
        if not worker.serving:
            self._wait(BEAT)
        self._workers[index] = self._start()

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
                self.serving = self.beats.recv_bytes() == _SERVING or self.serving
                self.heard = monotonic()
        except EOFError:
            self._speaks = False

    def kill(self) -> None:
        """End the process, if it runs, and let go of it."""
        self.process.kill()
        self.process.join()
        self.beats.close()


def end_by(number: int) -> None:
    """End this process at once by a signal that was caught."""
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)
    os._exit(128 + number)  # process 1 of a container does not get signals that it leaves to the default


def _live(work: Work, listening: socket.socket, pulse: Connection, grace: float) -> None:
    """Be a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to all; the parent passes it on
    threading.Thread(target=_beat, args=(pulse, grace), name="wwspec-pulse", daemon=True).start()
    work(listening, partial(pulse.send_bytes, _SERVING))  # too short to mix with a beat of the thread


def _beat(pulse: Connection, grace: float) -> None:
    """Give signs of life until the parent is gone; then stop, within the grace."""
    parent = parent_process()
    while parent is not None and not connection.wait([parent.sentinel], BEAT):
        try:
            pulse.send_bytes(_ALIVE)
        except OSError:
            break
    log.error("the parent process is gone: stopping")
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(grace + MARGIN)
    os._exit(1)


def _ending(code: int | None) -> str:
    return f"was ended by signal {-code}" if code is not None and code < 0 else f"ended with exit code {code}"
