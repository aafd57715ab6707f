"""The threads of one pool: which of them is called for a job, and how none sleeps while a job needs it.

Calls and jobs each have a pool of their own, so neither takes a thread of the other. A thread that hangs can't be ended
from outside: it is lost, another takes its place, and it ends with its job. One thread *leads* a pool: it queues jobs,
and takes what came of them. That of calls is the event loop's.

At most one worker is *active*: the one that was called for what is queued. While jobs return soon it stays active and
does them in a row; a second thread would only compete with it for the interpreter's lock (GIL). While the pool
*spreads*, an active worker that takes a job first lets another be active, if more are queued: jobs spread over threads
along a chain. Threads are daemons, start when a job finds none idle, and sleep without timeouts.

| a worker is | and is in | until |
|---|---|---|
| called | `workers`, `active` | it runs. If its thread can't be started, `_call` removes it, and calls an idle one. |
| active | `workers`, `active` | no job is left: idle (`wait_idle`). A job is long, or jobs spread: busy (`hand_on`). |
| busy | `workers` | its job ends. Active, if jobs wait and none is, else idle (`wait_idle`), unless jobs spread. |
| idle | `workers`, `_idle` | `_next` chooses it: called. Or `end` wakes it: it ends. |
| lost | `lost` | its job ends, and the thread with it. `lose` makes a worker lost while it is active or busy. |

**No wake-up is lost**: whenever the lock is free, if a job is queued and a worker is idle, then one is active, or the
leader has a flush or a tick to come. Each method says how it keeps this. `WorkerPool` is the loop's side of it; jobs
always spread, so they need neither.

Which thread touches what:

* Under the lock, where no foreign code runs: changes of `active`, `workers`, `lost`, and what is private here. Only the
  leader makes a worker lost, and only while that runs a job.
* The leader alone appends to `jobs`, and pops from `done`; any thread pops from `jobs`, and appends to `done`. A deque
  does each of these atomically, with or without the GIL.
"""

import logging
import os
import sys
import threading
from _thread import allocate_lock
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any, Generic, NamedTuple, TypeVar

log = logging.getLogger(__name__)

JobT = TypeVar("JobT")

_ONE = (1).to_bytes(8, "little")


class Wakeup:
    """Where a thread sleeps until another wakes it: each `send` ends one `wait`, be it before or after.

    A lock would do the same, but it is released while the interpreter's lock (GIL) is held: the thread that wakes up
    finds that taken, and sleeps once more. A file is written to without it.

    It takes one open file on Linux and two elsewhere. They are closed with its last reference, so that a thread which
    has one can't write to another file that got the number.

    Raises:
        OSError: The process may open no more files.

    Attributes:
        reader: A file that is readable while a `wait` would end at once.
    """

    __slots__ = ("_writer", "reader")

    def __init__(self) -> None:
        self.reader = self._writer = -1
        if sys.platform == "linux" and hasattr(os, "eventfd"):
            self.reader = self._writer = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_SEMAPHORE)
        else:
            self.reader, self._writer = os.pipe()

    def send(self) -> None:
        """Wake one thread, which may run before this returns; from any thread."""
        os.write(self._writer, _ONE)

    def wait(self) -> None:
        """Sleep until woken."""
        os.read(self.reader, len(_ONE))

    def __del__(self) -> None:
        for number in {self.reader, self._writer} - {-1}:
            os.close(number)


class Pace:
    """Jobs that all block: each begins at once, on a thread of its own, as long as there are threads.

    Attributes:
        spreads: Whether each thread that takes a job lets another take the next one.
    """

    def __init__(self) -> None:
        self.spreads = True  # no attribute of the class: Pacing, which has its own, would be read slower


class Busy(NamedTuple, Generic[JobT]):
    """A worker thread that is running a job."""

    ident: int
    """As in `threading.get_ident()`, a key of `sys._current_frames()`."""
    name: str
    """The thread's name."""
    since: float
    """When its job began, in seconds of `time.monotonic()`."""
    job: JobT
    """The job."""


