"""Where threads sleep."""

import asyncio
import logging
import os
import resource
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.serving.workers.rig import Blocker, Run, started
from tests.support.waiting import DEADLINE
from wwspec_router.serving.workers import WorkerPool
from wwspec_router.threads import Gate


@contextmanager
def no_more_files() -> Iterator[None]:
    """Let this process open no file beside those that it has open."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_who_opens_a_gate_first_lets_pass_who_comes_later() -> None:
    gate = Gate()
    gate.open()
    gate.wait()


def test_a_gate_is_passed_once_for_each_opening() -> None:
    gate = Gate()
    with ThreadPoolExecutor(1) as pool:
        gate.open()
        gate.open()
        pool.submit(gate.wait).result(DEADLINE)
        pool.submit(gate.wait).result(DEADLINE)
        asleep = pool.submit(gate.wait)
        assert not asleep.done()
        gate.open()
        asleep.result(DEADLINE)


def test_a_gate_works_without_eventfd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "eventfd")
    test_a_gate_is_passed_once_for_each_opening()


def test_the_file_of_a_gate_is_closed_with_the_last_reference() -> None:
    before = open_files()
    gates = [Gate() for _ in range(10)]
    assert open_files() == before + 10
    del gates
    assert open_files() == before


def test_a_pool_does_not_start_when_no_file_can_be_opened(run: Run) -> None:
    async def main() -> None:
        pool = WorkerPool(1)
        with no_more_files(), pytest.raises(RuntimeError, match="no file for it: Too many open files"):
            await pool.start(threads=1)

    run(main)


def test_a_pool_goes_on_with_its_threads_when_no_file_can_be_opened(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        pool = await started(threads=4)
        blocker = Blocker()
        first = pool.submit(blocker)
        await blocker.begun.wait()
        with no_more_files():
            others = [pool.submit(abs, -number) for number in range(100)]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            blocker.release.set()
            assert await asyncio.gather(*others) == list(range(100))
        await first
        assert await pool.stop(DEADLINE) == 0

    with caplog.at_level(logging.WARNING):
        run(main)
    assert "no new worker thread beside the 1 there are: " in caplog.text


def test_threads_that_ended_leave_no_file_open(run: Run) -> None:
    async def main() -> None:
        pool = await started(threads=4)
        assert await asyncio.gather(*(pool.submit(abs, -number) for number in range(100))) == list(range(100))
        assert await pool.stop(DEADLINE) == 0

    run(main)
    before = open_files()
    run(main)
    assert open_files() == before
