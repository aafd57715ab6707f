import asyncio
import gc
import logging
import random
import sys
import threading
import time
import weakref
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Protocol, TypeVar

import pytest
import uvloop
from hypothesis import given, settings, strategies as st

from tests.support.waiting import DEADLINE
from wwspec_router.errors import OverloadedError
from wwspec_router.serving import crew, pacing, workers
from wwspec_router.serving.workers import WorkerPool

T = TypeVar("T")
LoopFactory = Callable[[], asyncio.AbstractEventLoop]
TraceFunction = Callable[[FrameType, str, Any], Any]


LOOPS = [pytest.param(asyncio.new_event_loop, id="asyncio"), pytest.param(uvloop.new_event_loop, id="uvloop")]


class Run(Protocol):
    def __call__(self, main: Callable[[], Coroutine[Any, Any, T]]) -> T: ...


def run_on(factory: LoopFactory, main: Coroutine[Any, Any, T], *, debug: bool = False, limit: float = DEADLINE) -> T:
    complaints: list[dict[str, Any]] = []

    async def within_deadline() -> T:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        loop.slow_callback_duration = DEADLINE
        async with asyncio.timeout(limit):
            result = await main
        gc.collect()
        await asyncio.sleep(0)
        return result

    with asyncio.Runner(loop_factory=factory, debug=debug) as runner:
        result = runner.run(within_deadline())
    gc.collect()
    assert complaints == []
    return result


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[Run]:
    """Runs a coroutine function on each loop in debug mode; no complaint and no thread may be left of it."""
    before = set(threading.enumerate())
    with caplog.at_level(logging.WARNING, logger="asyncio"):
        yield lambda main: run_on(request.param, main(), debug=True)
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []
    assert set(threading.enumerate()) == before


class Blocker:
    """A job that says on the loop when it begins, and ends when it is released."""

    def __init__(self, result: object = None) -> None:
        self.loop = asyncio.get_running_loop()
        self.begun = asyncio.Event()
        self.runs = 0
        self.ident = 0
        self.release = threading.Event()
        self.result = result

    def __call__(self) -> object:
        self.runs += 1
        self.ident = threading.get_ident()
        self.loop.call_soon_threadsafe(self.begun.set)
        if not self.release.wait(DEADLINE):
            raise TimeoutError("nobody released the job")
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result


NAME = "pool-under-test"
"""Of threads: other pools may be in this process, such as that of a program that tests share."""


async def started(threads: int = 2, queue: int = 1024, name: str = NAME) -> WorkerPool:
    pool = WorkerPool(threads, queue, name)
    await pool.start()
    return pool


def join_left_behind(name: str = NAME) -> None:
    for thread in threading.enumerate():
        if thread.name.startswith(name):
            thread.join(DEADLINE)
            assert not thread.is_alive()


class Forbidden:
    """A job that must not run. Raising would not tell: what a dropped job raises is dropped, too."""

    def __init__(self) -> None:
        self.runs = 0

    def __call__(self) -> None:
        self.runs += 1


@pytest.fixture
def must_not_run() -> Iterator[Forbidden]:
    job = Forbidden()
    yield job
    assert job.runs == 0


# What a job returns or raises


def test_a_job_runs_with_its_arguments_off_the_loop_thread_and_its_result_comes_back(run: Run) -> None:
    async def main() -> None:
        pool = await started(name="zone")
        where, text = await pool.submit(lambda a, b: (threading.current_thread(), f"{a}-{b}"), 1, "x")
        assert text == "1-x"
        assert where is not threading.current_thread()
        assert where.name.startswith("zone-")
        assert where.daemon
        assert await pool.stop(DEADLINE) == 0

    run(main)


