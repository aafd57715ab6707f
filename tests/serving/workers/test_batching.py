"""What a job returns, and in which order and within which bound jobs run."""

import asyncio
import sys
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.serving.workers.rig import Blocker, Careless, Forbidden, begin, pooled, release, started
from tests.support.future_pool import FuturePool
from tests.support.waiting import DEADLINE
from wwspec_contracts.errors import OverloadedError
from wwspec_router.monitoring.figures import Gauges
from wwspec_router.serving.program import read_gauges
from wwspec_router.serving.workers import PATIENCE

# What a job returns or raises


@pytest.mark.parametrize("kind", [LookupError, SystemExit, MemoryError, asyncio.CancelledError, BaseException])
@pooled(threads=1)
async def test_what_a_job_raises_reaches_the_future_not_the_thread(pool: FuturePool, kind: type[BaseException]) -> None:
    blocker = Blocker(kind("from the job"))
    blocker.release.set()
    future = pool.submit(blocker)
    with pytest.raises(kind):
        await future
    assert future.exception() is blocker.result
    assert await pool.submit(threading.get_ident) == blocker.ident


@pooled(threads=1)
async def test_a_sleeping_thread_keeps_neither_arguments_nor_result_of_its_last_job(pool: FuturePool) -> None:
    class Body:
        pass

    loop = asyncio.get_running_loop()
    freed = [asyncio.Event(), asyncio.Event()]
    argument = Body()
    answer = await pool.submit(lambda given: Body(), argument)

    def sets(event: asyncio.Event) -> Callable[[object], object]:
        return lambda _: loop.call_soon_threadsafe(event.set)

    watches = [weakref.ref(argument, sets(freed[0])), weakref.ref(answer, sets(freed[1]))]
    del argument, answer
    for event in freed:
        await event.wait()
    assert [watch() for watch in watches] == [None, None]


# Order and spread


@pytest.mark.parametrize("computing", [False, True], ids=["blocks", "computes"])
@pooled(threads=2)
async def test_a_long_job_holds_up_neither_those_before_nor_behind_it(pool: FuturePool, computing: bool) -> None:
    released = threading.Event()

    def long_job() -> bool:
        deadline = time.monotonic() + DEADLINE
        while computing and not released.is_set() and time.monotonic() < deadline:
            pass
        return released.wait(0 if computing else DEADLINE)

    # The first comes to a pool that knows quick jobs only, the others to one that is used to long ones.
    for number in range(6 if computing else 20):
        released.clear()
        before, long = pool.submit(int), pool.submit(long_job)
        if number % 2 == 0:
            await before
            assert not long.done()
        await pool.submit(int)
        await before
        assert not long.done()
        released.set()
        assert await long
        assert await asyncio.gather(*(pool.submit(int) for _ in range(100))) == [0] * 100


@pooled(threads=80)
async def test_quick_jobs_come_and_go_while_many_others_take_long(pool: FuturePool) -> None:
    released = threading.Event()
    long = [pool.submit(released.wait, DEADLINE) for _ in range(64)]
    began = time.monotonic()
    number = 0
    # The pool has looked many times by then, and gives way; on a busy machine threads start late.
    while time.monotonic() < began + (DEADLINE if pool.busy < 64 else 20 * PATIENCE):
        numbers = range(number, number + 4)
        assert await asyncio.gather(*(pool.submit(int, each) for each in numbers)) == list(numbers)
        number += 4
    assert pool.busy == 64
    released.set()
    assert await asyncio.gather(*long) == [True] * 64


@pooled(threads=8)
async def test_jobs_that_block_for_less_than_a_look_spread_as_well(pool: FuturePool) -> None:
    together = threading.Barrier(8)

    def block_shortly() -> bool:
        try:
            together.wait(PATIENCE / 10)
        except threading.BrokenBarrierError:
            with suppress(threading.BrokenBarrierError):
                together.reset()
            return False
        return True

    met = False
    while not met:
        met = any(await asyncio.gather(*(pool.submit(block_shortly) for _ in range(64))))


