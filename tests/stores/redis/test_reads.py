"""Fetches of many threads: those that wait at the same time share round trips to the server."""

import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from tests.stores.redis.relay import relay_to
from tests.stores.suites.rig import SETTINGS, in_threads
from tests.support.redis_server import LocalRedis, local_redis
from tests.support.waiting import DEADLINE, wait_until
from wwspec_router.errors import StoreError
from wwspec_router.stores.redis.events import RedisStore

PREFIX = "{zone-program}:"


@pytest.fixture(scope="module", params=["redis-server", "valkey-server"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRedis]:
    with local_redis(tmp_path_factory.mktemp("redis"), program=request.param) as running:
        yield running


@pytest.fixture
def store(server: LocalRedis, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisStore]:
    server.run("FLUSHALL")
    server.run("CONFIG", "RESETSTAT")
    monkeypatch.setattr("wwspec_router.stores.redis.connection.TIMEOUT", DEADLINE)  # the server may hang for some time
    with closing(RedisStore(server.url)) as opened:
        yield opened


@contextmanager
def hanging(server: LocalRedis) -> Iterator[None]:
    server.freeze()
    try:
        yield
    finally:
        server.thaw()


def outcomes(server: LocalRedis, store: RedisStore, names: list[str]) -> list[str | None | StoreError]:
    """Return what threads get that ask for these at the same time, when the server answers none before all have."""
    asking = threading.Semaphore(0)

    def get(name: str) -> str | None | StoreError:
        asking.release()
        try:
            return store.get("corp", 1, name)
        except StoreError as error:
            return error

    with ThreadPoolExecutor(max(len(names), 1)) as pool:
        with hanging(server):
            gets = [pool.submit(get, name) for name in names]
            assert all(asking.acquire(timeout=DEADLINE) for _ in names)
        return [each.result(DEADLINE) for each in gets]


def calls(server: LocalRedis, *commands: str) -> int:
    """Return how often the server ran these."""
    counted = server.run("INFO", "commandstats")
    return sum(counted.get(f"cmdstat_{each}", {"calls": 0})["calls"] for each in commands)


def test_a_hundred_fetches_that_wait_share_few_round_trips(server: LocalRedis, store: RedisStore) -> None:
    for number in range(100):
        store.put("corp", 1, str(number), f"text {number}", 1000)
    names = [str(number) for number in range(100)]
    server.run("CONFIG", "RESETSTAT")
    assert outcomes(server, store, names) == [f"text {number}" for number in range(100)]
    # Four at once, then six batches of 16; some more when threads ask a moment after they said so.
    assert calls(server, "get", "mget") <= 50
    assert calls(server, "mget") >= 1


def test_a_single_caller_waits_for_nobody_and_asks_with_one_get(server: LocalRedis, store: RedisStore) -> None:
    for _ in range(10):
        assert store.get("corp", 1, "id") is None
    assert (calls(server, "get"), calls(server, "mget")) == (10, 0)


@SETTINGS
@given(
    kept=st.dictionaries(st.sampled_from("abcdef"), st.text(max_size=5)),
    asked=st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=40),
)
def test_each_gets_the_value_of_its_own_key_and_none_when_there_is_none(
    server: LocalRedis, store: RedisStore, kept: dict[str, str], asked: list[str]
) -> None:
    server.run("FLUSHALL")
    for name, text in kept.items():
        store.put("corp", 1, name, text, 1000)
    assert outcomes(server, store, asked) == [kept.get(name) for name in asked]


def test_values_of_a_mebibyte_share_a_round_trip(server: LocalRedis, store: RedisStore) -> None:
    texts = {str(number): str(number) * (1 << 20) for number in range(8)}
    for name, text in texts.items():
        store.put("corp", 1, name, text, 1000)
    names = [*texts] * 3
    assert outcomes(server, store, names) == [texts[name] for name in names]


def test_an_error_of_a_shared_round_trip_reaches_each_caller_as_its_own(tmp_path: Path) -> None:
    with local_redis(tmp_path) as server, closing(RedisStore(server.url)) as store:
        asking = threading.Semaphore(0)

        def get(_: int) -> StoreError:
            asking.release()
            with pytest.raises(StoreError, match="can't be reached") as caught:
                store.get("corp", 1, "id")
            return caught.value

        with ThreadPoolExecutor(40) as pool:
            server.freeze()
            gets = [pool.submit(get, number) for number in range(40)]
            assert all(asking.acquire(timeout=DEADLINE) for _ in gets)
            server.kill(signal.SIGKILL)
            errors = [each.result(DEADLINE) for each in gets]
        assert len({id(each) for each in errors}) == 40
        assert all(each.__cause__ is each.__context__ is None for each in errors)
        server.start()
        assert store.get("corp", 1, "id") is None


def test_a_caller_that_waits_while_the_server_hangs_does_not_wait_once_more(
    server: LocalRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wwspec_router.stores.redis.connection.TIMEOUT", 1)
    with relay_to(server.path) as relay, closing(RedisStore(f"redis://{relay.place}/0")) as store:
        relay.questions = 0

        def get() -> str:
            with pytest.raises(StoreError) as caught:
                store.get("corp", 1, "id")
            return str(caught.value)

        with ThreadPoolExecutor(6) as pool, hanging(server):
            first = [pool.submit(get) for _ in range(4)]
            wait_until(lambda: relay.questions == 4)
            late = [pool.submit(get) for _ in range(2)]
            errors = [each.result(DEADLINE) for each in (*first, *late)]
        assert all("did not answer within 1 seconds" in each for each in errors)
        assert relay.questions == 4


def test_connections_that_the_server_closed_cost_no_fetch(server: LocalRedis, store: RedisStore) -> None:
    store.put("corp", 1, "id", "text", 1000)
    for _ in range(5):
        assert outcomes(server, store, ["id"] * 8) == ["text"] * 8  # now several connections are open
        server.run("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        assert in_threads(lambda _: store.get("corp", 1, "id"), 8) == ["text"] * 8


def test_a_user_without_mget_can_fetch(server: LocalRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wwspec_router.stores.redis.connection.TIMEOUT", DEADLINE)
    server.run("FLUSHALL")
    server.run("ACL", "SETUSER", "program", "reset", "on", ">secret", "~*", "+@all", "-mget")
    with closing(RedisStore(f"unix://program:secret@{server.path}")) as store:
        store.put("corp", 1, "id", "text", 1000)
        assert outcomes(server, store, ["id", "other"] * 10) == ["text", None] * 10


def test_a_close_waits_for_fetches_and_later_ones_say_that_the_store_is_closed(
    server: LocalRedis, store: RedisStore
) -> None:
    store.put("corp", 1, "id", "text", 1000)
    begun = threading.Barrier(9)

    def work(_: int) -> bool:
        begun.wait(DEADLINE)
        try:
            while True:
                assert store.get("corp", 1, "id") == "text"
        except StoreError as error:
            return str(error) == "the store is closed"

    def close_or_work(number: int) -> bool:
        if number:
            return work(number)
        begun.wait(DEADLINE)
        store.close()
        return True

    assert all(in_threads(close_or_work, 9))
    wait_until(lambda: len(server.run("CLIENT", "LIST").splitlines()) == 1)