def test_an_exception_of_a_job_is_raised_where_its_future_is_awaited(run: Run) -> None:
    async def main() -> None:
        pool = await started()
        error = LookupError("no such thing")
        blocker = Blocker(error)
        blocker.release.set()
        with pytest.raises(LookupError) as caught:
            await pool.submit(blocker)
        assert caught.value is error
        assert await pool.stop(DEADLINE) == 0

    run(main)


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, MemoryError, asyncio.CancelledError, BaseException])
def test_a_base_exception_reaches_the_future_and_spares_the_thread(run: Run, kind: type[BaseException]) -> None:
    async def main() -> None:
        pool = await started(threads=1)
        blocker = Blocker(kind("from the job"))
        blocker.release.set()
        future = pool.submit(blocker)
        with pytest.raises(kind):
            await future
        assert future.exception() is blocker.result
        assert await pool.submit(threading.get_ident) == blocker.ident
        assert await pool.stop(DEADLINE) == 0

    run(main)


class Exhausted(StopIteration):
    pass


@pytest.mark.parametrize("kind", [StopIteration, Exhausted, GeneratorExit])
def test_what_cannot_be_thrown_into_a_coroutine_arrives_as_the_cause_of_a_runtime_error(
    run: Run, kind: type[BaseException]
) -> None:
    async def main() -> None:
        pool = await started()
        blocker = Blocker(kind("spent"))
        blocker.release.set()
        with pytest.raises(RuntimeError, match=f"the job raised {kind.__name__}") as caught:
            await pool.submit(blocker)
        assert caught.value.__cause__ is blocker.result
        assert await pool.stop(DEADLINE) == 0

    run(main)


def test_an_exception_that_nobody_waits_for_makes_no_noise(run: Run) -> None:
    async def main() -> None:
        pool = await started()
        pool.submit(divmod, 1, 0)
        assert await pool.stop(DEADLINE) == 0

    run(main)


def test_a_sleeping_thread_keeps_neither_arguments_nor_result_of_its_last_job(run: Run) -> None:
    class Body:
        pass

    async def main() -> None:
        pool = await started(threads=1)
        loop = asyncio.get_running_loop()
        freed = [asyncio.Event(), asyncio.Event()]
        argument = Body()
        answer = await pool.submit(lambda given: Body(), argument)

        def tell(event: asyncio.Event) -> Callable[[object], object]:
            return lambda _: loop.call_soon_threadsafe(event.set)

        watches = [weakref.ref(argument, tell(freed[0])), weakref.ref(answer, tell(freed[1]))]
        del argument, answer
        for event in freed:
            await event.wait()
        assert [watch() for watch in watches] == [None, None]
        assert await pool.stop(DEADLINE) == 0

    run(main)


# Order and spread


def test_with_one_thread_jobs_begin_in_the_order_of_their_submission(run: Run) -> None:
    async def main() -> None:
        pool = await started(threads=1)
        order: list[int] = []
        for batch in range(20):
            for number in range(25):
                pool.submit(order.append, batch * 25 + number)
            await asyncio.sleep(0)
        await pool.submit(int)
        assert order == list(range(500))
        assert await pool.stop(DEADLINE) == 0

    run(main)


def test_jobs_that_block_spread_over_all_threads_at_once(run: Run) -> None:
    async def main() -> None:
        pool = await started(threads=64)
        barrier = threading.Barrier(64)
        for _ in range(3):  # with threads to start, and then with sleeping ones
            places = await asyncio.gather(*(pool.submit(barrier.wait, DEADLINE) for _ in range(64)))
            assert sorted(places) == list(range(64))
        assert pool.threads == 64
        assert await pool.stop(DEADLINE) == 0

    run(main)


@pytest.mark.parametrize("computing", [False, True], ids=["blocks", "computes"])
def test_a_job_that_takes_long_holds_up_neither_those_before_it_nor_those_behind_it(run: Run, computing: bool) -> None:
    async def main() -> None:
        pool = await started(threads=2)
        released = threading.Event()

        def long_job() -> bool:
            deadline = time.monotonic() + DEADLINE
            while computing and not released.is_set() and time.monotonic() < deadline:
                pass
            return released.wait(0 if computing else DEADLINE)

        # The first comes to a pool that knows quick jobs only, the others to one that is used to long ones.
        for number in range(20):
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
        assert await pool.stop(DEADLINE) == 0

    run(main)


