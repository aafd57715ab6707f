"""`DbCursor` in a real PostgreSQL: what SQLite can't show."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from threading import Barrier
from typing import Any

import pytest

from tests.support.sql_servers import new_database
from tests.support.waiting import DEADLINE
from wwspec_router.client import ConfigurationError, CursorMovedError, DbCursor, Position

pytestmark = [
    pytest.mark.slow,  # a server is made and started
    pytest.mark.filterwarnings("ignore:DbCursor is for sqlite3 only:DeprecationWarning"),
]
FIRST, SECOND = Position("s1", 1_700_000_000, 1, "one"), Position("s2", 1_700_000_060, 2, "one")
OLD = "CREATE TABLE wwspec_cursors (name TEXT PRIMARY KEY, next_cursor TEXT, covered_until BIGINT, pages BIGINT)"
AT_ONCE = 4
Connect = Callable[..., Any]


@pytest.fixture(scope="module")
def url(postgresql: str) -> str:
    """The URL of a database, as psycopg takes it."""
    return new_database(postgresql).replace("+psycopg", "")


@pytest.fixture
def connect(url: str) -> Iterator[Connect]:
    """Makes connections to an empty database."""
    import psycopg  # here, since it does not import where PostgreSQL is not installed

    opened: list[psycopg.Connection[Any]] = []

    def connect(**options: Any) -> psycopg.Connection[Any]:
        opened.append(psycopg.connect(url, **options))
        return opened[-1]

    connect().execute("DROP TABLE IF EXISTS wwspec_cursors").connection.commit()
    yield connect
    for each in opened:
        each.close()


def at_once(connect: Connect, work: Callable[[Any], object]) -> list[object]:
    """Do the same on several connections at the same moment, and return what each gave."""
    turn = Barrier(AT_ONCE)

    def do(connection: Any) -> object:
        turn.wait(DEADLINE)
        return work(connection)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(do, [connect() for _ in range(AT_ONCE)]))


def test_processes_that_start_at_once_make_the_table_and_the_row_without_an_error(connect: Connect) -> None:
    """Row 24: in PostgreSQL all but one fail with a UniqueViolation, though the statement says IF NOT EXISTS."""
    for _ in range(10):
        assert at_once(connect, lambda connection: DbCursor(connection).load()) == [None] * AT_ONCE
        connect().execute("DROP TABLE wwspec_cursors").connection.commit()


def test_processes_that_start_at_once_add_the_column_to_a_table_of_an_earlier_release(connect: Connect) -> None:
    connection = connect()
    connection.execute(OLD)
    connection.execute("INSERT INTO wwspec_cursors VALUES ('messages', 's1', 1700000000, 1)")
    connection.commit()
    found = at_once(connect, lambda each: DbCursor(each).load())
    assert found == [Position("s1", 1_700_000_000, 1)] * AT_ONCE
    assert connection.execute("SELECT pull FROM wwspec_cursors").fetchall() == [("",)]


def test_of_pulls_at_the_same_time_one_keeps_the_page(connect: Connect) -> None:
    """Row 20."""
    DbCursor(connect()).load()

    def keeps(connection: Any) -> bool:
        with suppress(CursorMovedError), closing(connection):
            DbCursor(connection).keep(None, Position("s1", 1_700_000_000, 1, str(id(connection))), commit=True)
            return True
        return False

    assert at_once(connect, keeps).count(True) == 1


def test_a_connection_that_commits_each_statement_is_refused_but_in_a_transaction(connect: Connect) -> None:
    """Row 28."""
    connection = connect(autocommit=True)
    cursors = DbCursor(connection)
    assert cursors.load() is None
    with pytest.raises(ConfigurationError, match=r"commits each statement: use `with connection\.transaction\(\):`"):
        cursors.keep(None, FIRST, commit=False)
    with connection.transaction():
        cursors.keep(None, FIRST, commit=False)
    assert cursors.load() == FIRST
    plain = connect()
    DbCursor(plain).keep(FIRST, SECOND, commit=False)
    plain.commit()
    assert cursors.load() == SECOND
