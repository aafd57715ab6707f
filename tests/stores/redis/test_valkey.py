"""The store over Valkey, a fork of Redis with the same commands."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.stores.suites.job_samples import ids, job
from tests.stores.suites.rig import StoreFactory
from tests.stores.suites.store import StoreSuite
from tests.support.redis_clock import RewindingClock
from tests.support.redis_server import LocalRedis, local_redis
from wwspec_router.stores import StoreLimits, open_store, risks_of
from wwspec_router.stores.redis.events import RedisStore


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRedis]:
    with local_redis(tmp_path_factory.mktemp("valkey"), program="valkey-server") as server:
        yield server


@pytest.fixture
def server(running: LocalRedis) -> LocalRedis:
    running.run("FLUSHALL")
    return running


@pytest.mark.nightly  # the same hundreds of cases as over Redis, once more
class TestStoreOverValkey(StoreSuite):
    @pytest.fixture
    def clock(self, server: LocalRedis) -> RewindingClock:
        return RewindingClock(server)

    @pytest.fixture
    def store_factory(self, server: LocalRedis) -> StoreFactory:
        def open_empty(limits: StoreLimits) -> RedisStore:
            server.run("FLUSHALL")
            return RedisStore(server.url, limits)

        return open_empty


def test_valkey_keeps_events_and_jobs_and_is_asked_for_its_settings(server: LocalRedis) -> None:
    assert "valkey_version" in server.run("INFO", "server")
    with closing(open_store(server.url)) as store:
        store.put("corp", 1, "id", "text", 100)
        assert store.get("corp", 1, "id") == "text"
        store.add(job("a"))
        assert ids(store.claim("one", 1, 100)) == ["a"]
        assert risks_of(store) == ()