def test_quick_jobs_come_and_go_while_many_others_take_long(run: Run) -> None:
    async def main() -> None:
        pool = await started(threads=80)
        released = threading.Event()
        long = [pool.submit(released.wait, DEADLINE) for _ in range(64)]
        until = time.monotonic() + 20 * pacing.PATIENCE
        number = 0
        while time.monotonic() < until:  # the pool has looked many times by then, and gives way
            numbers = range(number, number + 4)
            assert await asyncio.gather(*(pool.submit(int, each) for each in numbers)) == list(numbers)
            number += 4
        assert pool.busy == 64
        released.set()
        assert await asyncio.gather(*long) == [True] * 64
        assert await pool.stop(DEADLINE) == 0

    run(main)


def test_jobs_that_block_for_less_than_a_look_spread_as_well(run: Run) -> None:
    async def main() -> None:
        pool = await started(threads=8)
        together = threading.Barrier(8)

        def block_shortly() -> bool:
            try:
                together.wait(pacing.PATIENCE / 10)
            except threading.BrokenBarrierError:
                with suppress(threading.BrokenBarrierError):
                    together.reset()
                return False
            return True

        met = False
        while not met:
            met = any(await asyncio.gather(*(pool.submit(block_shortly) for _ in range(64))))
        assert await pool.stop(DEADLINE) == 0

    run(main)


def test_more_jobs_than_threads_are_all_done_by_no_more_than_these_threads(run: Run) -> None:
    async def main() -> None:
        pool = await started(threads=3)
        barrier = threading.Barrier(3)

        def meet() -> int:
            barrier.wait(DEADLINE)
            return threading.get_ident()

        idents = await asyncio.gather(*(pool.submit(meet) for _ in range(300)))
        assert len(set(idents)) == 3
        assert pool.threads == 3
        assert await pool.stop(DEADLINE) == 0

    run(main)


# The bound


def test_a_job_beyond_threads_and_queue_is_refused_at_once_and_accepted_when_there_is_room(
    run: Run, must_not_run: Forbidden
) -> None:
    async def main() -> None:
        pool = await started(threads=2, queue=3)
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
        for blocker in blockers:
            blocker.release.set()
        assert await asyncio.gather(*futures, later) == [0, 1, 2, 3, 4, 0]
        assert await pool.stop(DEADLINE) == 0

    run(main)


def test_without_a_queue_as_many_jobs_are_accepted_as_there_are_threads(run: Run, must_not_run: Forbidden) -> None:
    async def main() -> None:
        pool = await started(threads=2, queue=0)
        blockers = [Blocker(), Blocker()]
        futures = [pool.submit(blocker) for blocker in blockers]
        with pytest.raises(OverloadedError):
            pool.submit(must_not_run)
        for blocker in blockers:
            blocker.release.set()
        await asyncio.gather(*futures)
        assert await pool.submit(int) == 0
        assert await pool.stop(DEADLINE) == 0

    run(main)


@pytest.mark.parametrize(("threads", "queue"), [(0, 1), (-1, 1), (1, -1)])
def test_a_pool_without_threads_or_with_a_negative_queue_is_refused(threads: int, queue: int) -> None:
    with pytest.raises(ValueError, match="threads >= 1 and queue >= 0"):
        WorkerPool(threads, queue)


# Cancellation


def test_a_job_whose_future_is_cancelled_before_it_began_never_runs(run: Run, must_not_run: Forbidden) -> None:
    async def main() -> None:
        pool = await started(threads=1)
        blocker = Blocker()
        running = pool.submit(blocker)
        await blocker.begun.wait()
        dropped = [pool.submit(must_not_run) for _ in range(3)]
        kept = pool.submit(lambda: "kept")
        task = asyncio.ensure_future(asyncio.wait_for(dropped[0], DEADLINE))
        await asyncio.sleep(0)
        task.cancel()  # as when the client hangs up
        for future in dropped[1:]:
            future.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        blocker.release.set()
        assert await kept == "kept"
        await running
        assert all(future.cancelled() for future in dropped)
        assert await pool.stop(DEADLINE) == 0

    run(main)


def test_a_job_cancelled_in_the_iteration_of_its_submission_never_runs(run: Run, must_not_run: Forbidden) -> None:
    async def main() -> None:
        pool = await started()
        future = pool.submit(must_not_run)
        future.cancel()
        await pool.submit(int)
        assert future.cancelled()
        assert await pool.stop(DEADLINE) == 0

    run(main)


