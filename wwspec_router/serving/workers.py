"""Worker threads for the blocking exchanges of one asyncio loop.

Built for calls that return at once and for calls that block for seconds. To hand a call to a thread and its result
back would cost more than a quick call itself if each step woke somebody, so wake-ups are batched:

* Jobs go to one deque. The loop looks for a worker once an iteration, when the whole batch is queued.
* At most one worker is the *head*: the one that was called for what is queued. While jobs return soon it stays
  the head and does them in a row; a second thread would only compete with it for the interpreter's lock (GIL).
* While jobs are queued the loop looks now and then. If the head has been at one job for `PATIENCE`, or the process
  had nothing to do although jobs were in hand, they block. Then the pool *spreads* for a while: a head that takes a
  job first hands its role on, if more are queued, so that the jobs are spread over the threads along a chain.
* Results go to another deque. The loop is woken only when no wake-up of it is under way, and by a head that has
  more to do not at all: what it has done waits for the last of the jobs in a row, or for a look.
* When most of many jobs in hand take longer than that, the loop gives way to the threads after a few jobs or
  results. Jobs that began together end together, and their callers would call together again: this pulls them apart.

Threads are daemons, start when a job finds none idle, and sleep on a lock of their own without time-outs.
Nothing here knows HTTP, calls or the SDK: a job is a function and its arguments.

Who touches what:

* The loop's thread alone: `_pending`, `_flushing`, `_closed`, `_empty`, `_abandoned`, all that belongs to looking
  and spreading, appending to `_jobs`, and changes of `_spreading`: whatever a worker reads of that, it loses no job.
* Under `_lock`, where no foreign code runs: changes of `_head`, `_ending`, `_idle`, `_workers` and `_lost`. Only the
  loop's thread makes a worker lost, and only while it runs a job.
* Any thread: popping from `_jobs`, appending to `_done` (a deque does both atomically, with or without the
  GIL), and `_waking`, which `_Worker.run` argues.
"""

import asyncio
import logging
import os
import threading
from _thread import allocate_lock
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from time import monotonic, process_time
from typing import Any, NamedTuple, TypeVar, TypeVarTuple

from wwspec_router.errors import OverloadedError
from wwspec_router.serving.pacing import Idleness

_Result = TypeVar("_Result")
_Args = TypeVarTuple("_Args")

PATIENCE = 0.005
"""Seconds that one job may keep the head from those that are queued, and between two looks."""
SPREAD = 1.0
"""Seconds for which the pool spreads once jobs were found to block."""
_MANY = 32
"""Long jobs, at least, for which the pool gives way to their threads: fewer don't bunch, and the switches cost."""
_STEPS = 8
"""Jobs and results after which it gives way: more would bunch, and fewer cost more switches than they bring."""
_JOIN_LIMIT = 5.0
"""Seconds that `stop` may block for threads without a job to be gone; a few milliseconds in practice."""

_log = logging.getLogger(__name__)


class BusyWorker(NamedTuple):
    """A worker thread that is running a job."""

    ident: int
    """As in `threading.get_ident()`, a key of `sys._current_frames()`."""
    name: str
    """The thread's name."""
    since: float
    """When its job began, in seconds of `time.monotonic()`."""