class ThreadPool(Generic[JobT]):
    """The threads, and which of them is called.

    Args:
        size: How many there are at most.
        name: What their names begin with.
        work: Does a job, on a thread.
        wake: Lets the leader soon take what is in `done`, and before that reset `is_waking`.
        pace: Decides whether they spread the jobs.

    Attributes:
        jobs: What is queued.
        done: What came of jobs: the job, and a result or an error.
        is_waking: Whether the leader takes what is in `done` without being woken: `wake` was called and has had no
            effect yet, or the leader has called a worker and looks for results next.
        active: The worker that was called for what is queued.
        workers: Those that there are, without the lost.
        lost: Those that were replaced, and still run their job.
        has_failed_to_start: Whether the last thread that was needed could not be started.
    """

    def __init__(
        self, size: int, name: str, work: Callable[[JobT], Any], wake: Callable[[], object], pace: Pace
    ) -> None:
        self.size = size
        self.work = work
        self.wake = wake
        self.pace = pace
        self.jobs: deque[JobT] = deque()
        self.done: deque[tuple[JobT, Any, BaseException | None]] = deque()
        self.is_waking = False
        self.active: Worker[JobT] | None = None
        self.workers: list[Worker[JobT]] = []
        self.lost: list[Worker[JobT]] = []
        self.has_failed_to_start = False
        self._name = name
        self._named = 0
        self._warned = False
        self._lock = allocate_lock()
        self._idle: list[Worker[JobT]] = []
        self._ending = False

    def start(self, threads: int) -> None:
        """Start threads until there are so many, whether there are jobs or not.

        Raises:
            RuntimeError: The system starts no thread.
        """
        while True:
            with self._lock:
                if len(self.workers) >= threads:
                    return
                worker = self._add()
            self._start(worker)

    @property
    def is_full(self) -> bool:
        """Whether no thread can be added, not even in the place of another."""
        return (len(self.lost) >= self.size and len(self.workers) >= self.size) or self.has_failed_to_start

    def busy(self) -> list[Busy[JobT]]:
        """Return the threads that are running a job, the longest running first, without the lost."""
        # A job is the one that began at `since` when that is still so after it was read.
        seen = ((worker, worker.since, worker.job) for worker in self.workers.copy())
        busy = [
            Busy(worker.ident or 0, worker.name, since, job)
            for worker, since, job in seen
            if since and job is not None and worker.since == since
        ]
        return sorted(busy, key=lambda each: each.since)

    def ident_of(self, job: JobT) -> int | None:
        """Return the ident of the thread that is running a job, be it lost; None when there is none."""
        return next((each.ident for each in (*self.workers, *self.lost) if each.job is job), None)

    # Called by the leader

    def call_next(self) -> None:
        """Call a worker for what is queued, unless one is active; after the jobs were appended.

        A worker that went idle before this takes the lock can be called. One that wants to go idle after it looks for
        jobs first, under the lock, and finds them. One that is active ends that later, under the lock: going idle, when
        no job is left; or before it runs a job, calling the next if jobs are left. With no worker idle and no thread
        to add, a job waits for a worker to end its own: only while one is active others go idle beside queued jobs.
        """
        with self._lock:
            worker = self._next()
        self._call(worker)

    def lose(self, ident: int) -> bool:
        """Free the place of a worker that runs a job; it ends with that job, whose result still counts.

        Another is to be started then, or called for what is queued. There are never more lost than `size`.

        Args:
            ident: The thread's, from `busy`.

        Returns:
            False when nothing was changed: it runs no job any more, or too many were lost already.
        """
        with self._lock:
            worker = next((each for each in self.workers if each.ident == ident and each.since), None)
            if worker is None or len(self.lost) >= self.size:
                return False
            self.workers.remove(worker)
            self.lost.append(worker)
            worker.is_lost = True
            if self.active is worker:
                self.active = None
        return True

    def end(self, limit: float) -> None:
        """Let each thread end when it finds the queue empty, and wait until all are gone.

        Args:
            limit: Seconds that it may block; a few milliseconds for threads without a job, in practice, but a
                thread-local object may have a destructor.
        """
        with self._lock:
            self._ending = True
            idle = self._idle.copy()
            self._idle.clear()
            leaving = [worker for worker in (*self.workers, *self.lost) if worker.is_alive()]
        for worker in idle:
            worker.wakeup.send()
        deadline = monotonic() + limit
        for worker in leaving:
            worker.join(max(0.0, deadline - monotonic()))

    # Called by a worker

    def hand_on(self, active: "Worker[JobT] | None") -> None:
        """Let the active worker be so no longer, unless another is by now; the next is called if jobs are queued.

        A worker does so before it runs a job, and the leader when the active one keeps others waiting.
        """
        with self._lock:
            if self.active is not active:
                return
            self.active = None
            worker = self._next() if self.jobs else None
        self._call(worker)

    def wait_idle(self, worker: "Worker[JobT]") -> bool:
        """Sleep until called, unless there is a job and no active worker to do it.

        Returns:
            False when the worker must end.
        """
        with self._lock:
            if worker.is_lost:  # since it last checked
                self.lost.remove(worker)
                return False
            if self.jobs:
                if self.active is None and not self.pace.spreads:
                    self.active = worker
                if self.active is worker or self.pace.spreads:
                    return True
            elif self._ending:
                self.workers.remove(worker)
                return False
            if self.active is worker:
                self.active = None
            self._idle.append(worker)
        worker.wakeup.wait()
        return True

    # Under the lock, or just after

    def _next(self, *, start: bool = True) -> "Worker[JobT] | None":
        """Choose the worker to call, which is active then; under the lock."""
        if self.active is not None or self._ending:
            return None
        if self._idle:
            worker = self._idle.pop()  # the last to go idle has the warmest caches
        elif start and len(self.workers) < self.size:
            worker = self._add()
        else:
            return None
        self.active = worker
        return worker

    def _add(self) -> "Worker[JobT]":
        self._named += 1
        worker = Worker(self, f"{self._name}-{self._named}")
        self.workers.append(worker)
        return worker

    def _start(self, worker: "Worker[JobT]") -> None:
        """Start the thread of a worker that was added; not under the lock."""
        try:
            worker.start()
        except (RuntimeError, MemoryError):
            with self._lock:
                self.has_failed_to_start = True
                self.workers.remove(worker)
            raise
        self.has_failed_to_start = False

    def _call(self, worker: "Worker[JobT] | None") -> None:
        """Wake the chosen worker, or start its thread; not under the lock.

        When it can't be started another is called: one may have gone idle because this one was active.
        """
        if worker is None:
            return
        if worker.ident is not None:
            worker.wakeup.send()
            return
        try:
            self._start(worker)
        except (RuntimeError, MemoryError) as error:
            with self._lock:
                if self.active is worker:
                    self.active = None
                idle = self._next(start=False) if self.jobs else None
                others, warned, self._warned = len(self.workers), self._warned, True
            self._call(idle)
            if not warned:  # once: what follows can come with every call
                log.warning("no new worker thread beside the %d there are: %s", others, error)


