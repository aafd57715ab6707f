"""What do 100 instances with 10,000 corps come to on one Redis server, and what is full first?

`python -m benchmarks.bench_fleet [--json] [--quick]`

In each round it measures what a command of the store costs a Redis server, and what an event, a fetch and an
asynchronous call cost one program. Then four programs run on one Redis server that syncs each write: idle, under a
load, and while one of them is killed. That is *measured*; *simulated* is the same in `fleet/simulation.py`, and
*computed* in `fleet/model.py`, both with the costs of that round and nothing else. The cases with 100 instances are
simulated and computed. Needs redis-server.
"""

import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.command import Benchmark, Effort, run
from benchmarks.figures import Samples
from benchmarks.fleet.cases import (
    COMPUTED,
    DEATHS,
    FEW,
    FULL,
    KILLED,
    KINDS,
    LARGE,
    MANY,
    MEASURED,
    PROGRAM,
    REDIS,
    SERVER,
    SHARDS,
    SHORT_LEASE,
    SIMULATED,
    SMALL,
)
from benchmarks.fleet.costs import measure_redis
from benchmarks.fleet.model import busiest_shard, computed, full_after
from benchmarks.fleet.parts import Costs, Load, Outcome, costs_from
from benchmarks.fleet.programs import Programs, real_programs
from benchmarks.fleet.simulation import Fleet


def measure(effort: Effort) -> Samples:
    """Measure, simulate, compute."""
    samples = Samples(MEASURED, seconds_of_a_load=effort.seconds, instances=MANY, corps=Load().corps)
    for number in range(effort.rounds):
        with tempfile.TemporaryDirectory(prefix="wwspec-bench-fleet-") as name:
            costs = _measured(samples, effort, Path(name), seed=number)
        _simulated(samples, effort, costs, seed=number)
    return samples


def _measured(samples: Samples, effort: Effort, folder: Path, seed: int) -> Costs:
    redis = measure_redis(effort.pick(3000, 100))
    for command, spent in redis.steps.items():
        case = f"command: {command}"
        samples.add(case, REDIS, "server", "µs", spent.seconds * 1e6)
        samples.add(case, REDIS, "commands", "1", spent.run)
        samples.add(case, REDIS, "memory", "bytes", max(0.0, spent.memory))
        samples.refer(case, REDIS)
    for case, value in zip(SERVER, (*redis.sync, redis.idle), strict=True):
        samples.add(case, REDIS, "server", "µs", value * 1e6)
        samples.refer(case, REDIS)
    with real_programs(1, folder / "one", seed) as programs:
        program = _program_costs(programs, effort.seconds)
    for kind, seconds in program.items():
        samples.add(f"one program: {kind}", PROGRAM, "processor", "µs", seconds * 1e6)
        samples.refer(f"one program: {kind}", PROGRAM)
    steps = {name: spent.step for name, spent in redis.steps.items()}
    costs = costs_from(steps, redis.sync, redis.idle, program)
    with real_programs(FEW, folder / "few", seed) as programs:
        for case, load in SMALL.items():
            seen = programs.watch(load, effort.seconds)
            found = (seen.sent, seen.ran, seen.redis, seen.programs)
            _add(samples, case, MEASURED, found, [seen.event] if load.events else [])
    with real_programs(FEW, folder / "killed", seed, "--job-lease", f"{SHORT_LEASE:g}") as programs:
        seconds = programs.take_over(jobs=150, seconds=effort.pick(4, 2), lease=SHORT_LEASE)
        samples.add(KILLED, MEASURED, "taken over", "s", seconds)
    return costs


def _program_costs(programs: Programs, seconds: int) -> dict[str, float]:
    idle = programs.watch(Load(), seconds).programs
    event, both, job = (programs.watch(load, seconds).programs - idle for load in KINDS.values())
    rates = KINDS["event"].events, KINDS["fetch"].events, KINDS["job"].jobs
    return {
        "event": max(0.0, event) / rates[0],
        "fetch": max(0.0, both - event) / rates[1],
        "job": max(0.0, job) / rates[2],
        "idle": idle,
    }


