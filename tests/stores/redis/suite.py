"""The tests of all that a store keeps, over a server with the commands of Redis."""

import pytest

from tests.stores.suites.rig import StoreFactory
from tests.stores.suites.store import StoreSuite
from tests.support.redis_clock import RewindingClock
from tests.support.redis_server import LocalRedis
from wwspec_router.stores import StoreLimits
from wwspec_router.stores.redis.events import RedisStore


class RedisSuite(StoreSuite):
    """What all backends must do, with the fixture `server`."""

    @pytest.fixture
    def clock(self, server: LocalRedis) -> RewindingClock:
        return RewindingClock(server)

    @pytest.fixture
    def store_factory(self, server: LocalRedis) -> StoreFactory:
        def open_empty(limits: StoreLimits) -> RedisStore:
            server.run("FLUSHALL")
            return RedisStore(server.url, limits)

        return open_empty
