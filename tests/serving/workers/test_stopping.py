"""Start and stop, and loops one after another."""

import asyncio
import threading
from typing import Any

import pytest

from tests.serving.workers.rig import (
    LOOPS,
    NAME,
    Blocker,
    Careless,
    Forbidden,
    LoopFactory,
    Run,
    begin,
    join_left_behind,
    pooled,
    release,
    run_on,
    started,
)
from tests.support.future_pool import FuturePool
from tests.support.waiting import DEADLINE
from wwspec_contracts.errors import OverloadedError

# Stop


@pooled(threads=2)
async def test_stop_within_grace_waits_for_running_and_queued_jobs(pool: FuturePool, must_not_run: Forbidden) -> None:
    blockers = [Blocker(number) for number in range(6)]
    futures = [pool.submit(blocker) for blocker in blockers]
    await blockers[1].begun.wait()
    stopping = asyncio.ensure_future(pool.stop(DEADLINE))
    await asyncio.sleep(0)
    with pytest.raises(OverloadedError, match="stopping"):
        pool.submit(must_not_run)
    assert not stopping.done()
    release(blockers)
    assert await stopping == 0
    assert [future.result() for future in futures] == list(range(6))
    assert pool.threads == pool.busy == pool.queued == 0


@pooled(threads=3, left=6)
async def test_stop_beyond_the_grace_cancels_all_and_leaves_threads(pool: FuturePool, must_not_run: Forbidden) -> None:
    blockers = [Blocker(), Blocker(), Blocker(ValueError("late"))]
    running = [pool.submit(blocker) for blocker in blockers]
    for blocker in blockers:
        await blocker.begun.wait()
    running[1].cancel()
    queued = [pool.submit(must_not_run) for _ in range(4)]
    queued[0].cancel()
    assert await pool.stop(0.001) == 6
    assert all(future.cancelled() for future in running + queued)
    assert pool.queued == 0
    assert pool.busy == pool.threads == 3
    with pytest.raises(OverloadedError):
        pool.submit(must_not_run)
    release(blockers)
    join_left_behind()
    assert pool.threads == pool.busy == 0


@pooled(threads=8, left=1)
async def test_stop_beyond_the_grace_ends_the_idle_threads(pool: FuturePool) -> None:
    barrier = threading.Barrier(8)
    await asyncio.gather(*(pool.submit(barrier.wait, DEADLINE) for _ in range(8)))
    blocker, _ = await begin(pool)
    assert await pool.stop(0.0) == 1
    (left,) = pool.busy_workers()
    assert left.ident == blocker.ident
    for thread in threading.enumerate():  # the last to lie down may be on its way out yet
        if thread.name.startswith(NAME) and thread.ident != blocker.ident:
            thread.join(DEADLINE)
    assert pool.threads == 1
    blocker.release.set()
    join_left_behind()


@pooled(threads=1)
async def test_a_running_job_may_wait_for_the_loop_while_the_pool_stops(pool: FuturePool) -> None:
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()

    async def answer() -> str:
        await stopping.wait()
        return "from the loop"

    def job() -> str:
        return asyncio.run_coroutine_threadsafe(answer(), loop).result(DEADLINE)

    futures = [pool.submit(job) for _ in range(3)]
    loop.call_soon(stopping.set)
    assert await pool.stop(DEADLINE) == 0
    assert [future.result() for future in futures] == ["from the loop"] * 3


@pooled(threads=1, left=2)
async def test_cancelling_stop_cuts_the_grace_short(pool: FuturePool, must_not_run: Forbidden) -> None:
    blocker = Blocker()
    running = pool.submit(blocker)
    queued = pool.submit(must_not_run)
    await blocker.begun.wait()
    stopping = asyncio.ensure_future(pool.stop(DEADLINE))
    await asyncio.sleep(0)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    assert running.cancelled()
    assert queued.cancelled()
    assert await pool.stop(DEADLINE) == 2
    blocker.release.set()
    join_left_behind()


@pooled(threads=1, left=1)
async def test_stops_at_the_same_time_share_the_outcome_of_the_shortest(pool: FuturePool) -> None:
    blocker, _ = await begin(pool)
    assert list(await asyncio.gather(pool.stop(DEADLINE), pool.stop(0.001))) == [1, 1]
    blocker.release.set()
    join_left_behind()


@pytest.mark.parametrize("factory", LOOPS)
def test_a_job_left_behind_may_finish_after_its_loop_is_closed(factory: LoopFactory) -> None:
    async def main() -> Blocker:
        pool = await started(threads=1)
        blocker, _ = await begin(pool)
        assert await pool.stop(0.0) == 1
        return blocker

    unraisable: list[Any] = []
    hook, threading.excepthook = threading.excepthook, unraisable.append
    try:
        blocker = run_on(factory, main())
        blocker.release.set()
        join_left_behind()
    finally:
        threading.excepthook = hook
    assert unraisable == []


# Start, loops, misuse


def test_a_pool_made_outside_the_loop_is_bound_by_start_only_once_and_never_after_its_stop(run: Run) -> None:
    pool, never_started = FuturePool(2), FuturePool()
    with pytest.raises(RuntimeError, match="awaited start"):
        pool.add(Careless())

    async def main() -> None:
        await pool.start()
        with pytest.raises(RuntimeError, match="make a new WorkerPool"):
            await pool.start()
        assert await pool.submit(int) == 0
        for each in (pool, never_started):
            assert await each.stop(DEADLINE) == 0
            with pytest.raises(RuntimeError, match="make a new WorkerPool"):
                await each.start()

    run(main)


@pooled()
async def test_a_job_from_another_thread_is_refused(pool: FuturePool) -> None:
    with pytest.raises(RuntimeError, match="thread of the loop"):
        await pool.submit(pool.add, Careless())
