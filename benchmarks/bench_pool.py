"""What does it cost to hand a job to a thread: WorkerPool against the usual ways, in one run.

`python -m benchmarks.bench_pool [--json] [--quick]`

Two kinds of job: one that returns at once, where only the hand-over counts, and one that blocks for 50 ms as
a network call does, where it counts how many run at a time. 1, 16, 64 and 256 callers each wait for one job
before they submit the next. The contenders take turns within each round, so that a slow moment of the machine
hits all of them; the figures are medians over the rounds.

Inline means on the loop itself: no hand-over, and no other caller served meanwhile.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

import anyio
import anyio.to_thread

from wwspec_router.workers import WorkerPool

Job = Callable[[], object]
Handover = Callable[[Job], Awaitable[object]]

THREADS = 256
CALLERS = (1, 16, 64, 256)
BLOCKING = 0.05
"""Seconds."""


class Effort(NamedTuple):
    """How much is run."""

    rounds: int
    instant: int
    """Instant jobs of one contender in a round."""
    blocking: int
    """Blocking jobs of one caller in a round."""


class Figure(NamedTuple):
    """Medians of one job and one number of callers."""

    loop: str
    job: str
    callers: int
    per_second: dict[str, float]
    """Jobs a second by contender."""

    def report(self) -> dict[str, Any]:
        """Return the figure for JSON: what the pool does in proportion to each of the others."""
        pool = self.per_second["pool"]
        return {
            "loop": self.loop,
            "job": self.job,
            "callers": self.callers,
            "per_second": {name: round(value, 1) for name, value in self.per_second.items()},
            "microseconds": {name: round(1e6 / value, 2) for name, value in self.per_second.items()},
            "pool_to": {name: round(pool / value, 3) for name, value in self.per_second.items() if name != "pool"},
        }


def instant() -> None:
    """Return at once."""


def blocking() -> None:
    """Wait as for a network answer."""
    time.sleep(BLOCKING)


@asynccontextmanager
async def contenders() -> AsyncIterator[dict[str, Handover]]:
    """Set up every way of running a job, each with the same number of threads."""
    loop = asyncio.get_running_loop()
    pool = WorkerPool(THREADS)
    await pool.start()
    limiter = anyio.CapacityLimiter(THREADS)

    async def inline(job: Job) -> object:
        return job()

    with ThreadPoolExecutor(THREADS) as executor:
        yield {
            "inline": inline,
            "pool": pool.submit,
            "executor": lambda job: loop.run_in_executor(executor, job),
            "anyio": lambda job: anyio.to_thread.run_sync(job, limiter=limiter),
        }
    await pool.stop(BLOCKING)


async def measure(hand_over: Handover, job: Job, callers: int, jobs: int) -> float:
    """Let `callers` share `jobs`, one at a time each; return jobs a second."""

    async def caller(number: int) -> None:
        for _ in range(number):
            await hand_over(job)

    share, rest = divmod(jobs, callers)
    begin = time.perf_counter()
    await asyncio.gather(*(caller(share + (index < rest)) for index in range(callers)))
    return jobs / (time.perf_counter() - begin)


async def compare(loop: str, effort: Effort) -> list[Figure]:
    """Measure every case on the running loop."""
    figures: list[Figure] = []
    async with contenders() as ways:
        for name, hand_over in ways.items():
            if name != "inline":  # every thread is started before anything is measured
                await measure(hand_over, blocking, THREADS, THREADS)
        for job in (instant, blocking):
            for callers in CALLERS:
                seen: dict[str, list[float]] = {name: [] for name in ways}
                for _ in range(effort.rounds):
                    for name, hand_over in ways.items():
                        jobs = effort.instant
                        if job is blocking:  # inline one follows the other: the pace shows after a few
                            jobs = min(callers, 2) if name == "inline" else callers * effort.blocking
                        seen[name].append(await measure(hand_over, job, callers, jobs))
                medians = {name: statistics.median(values) for name, values in seen.items()}
                figures.append(Figure(loop, job.__name__, callers, medians))
    return figures


def run(effort: Effort) -> list[Figure]:
    """Measure on asyncio's own loop, and on uvloop where it is installed."""
    factories: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
    try:
        import uvloop
    except ImportError:
        pass
    else:
        factories["uvloop"] = uvloop.new_event_loop
    figures: list[Figure] = []
    for loop, factory in factories.items():
        with asyncio.Runner(loop_factory=factory) as runner:
            figures += runner.run(compare(loop, effort))
    return figures


def table(figures: list[Figure]) -> str:
    """Lay the figures out for reading."""
    names = list(figures[0].per_second)
    head = f"{'loop':8} {'job':9} {'callers':>7}" + "".join(f"{name + '/s':>13}" for name in names)
    lines = [head + "".join(f"{'pool:' + name:>15}" for name in names if name != "pool")]
    for figure in figures:
        row = f"{figure.loop:8} {figure.job:9} {figure.callers:7}"
        row += "".join(f"{value:13,.0f}" for value in figure.per_second.values())
        lines.append(row + "".join(f"{ratio:15.3f}" for ratio in figure.report()["pool_to"].values()))
    return "\n".join(lines)


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_pool", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--quick", action="store_true", help="a few seconds, coarse figures")
    options = parser.parse_args()
    figures = run(Effort(3, 1000, 1) if options.quick else Effort(9, 5000, 3))
    if not options.json:
        sys.stdout.write(table(figures) + "\n")
        return
    report = {
        "benchmark": "pool",
        "date": datetime.now(UTC).date().isoformat(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs",
        "threads": THREADS,
        "blocking_seconds": BLOCKING,
        "figures": [figure.report() for figure in figures],
    }
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