@pytest.mark.parametrize("result", ["late", ValueError("late"), SystemExit("late")], ids=["value", "error", "exit"])
def test_a_job_cancelled_while_it_runs_finishes_and_its_result_is_dropped(run: Run, result: object) -> None:
    async def main() -> None:
        pool = await started(threads=1)
        blocker = Blocker(result)
        future = pool.submit(blocker)
        await blocker.begun.wait()
        future.cancel()
        blocker.release.set()
        assert await pool.submit(threading.get_ident) == blocker.ident
        assert future.cancelled()
        assert await pool.stop(DEADLINE) == 0

    run(main)


def test_a_cancelled_job_keeps_its_place_until_a_worker_skips_it(run: Run, must_not_run: Forbidden) -> None:
    async def main() -> None:
        pool = await started(threads=1, queue=1)
        blocker = Blocker()
        running = pool.submit(blocker)
        await blocker.begun.wait()
        pool.submit(must_not_run).cancel()
        assert pool.queued == 1
        with pytest.raises(OverloadedError):
            pool.submit(must_not_run)
        blocker.release.set()
        await running
        second = Blocker()
        held = pool.submit(second)
        await second.begun.wait()
        assert pool.queued == 0
        second.release.set()
        await held
        assert await pool.stop(DEADLINE) == 0

    run(main)


# Stop


def test_stop_within_the_grace_waits_for_running_and_queued_jobs(run: Run, must_not_run: Forbidden) -> None:
    async def main() -> None:
        pool = await started(threads=2)
        blockers = [Blocker(number) for number in range(6)]
        futures = [pool.submit(blocker) for blocker in blockers]
        await blockers[1].begun.wait()
        stopping = asyncio.ensure_future(pool.stop(DEADLINE))
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError, match="stopping"):
            pool.submit(must_not_run)
        assert not stopping.done()
        for blocker in blockers:
            blocker.release.set()
        assert await stopping == 0
        assert [future.result() for future in futures] == list(range(6))
        assert pool.threads == pool.busy == pool.queued == 0

    run(main)


def test_stop_beyond_the_grace_cancels_every_future_and_leaves_running_threads_behind(
    run: Run, must_not_run: Forbidden
) -> None:
    async def main() -> None:
        pool = await started(threads=3)
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
        for blocker in blockers:
            blocker.release.set()
        join_left_behind()
        assert pool.threads == pool.busy == 0

    run(main)


def test_stop_beyond_the_grace_ends_the_idle_threads(run: Run) -> None:
    async def main() -> None:
        pool = await started(threads=8)
        barrier = threading.Barrier(8)
        await asyncio.gather(*(pool.submit(barrier.wait, DEADLINE) for _ in range(8)))
        blocker = Blocker()
        pool.submit(blocker)
        await blocker.begun.wait()
        assert await pool.stop(0.0) == 1
        (left,) = pool.busy_workers()
        assert left.ident == blocker.ident
        for thread in threading.enumerate():  # the last to lie down may be on its way out yet
            if thread.name.startswith(NAME) and thread.ident != blocker.ident:
                thread.join(DEADLINE)
        assert pool.threads == 1
        blocker.release.set()
        join_left_behind()

    run(main)


def test_stop_on_an_idle_pool_ends_every_thread_even_without_grace(run: Run) -> None:
    async def main() -> None:
        pool = await started(threads=32)
        barrier = threading.Barrier(32)
        await asyncio.gather(*(pool.submit(barrier.wait, DEADLINE) for _ in range(32)))
        assert pool.threads == 32
        assert await pool.stop(0.0) == 0
        assert pool.threads == 0
        assert not [thread for thread in threading.enumerate() if thread.name.startswith(NAME)]

    run(main)


def test_a_running_job_may_wait_for_the_loop_while_the_pool_stops(run: Run) -> None:
    async def main() -> None:
        pool = await started(threads=1)
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

    run(main)


def test_a_job_that_waits_for_the_loop_for_ever_does_not_hold_up_stop(run: Run) -> None:
    async def main() -> None:
        pool = await started(threads=1)
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

    run(main)


