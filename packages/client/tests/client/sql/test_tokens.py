"""`SqlTokenStore`: all machines of an app share one token."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.client.conftest import QUICK, fetched_tokens
from tests.client.sql.test_installations import Backwards, database, dump
from wwspec_client import AppSecret, StoredTokenProvider, Token
from wwspec_client.sql import SqlTokenStore
from wwspec_client.steps import Ask, Steps
from wwspec_devtools.testing.stores import TokenStoreSuite
from wwspec_devtools.testing.stores.rig import Loop
from wwspec_devtools.testing.zone import Zone

__all__ = ["database"]


class Source:
    """Gives t1, t2, ..., and counts."""

    def __init__(self, expires_in: float | None = 7200.0) -> None:
        self.asked = 0
        self.expires_in = expires_in

    def fetch(self, fetch: Any) -> Steps[Token]:
        self.asked += 1
        yield from ()
        return Token(f"t{self.asked}", self.expires_in)


def do(steps: Steps[Token], call: Loop) -> Token:
    """Do what a provider asks for."""
    given: Any = None
    while True:
        try:
            step = steps.send(given)
        except StopIteration as ended:
            token: Token = ended.value
            return token
        assert isinstance(step, Ask)
        given = call(step.function())


def nothing(_: Any) -> Any:
    raise AssertionError


class TestSqlTokenStore(TokenStoreSuite):
    @pytest.fixture
    def open_store(self, engine: Engine | AsyncEngine) -> Callable[[], SqlTokenStore]:
        return partial(SqlTokenStore, engine)


@pytest.mark.parametrize(("expires_in", "asked"), [(0.0, 2), (7200.0, 1), (None, 1)])
def test_a_token_is_used_until_it_is_too_old(
    database: Engine, call: Loop, expires_in: float | None, asked: int
) -> None:
    source = Source(expires_in)
    for _ in range(2):
        do(StoredTokenProvider(source, SqlTokenStore(database), name="corp").fetch(nothing), call)
    assert source.asked == asked


def test_a_token_is_sealed_at_rest_and_in_no_repr(database: Engine) -> None:
    store = SqlTokenStore(database, cipher=Backwards())
    store.save("corp", Token("the-token"))
    assert store.load("corp") == Token("the-token")
    assert "the-token" not in dump(database)
    assert "the-token" not in repr(Token("the-token", 1.0))
    assert repr(StoredTokenProvider(Source(), store, name="corp")) == "StoredTokenProvider(name='corp')"


def test_two_clients_ask_wecom_once(database: Engine, zone: Zone) -> None:
    info = zone.client.info()
    before = fetched_tokens(zone)
    for _ in range(2):
        secret = AppSecret(info["corpid"], info["secret"])
        tokens = StoredTokenProvider(secret, SqlTokenStore(database), name=info["corpid"])
        with zone.app_client(tokens=tokens, retries=QUICK) as client:
            client.call("chat_digest", {"limit": 1})
    assert fetched_tokens(zone) - before == 1
