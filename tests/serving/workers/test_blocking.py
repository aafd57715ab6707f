"""Threads that hang, sleep, or can not be started."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.serving.workers.rig import (
    Blocker,
    Forbidden,
    Run,
    begin,
    no_more_files,
    no_more_threads,
    pooled,
    started,
)
from tests.support.future_pool import FuturePool
from tests.support.waiting import DEADLINE
from wwspec_contracts.errors import OverloadedError
from wwspec_router import threads
from wwspec_router.monitoring.figures import Gauges
from wwspec_router.serving.program import read_gauges

# Replacing threads that hang


@pooled(threads=1, queue=1)
async def test_a_replaced_thread_gives_its_place_to_another_and_ends_with_its_job(pool: FuturePool) -> None:
    hanging, queued = Blocker("late"), Blocker("queued")
    first = pool.submit(hanging)
    await hanging.begun.wait()
    second = pool.submit(queued)
    with pytest.raises(OverloadedError):
        pool.submit(int)
    assert pool.replace(hanging.ident)
    await queued.begun.wait()
    assert (pool.threads, pool.replaced, pool.busy) == (1, 1, 1)
    assert read_gauges(pool, None) == Gauges(busy=1, threads=1, hung=1)
    assert [each.ident for each in pool.busy_workers()] == [queued.ident]
    hanging.release.set()
    queued.release.set()
    assert (await first, await second) == ("late", "queued")
    assert await pool.submit(threading.get_ident) == queued.ident
    assert await pool.stop(DEADLINE) == 0
    assert (pool.threads, pool.replaced) == (0, 0)


@pooled(threads=1)
async def test_a_pool_is_exhausted_while_all_its_threads_are_taken_and_none_may_be_replaced(pool: FuturePool) -> None:
    assert not pool.replace(await pool.submit(threading.get_ident)), "it runs no job"
    hanging = [Blocker(), Blocker()]
    futures = [pool.submit(each) for each in hanging]
    await hanging[0].begun.wait()
    assert (pool.replaced, pool.exhausted) == (0, False)
    assert pool.replace(hanging[0].ident)
    await hanging[1].begun.wait()
    assert (pool.replaced, pool.exhausted) == (1, True)
    assert not pool.replace(hanging[1].ident), "no more than the pool may have"
    assert not pool.replace(hanging[0].ident), "it was replaced already"
    assert not pool.replace(threading.get_ident()), "it is none of the pool's"
    (replaced,) = (each for each in threading.enumerate() if each.ident == hanging[0].ident)
    hanging[0].release.set()
    await futures[0]
    replaced.join(DEADLINE)
    assert (pool.replaced, pool.exhausted) == (0, False)
    hanging[1].release.set()
    await futures[1]


@pooled(threads=4)
async def test_a_pool_is_exhausted_when_none_can_be_added_in_the_place_of_one_that_hangs(pool: FuturePool) -> None:
    hanging, future = await begin(pool)
    with no_more_threads():
        assert pool.replace(hanging.ident)
        with pytest.raises(OverloadedError):
            await pool.submit(int)
    assert (pool.replaced, pool.exhausted) == (1, True)
    assert await pool.submit(int) == 0
    assert (pool.replaced, pool.exhausted) == (1, False)
    hanging.release.set()
    await future


@pooled(threads=4, queue=2000)
async def test_no_job_is_lost_while_threads_are_replaced_under_load(pool: FuturePool) -> None:
    futures = [pool.submit(lambda n: sum(range(500)) + n, n) for n in range(2000)]
    while not all(future.done() for future in futures):
        for worker in pool.busy_workers():
            pool.replace(worker.ident)
        await asyncio.sleep(0)
    assert [future.result() - sum(range(500)) for future in futures] == list(range(2000))
    assert await pool.stop(DEADLINE) == 0
    assert pool.threads == 0


# A system that grants no more threads


@pooled(threads=4)
async def test_without_any_thread_queued_jobs_fail_as_overload_and_the_pool_recovers(
    pool: FuturePool, caplog: pytest.LogCaptureFixture, must_not_run: Forbidden
) -> None:
    with no_more_threads():
        for _ in range(2):
            futures = [pool.submit(must_not_run) for _ in range(3)]
            futures[1].cancel()
            answers = await asyncio.gather(*futures, return_exceptions=True)
            kinds = [OverloadedError, asyncio.CancelledError, OverloadedError]
            assert [type(answer) for answer in answers] == kinds
    assert pool.threads == 0
    assert await pool.submit(int) == 0
    (warning,) = [record.getMessage() for record in caplog.records if record.name == threads.__name__]
    assert warning.startswith("no new worker thread beside the 0 there are")


def test_threads_that_are_asked_for_at_the_start_are_there_when_no_more_can_be_started(run: Run) -> None:
    async def main() -> None:
        pool = FuturePool(4)
        await pool.start(threads=2)
        assert pool.threads == 2
        with no_more_threads():
            idents = {await pool.submit(threading.get_ident) for _ in range(10)}
        assert len(idents) <= 2
        assert pool.threads == 2
        assert await pool.stop(DEADLINE) == 0

    run(main)


@pytest.mark.parametrize("shortage", [no_more_threads, no_more_files])
@pooled(threads=8)
async def test_the_threads_there_are_do_the_work_when_no_more_can_be_started(
    pool: FuturePool, shortage: Callable[[], AbstractContextManager[None]], caplog: pytest.LogCaptureFixture
) -> None:
    blocker, first = await begin(pool, "first")
    with shortage():
        others = [pool.submit(abs, -number) for number in range(100)]
        while "no new worker thread beside the 1 there are: " not in caplog.text:  # noqa: ASYNC110 - no thread can wait
            await asyncio.sleep(0)
        blocker.release.set()
        assert await first == "first"
        assert await asyncio.gather(*others) == list(range(100))
    assert pool.threads == 1


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_threads_that_ended_leave_no_file_open(run: Run) -> None:
    async def main() -> None:
        pool = await started(threads=4)
        assert await asyncio.gather(*(pool.submit(abs, -number) for number in range(100))) == list(range(100))
        assert await pool.stop(DEADLINE) == 0

    run(main)
    before = open_files()
    run(main)
    assert open_files() == before
