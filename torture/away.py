"""An app that is away while the program tells it something: it must fetch all of that when it is back."""

import random
import time

from wwspec_contracts.errors import WWSpecError
from wwspec_devtools.testing.zone import ServedZone

__all__ = ["Away"]

PAUSE = (0.0, 1.0)
"""Seconds between two calls of the ability that tells the app something."""
DOWN = (0.5, 2.0)
"""Seconds for which the program is away once meanwhile."""
ABILITY = "announce"


class Away:
    """Lets the program tell the app numbers while no app runs, and die once.

    Args:
        zone: Whose program.
        rng: Chooses the moments.

    Attributes:
        announced: The numbers of the calls that the program has answered.
    """

    def __init__(self, zone: ServedZone, rng: random.Random) -> None:
        self._zone = zone
        self._rng = rng
        self._number = 0
        self.announced: set[int] = set()

    def call_program(self, seconds: float) -> None:
        """Tell for so many seconds."""
        ends = time.monotonic() + seconds
        dies = time.monotonic() + seconds * self._rng.uniform(0.2, 0.8)
        while (now := time.monotonic()) < ends:
            if now >= dies:
                dies = ends
                self._zone.kill_program()
                time.sleep(self._rng.uniform(*DOWN))
                self._zone.start_program()
            self._call_once()
            time.sleep(self._rng.uniform(*PAUSE))

    def _call_once(self) -> None:
        self._number += 1
        try:
            called = self._zone.call(ABILITY, {"number": self._number})
        except WWSpecError:  # the program has no port yet
            return
        if called.errcode == 0 and called.reply.get("notify_id"):
            self.announced.add(self._number)
