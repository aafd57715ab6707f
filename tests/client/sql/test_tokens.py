"""`SqlTokenProvider`: all machines of an app share one token."""

from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.client.conftest import QUICK, fetched_tokens
from tests.client.sql.test_installations import Backwards, database, dump
from wwspec_router.client import (
    AppSecret,
    SharedTokens,
    StoredToken,
    StoredTokenProvider,
    Token,
    TokenStore,
)
from wwspec_router.client.sql import SqlTokenProvider, SqlTokenStore
from wwspec_router.client.steps import Ask, Steps
from wwspec_router.testing.stores.rig import Loop
from wwspec_router.testing.zone import Zone

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


def test_machines_share_one_token(engine: Engine | AsyncEngine, call: Loop) -> None:
    source = Source()
    one, other = (SqlTokenProvider(engine, source, name="corp") for _ in range(2))
    first = do(one.fetch(nothing), call)
    shared = do(other.fetch(nothing), call)
    assert (first, shared.value, source.asked) == (Token("t1", 7200.0), "t1", 1)
    assert shared.expires_in is not None
    assert 7000 < shared.expires_in <= 7140, "a machine renews it some time before it expires"
    assert do(SqlTokenProvider(engine, source, name="Corp").fetch(nothing), call).value == "t2"


def test_a_refused_token_is_replaced_once_for_all(engine: Engine | AsyncEngine, call: Loop) -> None:
    source = Source()
    one, other = (SqlTokenProvider(engine, source, name="corp") for _ in range(2))
    do(one.fetch(nothing), call)
    found = [do(each.fetch_other(nothing, "t1"), call).value for each in (one, other)]
    assert (found, source.asked) == (["t2", "t2"], 2)


@pytest.mark.parametrize(("expires_in", "asked"), [(0.0, 2), (7200.0, 1), (None, 1)])
def test_a_token_is_used_until_it_is_too_old(
    database: Engine, call: Loop, expires_in: float | None, asked: int
) -> None:
    source = Source(expires_in)
    for _ in range(2):
        do(SqlTokenProvider(database, source, name="corp").fetch(nothing), call)
    assert source.asked == asked


def test_a_token_is_forgotten_and_no_other_one(engine: Engine | AsyncEngine, call: Loop) -> None:
    store: TokenStore = SqlTokenStore(engine)
    for name in ("corp", "Corp", "corp "):
        call(store.save(name, StoredToken(name, None, f"of {name}")))
    assert [call(store.forget("corp")) for _ in range(2)] == [True, False]
    kept = [call(store.load(name)) for name in ("corp", "Corp", "corp ")]
    assert kept == [None, StoredToken("Corp", owner="of Corp"), StoredToken("corp ", owner="of corp ")]


def test_a_suite_shares_its_tokens_by_the_store(database: Engine, call: Loop) -> None:
    shared: SharedTokens = SqlTokenStore(database)
    providers = [shared.provider("name", Source()) for _ in range(2)]
    assert [do(each.fetch(nothing), call).value for each in providers] == ["t1", "t1"]
    assert shared.forget("name") is True


def test_a_token_is_sealed_at_rest_and_in_no_repr(database: Engine) -> None:
    store = SqlTokenStore(database, cipher=Backwards())
    store.save("corp", StoredToken("the-token", None))
    assert store.load("corp") == StoredToken("the-token", None)
    assert "the-token" not in dump(database)
    assert repr(StoredToken("the-token", 1.0)) == "StoredToken(usable_until=1.0)"
    assert repr(StoredTokenProvider(Source(), store, name="corp")) == "StoredTokenProvider(name='corp')"


def test_two_clients_ask_wecom_once(database: Engine, zone: Zone) -> None:
    info = zone.client.info()
    before = fetched_tokens(zone)
    for _ in range(2):
        tokens = SqlTokenProvider(database, AppSecret(info["corpid"], info["secret"]), name=info["corpid"])
        with zone.app_client(tokens=tokens, retries=QUICK) as client:
            client.call("chat_digest", {"limit": 1})
    assert fetched_tokens(zone) - before == 1
