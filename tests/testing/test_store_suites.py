"""Our own stores pass the suites for those of apps."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.support.async_store import AsyncStore
from wwspec_router.client import (
    Fetch,
    FileCursor,
    MemoryInstallationStore,
    MemoryPendingStore,
    Request,
    SqlitePendingStore,
    Steps,
    Token,
    ask,
)
from wwspec_router.testing.stores import (
    CursorStoreSuite,
    InstallationStoreSuite,
    PendingStoreSuite,
    SharedPendingStoreSuite,
    SharedTokenProviderSuite,
)


class TestMemoryPendingStore(PendingStoreSuite):
    @pytest.fixture
    def open_store(self) -> Callable[[], MemoryPendingStore]:
        return MemoryPendingStore


class TestSqlitePendingStore(SharedPendingStoreSuite):
    rounds = 5  # each row is synced to the disk

    @pytest.fixture
    def open_store(self, tmp_path: Path) -> Callable[[], SqlitePendingStore]:
        return partial(SqlitePendingStore, tmp_path / "pending.db")


class TestAsyncPendingStore(PendingStoreSuite):
    histories = 10  # the plain store has met the others

    @pytest.fixture
    def open_store(self) -> Callable[[], AsyncStore]:
        return lambda: AsyncStore(MemoryPendingStore())


class TestFileCursor(CursorStoreSuite):
    @pytest.fixture
    def open_cursor(self, tmp_path: Path) -> Callable[[], FileCursor]:
        return partial(FileCursor, tmp_path / "cursor")


@pytest.mark.slow  # 1,000 rounds, each with writes that are synced to the disk
class TestFileCursorOften(TestFileCursor):
    rounds = 1000


class TestMemoryInstallationStore(InstallationStoreSuite):
    @pytest.fixture
    def open_store(self) -> Callable[[], MemoryInstallationStore]:
        return MemoryInstallationStore


class TestAsyncInstallations(InstallationStoreSuite):
    histories = 10  # the plain store has met the others

    @pytest.fixture
    def open_store(self) -> Callable[[], AsyncStore]:
        return lambda: AsyncStore(MemoryInstallationStore())


class Tokens:
    """A source of tokens that those of one dict share."""

    def __init__(self, shared: dict[str, tuple[str, float]]) -> None:
        self._shared = shared

    def fetch(self, fetch: Fetch) -> Steps[Token]:
        return self.fetch_other(fetch, "")

    def fetch_other(self, fetch: Fetch, refused: str) -> Steps[Token]:
        value, until = yield from ask(lambda: self._shared.get("token", ("", 0.0)))
        left = until - time.time()
        if value in ("", refused) or left <= 0:
            answer = yield from fetch(Request("gettoken"))
            value, left = answer["access_token"], answer["expires_in"]
            self._shared["token"] = value, time.time() + left
        return Token(value, left)


class TestSharedTokenProvider(SharedTokenProviderSuite):
    @pytest.fixture
    def open_provider(self) -> Callable[[], Tokens]:
        return partial(Tokens, {})
