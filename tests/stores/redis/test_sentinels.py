"""The store over three sentinels with a primary and a replica."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.stores.suites.job_samples import ids, job
from tests.stores.suites.rig import StoreFactory, in_threads, refusal, refused
from tests.stores.suites.store import StoreSuite
from tests.support.redis_clock import RewindingClock
from tests.support.redis_sentinels import LATE, LocalSentinels, local_sentinels
from tests.support.redis_server import LocalRedis
from tests.support.waiting import wait_until
from wwspec_contracts.errors import StoreError
from wwspec_router.stores import StoreLimits, open_store
from wwspec_router.stores.redis.events import RedisStore

CALM = ("--appendfsync", "everysec")
"""Options of servers that a whole suite uses: its hundreds of cases need no disk."""


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSentinels]:
    with local_sentinels(tmp_path_factory.mktemp("sentinels"), *CALM, down_after=LATE) as running:
        yield running


@pytest.fixture
def primary(group: LocalSentinels) -> LocalRedis:
    """A primary with an empty database, and a replica that has all of its data."""
    wait_until(group.is_replicated)
    server = group.primary()
    server.run("FLUSHALL")
    return server


@pytest.fixture
def durable(primary: LocalRedis) -> Iterator[LocalRedis]:
    """The same, while it syncs each write."""
    primary.run("CONFIG", "SET", "appendfsync", "always")
    yield primary
    primary.run("CONFIG", "SET", "appendfsync", "everysec")


@pytest.mark.nightly  # the same hundreds of cases as over Redis, once more; each write waits for the replica
class TestStoreOverSentinels(StoreSuite):
    @pytest.fixture
    def clock(self, primary: LocalRedis) -> RewindingClock:
        return RewindingClock(primary)

    @pytest.fixture
    def store_factory(self, group: LocalSentinels, primary: LocalRedis) -> StoreFactory:
        def open_empty(limits: StoreLimits) -> RedisStore:
            primary.run("FLUSHALL")
            return RedisStore(f"{group.url}?wait=1&wait_timeout=1.5", limits)

        return open_empty


@pytest.mark.slow  # sentinels take seconds to agree
def test_after_a_failover_the_new_primary_is_found_and_has_what_was_acknowledged(tmp_path: Path) -> None:
    with local_sentinels(tmp_path) as group, closing(open_store(f"{group.url}?wait=1")) as store:
        store.put("corp", 1, "before", "text", 1000)
        store.add(job("before"))
        old = group.primary()
        old.kill()
        refusals = refusals_during(lambda: store.put("corp", 1, "during", "text", 1000), group, old)
        assert store.get("corp", 1, "before") == store.get("corp", 1, "during") == "text"
        assert ids(store.claim("one", 9, 1000)) == ["before"]
        assert refusals
        assert all("main of the sentinels 127.0.0.1" in each for each in refusals)
        assert any("failover may be under way" in each for each in refusals)


@pytest.mark.slow  # sentinels take seconds to agree
def test_a_primary_that_hangs_costs_each_connection_one_call_at_most(tmp_path: Path) -> None:
    with local_sentinels(tmp_path) as group, closing(open_store(group.url)) as store:
        store.put("corp", 1, "before", "text", 1000)
        old = group.primary()
        old.freeze()
        try:
            began = time.monotonic()
            assert "did not answer" in refusal(lambda: store.get("corp", 1, "before"))
            wait_until(lambda: not refusal(lambda: store.put("corp", 1, "after", "text", 1000)))
            assert group.primary() is not old
            assert time.monotonic() - began < 20
        finally:
            old.thaw()


@pytest.mark.slow  # sentinels take ten seconds to make a replica of the old primary
def test_a_primary_that_became_a_replica_costs_no_call(tmp_path: Path) -> None:
    with local_sentinels(tmp_path) as group, closing(open_store(group.url)) as store:
        store.add(job("before"))
        store.put("corp", 1, "id", "old", 1000)
        assert in_threads(lambda _: store.get("corp", 1, "id"), 16) == ["old"] * 16
        old = group.primary()
        group.switch()
        wait_until(lambda: group.primary() is not old and is_replica(old))
        store.put("corp", 1, "id", "new", 1000)
        assert in_threads(lambda _: store.get("corp", 1, "id"), 16) == ["new"] * 16
        store.add(job("after"))
        assert ids(store.claim("one", 9, 1000)) == ["before", "after"]


def test_without_a_replica_that_has_it_an_event_is_refused(tmp_path: Path) -> None:
    with local_sentinels(tmp_path) as group:
        waiting = f"{group.url}?wait=1&wait_timeout=0.2"
        with closing(open_store(waiting)) as store, closing(open_store(group.url)) as careless:
            store.put("corp", 1, "with", "text", 1000)
            replica = next(each for each in group.servers if each is not group.primary())
            replica.freeze()
            try:
                for call in (lambda: store.put("corp", 1, "without", "text", 1000), lambda: store.add(job("a"))):
                    assert "0 of 1 replicas had this within 0.2 seconds" in refusal(call)
                careless.put("corp", 1, "careless", "text", 1000)
                assert store.get("corp", 1, "with") == "text"  # reads and leases wait for none
                assert ids(store.claim("one", 9, 1000)) == ["a"]
            finally:
                replica.thaw()
            wait_until(lambda: not refusal(lambda: store.put("corp", 1, "again", "text", 1000)))


def test_a_database_and_a_prefix_are_taken_from_the_url(group: LocalSentinels, primary: LocalRedis) -> None:
    with closing(open_store(f"{group.url}?db=2&prefix=other")) as store:
        store.put("corp", 1, "id", "text", 100)
    with primary.client() as client:
        assert client.dbsize() == 0
        client.select(2)
        assert client.get("{other}:notify:entry:corp:1:id") == b"text"


def test_what_a_failover_may_lose_is_said_in_one_line_each(group: LocalSentinels, durable: LocalRedis) -> None:
    with closing(RedisStore(group.url)) as store:
        assert [each.rpartition(": ")[2] for each in store.risks] == [
            "add wait=1 to the store's URL",
            "set min-replicas-to-write 1 and min-replicas-max-lag 10",
        ]
    with closing(RedisStore(f"{group.url}?wait=1")) as store:
        assert store.risks == ()
    with closing(RedisStore(f"{group.url}?wait=2")) as store:
        assert store.risks == ("wait=2 and 1 replicas are connected, so all is refused: start replicas",)


def test_a_primary_that_no_sentinel_knows_is_an_error_with_those_that_they_know(group: LocalSentinels) -> None:
    with pytest.raises(StoreError, match="know no primary of this name, they know main; check the end of the URL"):
        open_store(group.url.replace("/main", "/other"))


def test_a_server_that_is_no_sentinel_is_an_error_that_says_so(primary: LocalRedis) -> None:
    with pytest.raises(StoreError, match="what answers is no sentinel; the port of sentinels is usually 26379"):
        open_store(f"redis+sentinel://127.0.0.1:{primary.port}/main")


def test_only_sentinels_that_are_all_away_are_an_error(group: LocalSentinels, primary: LocalRedis) -> None:
    away = "redis+sentinel://user:secret@127.0.0.1:1,127.0.0.1:2/main?sentinel_password=secret"
    with refused("no sentinel can be asked: none can be reached"):
        open_store(away)
    with closing(open_store(group.url.replace("//", "//127.0.0.1:1,"))) as store:
        store.put("corp", 1, "id", "text", 100)


def is_replica(server: LocalRedis) -> bool:
    """Tell whether a server is a replica; one that becomes it just now breaks the connection of who asks."""
    from redis import RedisError

    try:
        return bool(server.run("ROLE")[0] == b"slave")
    except RedisError:
        return False


def refusals_during(call: Callable[[], object], group: LocalSentinels, killed: LocalRedis) -> list[str]:
    """Repeat a call until it works, and return the refusals; once another server takes over, start the killed one."""
    refusals: list[str] = []

    def works() -> bool:
        if not killed.runs and group.primary() is not killed:
            group.restart(killed)
        began = time.monotonic()
        said = refusal(call)
        assert time.monotonic() - began < 6
        if said:
            refusals.append(said)
        return not said

    wait_until(works)
    return refusals
