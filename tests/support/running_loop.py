"""An event loop beside the test, as the server has one beside its threads."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from tests.support.waiting import DEADLINE


@pytest.fixture
def running_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that runs in a thread of its own, as the server's does; it must survive the test."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="the loop")
    thread.start()
    yield loop
    assert thread.is_alive(), "the loop was stopped by what ran on it"
    loop.call_soon_threadsafe(loop.stop)
    thread.join(DEADLINE)
    pending = asyncio.all_tasks(loop)
    loop.close()
    assert not thread.is_alive()
    assert not pending
