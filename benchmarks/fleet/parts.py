"""What a simulation of a fleet is made of: measured times, what arrives, and what came of it."""

from collections.abc import Mapping

import msgspec

__all__ = ["CLAIM", "CLAIM_ONE", "Costs", "Load", "Outcome", "Step", "costs_from", "zipf"]

CLAIM, CLAIM_ONE = "claim", "claim of a job"
READS = frozenset({"get", "ping", CLAIM})
"""Commands that write nothing, so that nothing is synced; a claim writes only when it finds a job."""


class Step(msgspec.Struct, frozen=True):
    """One command that a program sends."""

    seconds: float
    """Processor time of the server."""
    run: float
    """Commands that the server runs for it: those of a script, and the script itself."""
    writes: bool = True


class Costs(msgspec.Struct, frozen=True):
    """Measured times, in seconds."""

    redis: dict[str, Step]
    """By command: put, get, add, claim, begin, keep, finish, renew, ping."""
    claimed: Step
    """What a claim costs more for each job that it finds."""
    sync: float
    """To sync the append-only file once: how long the server waits."""
    sync_work: float
    """Processor time of that."""
    server_idle: float
    """Share of a core that the server uses by itself."""
    program: dict[str, float]
    """Processor time of the program: of an event, a fetch, a job from its acceptance to its end; and the share of a
    core that an idle process uses."""


def costs_from(
    steps: Mapping[str, Step], sync: tuple[float, float], server_idle: float, program: Mapping[str, float]
) -> Costs:
    """Return the costs.

    Args:
        steps: What each command takes, a claim that finds no job and one that finds one among them.
        sync: Seconds that the server waits for a sync, and processor time of it.
        server_idle: See `Costs`.
        program: See `Costs`.
    """
    redis = {name: Step(step.seconds, step.run, name not in READS) for name, step in steps.items()}
    empty, full = redis[CLAIM], redis.pop(CLAIM_ONE)
    claimed = Step(max(0.0, full.seconds - empty.seconds), full.run - empty.run)
    return Costs(redis, claimed, *sync, server_idle, dict(program))


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What arrives, and what fails."""

    events: float = 0.0
    """A second."""
    jobs: float = 0.0
    """Asynchronous calls a second."""
    fetch_after: float = 0.2
    """Seconds from an event to its fetch, on average; below 0 nothing is fetched."""
    job_seconds: float = 0.05
    """How long an ability waits."""
    burst: int = 0
    """Events of one corp within a second, at the time `burst_at`."""
    burst_at: float = 5.0
    deaths: float = 0.0
    """Processes that die, a second; at random moments."""
    down: float = 10.0
    """Seconds until one is back."""
    death_at: float | None = None
    """When one more dies, for good."""
    corps: int = 10_000
    skew: float = 1.0
    """Exponent of Zipf's law: the busiest corp has 2 ** skew times the calls of the second."""


class Outcome(msgspec.Struct, kw_only=True):
    """What a run came to."""

    seconds: float
    sent: int = 0
    run: float = 0.0
    redis_seconds: float = 0.0
    """Processor time of the server."""
    syncs: int = 0
    """How often it synced its file."""
    busy_seconds: float = 0.0
    """The same, and the time in which it waited for its disk."""
    largest_batch: int = 0
    claims: int = 0
    events: list[float] = []
    """Seconds that each took, from its arrival to its answer."""
    fetches: list[float] = []
    jobs: list[float] = []
    """From acceptance to the end."""
    taken_over: list[float] = []
    """Seconds from a death to the begin of each job that it left behind."""
    jobs_accepted: int = 0
    jobs_twice: int = 0
    refused: int = 0
    """Events that found the store full."""
    full_at: float | None = None
    cut_off: int = 0
    """Events and asynchronous calls that a dying process had not answered."""
    stored: int = 0
    """Most events in the store at the same time."""
    program_seconds: float = 0.0
    by_corp: list[int] = []
    """Events of each corp, the busiest first."""


def zipf(corps: int, skew: float) -> list[float]:
    """Return the shares of corps, the busiest first."""
    weights = [1 / (place + 1) ** skew for place in range(corps)]
    whole = sum(weights)
    return [each / whole for each in weights]
