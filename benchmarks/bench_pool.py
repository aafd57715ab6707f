"""What does it cost to hand a job to a thread: the program's pool beside the usual ways, the inline cost and the ideal.

`python -m benchmarks.bench_pool [--json] [--quick]`

Two kinds of job: one that returns at once, where only the hand-over counts, and one that blocks for 50 ms as a network
call does, where it counts how many run at a time. 1, 16, 64 and 256 callers each wait for one job before they submit
the next. Inline means on the loop itself: no hand-over, and no other caller served meanwhile. In the mix each tenth job
of a caller is slow, and the quick ones are timed. The cases named "HTTP" are the whole program with an SDK that takes
50 ms, and need `wrk`.
"""

import asyncio
import os
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import NamedTuple

import anyio
import anyio.to_thread
import uvloop

from benchmarks import rig
from benchmarks.callers import median_of_quick
from benchmarks.command import Benchmark, Effort, run
from benchmarks.contenders import PROGRAM, program
from benchmarks.figures import Samples
from benchmarks.zones import PASSTHROUGH, SLOW_DATA, BenchmarkZone, zone
from tests.support.future_pool import FuturePool

Job = Callable[[], object]
Handover = Callable[[Job], Awaitable[object]]

THREADS = 256
CALLERS = (1, 16, 64, 256)
MIXED_CALLERS = 64
BLOCKING = 0.05
"""Seconds."""
EVERY = 10
"""In the mix each how many-th job is slow."""
IDEAL = "ideal"
INLINE = "inline"
CALLS_OF_A_TURN = 200
"""Blocking calls of each caller over HTTP. A turn cuts the last one short, and begins with all at once: in a short turn
that would weigh more than what is asked."""
LOOP = "uvloop"
"""The program's."""


class _Load(NamedTuple):
    """How many jobs make a turn."""

    instant: int
    blocking: int
    """For each caller."""
    mixed: int
    """For each caller."""


def instant() -> None:
    """Return at once."""


def blocking() -> None:
    """Wait as for a network answer."""
    time.sleep(BLOCKING)


@asynccontextmanager
async def contenders() -> AsyncIterator[dict[str, Handover]]:
    """Set up every way of running a job, each with the same number of threads."""
    loop = asyncio.get_running_loop()
    pool = FuturePool(THREADS)
    await pool.start()
    limiter = anyio.CapacityLimiter(THREADS)

    async def inline(job: Job) -> object:
        return job()

    with ThreadPoolExecutor(THREADS) as executor:
        yield {
            INLINE: inline,
            "pool": pool.submit,
            "ThreadPoolExecutor": lambda job: loop.run_in_executor(executor, job),
            "anyio": lambda job: anyio.to_thread.run_sync(job, limiter=limiter),
        }
    await pool.stop(BLOCKING)


async def timed(hand_over: Handover, plans: Sequence[Sequence[Job]]) -> tuple[float, list[float]]:
    """Let one caller for each plan run its jobs, one at a time.

    Returns:
        Jobs a second, and the seconds that each quick job took, or each job when none is quick.
    """
    taken: list[tuple[Job, float]] = []

    async def caller(jobs: Sequence[Job]) -> None:
        for job in jobs:
            begun = time.perf_counter()
            await hand_over(job)
            taken.append((job, time.perf_counter() - begun))

    begun = time.perf_counter()
    await asyncio.gather(*map(caller, plans))
    rate = len(taken) / (time.perf_counter() - begun)
    quick = [seconds for job, seconds in taken if job is instant]
    return rate, quick or [seconds for _, seconds in taken]


def p99(seconds: list[float]) -> float:
    """Return the 99th percentile in microseconds."""
    return sorted(seconds)[int(len(seconds) * 0.99)] * 1e6


