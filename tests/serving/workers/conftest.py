"""Each test of the worker pool runs on both loops, and leaves no thread."""

import gc
import logging
import threading
from collections.abc import Iterator

import pytest

from tests.serving.workers.rig import LOOPS, Forbidden, Run, run_on


@pytest.fixture(scope="module", autouse=True)
def few_objects() -> None:
    """Keep the garbage collector off what other tests left: each run of a loop collects garbage twice."""
    gc.collect()
    gc.freeze()


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[Run]:
    """Runs a coroutine function on each loop in debug mode; no complaint and no thread may be left of it."""
    before = set(threading.enumerate())
    with caplog.at_level(logging.WARNING, logger="asyncio"):
        yield lambda main: run_on(request.param, main(), debug=True)
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []
    assert not set(threading.enumerate()) - before


@pytest.fixture
def must_not_run() -> Iterator[Forbidden]:
    job = Forbidden()
    yield job
    assert job.runs == 0
