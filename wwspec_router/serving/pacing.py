"""Decides for one worker pool: do its jobs block, so that they spread over threads? Does its loop give way to them?

Jobs that compute are done best by one thread, one after the other; jobs that block need a thread each. Jobs block if
the process idles although jobs are pending, or if one job takes long. This module knows no threads; it asks the pool
through two callables.
"""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from time import monotonic, process_time

from wwspec_router.threads import Pace

PATIENCE = 0.005
"""Seconds after which a job takes long."""
SPREAD = 1.0
"""Seconds for which the pool spreads its jobs once they were found to block."""
MANY = 32
"""Long jobs, at least, for which the loop gives way: fewer don't bunch, and the switches cost."""
STEPS = 8
"""Jobs and results after which it gives way: more would bunch, and fewer cost more switches than they bring."""

JUDGED_TIME = 0.02
"""Seconds with pending jobs, at least, on which a judgement rests."""
OCCUPIED = 0.9
"""Share of these seconds for which the process computes, at least, when no job blocks."""

CallLater = Callable[[float, Callable[[], None]], asyncio.TimerHandle]
"""`call_later` of an event loop."""


class Pacing(Pace):
    """Decides for one pool. Belongs on the thread of its loop; any thread may read `spreads`.

    Args:
        pending: Returns how many jobs are queued or with a thread.
        begun: Returns when each job began that is with a thread, in seconds of `time.monotonic()`.

    Attributes:
        spreads: See `Pace`.
        gives_way: Whether the loop stops after a few jobs or results for threads that it has called. Jobs that began
            together end together, and their callers call together again; this pulls them apart.
    """

    def __init__(self, pending: Callable[[], int], begun: Callable[[], Iterable[float]]) -> None:
        super().__init__()
        self._pending = pending
        self._begun = begun
        self.spreads = False
        self.gives_way = False
        self._most_took_long = False
        self._steps = 0
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
            self.spreads = True
            if self._timer is None:
                self._timer = call_later(SPREAD, partial(self._end_spread, call_later))
        if self.spreads and self._most_take_long():
            self.gives_way = self._most_took_long = True
        return jobs_block

    def is_time_to_give_way(self) -> bool:
        """Count a job or a result; return whether to give way now."""
        self._steps += 1
        return self._steps % STEPS == 0

    def stop(self) -> None:
        """End the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _most_take_long(self) -> bool:
        """Return whether most of the pending jobs have been with a thread for longer than `PATIENCE`."""
        latest = monotonic() - PATIENCE
        long = sum(1 for begun in self._begun() if begun < latest)
        return long >= MANY and 2 * long > self._pending()

    def _end_spread(self, call_later: CallLater) -> None:
        """Stop spreading, unless most jobs took long meanwhile."""
        self.spreads = self.gives_way = self._most_took_long
        self._most_took_long = False
        self._timer = call_later(SPREAD, partial(self._end_spread, call_later)) if self.spreads else None


class Idleness:
    """Tells jobs that block from jobs that compute: does the process idle while jobs are pending?

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