def test_cancelling_stop_cuts_the_grace_short(run: Run, must_not_run: Forbidden) -> None:
    async def main() -> None:
        pool = await started(threads=1)
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

    run(main)


def test_stops_at_the_same_time_share_the_outcome_of_the_shortest(run: Run) -> None:
    async def main() -> None:
        pool = await started(threads=1)
        blocker = Blocker()
        pool.submit(blocker)
        await blocker.begun.wait()
        assert list(await asyncio.gather(pool.stop(DEADLINE), pool.stop(0.001))) == [1, 1]
        blocker.release.set()
        join_left_behind()

    run(main)


@pytest.mark.parametrize("factory", LOOPS)
def test_a_job_left_behind_may_finish_after_its_loop_is_closed(factory: LoopFactory) -> None:
    async def main() -> Blocker:
        pool = await started(threads=1)
        blocker = Blocker()
        pool.submit(blocker)
        await blocker.begun.wait()
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


def test_pools_serve_several_loops_one_after_another(run: Run) -> None:
    async def main() -> list[int]:
        pool = await started(threads=4)
        results = await asyncio.gather(*(pool.submit(abs, -number) for number in range(50)))
        assert await pool.stop(DEADLINE) == 0
        return results

    for _ in range(5):
        assert run(main) == list(range(50))


def test_a_pool_made_outside_the_loop_is_bound_by_start_and_only_once(run: Run, must_not_run: Forbidden) -> None:
    pool = WorkerPool(2)
    with pytest.raises(RuntimeError, match="awaited start"):
        pool.submit(must_not_run)

    async def main() -> None:
        await pool.start()
        with pytest.raises(RuntimeError, match="make a new WorkerPool"):
            await pool.start()
        assert await pool.submit(int) == 0
        assert await pool.stop(DEADLINE) == 0
        with pytest.raises(RuntimeError, match="make a new WorkerPool"):
            await pool.start()

    run(main)


def test_a_pool_that_never_started_can_be_stopped(run: Run) -> None:
    async def main() -> None:
        pool = WorkerPool()
        assert await pool.stop(DEADLINE) == 0
        with pytest.raises(RuntimeError, match="make a new WorkerPool"):
            await pool.start()

    run(main)


def test_submit_from_another_thread_is_refused(run: Run, must_not_run: Forbidden) -> None:
    async def main() -> None:
        pool = await started()
        with pytest.raises(RuntimeError, match="thread of the loop"):
            await pool.submit(pool.submit, must_not_run)
        assert await pool.stop(DEADLINE) == 0

    run(main)


# Replacing threads that hang


def test_a_replaced_thread_gives_its_place_to_another_and_ends_with_its_job(run: Run) -> None:
    async def main() -> None:
        pool = await started(threads=1, queue=1)
        hanging, queued = Blocker("late"), Blocker("queued")
        first = pool.submit(hanging)
        await hanging.begun.wait()
        second = pool.submit(queued)
        with pytest.raises(OverloadedError):
            pool.submit(int)
        assert pool.replace(hanging.ident)
        await queued.begun.wait()
        assert (pool.threads, pool.replaced, pool.busy) == (1, 1, 1)
        assert [each.ident for each in pool.busy_workers()] == [queued.ident]
        hanging.release.set()
        queued.release.set()
        assert (await first, await second) == ("late", "queued")
        assert await pool.submit(threading.get_ident) == queued.ident
        assert await pool.stop(DEADLINE) == 0
        assert (pool.threads, pool.replaced) == (0, 0)

    run(main)


def test_no_more_threads_are_replaced_than_the_pool_may_have(run: Run) -> None:
    async def main() -> None:
        pool = await started(threads=1)
        hanging = [Blocker(), Blocker()]
        futures = [pool.submit(each) for each in hanging]
        await hanging[0].begun.wait()
        assert pool.replace(hanging[0].ident)
        await hanging[1].begun.wait()
        assert not pool.replace(hanging[1].ident)
        assert not pool.replace(hanging[0].ident), "it was replaced already"
        assert not pool.replace(threading.get_ident()), "it is none of the pool's"
        for each in hanging:
            each.release.set()
        await asyncio.gather(*futures)
        assert await pool.stop(DEADLINE) == 0

    run(main)


