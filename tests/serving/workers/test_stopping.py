"""Stop, within the grace and beyond it."""

import asyncio
import threading
from typing import Any

import pytest

from tests.serving.workers.rig import (
    LOOPS,
    NAME,
    Blocker,
    Forbidden,
    LoopFactory,
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


@pooled(threads=1, left=1)
async def test_a_job_that_waits_for_the_loop_for_ever_does_not_hold_up_stop(pool: FuturePool) -> None:
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    never = asyncio.Event()

    async def hang() -> None:
        asked.set()
        await never.wait()

    pool.submit(lambda: asyncio.run_coroutine_threadsafe(hang(), loop).result(DEADLINE))
    await asked.wait()
    assert await pool.stop(0.001) == 1
    never.set()
    await asyncio.to_thread(join_left_behind)


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
