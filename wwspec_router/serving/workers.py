"""Worker threads for the blocking exchanges of one asyncio loop.

Built for calls that return at once and for calls that block for seconds. To hand a call to a thread and its result
back would cost more than a quick call itself if each step woke somebody, so wake-ups are batched:

* Jobs go to one queue. The loop *flushes* once an iteration: it calls a worker when the whole batch is queued.
* While jobs are queued the loop *ticks*: it finds out whether jobs block, and then lets them spread over threads.
* Results go to another queue. The loop *drains* it when a worker wakes it, and with each flush and tick. It is woken
  only when no wake-up of it is under way, and by a worker that has more to do not at all.
* When a flush has called a worker it gives way once: on one core a single quick job is then done at once, by two
  switches of threads, and nobody has to wake the loop.

`threads` has the threads, and says why no wake-up is lost; `Pacing` decides when to spread: jobs that compute are done
best by one thread, one after the other; jobs that block need a thread each. Nothing here knows HTTP, calls or the SDK.
"""

import asyncio
import os
import threading
from collections.abc import Callable
from functools import partial
from time import monotonic, process_time
from typing import Any, Protocol

from wwspec_contracts.errors import OverloadedError
from wwspec_router.threads import Busy, Pace, ThreadPool, Wakeup

PATIENCE = 0.005
"""Seconds after which a job takes long."""
SPREAD = 1.0
"""Seconds for which the pool spreads its jobs once they were found to block."""

JUDGED_TIME = 0.02
"""Seconds with pending jobs, at least, on which a judgement rests."""
OCCUPIED = 0.9
"""Share of these seconds for which the process computes, at least, when no job blocks."""

TICK = PATIENCE
"""Seconds between two ticks."""
_JOIN_LIMIT = 5.0
"""Seconds that `stop` may block for threads without a job to be gone; a few milliseconds in practice."""


CallLater = Callable[[float, Callable[[], None]], asyncio.TimerHandle]
"""`call_later` of an event loop."""


