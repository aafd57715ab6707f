"""The emulator's clock: it runs like the real one, and can be put forward.

Everything that the platform times (tokens, notify_ids, the five days of messages, frequency limits) reads
this clock. Time limits of sockets do not: those are real seconds.
"""

import math
import threading
import time
from collections.abc import Callable


class Clock:
    """A running clock that never goes back. Safe under threads.

    Args:
        start: Unix seconds at which it starts; None stands for the real time.
        tick: A monotonic time source in seconds.
    """

    def __init__(self, start: float | None = None, tick: Callable[[], float] = time.monotonic) -> None:
        self._tick = tick
        self._lock = threading.Lock()
        self._base = (time.time() if start is None else start) - tick()

    def now(self) -> float:
        """Return the time in Unix seconds."""
        with self._lock:
            return self._base + self._tick()

    def seconds(self) -> int:
        """Return the time in whole Unix seconds, as WeCom writes it."""
        return int(self.now())

    def advance(self, seconds: float) -> None:
        """Put the clock forward.

        Raises:
            ValueError: `seconds` is negative or not finite.
        """
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ValueError("a clock is put forward by a finite number of seconds, 0 or more")
        with self._lock:
            self._base += seconds
