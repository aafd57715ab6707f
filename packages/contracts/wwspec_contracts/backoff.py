"""The pause between attempts, which grows with each of them."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

_MOST = 100
"""The pause after more attempts than these is the same; so the power is no overflow."""


@dataclass(frozen=True)
class Backoff:
    """How long to wait before the next attempt. Iterate over it for the pause after each attempt."""

    first: float
    """Seconds after the first attempt."""
    longest: float
    """Seconds that no pause exceeds."""
    growth: float = 2.0
    """How many times as long each further pause is."""
    jitter: float = 0.0
    """The part of a pause that is left out at random, at most, so that many do not come back at the same time."""

    def pause(self, attempt: int) -> float:
        """Return the seconds to wait after an attempt.

        Args:
            attempt: Its number, from 1.
        """
        grown = self.first * self.growth ** (min(attempt, _MOST) - 1)
        return min(self.longest, grown) * random.uniform(1.0 - self.jitter, 1.0)  # noqa: S311 - not for secrets

    def __iter__(self) -> Iterator[float]:
        return map(self.pause, count(1))
