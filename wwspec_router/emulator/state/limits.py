"""Limits of calls a day and of calls in progress, each for one corp.

Plain state: the caller holds the emulator's lock.
"""

from collections import Counter

from wwspec_router.emulator.answers import RefusedError

DAY_SECONDS = 86400


class DailyLimit:
    """Counts calls of one kind by day, in UTC+8 as WeCom's days are.

    Args:
        allowed: The most calls in a day.
    """

    def __init__(self, allowed: int) -> None:
        self._allowed = allowed
        self._day = -1
        self._calls: Counter[str] = Counter()

    def admit(self, kind: str, now: float) -> None:
        """Count one call.

        Raises:
            RefusedError: 45009, when it is one too many.
        """
        day = int(now + 8 * 3600) // DAY_SECONDS
        if day != self._day:
            self._day = day
            self._calls.clear()
        if self._calls[kind] >= self._allowed:
            raise RefusedError(45009, f"{kind}: {self._allowed} calls a day")
        self._calls[kind] += 1


class Concurrency:
    """Counts calls in progress.

    Args:
        allowed: The most calls in progress.
    """

    def __init__(self, allowed: int) -> None:
        self._allowed = allowed
        self._running = 0

    def enter(self) -> None:
        """Begin a call.

        Raises:
            RefusedError: 45033, when too many are in progress.
        """
        if self._running >= self._allowed:
            raise RefusedError(45033, f"{self._allowed} at a time")
        self._running += 1

    def leave(self) -> None:
        """End a call that began."""
        self._running -= 1
