"""`SqlTokenStore` and `SqlPendingStore`: all machines of an app share one token, and what waits for its functions."""

from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.client.scripted import Script, answer, client_of
from tests.client.sql.test_installations import Backwards, dump
from wwspec_client import AppSecret
from wwspec_client.sql import SqlPendingStore, SqlTokenStore
from wwspec_client.stores import StoredTokenProvider, Token
from wwspec_devtools.testing.stores import SharedPendingStoreSuite, TokenStoreSuite

SOURCE = AppSecret("corp", "the-secret")


def test_clients_share_a_token(database: Engine) -> None:
    script = Script([answer(log_level=1)])
    for _ in range(2):
        tokens = StoredTokenProvider(SOURCE, SqlTokenStore(database), name="corp")
        with client_of(transport=script, tokens=tokens) as client:
            client.get_log_level()
    assert len(script.tokens) == 1


class TestSqlTokenStore(TokenStoreSuite):
    @pytest.fixture
    def open_store(self, engine: Engine | AsyncEngine) -> Callable[[], SqlTokenStore]:
        return partial(SqlTokenStore, engine)


def test_a_token_is_sealed_at_rest_and_in_no_repr(database: Engine) -> None:
    store = SqlTokenStore(database, cipher=Backwards())
    store.save("corp", Token("the-token"))
    assert store.load("corp") == Token("the-token")
    assert "the-token" not in dump(database)
    assert "the-token" not in repr(Token("the-token", 1.0))
    assert repr(StoredTokenProvider(SOURCE, store, name="corp")) == "StoredTokenProvider(name='corp')"


class TestSqlPendingStore(SharedPendingStoreSuite):
    @pytest.fixture
    def open_store(self, engine: Engine | AsyncEngine) -> Callable[[], SqlPendingStore]:
        return partial(SqlPendingStore, engine)
