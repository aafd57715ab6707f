"""Where threads sleep."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.serving.workers.rig import Run, no_more_files, started
from tests.support.future_pool import FuturePool
from tests.support.waiting import DEADLINE
from wwspec_router.threads import Gate


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


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
