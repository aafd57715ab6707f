"""The cases of the zone's machines, and under which names a report has them."""

from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.machines.parts import App, Costs, Faults, Load, Outcome, share
from benchmarks.machines.simulation import Zone

__all__ = [
    "AGREEMENT",
    "BURSTS",
    "BUSY",
    "CLOSED",
    "DAY",
    "DEPLOYMENTS",
    "LOST",
    "MACHINES",
    "MEASURED",
    "ONE",
    "PULLS",
    "RATES",
    "SIMULATED",
    "WAYS",
    "Needed",
    "needed",
    "of_hour",
]

MEASURED, SIMULATED = "measured", "simulated"
AGREEMENT, CLOSED, ONE = "3 machines and the emulator", "one machine, 256 callers", "one program"
BUSY, MACHINES = Load(events=500, calls=100), 4
"""The busiest hour of 10,000 corps, and the machines that carry it in most cases."""
RATES = (250, 500, 1000, 2000, 4000)
"""Messages a second; a fifth as many calls of users."""
MOST = 16
FULL, SLOWER = 0.6, 1.5
"""What is head room: the busiest processor is used for less than that share, and the p99 of a call is less than that
many times its median with an idle machine."""
SHAPE = (4, 3, 2, 2, 2, 4, 8, 20, 55, 95, 100, 80, 45, 50, 85, 95, 90, 70, 45, 30, 22, 16, 10, 6)
"""Load of each hour in percent of the busiest: an office day, assumed."""
DAY = "a day"
WAYS = {"notifications only": 0.0, "every 120 s": 120.0, "every 60 s": 60.0, "every 15 s": 15.0}
"""How the app gets messages: the archiver's `every` beside notifications."""
LOST = "a machine lost"
LOST_FAULTS = Faults(lost_at=10.0, noticed=30.0, back=60.0)
PULLS = "calls of the app"
DEPLOYMENTS = {
    "deployed, not taken out before": Faults(deploy_at=5.0),
    "deployed, taken out 10 s before": Faults(deploy_at=5.0, drained=10.0),
}
BURSTS = (5_000, 10_000, 20_000, 50_000)


class Needed(NamedTuple):
    """The fewest machines that carry a rate with head room."""

    machines: int
    out: Outcome


def needed(costs: Costs, rate: int, seconds: float, seed: int) -> Needed:
    """Return the fewest machines, from two on, that carry so many messages a second with head room.

    Raises:
        ValueError: None do.
    """
    app = App(fetchers=10_000, pullers=10_000)
    alone = costs.pull + costs.wait + app.hop
    for machines in range(2, MOST):
        out = Zone(costs, Load(events=rate, calls=rate / 5), machines, app=app, seed=seed).play(seconds)
        if out.busiest < FULL and share(out.calls, 0.99) < SLOWER * alone:
            return Needed(machines, out)
    raise ValueError(f"{MOST - 1} machines do not carry {rate} messages a second")


def of_hour(hour: int) -> Load:
    """Return the load of an hour of the day."""
    part = SHAPE[hour] / 100
    return Load(events=BUSY.events * part, calls=BUSY.calls * part)


def hours() -> Iterator[int]:
    """Return the hours of a day."""
    return iter(range(len(SHAPE)))