def test_a_pool_is_exhausted_while_all_its_threads_are_taken_and_none_may_be_replaced(run: Run) -> None:
    """Row 11."""

    async def main() -> None:
        pool = await started(threads=1)
        hanging = [Blocker(), Blocker()]
        futures = [pool.submit(each) for each in hanging]
        await hanging[0].begun.wait()
        assert (pool.replaced, pool.exhausted) == (0, False)
        assert pool.replace(hanging[0].ident)
        await hanging[1].begun.wait()
        assert (pool.replaced, pool.exhausted) == (1, True)
        (replaced,) = (each for each in threading.enumerate() if each.ident == hanging[0].ident)
        hanging[0].release.set()
        await futures[0]
        replaced.join(DEADLINE)
        assert (pool.replaced, pool.exhausted) == (0, False)
        hanging[1].release.set()
        await futures[1]
        assert await pool.stop(DEADLINE) == 0

    run(main)


def test_a_pool_is_exhausted_when_none_can_be_added_in_the_place_of_one_that_hangs(run: Run) -> None:
    """Row 11."""

    async def main() -> None:
        pool = await started(threads=4)
        hanging = Blocker()
        future = pool.submit(hanging)
        await hanging.begun.wait()
        with no_more_threads():
            assert pool.replace(hanging.ident)
            with pytest.raises(OverloadedError):
                await pool.submit(int)
        assert (pool.replaced, pool.exhausted) == (1, True)
        assert await pool.submit(int) == 0
        assert (pool.replaced, pool.exhausted) == (1, False)
        hanging.release.set()
        await future
        assert await pool.stop(DEADLINE) == 0

    run(main)


def test_a_thread_that_runs_no_job_is_not_replaced(run: Run) -> None:
    async def main() -> None:
        pool = await started(threads=1)
        ident = await pool.submit(threading.get_ident)
        assert not pool.replace(ident)
        assert await pool.submit(threading.get_ident) == ident
        assert await pool.stop(DEADLINE) == 0

    run(main)


def test_replaced_threads_that_are_left_behind_are_told(run: Run) -> None:
    hanging: list[Blocker] = []

    async def main() -> None:
        pool = await started(threads=1)
        hanging.append(Blocker())
        future = pool.submit(hanging[0])
        await hanging[0].begun.wait()
        assert pool.replace(hanging[0].ident)
        assert await pool.stop(0.0) == 1
        assert future.cancelled()
        assert pool.threads == 1

    run(main)
    hanging[0].release.set()
    join_left_behind()


def test_no_job_is_lost_while_threads_are_replaced_under_load(run: Run) -> None:
    async def main() -> None:
        pool = await started(threads=4, queue=5000)
        futures = [pool.submit(lambda n: sum(range(500)) + n, n) for n in range(5000)]
        while not all(future.done() for future in futures):
            for worker in pool.busy_workers():
                pool.replace(worker.ident)
            await asyncio.sleep(0)
        assert [future.result() - sum(range(500)) for future in futures] == list(range(5000))
        assert await pool.stop(DEADLINE) == 0
        assert pool.threads == 0

    run(main)


# Figures


def test_the_figures_tell_busy_queued_and_since_when_each_thread_runs_its_job(run: Run) -> None:
    async def main() -> None:
        pool = await started(threads=2)
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
        seen = pool.busy_workers()
        assert [worker.ident for worker in seen] == [blocker.ident for blocker in blockers[:2]]
        assert before <= seen[0].since <= seen[1].since <= time.monotonic()
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        assert [worker.name for worker in seen] == [names[worker.ident] for worker in seen]
        assert all(worker.ident in sys._current_frames() for worker in seen)
        for blocker in blockers:
            blocker.release.set()
        await asyncio.gather(*futures)
        assert pool.busy_workers() == []
        assert (pool.busy, pool.queued) == (0, 0)
        assert await pool.stop(DEADLINE) == 0

    run(main)


# A system that grants no more threads


@contextmanager
def no_more_threads() -> Iterator[None]:
    """Ask for stacks that no address space holds, so that the system really refuses the thread."""
    before = threading.stack_size(1 << 46)
    try:
        yield
    finally:
        threading.stack_size(before)


