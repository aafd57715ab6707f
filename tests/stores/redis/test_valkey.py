"""The store over Valkey, a fork of Redis with the same commands."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.stores.redis.suite import RedisSuite
from tests.stores.suites.job_samples import ids, job
from tests.support.redis_server import LocalRedis, local_redis
from wwspec_router.stores import open_store, risks_of


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRedis]:
    with local_redis(tmp_path_factory.mktemp("valkey"), program="valkey-server") as server:
        yield server


@pytest.mark.nightly  # the same hundreds of cases as over Redis, once more
class TestStoreOverValkey(RedisSuite):
    pass


def test_valkey_keeps_events_and_jobs_and_is_asked_for_its_settings(server: LocalRedis) -> None:
    assert "valkey_version" in server.run("INFO", "server")
    with closing(open_store(server.url)) as store:
        store.put("corp", 1, "id", "text", 100)
        assert store.get("corp", 1, "id") == "text"
        store.add(job("a"))
        assert ids(store.claim("one", 1, 100)) == ["a"]
        assert risks_of(store) == ()
