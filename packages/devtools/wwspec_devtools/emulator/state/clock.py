"""The emulator's clock: it runs like the real one or is stopped, and can be put forward.

All times of the platform (tokens, notify_ids, the five days of messages, frequency limits) are of this clock. Time
limits of sockets are real seconds.
"""

import threading
import time
from collections.abc import Callable


class Clock:
    """A clock that never goes back, except to its start. Safe under threads.

    Args:
        start: Unix seconds at which it starts and stops until it is put forward, so the same requests always get the
            same times; None means the real time, with which it runs.
    """

    def __init__(self, start: float | None = None) -> None:
        self._start = start
        self.runs = start is None
        """Whether it runs by itself."""
        self._tick: Callable[[], float] = time.monotonic if self.runs else float
        self.moves = 0
        """How often it was put forward or restarted."""
        self._lock = threading.Lock()
        self._base = 0.0
        self.restart()

    def now(self) -> float:
        """Return the time in Unix seconds."""
        with self._lock:
            return self._base + self._tick()

    def seconds(self) -> int:
        """Return the time in whole Unix seconds, as WeCom writes it."""
        return int(self.now())

    def advance_to(self, moment: float) -> None:
        """Put the clock forward to a time in Unix seconds; one that has passed changes nothing."""
        with self._lock:
            self._base = max(self._base, moment - self._tick())
            self.moves += 1

    def ahead(self) -> float:
        """Return how many seconds it was put forward since its start, or since it was restarted."""
        with self._lock:
            return self._base - self._unmoved()

    def restart(self) -> None:
        """Go back to the real time, or to its fixed start."""
        with self._lock:
            self.moves += 1
            self._base = self._unmoved()

    def _unmoved(self) -> float:
        return (time.time() if self._start is None else self._start) - self._tick()
