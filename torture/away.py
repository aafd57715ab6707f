"""An app that is away while the program tells it something: it must fetch all of that when it is back."""

import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from torture.archive import ArchiveApp
from torture.program import until
from wwspec_contracts.errors import WWSpecError
from wwspec_devtools.testing.zone import ServedZone

__all__ = ["Away"]

PAUSE = (0.0, 1.0)
"""Seconds between two calls of the ability that tells the app something."""
DOWN = (0.5, 2.0)
"""Seconds for which the program is away once meanwhile."""
ABILITY = "daily_digest"


class Away:
    """Lets the program tell the app something while no app runs, and die once.

    Args:
        zone: Whose program.
        app: Which does not run.
        rng: Chooses the moments.

    Attributes:
        notified: The notify_ids of what was told: calls that the program has answered.
    """

    def __init__(self, zone: ServedZone, app: ArchiveApp, rng: random.Random) -> None:
        self._zone = zone
        self._app = app
        self._rng = rng
        self.notified: set[str] = set()

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
        try:
            called = self._zone.call(ABILITY, {})
        except WWSpecError:  # the program has no port yet
            return
        if called.errcode == 0 and called.reply.get("notify_id"):
            self.notified.add(called.reply["notify_id"])

    def judge(self, seconds: float) -> list[str]:
        """Wait until the app has got all, and return a line for the broken promise.

        Args:
            seconds: How long. Before WeCom's notify_ids end, what was told has its first one.
        """
        lost = self.notified

        def complete() -> bool:
            nonlocal lost
            lost = self.notified - _received(self._app.database.parent)
            return not lost

        until(complete, seconds, 0.5)
        return (
            [f"{len(lost)} of {len(self.notified)} that the absent app was told are lost: {min(lost)}"] if lost else []
        )


def _received(folder: Path) -> set[str]:
    """Return the notify_ids whose content the app has handled, or has given up after it got it."""
    with closing(sqlite3.connect(folder / "notifications.db", timeout=30)) as connection:
        rows = connection.execute("SELECT notify_id FROM wwspec_notifications WHERE stage IN ('done', 'failed')")
        return {notify_id for (notify_id,) in rows}