class WorkerPool:
    """Runs blocking functions on threads for the loop that started it.

    A pool serves one loop, from `start` to `stop`, once. All but the figures (`busy`, `queued`, `threads`,
    `busy_workers`) is called on the loop's thread.

    Args:
        threads: How many threads there are at most.
        queue: How many jobs may wait while all the threads are taken.
        name: What the threads' names begin with.

    Raises:
        ValueError: `threads` is below 1, or `queue` below 0.
    """

    _loop: asyncio.AbstractEventLoop

    def __init__(self, threads: int = 256, queue: int = 1024, name: str = "wwspec-worker") -> None:
        if threads < 1 or queue < 0:
            raise ValueError(f"a worker pool needs threads >= 1 and queue >= 0, not {threads} and {queue}")
        self._size = threads
        self._queue = queue
        self._name = name
        self._loop_ident: int | None = None
        self._jobs: deque[tuple[asyncio.Future[Any], Callable[..., Any], tuple[Any, ...]]] = deque()
        self._done: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._pending: set[asyncio.Future[Any]] = set()
        self._flushing = False
        self._look: asyncio.TimerHandle | None = None
        self._idleness = Idleness(monotonic(), process_time())
        self._gathering: asyncio.TimerHandle | None = None
        self._spreading = False
        self._giving_way = False
        self._still_long = False
        self._steps = 0
        self._waking = False
        self._closed = False
        self._empty: asyncio.Future[None] | None = None
        self._abandoned = 0
        self._lock = allocate_lock()
        self._idle: list[_Worker] = []
        self._workers: list[_Worker] = []
        self._lost: list[_Worker] = []
        self._named = 0
        self._warned = False
        self._has_failed_to_start = False
        self._head: _Worker | None = None
        self._ending = False

    async def start(self, threads: int = 0) -> None:
        """Bind the pool to the running loop.

        Args:
            threads: How many threads to start at once; the others start later, as jobs need them.

        Raises:
            RuntimeError: The pool was started or stopped before, or the system starts no thread.
        """
        if self._loop_ident is not None or self._closed:
            raise RuntimeError("a worker pool serves one loop, once: make a new WorkerPool")
        self._loop = asyncio.get_running_loop()
        self._loop_ident = threading.get_ident()
        for _ in range(threads):
            worker = self._add()
            worker.start()
            with self._lock:
                self._workers.append(worker)

    def submit(self, fn: Callable[[*_Args], _Result], *args: *_Args) -> asyncio.Future[_Result]:
        """Queue `fn(*args)` for a worker thread; on the loop's thread only.

        Jobs begin in the order of their submission. A job whose future is cancelled before it began never
        runs, though it keeps its place in the queue until a worker skips it. One that runs goes on to its
        end, and its result is dropped.

        Returns:
            A future of what the function returns or raises, SystemExit and KeyboardInterrupt included.
            StopIteration and GeneratorExit, which no coroutine can be handed, become the cause of a
            RuntimeError. An exception that nobody asks the future for is not logged.

        Raises:
            OverloadedError: All threads are taken and `queue` jobs wait, or the pool is stopping; nothing is
                queued.
            RuntimeError: The pool was not started, or this is not the thread of its loop.
        """
        if threading.get_ident() != self._loop_ident:
            raise RuntimeError("submit() belongs on the thread of the loop that has awaited start()")
        # Jobs in hand count, not the queue's length: a burst that idle threads have not picked up yet is no
        # overload.
        if self._closed or len(self._pending) - len(self._lost) >= self._size + self._queue:
            raise self._refusal()
        if not self._pending:
            self._idleness.first_came(monotonic())
        future: asyncio.Future[_Result] = self._loop.create_future()
        self._pending.add(future)
        self._jobs.append((future, fn, args))
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)
        if self._giving_way:
            self._call_next()
            self._give_way()
        return future

    async def stop(self, grace: float) -> int:
        """Refuse new jobs, let those in hand finish, then end the threads.

        The loop runs on meanwhile, so jobs may wait for coroutines on it. After the grace every future that
        is not done is cancelled: queued jobs never run, and a thread still in a job is left behind, a daemon
        that ends with its job. Cancelling `stop` cuts the grace short. Further calls share the outcome of the
        first to end.

        Args:
            grace: Seconds that running and queued jobs are given.

        Returns:
            How many jobs were abandoned. After 0, a clean stop, no thread of the pool is left.
        """
        self._closed = True
        try:
            if self._pending:
                if self._empty is None:
                    self._empty = self._loop.create_future()
                await asyncio.wait([self._empty], timeout=grace)
        finally:
            self._end()
        return self._abandoned

    def replace(self, ident: int) -> bool:
        """Give the place of a thread that is running a job to another, which starts when a job needs it.

        The thread ends with its job, whose result still counts. There are never more replaced threads than the
        pool may have threads.

        Args:
            ident: The thread's, from `busy_workers`.

        Returns:
            False when nothing was changed: it runs no job any more, or too many were replaced already.
        """
        with self._lock:
            worker = next((each for each in self._workers if each.ident == ident and each.since), None)
            if worker is None or len(self._lost) >= self._size:
                return False
            self._workers.remove(worker)
            self._lost.append(worker)
            worker.lost = True
            if self._head is worker:
                self._head = None
        self._flush()  # what is queued may be waiting for just this place
        return True

    @property
    def busy(self) -> int:
        """How many threads are running a job."""
        return sum(1 for worker in self._workers.copy() if worker.since)

    @property
    def queued(self) -> int:
        """How many jobs wait for a thread, with cancelled ones that no worker has skipped yet."""
        return len(self._jobs)

    @property
    def threads(self) -> int:
        """How many threads there are, busy or idle; after `stop`, how many were left behind and still run."""
        return len(self._workers) + (len(self._lost) if self._ending else 0)

    @property
    def replaced(self) -> int:
        """How many threads were replaced and still run their jobs."""
        return len(self._lost)

    @property
    def exhausted(self) -> bool:
        """Whether every thread is running a job and none can be added, not even in the place of another."""
        workers = self._workers.copy()
        is_full = len(self._lost) >= self._size and len(workers) >= self._size
        return (is_full or self._has_failed_to_start) and all(worker.since for worker in workers)

    def busy_workers(self) -> list[BusyWorker]:
        """Return the threads that are running a job, the longest running first."""
        seen = ((worker, worker.since) for worker in self._workers.copy())
        busy = [BusyWorker(worker.ident or 0, worker.name, since) for worker, since in seen if since]
        return sorted(busy, key=lambda worker: worker.since)

    def _refusal(self) -> OverloadedError:
        if self._closed:
            return OverloadedError("the program is stopping", detail="the worker pool takes no more jobs")
        detail = f"{len(self._pending)} jobs in hand, {len(self._workers)} of {self._size} worker threads"
        return OverloadedError(detail=detail)

    def _flush(self) -> None:
        """Look for a worker, once for all that this iteration of the loop has queued."""
        self._flushing = False
        if self._done:
            self._drain()
        # Only this thread appends: an empty queue means that every job has found its worker already.
        if not self._jobs:
            return
        self._call_next()
        if not self._workers:
            self._refuse_queued()
        elif self._look is None:
            self._look = self._loop.call_later(PATIENCE, self._look_after)

    def _look_after(self) -> None:
        """Find out whether jobs block, and what is queued waits for them."""
        self._look = None
        if self._done:
            self._drain()
        left = self._patience_left()
        if self._idleness.found(monotonic(), process_time()) or (self._jobs and left <= 0):
            self._spread()
        if self._spreading and self._most_take_long():
            self._giving_way = self._still_long = True
        if self._jobs:
            self._look = self._loop.call_later(left if left > 0 else PATIENCE, self._look_after)

    def _patience_left(self) -> float:
        """Return for how many seconds more the head may be at its job."""
        head = self._head  # once: it may lie down meanwhile
        begun = 0.0 if head is None else head.since
        return begun + PATIENCE - monotonic() if begun else PATIENCE

    def _most_take_long(self) -> bool:
        """Return whether most of the jobs in hand have been with a thread for longer than `PATIENCE`."""
        begun = monotonic() - PATIENCE
        long = sum(1 for worker in self._workers.copy() if 0.0 < worker.since < begun)
        return long >= _MANY and 2 * long > len(self._pending)

    def _give_way(self) -> None:
        """Let the threads that have been called run, once for some jobs and results."""
        self._steps += 1
        if self._steps % _STEPS == 0:
            os.sched_yield()

    def _spread(self) -> None:
        """Let the head go, and each one that follows it for a while."""
        self._spreading = True
        if self._gathering is None:
            self._gathering = self._loop.call_later(SPREAD, self._gather)
        with self._lock:
            self._head = None
            worker = self._next() if self._jobs else None
        self._call(worker)

    def _gather(self) -> None:
        """Spread no longer, unless most jobs were seen to take long meanwhile."""
        self._spreading = self._giving_way = self._still_long
        self._still_long = False
        self._gathering = self._loop.call_later(SPREAD, self._gather) if self._spreading else None

    def _call_next(self) -> None:
        with self._lock:
            worker = self._next()
        self._call(worker)

    def _next(self, *, start: bool = True) -> "_Worker | None":
        """Choose the worker to call and make it the head; under the lock.

        No wake-up is lost, for whenever the lock is free: *while a job is queued and a worker is idle, there is a
        head or a flush is due.* In the lock's order of events:

        * A job is appended before its flush takes the lock. A worker that lies down before that is idle and can be
          called; one that would lie down after it looks once more, under the lock, and finds the job: it goes on,
          unless it leaves the job to a head.
        * A flush that meets a head leaves the job to it. That one gives up its role later, under the lock: lying
          down, if no job is left, or with a job in hand, calling the next if any are left.
        * A head may be kept by its job. While a job is queued, a flush or a look is due: a flush sees to it that a look
          is, and a look that finds jobs, that the next one is. It ends the role of a head that keeps others waiting.
        * With nobody idle and no thread to add, a job waits for a worker to finish; none lies down before the
          queue is empty, but for a head.
        """
        if self._head is not None or self._ending:
            return None
        if self._idle:
            worker = self._idle.pop()  # the last to lie down has the warmest caches
        elif start and len(self._workers) < self._size:
            worker = self._add()
            self._workers.append(worker)
        else:
            return None
        self._head = worker
        return worker

    def _add(self) -> "_Worker":
        self._named += 1
        return _Worker(self, f"{self._name}-{self._named}")

    def _call(self, worker: "_Worker | None") -> None:
        """Wake the chosen worker, or start its thread; not under the lock."""
        if worker is None:
            return
        if worker.ident is not None:
            worker.gate.release()
            return
        try:
            worker.start()
            self._has_failed_to_start = False
        except (RuntimeError, MemoryError) as exc:
            with self._lock:
                self._has_failed_to_start = True
                self._workers.remove(worker)
                if self._head is worker:
                    self._head = None
                # A flush may have relied on this one, while another worker lay down.
                idle = self._next(start=False) if self._jobs else None
                others, warned, self._warned = len(self._workers), self._warned, True
            self._call(idle)
            if not warned:  # once: what follows can come with every call
                _log.warning("no new worker thread beside the %d there are: %s", others, exc)

    def _refuse_queued(self) -> None:
        """Fail what is queued: there is no thread, and none can be started."""
        while self._jobs:
            future = self._jobs.popleft()[0]
            self._done.append((future, None, self._refusal()))
        self._drain()

    def _hand_on(self, head: "_Worker") -> None:
        """Give up the head's role with a job in hand; the next worker gets it if more are queued."""
        with self._lock:
            if self._head is not head:
                return
            self._head = None
            worker = self._next() if self._jobs else None
        self._call(worker)

    def _drain(self) -> None:
        """Set the results that have come in; on the loop's thread."""
        self._waking = False  # before the first pop, as `_Worker.run` relies on
        while True:
            try:
                future, result, error = self._done.popleft()
            except IndexError:
                break
            self._pending.discard(future)
            if self._giving_way:
                self._give_way()
            if future.done():
                continue
            if error is None:
                future.set_result(result)
                continue
            if isinstance(error, StopIteration | GeneratorExit):
                cause, error = error, RuntimeError(f"the job raised {type(error).__name__}")
                error.__cause__ = cause
            future.set_exception(error)
            future.exception()  # counts as asked for: asyncio would log it where the caller has gone
        if not self._pending:
            self._idleness.last_left(monotonic())
            if self._empty is not None and not self._empty.done():
                self._empty.set_result(None)

    def _end(self) -> None:
        """Cancel what is left and end the threads that have no job."""
        if self._ending:
            return
        for timer in (self._look, self._gathering):
            if timer is not None:
                timer.cancel()
        self._drain()
        while True:
            try:
                future = self._jobs.popleft()[0]
            except IndexError:
                break
            if future.done():
                self._pending.discard(future)
        abandoned = list(self._pending)
        self._abandoned = len(abandoned)
        for future in abandoned:
            future.cancel()
        self._pending.clear()
        self._drain()
        with self._lock:
            self._ending = True
            idle = self._idle.copy()
            self._idle.clear()
            # With no job left, those that are not idle are just about to find the queue empty.
            leaving = idle if abandoned else [*self._workers, *self._lost]
        for worker in idle:
            worker.gate.release()
        # This blocks the loop, so it is only for threads that have no job and get none: no coroutine holds
        # them up. The limit is for foreign code, such as the destructor of a thread-local object.
        deadline = monotonic() + _JOIN_LIMIT
        for worker in leaving:
            worker.join(max(0.0, deadline - monotonic()))


