"""Any schedule of submit, cancel and finish keeps the promises."""

import asyncio
import threading

import pytest
from hypothesis import given, settings, strategies as st

from tests.serving.workers.rig import LOOPS, Blocker, LoopFactory, run_on, started
from tests.support.future_pool import FuturePool
from tests.support.waiting import DEADLINE
from wwspec_contracts.errors import OverloadedError


class Schedule:
    """Plays submit, cancel and finish against a pool and knows what must and what must never happen."""

    def __init__(self, pool: FuturePool, threads: int, limit: int) -> None:
        self.pool, self.threads, self.limit = pool, threads, limit
        self.jobs: list[tuple[Blocker, asyncio.Future[object]]] = []
        self.order: list[int] = []
        self.never: set[int] = set()

    def is_pending(self, index: int) -> bool:
        """Whether the pool certainly has this job still: it waits or runs until it is released."""
        blocker, future = self.jobs[index]
        return not blocker.release.is_set() and (blocker.runs > 0 or not future.cancelled())

    def gone(self, index: int) -> bool:
        """Whether the pool has certainly done with it: it has set the future itself."""
        future = self.jobs[index][1]
        return future.done() and not future.cancelled()

    def submit(self) -> None:
        indices = range(len(self.jobs))
        least = sum(self.is_pending(index) for index in indices)
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
        if self.is_pending(index) and not future.cancelled():
            if sum(self.is_pending(earlier) for earlier in range(index)) < self.threads:
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


@pytest.mark.parametrize("factory", LOOPS)
@settings(max_examples=3 * settings().max_examples, deadline=None)
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
    assert not set(threading.enumerate()) - before
