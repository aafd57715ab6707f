"""`SqlCursor` on each database, through connections and sessions."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlalchemy.orm import Session

from wwspec_router.client.sql import SqlCursor
from wwspec_router.testing.stores import CursorStoreSuite
from wwspec_router.testing.stores.rig import Loop


class TestSqlCursor(CursorStoreSuite):
    @pytest.fixture(params=["connection", "session"])
    def open_cursor(
        self, request: pytest.FixtureRequest, engine: Engine | AsyncEngine, call: Loop
    ) -> Iterator[Callable[[], SqlCursor]]:
        bound: list[Any] = []

        def open_cursor() -> SqlCursor:
            bound.append(connected(engine, request.param, call))
            return SqlCursor(bound[-1], name="corp")

        yield open_cursor
        for each in bound:
            call(each.close())


def connected(engine: Engine | AsyncEngine, kind: str, call: Loop) -> Session | AsyncSession | AsyncConnection | Any:
    """Return a connection or a session of the app."""
    if kind == "session":
        return AsyncSession(engine) if isinstance(engine, AsyncEngine) else Session(engine)
    return call(engine.connect().start()) if isinstance(engine, AsyncEngine) else engine.connect()
