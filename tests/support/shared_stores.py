"""Fixtures of stores that several processes share, which conftests import."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.redis_server import local_redis
from wwspec_router.stores import Store, open_store


@pytest.fixture(params=["sqlite", "redis"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:{tmp_path / 'notify.db'}"
    else:
        with local_redis(tmp_path) as server:
            yield server.url


@pytest.fixture
def shared(url: str) -> Iterator[Store]:
    with closing(open_store(url)) as opened:
        yield opened
