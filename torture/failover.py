"""Run `failover`: another Redis server takes over, again and again, under load, with sentinels.

The program waits for a replica at each write (`wait=1`), so nothing that it acknowledged may be missing afterwards, and
each accepted job must be reported. While no replica is there, events and jobs must be refused, each within seconds.
"""

import random
import time
from collections import Counter
from typing import Any

from torture.backends import SentinelBackend
from torture.program import until
from torture.progress import say
from torture.redis import ALLOWED, KEEP, PAUSE, judged, works
from torture.result import Findings
from torture.stage import JOB_LEASE, Stage, set_up

__all__ = ["run"]

TIMES, QUICK_TIMES = 10, 2
KINDS = ("killed", "switched", "hung")
"""The primary of the program's keys gets SIGKILL and is started again once another has taken over; or hands over by the
administrator's command; or gets SIGSTOP, and goes on once another has taken over."""
BETWEEN = (0.5, 2.0)
"""Seconds for which everything works before the next failover."""
TAKEOVER, RECOVERY, REPLICATED = 30.0, 60.0, 60.0
"""Seconds within which another must take over, everything must work again, and a replica must have all again.
Sentinels leave a server that calls itself primary alone for ten seconds before they make a replica of it."""


def run(seed: int, quick: bool) -> Findings:
    """Let another server take over, 10 times, twice when quick; the seed says when."""
    times = QUICK_TIMES if quick else TIMES
    with (
        set_up("sentinel", seed, pause=PAUSE, notify_ttl=KEEP, allowed=ALLOWED, options=JOB_LEASE) as stage,
        stage.load,
    ):
        failovers = _Failovers(stage, random.Random(seed))  # noqa: S311 - the same seed, the same choices
        for number in range(times):
            failovers.next(KINDS[number % len(KINDS)])
            say(f"{number + 1} of {times} failovers")
        return judged(stage, failovers.figures())


class _Failovers:
    """Lets another server take over.

    Args:
        stage: Whose servers.
        rng: Chooses the moments.
    """

    def __init__(self, stage: Stage, rng: random.Random) -> None:
        if not isinstance(stage.backend, SentinelBackend):
            raise TypeError("this run needs sentinels")
        self._servers = stage.backend
        self._stage = stage
        self._rng = rng
        self._counts: Counter[str] = Counter()
        self._refused: dict[str, float] = {}

    def next(self, kind: str) -> None:
        """Go through one failover, until everything works again and a replica has all data."""
        self._counts[kind] += 1
        time.sleep(self._rng.uniform(*BETWEEN))
        old, began = self._servers.primary(), time.monotonic()
        if kind == "killed":
            old.kill()
        elif kind == "hung":
            old.freeze()
        else:
            self._servers.switch()
        if not until(lambda: self._servers.primary() is not old, TAKEOVER):
            self._stage.ledger.fail(f"{TAKEOVER:g} seconds after the primary was {kind} no other had taken over")
        if kind == "killed":
            self._servers.restart(old)
        elif kind == "hung":
            old.thaw()
        self._recover(kind, began)
        if not until(self._servers.is_replicated, REPLICATED):
            self._stage.ledger.fail(f"{REPLICATED:g} seconds later there is no replica that has all data")

    def _recover(self, kind: str, began: float) -> None:
        if not until(lambda: works(self._stage), RECOVERY):
            self._stage.ledger.fail(f"{RECOVERY:g} seconds after the primary was {kind} the program still fails")
        self._refused[kind] = max(self._refused.get(kind, 0.0), time.monotonic() - began)

    def figures(self) -> dict[str, Any]:
        """Return what was done, and for how long events were refused at most, from the primary's last moment on."""
        return {
            "failovers": dict(sorted(self._counts.items())),
            "refused_longest_s": {kind: round(seconds, 1) for kind, seconds in sorted(self._refused.items())},
        }