class Job(Protocol):
    """What a thread does, and what takes its outcome on the loop."""

    @property
    def is_over(self) -> bool:
        """Whether nobody waits for its outcome any more; read by any thread, changed on the loop."""

    def run(self) -> Any:
        """Do it; on a thread, unless it is over."""

    def end(self, result: Any, error: BaseException | None) -> None:
        """Take what `run` returned or raised; on the loop, unless it is over."""

    def cancel(self) -> object:
        """Let it be over; on the loop. One that runs goes on to its end."""


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
        self._loop_ident: int | None = None
        self._pending: set[Job] = set()
        self._pacing = Pacing()
        self._wakeup = Wakeup()
        self._pool: ThreadPool[Job] = ThreadPool(threads, name, _run, self._wakeup.send, self._pacing)
        self._flushing = False
        """Whether a flush is to come."""
        self._timer: asyncio.TimerHandle | None = None
        """Of the next tick."""
        self._closed = False
        self._ended = False
        self._empty: asyncio.Future[None] | None = None
        self._abandoned = 0

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
        self._pool.start(threads)
        self._loop.add_reader(self._wakeup.reader, self._on_wakeup)

    def add(self, job: Job) -> None:
        """Queue a job for a thread.

        Jobs begin in the order in which they are added. One that is over before it began never runs, though it keeps
        its place in the queue until a worker skips it. One that runs goes on to its end, and its result is dropped.

        Raises:
            OverloadedError: All threads are taken and `queue` jobs wait, or the pool is stopping; nothing is queued.
            RuntimeError: The pool was not started, or this is not the thread of its loop.
        """
        if threading.get_ident() != self._loop_ident:
            raise RuntimeError("a job is added on the thread of the loop that has awaited start()")
        # Pending jobs count, not the queue's length: a burst that idle threads have not picked up yet is no
        # overload.
        if self._closed or len(self._pending) - len(self._pool.lost) >= self._size + self._queue:
            raise self._refusal()
        if not self._pending:
            self._pacing.first_came()
        self._pending.add(job)
        self._pool.jobs.append(job)
        self._flush_soon()

    async def stop(self, grace: float) -> int:
        """Refuse new jobs, let the pending ones finish, then end the threads.

        The loop runs on meanwhile, so jobs may wait for coroutines on it. After the grace every job that is not over
        is cancelled: queued jobs never run, and a thread still in a job is left behind, a daemon that ends with its
        job. Cancelling `stop` cuts the grace short. Further calls share the outcome of the first to end.

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

        As `ThreadPool.lose`.
        """
        replaced = self._pool.lose(ident)
        if replaced:
            self._flush_soon()  # what is queued may be waiting for just this place
        return replaced

    @property
    def busy(self) -> int:
        """How many threads are running a job."""
        return sum(worker.since > 0 for worker in self._pool.workers.copy())

    @property
    def queued(self) -> int:
        """How many jobs wait for a thread, with cancelled ones that no worker has skipped yet."""
        return len(self._pool.jobs)

    @property
    def threads(self) -> int:
        """How many threads there are, busy or idle, without the replaced."""
        return len(self._pool.workers)

    @property
    def replaced(self) -> int:
        """How many threads were replaced and still run their jobs."""
        return len(self._pool.lost)

    @property
    def exhausted(self) -> bool:
        """Whether every thread is running a job and none can be added, not even in the place of another."""
        return self._pool.is_full and self.busy >= self.threads

    def busy_workers(self) -> list[Busy[Job]]:
        """Return the threads that are running a job, the longest running first."""
        return self._pool.busy()

    def ident_of(self, job: Job) -> int | None:
        """Return the ident of the thread that is running a job; None when there is none."""
        return self._pool.ident_of(job)

    def _refusal(self) -> OverloadedError:
        if self._closed:
            return OverloadedError("the program is stopping", detail="the worker pool takes no more jobs")
        detail = f"{len(self._pending)} jobs pending, {len(self._pool.workers)} of {self._size} worker threads"
        return OverloadedError(detail=detail)

    def _flush_soon(self) -> None:
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        """Call a worker, once for all that this iteration of the loop has queued; a tick follows.

        A single quick job is done while this thread gives way, and its result found here: nobody has to be woken.
        """
        self._flushing = False
        pool = self._pool
        if pool.done:
            self._drain()
        # Only this thread appends: an empty queue means that every job has found its worker already.
        if not pool.jobs:
            return
        pool.is_waking = True  # by the drain below
        try:
            pool.call_next()
            if not pool.done:
                os.sched_yield()
        finally:
            self._drain()
        if not pool.workers:
            self._refuse_queued()
        elif self._timer is None:
            self._timer = self._loop.call_later(TICK, self._tick)

    def _tick(self) -> None:
        """Find out whether jobs block while others wait. As long as jobs are queued another tick follows.

        So a worker whose job takes long is active no longer when the next tick comes.
        """
        self._timer = None
        pool = self._pool
        if pool.done:
            self._drain()
        left = self._patience_left()
        if self._pacing.jobs_block(self._loop.call_later, held_up=bool(pool.jobs) and left <= 0):
            pool.hand_on(pool.active)
        if pool.jobs:
            self._timer = self._loop.call_later(left if left > 0 else TICK, self._tick)

    def _patience_left(self) -> float:
        """Return for how many seconds more the active worker may be at its job."""
        active = self._pool.active  # once: it may go idle meanwhile
        begun = 0.0 if active is None else active.since
        return begun + PATIENCE - monotonic() if begun else PATIENCE

    def _refuse_queued(self) -> None:
        """Fail what is queued: there is no thread, and none can be started."""
        while self._pool.jobs:
            self._pool.done.append((self._pool.jobs.popleft(), None, self._refusal()))
        self._drain()

    def _on_wakeup(self) -> None:
        """Drain, since a worker wants it."""
        self._wakeup.wait()
        self._drain()

    def _drain(self) -> None:
        """End the jobs that are done. It resets the flag before the first pop, as `Worker.run` relies on."""
        self._pool.is_waking = False
        done, pending = self._pool.done, self._pending
        while True:
            try:
                job, result, error = done.popleft()
            except IndexError:
                break
            pending.discard(job)
            if not pending:
                self._pacing.last_left()
            if job.is_over:
                continue
            try:
                job.end(result, error)
            except Exception as failure:
                self._loop.call_exception_handler({"message": "the end of a job failed", "exception": failure})
        if not pending and self._empty is not None and not self._empty.done():
            self._empty.set_result(None)

    def _end(self) -> None:
        """Cancel what is left and end the threads that have no job."""
        if self._ended:
            return
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
        if self._loop_ident is not None:
            self._loop.remove_reader(self._wakeup.reader)
        self._pacing.stop()
        self._drain()
        jobs = self._pool.jobs
        while True:
            try:
                job = jobs.popleft()
            except IndexError:
                break
            if job.is_over:
                self._pending.discard(job)
        abandoned = list(self._pending)
        self._abandoned = len(abandoned)
        for job in abandoned:
            job.cancel()
        self._pending.clear()
        self._drain()
        # This blocks the loop, so it waits only when no thread has a job: no coroutine holds them up.
        self._pool.end(0.0 if abandoned else _JOIN_LIMIT)


