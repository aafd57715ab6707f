"""`SqlCursor` on each database, through connections and sessions."""

from collections.abc import Callable, Iterator
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlalchemy.orm import Session

from tests.client.sql.conftest import with_each_engine
from tests.support.waiting import DEADLINE
from wwspec_client.sql import SqlCursor
from wwspec_client.sql.tables import TOKENS
from wwspec_client.stores import CursorMovedError, Position
from wwspec_devtools.testing.stores import CursorStoreSuite
from wwspec_devtools.testing.stores.rig import Loop, together


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


@pytest.mark.slow  # 1,000 rounds, each of which waits for both threads
def test_of_two_pulls_one_has_its_rows_and_the_other_is_told(sync_engine: Engine) -> None:
    """The row of a page, here in a table with other columns, is written in the transaction that keeps its place."""
    both = Barrier(2, timeout=DEADLINE)
    losers: list[int] = []

    def pull(number: int) -> list[tuple[int, int]]:
        kept: list[tuple[int, int]] = []
        with sync_engine.connect() as connection:
            cursor = SqlCursor(connection, name="corp")
            for _ in range(1000):
                before: Any = cursor.load()
                pages = (before.pages if before else 0) + 1
                both.wait()
                try:
                    with connection.begin():
                        cursor.keep(before, Position(f"s{pages}", pages, pages, str(number)), commit=False)
                        connection.execute(TOKENS.insert(), {"name": f"{pages}/{number}", "value": str(number)})
                    kept.append((pages, number))
                except CursorMovedError:
                    losers.append(pages)
                both.wait()
        return kept

    kept = sorted(page for each in together(pull, 2) for page in each)
    assert [page for page, _ in kept] == list(range(1, 1000 + 1)), "a page was kept twice, or never"
    assert sorted(losers) == list(range(1, 1000 + 1)), "a loser was not told"
    with sync_engine.connect() as connection:
        names = connection.execute(select(TOKENS.c.name)).scalars().all()
    assert sorted(names) == sorted(f"{pages}/{number}" for pages, number in kept)
