"""`SqlPendingStore` on each database passes the suite for stores of an app's own."""

from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncEngine

from wwspec_client.sql import SqlPendingStore
from wwspec_devtools.testing.stores import SharedPendingStoreSuite


class TestSqlPendingStore(SharedPendingStoreSuite):
    @pytest.fixture
    def open_store(self, engine: Engine | AsyncEngine) -> Callable[[], SqlPendingStore]:
        return partial(SqlPendingStore, engine)
