"""Our own stores pass the suites for those of apps."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.support.async_store import AsyncStore
from wwspec_client.stores import FileCursor, MemoryInstallationStore, MemoryPendingStore, SqlitePendingStore, Token
from wwspec_devtools.testing.stores import (
    CursorStoreSuite,
    InstallationStoreSuite,
    PendingStoreSuite,
    SharedPendingStoreSuite,
    TokenStoreSuite,
)


class TestMemoryPendingStore(PendingStoreSuite):
    @pytest.fixture
    def open_store(self) -> Callable[[], MemoryPendingStore]:
        return MemoryPendingStore


class TestSqlitePendingStore(SharedPendingStoreSuite):
    histories, rounds = 10, 5  # each row is synced to the disk

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
    """A store of tokens in memory."""

    def __init__(self) -> None:
        self._tokens: dict[str, tuple[Token, float]] = {}

    def load(self, name: str) -> Token | None:
        if name not in self._tokens:
            return None
        token, until = self._tokens[name]
        return token if token.expires_in is None else replace(token, expires_in=until - time.time())

    def save(self, name: str, token: Token) -> None:
        self._tokens[name] = token, time.time() + (token.expires_in or 0.0)

    def forget(self, name: str) -> bool:
        return self._tokens.pop(name, None) is not None


class TestTokens(TokenStoreSuite):
    @pytest.fixture
    def open_store(self) -> Callable[[], Tokens]:
        store = Tokens()
        return lambda: store


class TestAsyncTokens(TokenStoreSuite):
    @pytest.fixture
    def open_store(self) -> Callable[[], AsyncStore]:
        store = AsyncStore(Tokens())
        return lambda: store