def test_without_any_thread_queued_jobs_fail_as_overload_and_the_pool_recovers(
    run: Run, caplog: pytest.LogCaptureFixture, must_not_run: Forbidden
) -> None:
    async def main() -> None:
        pool = await started(threads=4)
        with no_more_threads():
            for _ in range(2):
                futures = [pool.submit(must_not_run) for _ in range(3)]
                futures[1].cancel()
                answers = await asyncio.gather(*futures, return_exceptions=True)
                kinds = [OverloadedError, asyncio.CancelledError, OverloadedError]
                assert [type(answer) for answer in answers] == kinds
        assert pool.threads == 0
        assert await pool.submit(int) == 0
        assert await pool.stop(DEADLINE) == 0

    run(main)
    warnings = [record.getMessage() for record in caplog.records if record.name == crew.__name__]
    assert len(warnings) == 1
    assert warnings[0].startswith("no new worker thread beside the 0 there are")


def test_threads_that_are_asked_for_at_the_start_are_there_when_no_more_can_be_started(run: Run) -> None:
    """Row 20."""

    async def main() -> None:
        pool = WorkerPool(4)
        await pool.start(threads=2)
        assert pool.threads == 2
        with no_more_threads():
            idents = {await pool.submit(threading.get_ident) for _ in range(10)}
        assert len(idents) <= 2
        assert pool.threads == 2
        assert await pool.stop(DEADLINE) == 0

    run(main)


def test_a_pool_that_can_not_start_the_threads_asked_for_says_so(run: Run) -> None:
    """Row 20."""

    async def main() -> None:
        pool = WorkerPool(4)
        with no_more_threads(), pytest.raises(RuntimeError, match="start new thread"):
            await pool.start(threads=1)
        assert await pool.stop(DEADLINE) == 0

    run(main)


def test_the_threads_there_are_do_the_work_when_no_more_can_be_started(run: Run) -> None:
    async def main() -> None:
        pool = await started(threads=8)
        blocker = Blocker("first")
        first = pool.submit(blocker)
        await blocker.begun.wait()
        with no_more_threads():
            others = [pool.submit(abs, -number) for number in range(100)]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            blocker.release.set()
            assert await first == "first"
            assert await asyncio.gather(*others) == list(range(100))
        assert pool.threads == 1
        assert await pool.stop(DEADLINE) == 0

    run(main)


# No lost wake-up: a lost one leaves futures that nobody sets, and the deadline fails the test


async def bursts(pool: WorkerPool, jobs: int) -> None:
    """All at once, in sizes from one to more than there are threads."""
    sizes = [1, 2, 3, 7, 31, 500, 1000]
    while jobs > 0:
        for size in sizes:
            results = await asyncio.gather(*(pool.submit(abs, -number) for number in range(size)))
            assert results == list(range(size))
            jobs -= size


async def one_at_a_time(pool: WorkerPool, jobs: int) -> None:
    for number in range(jobs):
        assert await pool.submit(abs, -number) == number


