"""Computes what instances on one Redis server add up to, and what is full first: sums of measured costs."""

import math
from collections.abc import Sequence
from typing import NamedTuple
from zlib import crc32

from benchmarks.fleet.parts import CLAIM, Costs, Load, Step, zipf
from wwspec_router.jobs.runner import LEASE, POLL
from wwspec_router.serving.readiness import ROUND
from wwspec_router.stores.base import StoreLimits

__all__ = ["Rates", "Wall", "busiest_shard", "claims", "computed", "full_after", "job_steps", "walls"]

CLAIMS_PER_JOB = 2
"""The process that accepts a job claims at once; the one that ends it looks whether there is another."""
TTL = 1200.0
"""Seconds for which the reference program keeps an event."""


class Rates(NamedTuple):
    """What happens a second."""

    sent: float
    """Commands that the programs send."""
    ran: float
    """Commands that the server runs, those of scripts included."""
    redis: float
    """Share of the server's thread, without its waits for the disk."""
    programs: float
    """Cores."""


class Wall(NamedTuple):
    """Something that is full at some rate."""

    name: str
    rate: float
    """Events a second."""


def claims(load: Load, instances: int, lease: float = LEASE) -> float:
    """Return the claims a second.

    Each job causes two. A process that has not claimed for a poll does so; moments at which jobs cause claims are as
    random as arrivals are.
    """
    poll = min(POLL, lease / 30)
    wakes = CLAIMS_PER_JOB * load.jobs / instances
    silent = wakes / math.expm1(wakes * poll) if wakes else 1 / poll
    return CLAIMS_PER_JOB * load.jobs + instances * silent


def job_steps(costs: Costs) -> list[Step]:
    """Return all that a job asks of the server, without the claims that polls make."""
    step = costs.redis
    return [step["add"], *[step[CLAIM]] * CLAIMS_PER_JOB, costs.claimed, step["begin"], step["keep"], step["finish"]]


def computed(costs: Costs, load: Load, instances: int, lease: float = LEASE) -> Rates:
    """Return what a load comes to."""
    fetches = load.events if load.fetch_after >= 0 else 0.0
    sent = {
        "ping": instances / ROUND,
        CLAIM: claims(load, instances, lease),
        "put": load.events,
        "get": fetches,
        **dict.fromkeys(("add", "begin", "keep", "finish"), load.jobs),
    }
    parts = [(rate, costs.redis[name]) for name, rate in sent.items()] + [(load.jobs, costs.claimed)]
    program = costs.program
    return Rates(
        sent=sum(sent.values()),
        ran=sum(rate * step.run for rate, step in parts),
        redis=sum(rate * step.seconds for rate, step in parts),
        programs=load.events * program["event"] + fetches * program["fetch"] + load.jobs * program["job"],
    )


def walls(costs: Costs, instances: int, ttl: float = TTL) -> list[Wall]:
    """Return what bounds the events a second, each fetched once, of so many processes; the lowest first."""
    idle = computed(costs, Load(), instances).redis
    event = costs.redis["put"].seconds + costs.redis["get"].seconds
    found = [
        Wall("store", StoreLimits().max_rows / ttl),
        Wall("redis", max(0.0, 1 - idle) / event),
        Wall("processes", instances / (costs.program["event"] + costs.program["fetch"])),
    ]
    return sorted(found, key=lambda each: each.rate)


def full_after(load: Load, max_events: int, ttl: float = TTL) -> float | None:
    """Return the seconds after which the store has no place for an event; None when it always has."""
    seconds = max_events / load.events
    return seconds if seconds < ttl else None


def busiest_shard(shards: int, corps: int, skew: float = 1.0, shares: Sequence[float] = ()) -> float:
    """Return the share of all events that the busiest of so many shards gets, when a hash of the corp ID chooses.

    Args:
        shards: How many there are.
        corps: How many corps.
        skew: Exponent of Zipf's law.
        shares: What each corp has, instead of what the law says.
    """
    load = [0.0] * shards
    for corp, share in enumerate(shares or zipf(corps, skew)):
        load[crc32(f"ww{corp:016d}".encode()) % shards] += share
    return max(load)
