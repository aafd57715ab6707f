"""Measures what the store asks of a Redis server: commands, processor time, memory, and the sync of its file.

One client sends one command after the other, so nothing is shared between them: the figures are the most that a command
costs. How many commands a script runs, the server says itself (INFO commandstats).
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from itertools import count
from pathlib import Path
from typing import NamedTuple

from benchmarks.fleet.parts import CLAIM, CLAIM_ONE, Step
from benchmarks.zones import CORPID, event
from tests.support.redis_server import DURABLE, LocalRedis, local_redis
from wwspec_router.jobs.runner import LEASE
from wwspec_router.stores.job import Job, Outcome
from wwspec_router.stores.redis.events import RedisStore

__all__ = ["RedisCosts", "Spent", "commands_run", "measure_redis", "processor_seconds"]

OWNER = "fleet"
IDLE = 2.0
"""Seconds for which a server is left alone."""
TURNS = 10
TTL = 1200.0
OUTCOME = Outcome(errcode=0, result='{"errcode":0,"errmsg":"ok"}')
UNSYNCED = ("--appendonly", "yes", "--appendfsync", "no")
NOT_COUNTED = frozenset({"info", "config|get", "client|setinfo", "hello", "select", "zrandmember"})
"""Commands of connecting and of measuring."""

Call = Callable[[], object]


class Spent(NamedTuple):
    """What one command of a program takes, on average."""

    seconds: float
    """Processor time of the server."""
    run: float
    """Commands that the server runs: the one that was sent, and those of its script."""
    memory: float
    """Bytes of the server's memory that stay."""
    wall: float
    """Median of the seconds until the answer."""

    @property
    def step(self) -> Step:
        """The same for the simulation."""
        return Step(self.seconds, self.run)


class RedisCosts(NamedTuple):
    """What was measured."""

    steps: dict[str, Spent]
    """By command; `claim` finds nothing, `claim of a job` finds one."""
    sync: tuple[float, float]
    """To sync the append-only file once: seconds, and processor time of them."""
    idle: float
    """Share of a core that the server uses when nobody asks it for anything."""


def processor_seconds(redis: LocalRedis) -> float:
    """Return the processor time that a server has used."""
    with redis.client() as client:
        facts = client.info("cpu")
    return float(facts["used_cpu_user"]) + float(facts["used_cpu_sys"])


def commands_run(redis: LocalRedis) -> dict[str, int]:
    """Return how often each command was run, those of scripts included."""
    with redis.client() as client:
        facts = client.info("commandstats")
    names = ((name.removeprefix("cmdstat_"), each["calls"]) for name, each in facts.items())
    return {name: calls for name, calls in names if name not in NOT_COUNTED}


def measure_redis(times: int) -> RedisCosts:
    """Measure each command of the store so many times."""
    with tempfile.TemporaryDirectory(prefix="wwspec-bench-fleet-") as name:
        folders = [Path(name) / each for each in ("unsynced", "synced")]
        for folder in folders:
            folder.mkdir()
        with local_redis(folders[0], *UNSYNCED) as redis, closing(RedisStore(redis.url)) as store:
            steps = _steps(redis, store, times)
            with local_redis(folders[1], *DURABLE) as durable, closing(RedisStore(durable.url)) as synced:
                sync = _sync((redis, store), (durable, synced), times)
            used = processor_seconds(redis)
            time.sleep(IDLE)
            idle = (processor_seconds(redis) - used) / IDLE
    return RedisCosts(steps, sync, idle)


def _sync(
    unsynced: tuple[LocalRedis, RedisStore], synced: tuple[LocalRedis, RedisStore], times: int
) -> tuple[float, float]:
    """Return what a write costs more with a sync: seconds and processor time; by turns, since the machine is shared."""
    walls, works = [], []
    for _ in range(TURNS):
        without, with_sync = (_spent(redis, _puts(store, times // TURNS)) for redis, store in (unsynced, synced))
        walls.append(with_sync.wall - without.wall)
        works.append(with_sync.seconds - without.seconds)
    return max(0.0, statistics.median(walls)), max(0.0, statistics.median(works))


def _steps(redis: LocalRedis, store: RedisStore, times: int) -> dict[str, Spent]:
    names = [f"notify-{number:032d}" for number in range(times)]
    jobs = [_job(number) for number in range(times)]
    found = {"put": _spent(redis, _puts(store, times))}
    found["get"] = _spent(redis, [partial(store.get, CORPID, 1, name) for name in names])
    found["ping"] = _spent(redis, [store.check] * times)
    known = frozenset({"sync"})

    def claim() -> object:
        return store.claim(OWNER, 1, LEASE, known=known)

    claim()
    found[CLAIM] = _spent(redis, [claim] * times)
    found["add"] = _spent(redis, [partial(store.add, job) for job in jobs])
    found[CLAIM_ONE] = _spent(redis, [claim] * times)
    ids = [job.job_id for job in jobs]
    found["begin"] = _spent(redis, [partial(store.begin, OWNER, each) for each in ids])
    found["renew"] = _spent(redis, [lambda: store.renew(OWNER, ids[:4], LEASE)] * times)
    keeps = [partial(store.keep_outcome, OWNER, each, OUTCOME) for each in ids]
    found["keep"] = _spent(redis, keeps)
    found["finish"] = _spent(redis, [partial(store.finish, OWNER, each) for each in ids])
    handled = [_job(times + number) for number in range(times)]
    found["put with job"] = _spent(redis, [partial(store.put_with_job, job, TTL) for job in handled])
    return found


def _puts(store: RedisStore, times: int) -> Sequence[Call]:
    text, numbers = event(), count()
    return [lambda: store.put(CORPID, 1, f"notify-{next(numbers):032d}", text, TTL)] * times


def _job(number: int) -> Job:
    return Job(
        job_id=f"{number:032x}",
        corpid=CORPID,
        agentid=1,
        ability_id="sync",
        job_info="j" * 64,
        data=event(),
        notify_id=f"job-{number:035d}",
    )


def _spent(redis: LocalRedis, steps: Sequence[Call]) -> Spent:
    before, memory, used = sum(commands_run(redis).values()), _memory(redis), processor_seconds(redis)
    walls = []
    for step in steps:
        begun = time.perf_counter()
        step()
        walls.append(time.perf_counter() - begun)
    used = processor_seconds(redis) - used
    run = sum(commands_run(redis).values()) - before
    each = len(steps)
    return Spent(used / each, run / each, (_memory(redis) - memory) / each, statistics.median(walls))


def _memory(redis: LocalRedis) -> int:
    with redis.client() as client:
        return int(client.info("memory")["used_memory"])
