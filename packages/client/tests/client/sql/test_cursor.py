"""`SqlCursor` on each database, through connections and sessions."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlalchemy.orm import Session

from tests.client.sql.conftest import with_each_engine
from wwspec_client.sql import SqlCursor
from wwspec_devtools.testing.stores import CursorStoreSuite
from wwspec_devtools.testing.stores.rig import Loop


@with_each_engine("kind", "connection", "session")
class TestSqlCursor(CursorStoreSuite):
    @pytest.fixture
    def open_cursor(self, engine: Engine | AsyncEngine, kind: str, call: Loop) -> Iterator[Callable[[], SqlCursor]]:
        bound: list[Any] = []

        def open_cursor() -> SqlCursor:
            bound.append(connected(engine, kind, call))
            return SqlCursor(bound[-1], name="corp")

        yield open_cursor
        for each in bound:
            call(each.close())


def connected(engine: Engine | AsyncEngine, kind: str, call: Loop) -> Session | AsyncSession | AsyncConnection | Any:
    if kind == "session":
        return AsyncSession(engine) if isinstance(engine, AsyncEngine) else Session(engine)
    if isinstance(engine, AsyncEngine):
        opening: Any = engine.connect().start()
        return call(opening)
    return engine.connect()