async def alone(samples: Samples, ways: dict[str, Handover], load: _Load) -> None:
    """One turn of every contender with each number of callers, for both kinds of job."""
    for callers in CALLERS:
        for name, hand_over in ways.items():
            jobs: list[Job] = [instant] * max(1, load.instant // callers)
            rate, _ = await timed(hand_over, [jobs] * callers)
            samples.add(f"{LOOP}: instant, callers: {callers}", name, "rate", "jobs/s", rate)
    for callers in CALLERS:
        case = f"{LOOP}: 50 ms, callers: {callers}"
        samples.refer(case, IDEAL)
        samples.add(case, IDEAL, "rate", "jobs/s", callers / BLOCKING)
        samples.add(case, IDEAL, "p99", "µs", BLOCKING * 1e6)
        for name, hand_over in ways.items():
            if name != INLINE:  # inline one follows the other: 20 a second, however many ask
                rate, taken = await timed(hand_over, [[blocking] * load.blocking] * callers)
                samples.add(case, name, "rate", "jobs/s", rate)
                samples.add(case, name, "p99", "µs", p99(taken))


async def mixed(samples: Samples, ways: dict[str, Handover], load: _Load) -> None:
    """One turn of every contender in which each tenth job is slow, after one in which none is."""
    for name, hand_over in ways.items():
        if name == INLINE:
            continue
        case = f"{LOOP}: 10 % slow, {name}"
        samples.refer(case, "alone")
        ways_of_calling: dict[str, list[list[Job]]] = {
            "alone": [[instant] * load.mixed] * MIXED_CALLERS,
            "mixed": [
                [blocking if (caller + index) % EVERY == 0 else instant for index in range(load.mixed)]
                for caller in range(MIXED_CALLERS)
            ],
        }
        for way, plans in ways_of_calling.items():
            _, taken = await timed(hand_over, plans)
            samples.add(case, way, "p50 of quick", "µs", statistics.median(taken) * 1e6)


async def in_process(samples: Samples, effort: Effort) -> None:
    """Measure every case without HTTP, in turns."""
    load = _Load(1000, 1, 20) if effort.quick else _Load(5000, 10, 100)
    async with contenders() as ways:
        for name, hand_over in ways.items():
            if name != INLINE:  # every thread is started before anything is measured
                await timed(hand_over, [[blocking]] * THREADS)
        for _ in range(effort.rounds):
            await alone(samples, ways, load)
            await mixed(samples, ways, load)


def over_http(samples: Samples, effort: Effort) -> None:
    """Measure the whole program with an SDK that takes 50 ms, then with one call in ten that does."""
    with zone(messages=10) as served, program(served, "--threads", str(THREADS), core=rig.CORES[0]) as server:
        slow = served.seal(PASSTHROUGH, SLOW_DATA)
        case, mix = f"HTTP: 50 ms, callers: {THREADS}", "HTTP: 10 % slow, program"
        samples.refer(case, IDEAL)
        samples.refer(mix, "alone")
        seconds = effort.pick(full=round(CALLS_OF_A_TURN * BLOCKING), quick=1)
        rig.load(server, served, connections=THREADS, seconds=1, calls=[slow])
        for _ in range(effort.rounds):
            turn = rig.load(server, served, connections=THREADS, seconds=seconds, calls=[slow])
            for name, rate, late in ((IDEAL, THREADS / BLOCKING, BLOCKING * 1e6), (PROGRAM, turn.rate, turn.p99)):
                samples.add(case, name, "rate", "jobs/s", rate)
                samples.add(case, name, "p99", "µs", late)
            for name, every in (("alone", 0), ("mixed", EVERY)):
                took = quick_calls(server, served, every, effort.pick(full=100, quick=20))
                samples.add(mix, name, "p50 of quick", "µs", took)


def quick_calls(server: rig.Server, served: BenchmarkZone, every: int, calls: int) -> float:
    """Return the median of quick calls in microseconds, with the callers on the last core."""
    quick, slow = (request(*served.seal(PASSTHROUGH, data)) for data in ('{"limit":200}', SLOW_DATA))
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {rig.CORES[-1]})
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(median_of_quick(server.port, quick, slow, MIXED_CALLERS, calls, every))
    finally:
        os.sched_setaffinity(0, cores)


def request(headers: dict[str, str], body: str) -> bytes:
    """Return one HTTP request."""
    lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
    return f"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n{''.join(lines)}\r\n{body}".encode()


def measure(effort: Effort) -> Samples:
    """Measure in this process, then over HTTP."""
    samples = Samples(INLINE, threads=THREADS, blocking_ms=round(BLOCKING * 1000), callers_of_the_mix=MIXED_CALLERS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(in_process(samples, effort))
    over_http(samples, effort)
    return samples


BENCHMARK = Benchmark(
    "pool", "What does it cost to hand a job to a thread, and how do slow and quick jobs get on?", measure
)

if __name__ == "__main__":
    run(BENCHMARK)
