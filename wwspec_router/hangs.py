"""Reports worker threads that hang, with their stacks, and lets the pool replace them.

A thread can't be ended from outside, so one that hangs in an ability stays behind until it comes back; what can be
mended is that its place is taken by another. Knows no calls: a thread that runs long is all it sees.
"""

import asyncio
import logging
from collections.abc import Callable
from time import monotonic

from wwspec_router.logs import describe_thread
from wwspec_router.workers import WorkerPool

__all__ = ["HangWatch"]

log = logging.getLogger(__name__)

ROUND = 1.0
"""Longest time between two looks, in seconds."""


class HangWatch:
    """Looks after one pool; on the thread of its loop.

    Args:
        workers: The pool.
        after: Seconds for which a job may run before it is reported.
        on_replaced: Called with the ident of each thread that was replaced.
    """

    def __init__(self, workers: WorkerPool, after: float, on_replaced: Callable[[int], None]) -> None:
        self._workers = workers
        self._after = after
        self._on_replaced = on_replaced
        self._reported: dict[int, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to look."""
        self._timer = asyncio.get_running_loop().call_later(min(ROUND, self._after), self._look)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        now = monotonic()
        long = {each.ident: each for each in self._workers.busy_workers() if now - each.since > self._after}
        self._reported = {ident: since for ident, since in self._reported.items() if ident in long}
        for ident, worker in long.items():
            if self._reported.get(ident) == worker.since:
                continue
            self._reported[ident] = worker.since
            replaced = self._workers.replace(ident)
            if replaced:
                self._on_replaced(ident)
            log.error(
                "a call has been running on %s for %.0f s; %s; it is at %s",
                worker.name,
                now - worker.since,
                "the thread was replaced" if replaced else "too many threads were replaced already",
                describe_thread(ident),
            )
        self.start()