def _simulated(samples: Samples, effort: Effort, costs: Costs, seed: int) -> None:
    for case, load in SMALL.items():
        out = Fleet(costs, load, instances=FEW, seed=seed).play(effort.pick(60, 20))
        _add(samples, case, SIMULATED, _rates(out), out.events)
        _add(samples, case, COMPUTED, computed(costs, load, FEW))
    load = Load(jobs=150, death_at=2.0)
    out = Fleet(costs, load, instances=FEW, lease=SHORT_LEASE, seed=seed).play(30)
    samples.add(KILLED, SIMULATED, "taken over", "s", max(out.taken_over, default=0.0) + load.job_seconds)
    for case, load in LARGE.items():
        samples.refer(case, COMPUTED)
        out = Fleet(costs, load, instances=MANY, seed=seed).play(effort.pick(30, 3))
        calm = Load(events=load.events, jobs=load.jobs)
        if not load.burst:
            _add(samples, case, COMPUTED, computed(costs, calm, MANY))
        _add(samples, case, SIMULATED, _rates(out), out.events)
        if load.events == max(each.events for each in LARGE.values()):
            shares = [each / sum(out.by_corp) for each in out.by_corp]
            samples.refer(SHARDS, COMPUTED)
            samples.add(SHARDS, COMPUTED, "busiest", "%", 100 * busiest_shard(8, load.corps))
            samples.add(SHARDS, SIMULATED, "busiest", "%", 100 * busiest_shard(8, load.corps, shares=shares))
    _simulated_deaths(samples, effort, costs, seed)
    _simulated_full(samples, effort, costs, seed)


def _simulated_deaths(samples: Samples, effort: Effort, costs: Costs, seed: int) -> None:
    load = Load(events=500, jobs=100, job_seconds=2.0, deaths=0.2)
    out = Fleet(costs, load, instances=MANY, seed=seed).play(effort.pick(180, 40))
    samples.refer(DEATHS, SIMULATED)
    _add(samples, DEATHS, SIMULATED, _rates(out), out.events)
    if out.taken_over:
        samples.add(DEATHS, SIMULATED, "taken over", "s", statistics.median(out.taken_over))
    samples.add(DEATHS, SIMULATED, "begun twice", "of 1,000 jobs", 1000 * out.jobs_twice / out.jobs_accepted)


def _simulated_full(samples: Samples, effort: Effort, costs: Costs, seed: int) -> None:
    load = Load(events=2000, fetch_after=-1)
    places = effort.pick(1_000_000, 10_000)
    samples.refer(FULL, COMPUTED)
    out = Fleet(costs, load, instances=MANY, max_events=places, seed=seed).play(1.05 * places / load.events)
    samples.add(FULL, COMPUTED, "full after", "s", full_after(load, places) or 0.0)
    samples.add(FULL, SIMULATED, "full after", "s", out.full_at or 0.0)


def _rates(out: Outcome) -> tuple[float, float, float, float]:
    each = (out.sent, out.run, out.redis_seconds, out.program_seconds)
    sent, ran, redis, programs = (one / out.seconds for one in each)
    return sent, ran, redis, programs


def _add(
    samples: Samples, case: str, name: str, rates: tuple[float, float, float, float], events: Sequence[float] = ()
) -> None:
    """Take in what a load came to: commands sent and run, shares of cores, and what events took."""
    sent, ran, redis, programs = rates
    samples.add(case, name, "sent", "1/s", sent)
    samples.add(case, name, "ran", "1/s", ran)
    samples.add(case, name, "Redis", "%", 100 * redis)
    if programs:
        samples.add(case, name, "programs", "cores", programs)
    if events:
        samples.add(case, name, "event p50", "ms", 1000 * statistics.median(events))
    if len(events) > 100:
        samples.add(case, name, "event p99", "ms", 1000 * statistics.quantiles(events, n=100)[98])


BENCHMARK = Benchmark(
    "fleet",
    "What do 100 instances with 10,000 corps come to on one Redis server, and what is full first?",
    measure,
    rounds=3,
    seconds=10,
)

if __name__ == "__main__":
    run(BENCHMARK)
