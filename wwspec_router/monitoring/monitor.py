"""Shows the state of the program: a line of figures in the log at each interval, and the same as an ability.

In the zone there is no other way to see this. Both have the figures of all worker processes together. Other modules
decide what is counted, and how it is shown.
"""

import logging
import threading
from collections.abc import Callable
from time import monotonic

import msgspec

from wwspec_contracts.errors import StoreError
from wwspec_contracts.support.stacks import describe
from wwspec_router.monitoring.figures import Figures, Gauges, Snapshot, merged
from wwspec_router.monitoring.shared import SharedFigures
from wwspec_router.monitoring.status import Status, Stored, figures_of, status_of

log = logging.getLogger(__name__)

PUBLISH = 1.0
"""Seconds between two times that a worker process shows its figures to the others."""
TURN = 60.0
"""Seconds of an interval when no line is wanted."""
_JOIN_LIMIT = 5.0
"""Seconds that `stop` waits for the thread, which may be asking a store that is slow to answer."""


class Monitor(msgspec.Struct, eq=False, dict=True):
    """Watches over one process, and with shared figures over all of the program."""

    figures: Figures
    """What this process counts."""
    gauges: Callable[[], Gauges]
    """Returns how busy it is; called from any thread."""
    stored: Callable[[], Stored]
    """Returns how full the store is, or raises StoreError; called from any thread."""
    interval: float
    """Seconds between two lines in the log; 0 for none."""
    shared: SharedFigures | None = None
    """Where worker processes show each other their figures; None when there is one only."""

    def __post_init__(self) -> None:
        self._last_shown = Snapshot()
        self._is_shown = True
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Show this process to the others, and begin to watch on a thread of its own."""
        if self.shared is not None:
            self._last_shown = merged(self.shared.read())  # in the lines of others: a process may start late
        self._publish()
        self._thread = threading.Thread(target=self._watch, name="wwspec-monitor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread, and leave the counts to the other processes. Does nothing when not started."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(_JOIN_LIMIT)
            self._thread = None
            self._publish(ended=True)
        if self.shared is not None:
            self.shared.close()

    def status(self) -> Status:
        """Return the figures of the whole program. Asks the store, so it may block; belongs on a worker thread."""
        return status_of(self._program(), self._ask_store())

    def _watch(self) -> None:
        period = self.interval or TURN
        longest = threading.TIMEOUT_MAX if self.shared is None else PUBLISH
        due = monotonic() + period
        while not self._stopping.wait(max(0.0, min(due - monotonic(), longest))):
            is_over = monotonic() >= due
            if is_over:
                due = max(due + period, monotonic())
            try:
                self._publish()
                if is_over:
                    self._end_interval()
            except Exception as error:  # the next time may be better
                log.error("the monitor failed: %s", describe(error))

    def _end_interval(self) -> None:
        shared = self.shared
        try:
            leads = shared is None or shared.lead()
            if self.interval:
                snapshot = self._program()
                if leads:
                    log.info(figures_of(snapshot, self._last_shown, self._ask_store()))
                self._last_shown = snapshot  # even when another leads: if it dies, our line goes on from here
        finally:
            self.figures.turn()

    def _program(self) -> Snapshot:
        own = self.figures.snapshot(self.gauges())
        return own if self.shared is None else merged([own, *self.shared.read()])

    def _publish(self, *, ended: bool = False) -> None:
        if self.shared is None:
            return
        gauges = Gauges() if ended else self.gauges()
        try:
            self.shared.publish(self.figures.snapshot(gauges), ended=ended)
        except OSError as error:
            if self._is_shown:  # once: it will be tried again every second
                log.warning("the figures can't be shown to the other worker processes: %s", error.strerror)
            self._is_shown = False
        else:
            self._is_shown = True

    def _ask_store(self) -> Stored | None:
        """Return how full the store is, or None when it can't be read."""
        try:
            return self.stored()
        except StoreError as error:
            log.debug("the store has no figures: %s", describe(error))
            return None
