"""Where threads sleep."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.serving.workers.rig import Run, no_more_files, started
from tests.support.future_pool import FuturePool
from tests.support.waiting import DEADLINE
from wwspec_router.threads import Wakeup


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_each_wake_up_that_is_sent_ends_one_sleep() -> None:
    wakeup = Wakeup()
    with ThreadPoolExecutor(1) as pool:
        wakeup.send()
        wakeup.send()
        pool.submit(wakeup.wait).result(DEADLINE)
        pool.submit(wakeup.wait).result(DEADLINE)
        asleep = pool.submit(wakeup.wait)
        assert not asleep.done()
        wakeup.send()
        asleep.result(DEADLINE)


def test_a_thread_is_woken_without_eventfd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "eventfd")
    test_each_wake_up_that_is_sent_ends_one_sleep()


def test_a_pool_does_not_start_when_no_file_can_be_opened(run: Run) -> None:
    async def main() -> None:
        pool = FuturePool(1)
        with no_more_files(), pytest.raises(RuntimeError, match="no file for it: Too many open files"):
            await pool.start(threads=1)

    run(main)


def test_threads_that_ended_leave_no_file_open(run: Run) -> None:
    async def main() -> None:
        pool = await started(threads=4)
        assert await asyncio.gather(*(pool.submit(abs, -number) for number in range(100))) == list(range(100))
        assert await pool.stop(DEADLINE) == 0

    run(main)
    before = open_files()
    run(main)
    assert open_files() == before