async def many_callers(pool: WorkerPool, jobs: int) -> None:
    async def caller() -> None:
        for number in range(jobs // 50):
            assert await pool.submit(abs, -number) == number

    await asyncio.gather(*(caller() for _ in range(50)))


async def among_jobs_that_block(pool: WorkerPool, jobs: int) -> None:
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


async def callers_that_block_each_other(pool: WorkerPool, jobs: int) -> None:
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
        return at_a_line if frame.f_code.co_filename in (crew.__file__, workers.__file__) else None

    before, before_threads = sys.gettrace(), threading.gettrace()
    threading.settrace(at_a_call)
    sys.settrace(at_a_call)
    try:
        yield
    finally:
        sys.settrace(before)
        threading.settrace(before_threads)


async def pairs(pool: WorkerPool, rounds: int) -> None:
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
def test_no_wake_up_is_lost_when_threads_change_places_at_any_line(
    factory: LoopFactory, threads: int, more: int
) -> None:
    async def caller(pool: WorkerPool) -> None:
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
        run_on(factory, main())


# Random schedules


class Schedule:
    """Plays submit, cancel and finish against a pool and knows what must and what must never happen."""

    def __init__(self, pool: WorkerPool, threads: int, limit: int) -> None:
        self.pool, self.threads, self.limit = pool, threads, limit
        self.jobs: list[tuple[Blocker, asyncio.Future[object]]] = []
        self.order: list[int] = []
        self.never: set[int] = set()

    def in_hand(self, index: int) -> bool:
        """Whether the pool certainly has this job still: it waits or runs until it is released."""
        blocker, future = self.jobs[index]
        return not blocker.release.is_set() and (blocker.runs > 0 or not future.cancelled())

    def gone(self, index: int) -> bool:
        """Whether the pool has certainly done with it: it has set the future itself."""
        future = self.jobs[index][1]
        return future.done() and not future.cancelled()

    def submit(self) -> None:
        indices = range(len(self.jobs))
        least = sum(self.in_hand(index) for index in indices)
        most = sum(not self.gone(index) for index in indices)
        number = len(self.jobs)
        blocker = Blocker(number)

        def job() -> object:
            self.order.append(number)
            return blocker()

        try:
            future = self.pool.submit(job)
        except OverloadedError:
            assert most >= self.limit
        else:
            assert least < self.limit
            self.jobs.append((blocker, future))

    def cancel(self, index: int) -> None:
        future = self.jobs[index][1]
        if future.cancel() and index not in self.order and self.held() == self.threads:
            self.never.add(index)

    def held(self) -> int:
        """How many threads certainly are in jobs that nobody has released."""
        return sum(blocker.runs > 0 and not blocker.release.is_set() for blocker, _ in self.jobs)

    async def finish(self, index: int) -> None:
        blocker, future = self.jobs[index]
        running = blocker.begun.is_set()
        blocker.release.set()
        if running and not future.cancelled():
            assert await future == index

    async def must_begin(self, index: int) -> None:
        """Wait for its beginning if fewer jobs than there are threads stand before it."""
        blocker, future = self.jobs[index]
        if self.in_hand(index) and not future.cancelled():
            if sum(self.in_hand(earlier) for earlier in range(index)) < self.threads:
                await blocker.begun.wait()

    async def play(self, step: tuple[str, int]) -> None:
        verb, number = step
        if verb == "submit":
            self.submit()
        elif verb == "fill":
            for index in range(len(self.jobs)):
                await self.must_begin(index)
        elif verb == "turn":
            await asyncio.sleep(0)
        elif not self.jobs:
            return
        elif verb == "cancel":
            self.cancel(number % len(self.jobs))
        elif verb == "finish":
            await self.finish(number % len(self.jobs))
        else:
            await self.must_begin(number % len(self.jobs))

    async def close(self) -> None:
        for blocker, _ in self.jobs:
            blocker.release.set()
        assert await self.pool.stop(DEADLINE) == 0
        for index, (blocker, future) in enumerate(self.jobs):
            assert future.done()
            if not future.cancelled():
                assert (future.result(), blocker.runs) == (index, 1)
            assert blocker.runs <= (0 if index in self.never else 1)
        assert self.pool.threads == self.pool.queued == self.pool.busy == 0
        if self.threads == 1:
            assert self.order == sorted(self.order)


steps = st.tuples(
    st.sampled_from(["submit", "submit", "fill", "cancel", "finish", "begin", "turn"]), st.integers(0, 30)
)


@pytest.mark.slow  # 100 schedules of up to 60 steps on two loops
@pytest.mark.parametrize("factory", LOOPS)
@settings(max_examples=100, deadline=None)
@given(threads=st.integers(1, 3), queue=st.integers(0, 4), schedule=st.lists(steps, max_size=60))
def test_any_schedule_of_submit_cancel_and_finish_keeps_the_promises(
    factory: LoopFactory, threads: int, queue: int, schedule: list[tuple[str, int]]
) -> None:
    async def main() -> None:
        player = Schedule(await started(threads, queue), threads, threads + queue)
        for step in schedule:
            await player.play(step)
        await player.close()

    before = set(threading.enumerate())
    run_on(factory, main(), debug=True)
    assert set(threading.enumerate()) == before
