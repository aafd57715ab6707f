"""The tables are made once, by any number of processes at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import inspect, text

from tests.client.sql.conftest import opened
from tests.support.sql_servers import DATABASES
from tests.support.waiting import DEADLINE
from wwspec_router.client import Position
from wwspec_router.client.sql import METADATA, SqlCursor, create_tables

AT_ONCE = 4
OLD = (
    "CREATE TABLE wwspec_cursors (name VARCHAR(255) PRIMARY KEY, next_cursor TEXT, covered_until BIGINT, pages BIGINT)"
)
"""As releases before 0.2 have made it."""


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, empty_url: Callable[[str], str]) -> str:
    """The URL of a database without tables."""
    return empty_url(request.param)


def create_at_once(url: str) -> None:
    """Make the tables on several connections at the same moment."""
    turn = Barrier(AT_ONCE)

    def create(_: int) -> None:
        with opened(url) as engine, engine.begin() as connection:
            turn.wait(DEADLINE)
            create_tables(connection)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(create, range(AT_ONCE)))


def test_processes_that_start_at_once_make_all_tables_without_an_error(url: str) -> None:
    for _ in range(5):
        create_at_once(url)
        with opened(url) as engine, engine.begin() as connection:
            assert {*METADATA.tables} == {*inspect(connection).get_table_names()}
            METADATA.drop_all(connection)


def test_a_table_of_an_earlier_release_gets_its_column_and_keeps_its_rows(url: str) -> None:
    with opened(url) as engine, engine.begin() as connection:
        connection.execute(text(OLD))
        connection.execute(text("INSERT INTO wwspec_cursors VALUES ('corp', 's1', 1700000000, 1)"))
    create_at_once(url)
    with opened(url) as engine, engine.connect() as connection:
        cursor = SqlCursor(connection, name="corp")
        assert cursor.load() == Position("s1", 1_700_000_000, 1)
        cursor.keep(Position("s1", 1_700_000_000, 1), Position("s2", 1_700_000_060, 2, "a"), commit=True)
        assert cursor.load() == Position("s2", 1_700_000_060, 2, "a")
