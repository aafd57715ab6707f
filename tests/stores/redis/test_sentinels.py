"""The store over three sentinels with a primary and a replica.

How the primary is found is all that differs from a cluster: the pool of connections, the scripts and the wait for
replicas are the same. So the whole suite of stores runs over a cluster, in test_cluster.py, over a single server, and
over Valkey; here run its parts for events and for the journal of jobs.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.stores.redis.groups import CALM, FailoverSuite, GroupStore, answers_again, is_replica
from tests.stores.suites.job_journal import JobJournalSuite
from tests.stores.suites.job_samples import ids, job
from tests.stores.suites.notify_store import NotifyStoreSuite
from tests.stores.suites.rig import in_threads
from tests.support.redis_group import LATE, LocalSentinels, local_sentinels
from tests.support.redis_server import LocalRedis
from tests.support.waiting import wait_until
from wwspec_router.errors import StoreError
from wwspec_router.stores import open_store
from wwspec_router.stores.redis.events import RedisStore


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSentinels]:
    with local_sentinels(tmp_path_factory.mktemp("sentinels"), *CALM, down_after=LATE) as running:
        yield running


@pytest.mark.nightly  # the same cases as over Redis, once more
class TestStoreOverSentinels(GroupStore, NotifyStoreSuite, JobJournalSuite):
    pass


@pytest.mark.slow  # sentinels take seconds to agree
class TestFailoverOfSentinels(FailoverSuite):
    local = staticmethod(local_sentinels)
    names = ("main of the sentinels 127.0.0.1", "failover may be under way")


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
                refused = r"0 of 1 replicas had this within 0\.2 seconds"
                with pytest.raises(StoreError, match=refused):
                    store.put("corp", 1, "without", "text", 1000)
                with pytest.raises(StoreError, match=refused):
                    store.add(job("a"))
                careless.put("corp", 1, "careless", "text", 1000)
                assert store.get("corp", 1, "with") == "text"  # reads and leases wait for none
                assert ids(store.claim("one", 9, 1000)) == ["a"]
            finally:
                replica.thaw()
            wait_until(lambda: answers_again(lambda: store.put("corp", 1, "again", "text", 1000)))


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


def test_sentinels_that_are_all_away_are_an_error_and_one_that_is_away_is_none(
    group: LocalSentinels, primary: LocalRedis
) -> None:
    away = "redis+sentinel://user:secret@127.0.0.1:1,127.0.0.1:2/main?sentinel_password=secret"
    with pytest.raises(StoreError, match="no sentinel can be asked: none can be reached") as caught:
        open_store(away)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None
    with closing(open_store(group.url.replace("//", "//127.0.0.1:1,"))) as store:
        store.put("corp", 1, "id", "text", 100)
