"""No wake-up is lost: a lost one leaves futures that nobody sets, and the deadline fails the test."""

import asyncio
import random
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest

from tests.serving.workers.rig import LOOPS, LoopFactory, no_more_threads, run_on, started
from tests.support.future_pool import FuturePool
from tests.support.waiting import DEADLINE
from wwspec_router import threads
from wwspec_router.serving import workers

TraceFunction = Callable[[FrameType, str, Any], Any]


async def bursts(pool: FuturePool, jobs: int) -> None:
    """All at once, in sizes from one to more than there are threads."""
    sizes = [1, 2, 3, 7, 31, 500, 1000]
    while jobs > 0:
        for size in sizes:
            results = await asyncio.gather(*(pool.submit(abs, -number) for number in range(size)))
            assert results == list(range(size))
            jobs -= size


async def one_at_a_time(pool: FuturePool, jobs: int) -> None:
    for number in range(jobs):
        assert await pool.submit(abs, -number) == number


async def many_callers(pool: FuturePool, jobs: int) -> None:
    async def caller() -> None:
        for number in range(jobs // 50):
            assert await pool.submit(abs, -number) == number

    await asyncio.gather(*(caller() for _ in range(50)))


async def among_jobs_that_block(pool: FuturePool, jobs: int) -> None:
    """Instant jobs while all threads but one wait for an event; when the last sets it, all lie down."""
    while jobs > 0:
        event = threading.Event()
        waits = [pool.submit(event.wait, DEADLINE) for _ in range(pool_threads - 1)]
        instant = [pool.submit(abs, -number) for number in range(400)]
        await asyncio.gather(*instant)
        opening = pool.submit(event.set)
        assert all(await asyncio.gather(*waits))
        await opening
        jobs -= len(waits) + len(instant) + 1


async def callers_that_block_each_other(pool: FuturePool, jobs: int) -> None:
    """Each job of a round waits for all others, so one that is not called stops everybody."""
    while jobs > 0:
        barrier = threading.Barrier(pool_threads)
        await asyncio.gather(*(pool.submit(barrier.wait, DEADLINE) for _ in range(pool_threads)))
        jobs -= pool_threads


pool_threads = 16


@pytest.mark.slow  # a million jobs
@pytest.mark.parametrize("factory", LOOPS)
@pytest.mark.parametrize("switch", [0.005, 0.00001], ids=["calm", "restless"])
def test_no_wake_up_is_lost_in_a_million_jobs(factory: LoopFactory, switch: float) -> None:
    """Four runs of 250,000; a tiny switch interval makes threads change places within our own code, too."""

    async def main() -> None:
        pool = await started(threads=pool_threads)
        await bursts(pool, 100_000)
        await many_callers(pool, 70_000)
        await among_jobs_that_block(pool, 60_000)
        await one_at_a_time(pool, 15_000)
        await callers_that_block_each_other(pool, 5_000)
        assert await pool.stop(DEADLINE) == 0

    before = sys.getswitchinterval()
    sys.setswitchinterval(switch)
    try:
        run_on(factory, main(), limit=2 * DEADLINE)
    finally:
        sys.setswitchinterval(before)


@contextmanager
def changing_places(chance: float) -> Iterator[None]:
    """Let other threads in at random lines of the pool's own code, on the loop's thread and the workers."""
    dice = random.Random(1)  # noqa: S311
    nothing = threading.Event()

    def at_a_line(frame: FrameType, event: str, arg: Any) -> TraceFunction:
        if event == "line" and dice.random() < chance:
            nothing.wait(0.00002 * 100 ** dice.random())  # mostly a moment, sometimes longer than a round
        return at_a_line

    def at_a_call(frame: FrameType, event: str, arg: Any) -> TraceFunction | None:
        return at_a_line if frame.f_code.co_filename in (threads.__file__, workers.__file__) else None

    before, before_threads = sys.gettrace(), threading.gettrace()
    threading.settrace(at_a_call)
    sys.settrace(at_a_call)
    try:
        yield
    finally:
        sys.settrace(before)
        threading.settrace(before_threads)


async def pairs(pool: FuturePool, rounds: int) -> None:
    """A job that blocks until a later one comes, which is submitted when one between them has been done."""
    for _ in range(rounds):
        barrier = threading.Barrier(2)
        first = pool.submit(barrier.wait, DEADLINE)
        pool.submit(int)
        await pool.submit(int)
        await asyncio.gather(first, pool.submit(barrier.wait, DEADLINE))


@pytest.mark.slow  # a trace at every line of the pool
@pytest.mark.parametrize("factory", LOOPS)
@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("more", [0, 3], ids=["all-started", "no-more-granted"])
def test_no_wake_up_is_lost_when_threads_change_places_anywhere(factory: LoopFactory, threads: int, more: int) -> None:
    async def caller(pool: FuturePool) -> None:
        for number in range(50):
            assert await pool.submit(abs, -number) == number

    async def main() -> None:
        pool = await started(threads + more)
        barrier = threading.Barrier(threads)
        await asyncio.gather(*(pool.submit(barrier.wait, DEADLINE) for _ in range(threads)))
        with no_more_threads():
            for callers in (1, 2, 3, 5):
                await asyncio.gather(*(caller(pool) for _ in range(callers)))
            if threads > 1:
                await pairs(pool, 150)
        assert await pool.stop(DEADLINE) == 0

    with changing_places(0.05):
        run_on(factory, main(), limit=4 * DEADLINE)  # a wake-up that is lost breaks a barrier within DEADLINE
