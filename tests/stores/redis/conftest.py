"""A server of Redis that all tests of a module share; each finds it empty."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.support.redis_server import LocalRedis, local_redis
from wwspec_router.stores.redis.events import RedisStore


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRedis]:
    with local_redis(tmp_path_factory.mktemp("redis"), "--appendonly", "no") as server:  # it is never killed
        yield server


@pytest.fixture
def server(running: LocalRedis) -> LocalRedis:
    running.run("FLUSHALL")
    return running


@pytest.fixture
def store(server: LocalRedis) -> Iterator[RedisStore]:
    with closing(RedisStore(server.url)) as opened:
        yield opened