class _Worker(threading.Thread):
    """One thread: does jobs until there are none, then sleeps until it is called."""

    def __init__(self, pool: WorkerPool, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.pool = pool
        self.since = 0.0
        self.lost = False
        self.gate = allocate_lock()
        self.gate.acquire()

    def run(self) -> None:
        """Work until the pool ends, or another thread was given this one's place."""
        pool = self.pool
        jobs, done = pool._jobs, pool._done
        while True:
            try:
                future, fn, args = jobs.popleft()
            except IndexError:
                if not self._lie_down():
                    return
                continue
            if pool._spreading and pool._head is self:
                pool._hand_on(self)
            result: Any = None
            error: BaseException | None = None
            if not future.done():
                self.since = monotonic()
                try:
                    result = fn(*args)
                except BaseException as exc:
                    error = exc
                self.since = 0.0
            del fn, args  # a sleeping thread must not keep its last job alive
            done.append((future, result, error))
            del future, result, error
            # To read True leaves the result to the worker that set it: its call of `_drain` is still to come,
            # and resets the flag before it pops. Had its last pop come before our append, so had the reset,
            # by the deque's own order, and we would read False. When two workers read False, one drain finds
            # nothing. A result that the head keeps back is not lost either: a job is queued, so the loop has a
            # flush or a look to come, and both drain.
            if not (pool._waking or (jobs and pool._head is self and not pool._spreading)):
                self._wake_loop()
            if (self.lost or not (pool._head is self or pool._spreading)) and not self._lie_down():
                return

    def _wake_loop(self) -> None:
        pool = self.pool
        pool._waking = True
        with suppress(RuntimeError):  # the loop was closed while this job was left behind
            pool._loop.call_soon_threadsafe(pool._drain)

    def _lie_down(self) -> bool:
        """Sleep until called, unless there is a job and no head to do it.

        Returns:
            False when this worker must leave.
        """
        pool = self.pool
        with pool._lock:
            if self.lost:  # since it last looked
                pool._lost.remove(self)
                return False
            if pool._jobs:
                if pool._head is None and not pool._spreading:
                    pool._head = self
                if pool._head is self or pool._spreading:
                    return True
            elif pool._ending:
                pool._workers.remove(self)
                return False
            if pool._head is self:
                pool._head = None
            pool._idle.append(self)
        self.gate.acquire()
        return True
