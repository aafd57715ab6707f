"""Run `redis`: the Redis server behind the program ends, dies or hangs, again and again, under load.

Meanwhile each answer must be right or an error that says so, and none may be late; afterwards everything must work
again at once, and nothing that was acknowledged may be missing.
"""

import random
import signal
import time
from collections import Counter
from typing import Any

from torture.backends import RedisBackend
from torture.program import TIMEOUT, until
from torture.progress import say
from torture.result import Findings
from torture.stage import JOB_LEASE, WORKERS, Stage, set_up

__all__ = ["judged", "run", "works"]

TIMES, QUICK_TIMES = 20, 3
ALLOWED = frozenset(
    {
        "the event could not be stored",
        "the event could not be read",
        "the job could not be stored",
        "the ability took longer than its timeout",
    }
)
"""What the program may answer while its store is away."""
KINDS = ("ended", "killed", "hung")
"""SIGTERM, SIGKILL together with a worker of the program, or SIGSTOP: connections stay open, nothing is answered."""
UP, DOWN = (0.5, 2.0), (0.5, 3.5)
"""Seconds for which the server is there, and is not."""
MARGIN = 1.0
"""Seconds that a call may last beyond its ability's timeout; the emulator's own time is in them."""
EVENT_LIMIT = 8.0
"""Seconds that an event may take: it has no ability and no timeout, but waits 2 s at most for each of a connection of
the pool and an answer, and may do so twice."""
RECOVERY, RESTART = 3.0, 10.0
"""Seconds after the server's return within which everything must work again, and both workers must run again."""
PROBES = 10
"""Events and fetches in a row that must work for that, so that each worker is asked."""
KEEP = 86_400.0
PAUSE = 0.005


def run(seed: int, quick: bool) -> Findings:
    """Take the server away 20 times, 3 when quick; the seed chooses how and when."""
    times = QUICK_TIMES if quick else TIMES
    with set_up("redis", seed, pause=PAUSE, notify_ttl=KEEP, allowed=ALLOWED, options=JOB_LEASE) as stage, stage.load:
        outages = _Outages(stage, random.Random(seed))  # noqa: S311 - the same seed, the same choices
        for number in range(1, times + 1):
            outages.next(number)
            if number % 5 == 0 or number == times:
                say(f"{number} of {times} outages")
        return judged(stage, outages.figures())


def judged(stage: Stage, figures: dict[str, Any]) -> Findings:
    """Return these figures with those of the reckoning; a call that lasted too long is a failure."""
    figures |= stage.reckon()
    for kind, longest in figures["longest_s"].items():
        limit = EVENT_LIMIT if kind == "event" else TIMEOUT + MARGIN
        if longest > limit:
            stage.ledger.fail(f"{kind}: a call lasted {longest} seconds, allowed are {limit:g}")
    return Findings(figures=figures, failures=stage.ledger.failures)


def works(stage: Stage) -> bool:
    """Tell whether events and their fetches work, several in a row."""
    ledger, load = stage.ledger, stage.load
    return all(load.fire() and all(load.fetch(each) for each in ledger.recent(1)) for _ in range(PROBES))


class _Outages:
    """Takes the server away and brings it back.

    Args:
        stage: Whose server.
        rng: Chooses how and when.
    """

    def __init__(self, stage: Stage, rng: random.Random) -> None:
        if not isinstance(stage.backend, RedisBackend):
            raise TypeError("this run needs a Redis server")
        self._server = stage.backend
        self._stage = stage
        self._rng = rng
        self._counts: Counter[str] = Counter()
        self._recoveries: list[float] = []

    def next(self, number: int) -> None:
        """Go through one outage: each kind in turn, at a random moment and for a random time."""
        kind = KINDS[number % len(KINDS)]
        self._counts[kind] += 1
        time.sleep(self._rng.uniform(*UP))
        down = self._rng.uniform(*DOWN)
        if kind == "hung":
            self._server.freeze()
            time.sleep(down)
            self._server.thaw()
        else:
            self._server.kill(signal.SIGTERM if kind == "ended" else signal.SIGKILL)
            if kind == "killed":  # its successor finds no store
                self._stage.program.kill_worker(self._rng.choice(self._stage.program.workers()))
            time.sleep(down)
            self._server.start()
        self._recover(kind)

    def _recover(self, kind: str) -> None:
        began = time.monotonic()
        if not until(lambda: works(self._stage), RECOVERY):
            self._stage.ledger.fail(f"{RECOVERY:g} seconds after the server had {kind} the program still fails")
        self._recoveries.append(time.monotonic() - began)
        if not until(lambda: len(self._stage.program.workers()) == WORKERS, RESTART):
            self._stage.ledger.fail(f"{RESTART:g} seconds after the server's return not every worker runs")

    def figures(self) -> dict[str, Any]:
        """Return what was done, and how long the program took to work again."""
        return {
            "outages": dict(sorted(self._counts.items())),
            "recovery_longest_s": round(max(self._recoveries), 3),
        }