class Worker(threading.Thread, Generic[JobT]):
    """One thread: does jobs until there are none, then sleeps until it is called.

    Args:
        pool: The pool that it belongs to.
        name: The thread's.

    Attributes:
        since: When its job began, in seconds of `time.monotonic()`; 0.0 while it has none.
        job: What it does; None while it has none.
        is_lost: Whether another thread was given its place.
        wakeup: Where it sleeps, once it was started.
    """

    wakeup: Wakeup

    def __init__(self, pool: ThreadPool[JobT], name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._pool = pool
        self.since = 0.0
        self.job: JobT | None = None
        self.is_lost = False

    def start(self) -> None:
        """Start the thread.

        Raises:
            RuntimeError: The system starts no thread, or opens no file.
        """
        try:
            self.wakeup = Wakeup()
        except OSError as error:
            raise RuntimeError(f"no file for it: {error.strerror}") from None
        super().start()

    def run(self) -> None:
        """Work until the pool ends, or another thread was given this one's place."""
        pool = self._pool
        jobs, done, pace, work = pool.jobs, pool.done, pool.pace, pool.work
        while True:
            try:
                job = jobs.popleft()
            except IndexError:
                if not pool.wait_idle(self):
                    return
                continue
            if pace.spreads and pool.active is self:
                pool.hand_on(self)
            result: Any = None
            error: BaseException | None = None
            self.job = job
            self.since = monotonic()
            try:
                result = work(job)
            except BaseException as exc:
                error = exc
            self.since = 0.0
            self.job = None
            done.append((job, result, error))
            del job, result, error  # a sleeping thread must not keep its last job alive
            # The leader is woken by the first of several results. To read True leaves ours to the drain that is under
            # way: it resets the flag before it pops. Had its last pop come before our append, so had the reset, and
            # we would read False. An active worker that has more to do wakes nobody: a job is queued, so a flush or a
            # tick is to come, and both drain.
            if not (pool.is_waking or (jobs and pool.active is self and not pace.spreads)):
                pool.is_waking = True
                pool.wake()
            if (self.is_lost or not (pool.active is self or pace.spreads)) and not pool.wait_idle(self):
                return
