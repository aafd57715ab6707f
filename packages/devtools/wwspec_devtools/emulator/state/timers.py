"""Actions of the emulator that are due at a later time of its clock.

They run one after the other, in order of time, on the thread that calls `run_due`: the server's ticker, or the one that
puts the clock forward. Safe under threads.
"""

import heapq
import logging
import threading
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from itertools import count

from wwspec_devtools.emulator.state.clock import Clock

_LONGEST_WAIT = 0.5
"""Seconds between two checks of the ticker, since the clock may be put forward between them."""
_SHORTEST_WAIT = 0.01

MAX_WAITING = 100_000
"""The most waiting actions; further ones are dropped. With a stopped clock none becomes due."""

_log = logging.getLogger(__name__)

Action = Callable[[], None]


class Timers:
    """Actions that wait for their time.

    Args:
        clock: The clock of their times.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._serial = count()
        self.until: float | None = None
        """Unix seconds up to which the clock is being put forward; None while it is not."""
        self._waiting: list[tuple[float, int, Action]] = []
        self._changed = threading.Condition()
        self._running = threading.RLock()

    def schedule(self, delay: float, action: Action) -> None:
        """Let an action run once, with no lock held, when `delay` seconds of the clock have passed.

        It runs in the context of this call, so that its consequences are recorded under the same cause. May be called
        under the world's lock, and by an action.
        """
        with self._changed:
            if len(self._waiting) >= MAX_WAITING:
                _log.error("a timed action of the emulator is dropped: %d are waiting already", MAX_WAITING)
                return
            in_context: Action = partial(copy_context().run, action)
            heapq.heappush(self._waiting, (self._clock.now() + delay, next(self._serial), in_context))
            self._changed.notify_all()

    def next_due(self) -> float | None:
        """Return the time of the next action in Unix seconds, or None when none waits."""
        with self._changed:
            return self._waiting[0][0] if self._waiting else None

    def run_due(self, until: float | None = None) -> None:
        """Run the due actions, in order of time; an action that fails is logged and does not stop the others.

        Args:
            until: Unix seconds; the present time when None.
        """
        with self._running:
            while (action := self._next_due(self._clock.now() if until is None else until)) is not None:
                try:
                    action()
                except Exception:
                    _log.exception("a timed action of the emulator failed")

    def wait(self, stopping: threading.Event) -> None:
        """Return when something may be due, at the end, or after half a second."""
        with self._changed:
            if stopping.is_set():
                return
            due = self._waiting[0][0] if self._waiting else float("inf")
            self._changed.wait(min(_LONGEST_WAIT, max(_SHORTEST_WAIT, due - self._clock.now())))

    def wake(self) -> None:
        """Let `wait` return."""
        with self._changed:
            self._changed.notify_all()

    def _next_due(self, moment: float) -> Action | None:
        with self._changed:
            if self._waiting and self._waiting[0][0] <= moment:
                return heapq.heappop(self._waiting)[2]
            return None


class Ticker:
    """A thread that runs the due actions as the clock goes on.

    Args:
        timers: Returns the timers of the present; a reset of the emulator makes new ones.
    """

    def __init__(self, timers: Callable[[], Timers]) -> None:
        self._timers = timers
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="emulator-ticker")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the action under way."""
        self._stopping.set()
        self._timers().wake()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            timers = self._timers()
            timers.run_due()
            timers.wait(self._stopping)
