"""Computes what instances on one Redis server add up to, and what is full first: sums of measured costs."""

import math
from collections.abc import Sequence
from typing import NamedTuple
from zlib import crc32

from benchmarks.fleet.parts import CLAIM, Costs, Load, zipf
from wwspec_router.jobs.runner import LEASE, POLL
from wwspec_router.serving.readiness import ROUND
from wwspec_router.stores.base import StoreLimits

__all__ = ["CLAIMS_PER_JOB", "Rates", "Wall", "busiest_shard", "claims", "computed", "full_after", "syncs", "walls"]

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
    """Share of a core that the server uses, without its waits for the disk."""
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
    writes = sum(rate for name, rate in sent.items() if costs.redis[name].writes) + load.jobs  # claims of a job write
    program = costs.program
    work = sum(rate * step.seconds for rate, step in parts)
    return Rates(
        sent=sum(sent.values()),
        ran=sum(rate * step.run for rate, step in parts),
        redis=costs.server_idle + work + costs.sync_work * syncs(writes, costs.sync, work),
        programs=instances * program["idle"]
        + load.events * program["event"]
        + fetches * program["fetch"]
        + load.jobs * program["job"],
    )


def syncs(writes: float, seconds: float, work: float = 0.0) -> float:
    """Return how often a server syncs its file a second.

    Writes that arrive during a sync share the next one. When none did, the server waits for the next write.

    Args:
        writes: How many arrive a second.
        seconds: What a sync takes.
        work: Seconds that all commands of a second take.
    """
    found = writes
    for _ in range(50 if writes else 0):
        cycle = seconds + work / found
        found = 1 / (cycle + math.exp(-writes * cycle) / writes)
    return found


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
