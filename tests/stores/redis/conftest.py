"""The server that has the keys, of those that a module runs in its fixture `group`."""

from collections.abc import Iterator

import pytest

from tests.support.redis_group import LocalGroup
from tests.support.redis_server import LocalRedis
from tests.support.waiting import wait_until


@pytest.fixture
def primary(group: LocalGroup) -> LocalRedis:
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
