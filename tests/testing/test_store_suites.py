"""Our own stores pass the suites for those of apps."""

import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.client.notify.shared_rows import AsyncSharedStore, SharedRows, SharedStore
from wwspec_router.client import DbCursor, FileCursor, MemoryPendingStore, SqlitePendingStore
from wwspec_router.testing.stores import CursorStoreSuite, PendingStoreSuite, SharedPendingStoreSuite


class TestMemoryPendingStore(PendingStoreSuite):
    @pytest.fixture
    def open_store(self) -> Callable[[], MemoryPendingStore]:
        return MemoryPendingStore


class TestSqlitePendingStore(PendingStoreSuite):
    rounds = 5  # each row is synced to the disk

    @pytest.fixture
    def open_store(self, tmp_path: Path) -> Callable[[], SqlitePendingStore]:
        return partial(SqlitePendingStore, tmp_path / "pending.db")


class TestPlainSharedStore(SharedPendingStoreSuite):
    @pytest.fixture
    def open_store(self) -> Callable[[], SharedStore]:
        return partial(SharedStore, SharedRows())


class TestAsyncSharedStore(SharedPendingStoreSuite):
    @pytest.fixture
    def open_store(self) -> Callable[[], AsyncSharedStore]:
        return partial(AsyncSharedStore, SharedRows())


class TestFileCursor(CursorStoreSuite):
    @pytest.fixture
    def open_cursor(self, tmp_path: Path) -> Callable[[], FileCursor]:
        return partial(FileCursor, tmp_path / "cursor")


class TestDbCursor(CursorStoreSuite):
    @pytest.fixture
    def open_cursor(self, tmp_path: Path) -> Iterator[Callable[[], DbCursor]]:
        opened: list[sqlite3.Connection] = []

        def cursor() -> DbCursor:
            opened.append(sqlite3.connect(tmp_path / "app.db", check_same_thread=False))
            return DbCursor(opened[-1])

        yield cursor
        for each in opened:
            each.close()
