"""Run `kills`: workers, parents and whole programs die with SIGKILL at random moments, under load.

Afterwards every event that was notified must be there, every job that was accepted must have been reported, and the
store must be sound.
"""

import random
import statistics
import time
from collections import Counter
from typing import Any

from torture.program import until
from torture.progress import say
from torture.result import Findings
from torture.stage import JOB_LEASE, Stage, set_up

__all__ = ["run"]

KILLS, QUICK_KILLS = 200, 6
KINDS = ("worker",) * 5 + ("program",) * 4 + ("parent",)
"""What is killed: one of the workers, the parent and all workers at once, or the parent alone."""
BETWEEN = (0.2, 1.4)
"""Seconds between the program's being up and the next kill."""
ORPHANS = 15.0
"""Seconds within which workers must end whose parent was killed: the program's grace, and a margin."""
KEEP = 86_400.0
"""Seconds for which the program keeps events: longer than the run."""
PAUSE = 0.005
"""Seconds between two calls of one caller."""


def run(seed: int, quick: bool, *, stores: tuple[str, ...], count: int | None = None) -> Findings:
    """Kill a program with two workers again and again, for each store.

    Args:
        seed: Makes the choices.
        quick: 6 kills a store instead of 200.
        stores: `sqlite`, `redis` or both.
        count: How many kills for each store, whatever `quick` says.
    """
    found = Findings(figures={}, failures=[])
    for store in stores:
        figures, failures = _run(store, seed, count or (QUICK_KILLS if quick else KILLS))
        found.figures[store] = figures
        found.failures += [f"{store}: {failure}" for failure in failures]
    return found


def _run(store: str, seed: int, kills: int) -> tuple[dict[str, Any], list[str]]:
    with set_up(store, seed, pause=PAUSE, notify_ttl=KEEP, options=JOB_LEASE) as stage, stage.load:
        killing = _Killing(stage, random.Random(seed))  # noqa: S311 - the same seed, the same choices
        began = time.monotonic()
        for number in range(1, kills + 1):
            killing.kill()
            if number % 20 == 0 or number == kills:
                say(f"{store}: {number} of {kills} kills")
        time.sleep(max(BETWEEN))
        figures = {**killing.figures(), "killing_s": round(time.monotonic() - began, 1), **stage.reckon()}
        if again := figures["events_handled_after_their_end"]:
            stage.ledger.fail(f"the code on {again} events ran again after the app had been given its end")
        return figures, stage.ledger.failures


class _Killing:
    """Kills at random.

    Args:
        stage: Whose program.
        rng: Chooses the moment and the victim.
    """

    def __init__(self, stage: Stage, rng: random.Random) -> None:
        self._program = stage.program
        self._ledger = stage.ledger
        self._rng = rng
        self._first = rng.sample(sorted(set(KINDS)), len(set(KINDS)))  # each kind once, however few kills there are
        self._counts: Counter[str] = Counter()
        self._restarts: list[float] = []

    def kill(self) -> None:
        """Wait a moment, kill something, and start the program again when it is gone."""
        program = self._program
        time.sleep(self._rng.uniform(*BETWEEN))
        kind = self._first.pop() if self._first else self._rng.choice(KINDS)
        self._counts[kind] += 1
        if not program.lives():
            self._ledger.fail(f"the program ended by itself: {program.said()[-300:]}")
        elif kind == "worker":
            if until(lambda: bool(program.workers()), ORPHANS):
                program.kill_worker(self._rng.choice(program.workers()))
            else:
                self._ledger.fail("no worker was started in place of those that were killed")
            return
        elif kind == "parent" and not program.kill_parent(ORPHANS):
            self._ledger.fail(f"workers still ran {ORPHANS:g} seconds after their parent was killed")
        program.kill()
        self._restarts.append(program.start())

    def figures(self) -> dict[str, Any]:
        """Return what was killed, and how long the program took to be there again."""
        return {
            "kills": dict(sorted(self._counts.items())),
            "restart_median_s": round(statistics.median(self._restarts), 3) if self._restarts else None,
            "restart_longest_s": round(max(self._restarts), 3) if self._restarts else None,
        }
