"""Reports worker threads that hang, with their stacks, and lets the pool replace them; and a loop that is held up.

A thread can't be ended from outside, so one that hangs in an ability stays behind until it comes back; what can be
done is that another takes its place. An `async def` handler that blocks holds up the loop itself, and all that is in
the process with it: that is seen from a thread of its own, and told to whoever can replace the process. The same is
told when as many threads hang as may be replaced, and those in their places hang as well.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

from wwspec_router.jobs.runner import Jobs
from wwspec_router.logs import about
from wwspec_router.serving.exchange import ticket_on
from wwspec_router.serving.workers import BusyWorker, WorkerPool
from wwspec_router.stacks import describe_task, describe_thread

__all__ = ["HangWatch"]

log = logging.getLogger(__name__)

ROUND = 1.0
"""Longest time between two looks, in seconds."""


class HangWatch:
    """Looks after one pool and the loop that it serves.

    A thread asks the loop, round by round, to look at the pool, since threads are replaced on the loop only. How long
    the loop owes an answer tells how long it is held up.

    Args:
        workers: The pool.
        jobs: The threads of asynchronous calls, if there are any; they see to hanging ones themselves.
        after: Seconds for which a job may run, or the loop not answer, before it is reported.
        on_replaced: Called with the ident of each thread that was replaced.
        task_of: Returns the task that a thread of the pool waits for, if any.
        on_held_up: Called once each time that the loop is held up, from the watching thread.
        on_exhausted: Called once when every thread hangs and none can be added.

    Attributes:
        is_exhausted: Whether that is so: then no call, or no job, is begun any more.
    """

    def __init__(
        self,
        workers: WorkerPool,
        jobs: Jobs | None,
        after: float,
        on_replaced: Callable[[int], None],
        task_of: Callable[[int], "asyncio.Task[Any] | None"],
        on_held_up: Callable[[], None],
        on_exhausted: Callable[[], None],
    ) -> None:
        self._workers = workers
        self._jobs = jobs
        self._after = after
        self._on_replaced = on_replaced
        self._task_of = task_of
        self._on_held_up = on_held_up
        self._on_exhausted = on_exhausted
        self.is_exhausted = False
        self._reported: dict[int, float] = {}
        self._answered = threading.Event()
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin to look; on the loop."""
        arguments = (asyncio.get_running_loop(), threading.get_ident())
        threading.Thread(target=self._watch, args=arguments, name="wwspec-hangs", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()

    def _watch(self, loop: asyncio.AbstractEventLoop, ident: int) -> None:
        pause = min(ROUND, self._after)
        owed = 0.0
        reported = False
        self._answered.set()
        while not self._stopped.wait(pause):
            if self._answered.is_set():
                if reported:
                    log.warning("the event loop runs again, after %.0f s", owed)
                owed, reported = 0.0, False
                self._answered.clear()
                try:
                    loop.call_soon_threadsafe(self._look)
                except RuntimeError:  # it was closed
                    return
                continue
            owed += pause  # and not the time on the clock: the whole process may have stood still
            if owed > self._after and not reported:
                reported = True
                log.error("the event loop has been held up for %.0f s; it is at %s", owed, describe_thread(ident))
                self._on_held_up()

    def _look(self) -> None:
        self._answered.set()
        if self._stopped.is_set():
            return
        now = monotonic()
        long = {each.ident: each for each in self._workers.busy_workers() if now - each.since > self._after}
        self._reported = {ident: since for ident, since in self._reported.items() if ident in long}
        for ident, worker in long.items():
            if self._reported.get(ident) != worker.since:
                self._reported[ident] = worker.since
                self._replace(worker, now - worker.since)
        calls_hang = self._workers.exhausted and self._reported.keys() >= {
            each.ident for each in self._workers.busy_workers()
        }
        self._note(calls_hang, self._jobs is not None and self._jobs.exhausted)

    def _note(self, calls_hang: bool, jobs_hang: bool) -> None:
        """Tell once when no thread is left for calls, or for jobs."""
        was_exhausted, self.is_exhausted = self.is_exhausted, calls_hang or jobs_hang
        if self.is_exhausted and not was_exhausted:
            what = "calls" if calls_hang else "asynchronous calls"
            log.error("every thread for %s hangs and none can be added: this process takes no more of them", what)
            self._on_exhausted()

    def _replace(self, worker: BusyWorker, seconds: float) -> None:
        """Report a thread, and have it replaced."""
        ticket = ticket_on(worker.ident)
        stack = describe_thread(worker.ident)
        task = self._task_of(worker.ident)
        if task is not None:
            stack = f"{describe_task(task)}, awaited at {stack}"
        replaced = self._workers.replace(worker.ident)
        if replaced:
            self._on_replaced(worker.ident)
        with about(ticket.number if ticket is not None else ""):
            log.error(
                "a call%s has been running on %s for %.0f s; %s; it is at %s",
                f" of {ticket.label}" if ticket is not None else "",
                worker.name,
                seconds,
                "the thread was replaced" if replaced else "too many threads were replaced already",
                stack,
            )
