"""What `/readyz` answers, and what the log says when the store fails and comes back."""

import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
import pytest

from tests.serving.wire import PlainSdk
from tests.support.apps import ROOT
from tests.support.waiting import DEADLINE
from wwspec_contracts.errors import StoreError
from wwspec_router.config import Settings
from wwspec_router.http1.answers import plain
from wwspec_router.registry.table import AbilityTable
from wwspec_router.serving import health
from wwspec_router.serving.program import ZoneProgram
from wwspec_router.stores.sqlite.events import SqliteStore

READY = plain(200, "ok\n")
STORE_FAILED = plain(503, "store: events and jobs can't be kept\n")


class FailingStore(SqliteStore):
    """A store that fails, or does not answer, while the test says so."""

    def __init__(self) -> None:
        super().__init__(None)
        self.fault = ""
        self.checks = 0
        self.answers = threading.Event()
        self.answers.set()

    def check(self) -> None:
        assert self.answers.wait(DEADLINE)
        self.checks += 1
        if self.fault:
            raise StoreError(self.fault)


@asynccontextmanager
async def running(table: AbilityTable, store: FailingStore) -> AsyncIterator[ZoneProgram]:
    program = ZoneProgram(table, PlainSdk(), store, Settings(app=ROOT, grace=0.1))
    await program.start()
    try:
        yield program
    finally:
        await program.stop()


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(int(DEADLINE / 0.02)):
        if condition():
            return
        await anyio.sleep(0.02)
    raise AssertionError("the condition was not met in time")


async def test_a_process_whose_store_fails_is_not_ready(table: AbilityTable, caplog: pytest.LogCaptureFixture) -> None:
    store = FailingStore()
    with caplog.at_level(logging.WARNING):
        async with running(table, store) as program:
            assert program.page("/readyz") == READY
            store.fault = "/the/path: it is gone"
            await until(lambda: program.page("/readyz") == STORE_FAILED)
            seen = store.checks
            await until(lambda: store.checks >= seen + 2)
            store.fault = ""
            await until(lambda: program.page("/readyz") == READY)
    lines = [record.getMessage() for record in caplog.records if record.name == health.__name__]
    assert lines == ["the store failed: /the/path: it is gone", "the store works again"]


async def test_a_process_whose_store_hangs_is_not_ready(table: AbilityTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PATIENCE", 0.1)
    store = FailingStore()
    async with running(table, store) as program:
        store.answers.clear()
        await until(lambda: program.page("/readyz") == STORE_FAILED)
        store.answers.set()
        await until(lambda: program.page("/readyz") == READY)


async def test_a_process_that_was_told_to_stop_is_not_ready(table: AbilityTable) -> None:
    async with running(table, FailingStore()) as program:
        program.is_stopping = True
        assert program.page("/readyz") == plain(503, "stopping: the program has been told to stop\n")


async def test_a_program_whose_store_fails_at_the_start_does_not_start(table: AbilityTable) -> None:
    store = FailingStore()
    store.fault = "it can't be written"
    with pytest.raises(StoreError, match="it can't be written"):
        async with running(table, store):
            raise NotImplementedError
