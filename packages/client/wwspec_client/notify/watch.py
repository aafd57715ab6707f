"""Calls of the app's own functions: they may raise anything, end their thread, cancel their task, or hang.

Each failure affects only its own call: a driver returns its `Outcome` and goes on. A function that takes too long is
logged with the line where it is, and counts as failed.
"""

import logging
import operator
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

from wwspec_client.steps import Ask, Asked, Steps
from wwspec_contracts.support.stacks import describe_task, describe_thread
from wwspec_contracts.support.watchdog import Watchdog, Work

if TYPE_CHECKING:
    import asyncio

MOST_LEFT = 32
"""Threads that may be left to functions that hang; each further one that hangs blocks its worker."""

_log = logging.getLogger("wwspec_client.notify")


class Outcome(NamedTuple):
    """How a call of a function of the app's has ended."""

    result: Any = None
    error: BaseException | None = None
    """What it raised; a TimeoutError when it took too long."""
    hangs: bool = False
    """Whether it took too long."""


@dataclass(frozen=True)
class Watched(Ask):
    """Call a function of the app's; gives an `Outcome`, and never raises."""

    name: str = ""
    """What it is, in a log line."""
    notify_id: str = ""
    """Ties the log line to the others of the same notification."""
    limit: float = 0.0
    """Seconds after which it counts as failed."""


def call_watched(function: Asked[Any], name: str, limit: float, notify_id: str = "") -> Steps[Outcome]:
    """Call a function of the app's, and return the outcome."""
    outcome: Outcome = yield Watched(function, name=name, notify_id=notify_id, limit=limit)
    return outcome


class Call:
    """One call of a function of the app's.

    Args:
        step: What is called.
        abandon: Lets the driver go on without it. Called on another thread.

    Attributes:
        task: The task that awaits the function, on an event loop.
        is_abandoned: Whether the driver goes on without it.
    """

    def __init__(self, step: Watched, abandon: Callable[[], object]) -> None:
        self.step = step
        self.abandon = abandon
        self.is_abandoned = False
        self.since: float = monotonic()
        self.task: asyncio.Task[Any] | None = None
        self._thread: threading.Thread | None = None

    def run(self, do: Callable[[Asked[Any]], Any] = operator.call) -> Outcome:
        """Call the function on this thread, by `do`."""
        self._thread = threading.current_thread()
        try:
            return Outcome(do(self.step.function))
        except BaseException as error:
            return Outcome(error=error)
        finally:
            self._thread = None

    @property
    def overdue(self) -> Outcome:
        """The outcome of a call that took too long."""
        return Outcome(error=TimeoutError(f"it took longer than {self.step.limit:g} s"), hangs=True)

    @property
    def is_late(self) -> bool:
        """Whether it has begun and takes too long."""
        has_begun = self._thread is not None or self.task is not None
        return has_begun and monotonic() - self.since > self.step.limit

    @property
    def is_on_thread(self) -> bool:
        """Whether it runs on a thread, which nobody can end, rather than as a task."""
        thread = self._thread
        return thread is not None and thread.is_alive()

    @property
    def is_over(self) -> bool:
        """Whether it is abandoned and has ended."""
        return self.is_abandoned and not self.is_on_thread and (self.task is None or self.task.done())

    @property
    def work(self) -> tuple[str, float, float, str, str]:
        """The fields of `Work` behind the first."""
        thread = self._thread
        place = thread.name if thread is not None else "the event loop"
        return place, self.since, self.step.limit, self.step.name, self.step.notify_id

    def where(self) -> str:
        """Return where it is, innermost frame first."""
        thread = self._thread
        if thread is not None:
            return describe_thread(thread.ident or 0)
        return describe_task(self.task) if self.task is not None else "an unknown place"


class Watch:
    """Watches all calls of a receiver, on a thread.

    Args:
        tick: Seconds between two checks.
        on_tick: Called after each check, on that thread.
    """

    def __init__(self, tick: float, on_tick: Callable[[], object]) -> None:
        self._tick = tick
        self._on_tick = on_tick
        self._calls: dict[int, Call] = {}
        self._lock = threading.Lock()
        self._numbers = count(1)
        self._watchdog = Watchdog(self._work, self._abandon, self._where, effect="it counts as failed")
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._stopped = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(self._stopped,), name="wwspec-notify-watch", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopped.set()

    @contextmanager
    def watching(self, call: Call) -> Iterator[None]:
        """Watch a call while this block runs, and longer if its thread still runs."""
        number = next(self._numbers)
        with self._lock:
            self._calls[number] = call
        try:
            yield
        finally:
            if not call.is_abandoned:
                with self._lock:
                    del self._calls[number]

    def problems(self) -> list[str]:
        """Return a line for each function that hangs, and one if the watch has ended."""
        with self._lock:
            late = [call for call in self._calls.values() if call.is_late and not call.is_over]
        found = [f"{call.step.name} hangs at {call.where()}" for call in late]
        if self._thread is None or not self._thread.is_alive():
            found.append("the thread that watches handlers has ended")
        return found

    def _run(self, stopped: threading.Event) -> None:
        while not stopped.wait(self._tick):
            try:
                self._watchdog.check()
                self._on_tick()
            except Exception:
                _log.exception("the watch over handlers failed, and goes on")

    def _work(self) -> list[Work]:
        with self._lock:
            for number, call in list(self._calls.items()):
                if call.is_over:
                    del self._calls[number]
            return [Work(number, *call.work) for number, call in self._calls.items() if not call.is_abandoned]

    def _abandon(self, work: Work) -> bool:
        with self._lock:
            call = self._calls.get(work.ident)
            left = sum(each.is_abandoned for each in self._calls.values())
            if call is None or (call.is_on_thread and left >= MOST_LEFT):
                return call is None
            call.is_abandoned = True
        call.abandon()
        return True

    def _where(self, ident: int) -> str:
        with self._lock:
            call = self._calls.get(ident)
        return call.where() if call is not None else "its end"