# The bound


@pooled(threads=2, queue=3)
async def test_a_job_beyond_threads_and_queue_is_refused_until_room(pool: FuturePool, must_not_run: Forbidden) -> None:
    blockers = [Blocker(number) for number in range(5)]
    futures = [pool.submit(blocker) for blocker in blockers]  # before any thread could take one
    with pytest.raises(OverloadedError, match="overloaded") as refused:
        pool.submit(must_not_run)
    assert refused.value.detail == "5 jobs pending, 0 of 2 worker threads"
    await blockers[1].begun.wait()
    with pytest.raises(OverloadedError):
        pool.submit(must_not_run)
    blockers[0].release.set()
    assert await futures[0] == 0
    later = pool.submit(int)
    with pytest.raises(OverloadedError):
        pool.submit(must_not_run)
    release(blockers)
    assert await asyncio.gather(*futures, later) == [0, 1, 2, 3, 4, 0]


@pytest.mark.parametrize(("threads", "queue"), [(0, 1), (-1, 1), (1, -1)])
def test_a_pool_without_threads_or_with_a_negative_queue_is_refused(threads: int, queue: int) -> None:
    with pytest.raises(ValueError, match="threads >= 1 and queue >= 0"):
        FuturePool(threads, queue)


# Cancellation


@pytest.mark.parametrize("result", ["late", ValueError("late"), SystemExit("late")], ids=["value", "error", "exit"])
@pooled(threads=1)
async def test_job_cancelled_while_it_runs_finishes_and_its_result_is_dropped(pool: FuturePool, result: object) -> None:
    blocker, future = await begin(pool, result)
    future.cancel()
    blocker.release.set()
    assert await pool.submit(threading.get_ident) == blocker.ident
    assert future.cancelled()


@pooled(threads=1, queue=1)
async def test_cancelled_job_keeps_its_place_until_a_worker_skips_it(pool: FuturePool, must_not_run: Forbidden) -> None:
    blocker, running = await begin(pool)
    pool.submit(must_not_run).cancel()
    assert pool.queued == 1
    with pytest.raises(OverloadedError):
        pool.submit(must_not_run)
    blocker.release.set()
    await running
    second, held = await begin(pool)
    assert pool.queued == 0
    second.release.set()
    await held


# Figures


@pooled(threads=2)
async def test_the_figures_tell_busy_queued_and_since_when_each_thread_runs_its_job(pool: FuturePool) -> None:
    assert pool.busy_workers() == []
    assert (pool.threads, pool.busy, pool.queued) == (0, 0, 0)
    blockers = [Blocker() for _ in range(5)]
    before = time.monotonic()
    futures = []
    for blocker in blockers:
        futures.append(pool.submit(blocker))
        if blocker in blockers[:2]:
            await blocker.begun.wait()
    assert (pool.threads, pool.busy, pool.queued) == (2, 2, 3)
    assert read_gauges(pool, None) == Gauges(busy=2, threads=2, queued=3)
    seen = pool.busy_workers()
    assert [worker.ident for worker in seen] == [blocker.ident for blocker in blockers[:2]]
    assert before <= seen[0].since <= seen[1].since <= time.monotonic()
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    assert [worker.name for worker in seen] == [names[worker.ident] for worker in seen]
    assert all(worker.ident in sys._current_frames() for worker in seen)
    release(blockers)
    await asyncio.gather(*futures)
    assert pool.busy_workers() == []
    assert (pool.busy, pool.queued) == (0, 0)


def test_an_outcome_that_can_not_be_taken_is_reported_and_stops_no_other() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        reports: list[object] = []
        loop.set_exception_handler(lambda _, context: reports.append(context["exception"]))
        pool = await started(threads=1)
        pool.add(Careless())
        assert await pool.submit(abs, -1) == 1
        assert [repr(each) for each in reports] == ["LookupError('done')"]
        assert await pool.stop(DEADLINE) == 0

    asyncio.run(main())
