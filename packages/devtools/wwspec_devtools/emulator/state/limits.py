"""Limits of calls a day and of calls in progress, each for one corp.

Plain state: the caller holds the emulator's lock.
"""

from collections import Counter

from wwspec_devtools.emulator.answers import RefusedError

DAY_SECONDS = 86400


class DailyLimit:
    """Counts calls of one kind, or their messages, by day: in UTC+8 as WeCom's days are.

    Args:
        allowed: The most in a day.
        what: What is counted.
    """

    def __init__(self, allowed: int, what: str = "calls") -> None:
        self._allowed = allowed
        self._what = what
        self._day = -1
        self._used: Counter[str] = Counter()

    def admit(self, kind: str, now: float, number: int = 1) -> None:
        """Count one call, or the number of its messages.

        Raises:
            RefusedError: 45009, when that is too many.
        """
        day = int(now + 8 * 3600) // DAY_SECONDS
        if day != self._day:
            self._day = day
            self._used.clear()
        if self._used[kind] + number > self._allowed:
            raise RefusedError(45009, f"{kind}: {self._allowed} {self._what} a day")
        self._used[kind] += number


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