class Pacing(Pace):
    """Decides for one pool. Belongs on the thread of its loop; any thread may read `spreads`.

    Attributes:
        spreads: See `Pace`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.spreads = False
        self._goes_on = False
        """Whether jobs were found to block once more while they spread."""
        self._idleness = Idleness(monotonic(), process_time())
        self._timer: asyncio.TimerHandle | None = None

    def first_came(self) -> None:
        """Note that a job is pending, after there was none."""
        self._idleness.first_came(monotonic())

    def last_left(self) -> None:
        """Note that no job is pending any more."""
        self._idleness.last_left(monotonic())

    def jobs_block(self, call_later: CallLater, *, held_up: bool) -> bool:
        """Judge, and spread for a while if jobs block.

        Args:
            call_later: Of the pool's loop.
            held_up: Whether a job that takes long keeps others waiting.
        """
        jobs_block = self._idleness.found(monotonic(), process_time()) or held_up
        if jobs_block:
            self._goes_on = self.spreads
            self.spreads = True
            if self._timer is None:
                self._timer = call_later(SPREAD, partial(self._end_spread, call_later))
        return jobs_block

    def stop(self) -> None:
        """End the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end_spread(self, call_later: CallLater) -> None:
        """Stop spreading, unless jobs were found to block meanwhile."""
        self.spreads, self._goes_on = self._goes_on, False
        self._timer = call_later(SPREAD, partial(self._end_spread, call_later)) if self.spreads else None


class Idleness:
    """Distinguishes jobs that block from jobs that compute: does the process idle while jobs are pending?

    A thread that computes all the while beside them hides that jobs block. It knows no clock: the
    caller says what time it is.

    Args:
        now: Seconds of a clock that never goes back.
        computed: Seconds for which the process, all its threads together, has computed; of `time.process_time()`.
    """

    def __init__(self, now: float, computed: float) -> None:
        self._judged = now
        self._computed = computed
        self._without_jobs = 0.0
        self._none_since = now

    def first_came(self, now: float) -> None:
        """Note that jobs are pending, after there were none."""
        self._without_jobs += now - self._none_since

    def last_left(self, now: float) -> None:
        """Note that no job is pending any more."""
        self._none_since = now

    def found(self, now: float, computed: float) -> bool:
        """Judge the time since the last judgement, while jobs are pending or just after.

        Returns:
            Whether the process idled although there were jobs; False as well while it is too early to say.
        """
        with_jobs = now - self._judged - self._without_jobs
        if with_jobs < JUDGED_TIME:
            return False
        idled = computed - self._computed < OCCUPIED * with_jobs
        self._judged, self._computed, self._without_jobs = now, computed, 0.0
        return idled


def _run(job: Job) -> Any:
    return None if job.is_over else job.run()
