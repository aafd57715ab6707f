"""Whether this process can serve: `Liveness` finds out when it can't go on, `Readiness` whether it can take calls now.

An `async def` handler that blocks holds up the loop, and with it all calls of the process. A thread of its own sees
that and reports it to the part that can replace the process. The process is replaced as well when as many threads hang
as may be replaced, and those that took their places hang, too.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

import msgspec

from wwspec_contracts.errors import StoreError
from wwspec_contracts.support.stacks import describe, describe_task, describe_thread
from wwspec_contracts.support.watchdog import Watchdog, Work
from wwspec_router.jobs.runner import Jobs
from wwspec_router.logs.lines import about
from wwspec_router.serving.calls import PendingCall
from wwspec_router.serving.workers import WorkerPool
from wwspec_router.stores.base import Store

log = logging.getLogger(__name__)

ROUND = 1.0
"""Longest time between two checks, in seconds."""
PATIENCE = 3.0
"""Seconds that a check of the store may take; after that it counts as one that does not answer."""


class CallWatch(msgspec.Struct, eq=False, dict=True):
    """Watches the threads that run calls; on the thread of their loop."""

    workers: WorkerPool
    """The threads."""
    hang_after: float
    """Seconds for which a call may run before it is logged and its thread replaced."""
    on_replaced: Callable[[int], None]
    """Called with the ident of each thread that was replaced."""
    task_of: Callable[[int], "asyncio.Task[Any] | None"]
    """Returns the task that a thread waits for, if any."""

    def __post_init__(self) -> None:
        self._watchdog = Watchdog(self._work, self._replace, self._where, about=about)

    def check(self) -> bool:
        """Log and replace what hangs; return whether every thread hangs and none can be added."""
        hanging = self._watchdog.check()
        return self.workers.exhausted and all(each.ident in hanging for each in self.workers.busy_workers())

    def _work(self) -> list[Work]:
        work = []
        for worker in self.workers.busy_workers():
            if isinstance(worker.job, PendingCall):
                request = worker.job
                name = f"a call of {request.label}"
                work.append(Work(worker.ident, worker.name, worker.since, self.hang_after, name, request.number))
        return work

    def _replace(self, work: Work) -> bool:
        replaced = self.workers.replace(work.ident)
        if replaced:
            self.on_replaced(work.ident)
        return replaced

    def _where(self, ident: int) -> str:
        task = self.task_of(ident)
        stack = describe_thread(ident)
        return stack if task is None else f"{describe_task(task)}, awaited at {stack}"


class Liveness(msgspec.Struct, eq=False, dict=True):
    """Watches one process: its event loop, and whether it has threads left.

    A thread asks the loop, round by round, to check the calls, since their threads are replaced on the loop only. How
    long the loop owes an answer tells how long it is held up.

    Attributes:
        is_exhausted: Whether that is so: then no call, or no job, begins any more.
    """

    calls: CallWatch
    """Watches the threads of calls."""
    jobs: Jobs | None
    """The asynchronous calls, if there are any; they replace their hanging threads themselves."""
    hang_after: float
    """Seconds for which the loop may owe an answer."""
    on_held_up: Callable[[], None]
    """Called once each time that the loop is held up, from the watching thread."""
    on_exhausted: Callable[[], None]
    """Called once when every thread hangs and none can be added."""

    def __post_init__(self) -> None:
        self.is_exhausted = False
        self._answered = threading.Event()
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin to watch; on the loop."""
        arguments = (asyncio.get_running_loop(), threading.get_ident())
        threading.Thread(target=self._watch, args=arguments, name="wwspec-liveness", daemon=True).start()

    def stop(self) -> None:
        """Stop watching."""
        self._stopped.set()

    def _watch(self, loop: asyncio.AbstractEventLoop, ident: int) -> None:
        pause = min(ROUND, self.hang_after)
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
                    loop.call_soon_threadsafe(self._check)
                except RuntimeError:  # it was closed
                    return
                continue
            owed += pause  # and not the time on the clock: the whole process may have stood still
            if owed > self.hang_after and not reported:
                reported = True
                log.error("the event loop has been held up for %.0f s; it is at %s", owed, describe_thread(ident))
                self.on_held_up()

    def _check(self) -> None:
        self._answered.set()
        if self._stopped.is_set():
            return
        calls_hang = self.calls.check()
        was_exhausted = self.is_exhausted
        self.is_exhausted = calls_hang or (self.jobs is not None and self.jobs.threads.exhausted)
        if self.is_exhausted and not was_exhausted:
            what = "calls" if calls_hang else "asynchronous calls"
            log.error("every thread for %s hangs and none can be added: this process takes no more of them", what)
            self.on_exhausted()


class Readiness:
    """Knows whether this process can take calls: what `/readyz` answers.

    The store is asked once a second by a thread of its own, so that no request waits for it. An answer holds no path,
    no version and no text of an error: anybody may ask.

    Args:
        store: The program's.
        is_exhausted: Returns whether every thread hangs and none can be added.
        is_stopping: Returns whether the process has begun to stop.
    """

    def __init__(self, store: Store, is_exhausted: Callable[[], bool], is_stopping: Callable[[], bool]) -> None:
        self._store = store
        self._is_exhausted = is_exhausted
        self._is_stopping = is_stopping
        self._asked: float | None = None
        self._store_failed = False
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin to check the store.

        Raises:
            RuntimeError: The system starts no thread.
        """
        threading.Thread(target=self._watch, name="wwspec-readiness", daemon=True).start()

    def stop(self) -> None:
        """Stop checking the store."""
        self._stopped.set()

    def faults(self) -> list[str]:
        """Return a line for each reason why this process can't take calls; none when it can. On any thread."""
        asked = self._asked
        is_late = asked is not None and monotonic() - asked > PATIENCE
        faults = {
            "stopping: the program has been told to stop": self._is_stopping(),
            "store: events and jobs can't be kept": self._store_failed or is_late,
            "threads: every thread hangs and none can be added": self._is_exhausted(),
        }
        return [fault for fault, holds in faults.items() if holds]

    def _watch(self) -> None:
        while not self._stopped.wait(ROUND):
            self._asked = monotonic()
            failure = self._failure()
            self._asked = None
            if self._stopped.is_set():  # and the store closed
                return
            if failure and not self._store_failed:
                log.error("the store failed: %s", failure)
            if self._store_failed and not failure:
                log.warning("the store works again")
            self._store_failed = failure != ""

    def _failure(self) -> str:
        """Check the store; return what is wrong with it, or nothing."""
        try:
            self._store.check()
        except StoreError as error:
            return str(error)
        except Exception as error:  # after any error the next check may succeed
            return describe(error)
        return ""
