"""`DbCursor`: the cursor in the app's own database, kept in the transaction of a page's rows: each message once."""

import re
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any, Self

import pytest
from hypothesis import given, strategies as st

from tests.client.conftest import QUICK
from tests.support.apps import ROOT
from tests.support.skips import only_where
from wwspec_router.client import (
    CursorMovedError,
    CursorStoreError,
    DbCursor,
    FileCursor,
    MessagePage,
    ZoneClient,
)
from wwspec_router.errors import ConfigurationError
from wwspec_router.testing.zone import Zone

pytestmark = pytest.mark.filterwarnings("ignore:DbCursor is for sqlite3 only:DeprecationWarning")
ROWS = "CREATE TABLE IF NOT EXISTS messages (msgid TEXT NOT NULL)"
"""Without a key: a message that comes twice is there twice."""


@pytest.fixture(scope="module")
def module_zone() -> Iterator[Zone]:
    """A zone that lets as many pulls through as tests make."""
    with Zone.in_process(ROOT, messages=20, tokenless_pulls=1_000_000) as zone:
        yield zone


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """The app's database."""
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(ROWS)
    return path


@pytest.fixture
def connection(database: Path) -> Iterator[sqlite3.Connection]:
    """A connection to it."""
    with closing(sqlite3.connect(database)) as connection:
        yield connection


def insert(connection: sqlite3.Connection, page: MessagePage) -> None:
    connection.executemany("INSERT INTO messages VALUES (?)", [(message.msgid,) for message in page])


def stored(path: Path) -> list[str]:
    """Return the msgids that are in the database."""
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT msgid FROM messages ORDER BY rowid")]


def kept_pages(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT pages FROM wwspec_cursors").fetchone()[0])


def test_rows_and_cursor_are_written_in_one_transaction_of_the_app(
    app: ZoneClient, database: Path, connection: sqlite3.Connection
) -> None:
    pages = app.messages(DbCursor(connection), limit=8)
    for page in pages:
        with suppress(ZeroDivisionError), connection:
            insert(connection, page)
            page.keep()
            1 / 0  # noqa: B018 - the app fails before it commits
        assert (stored(database), kept_pages(database)) == ([], 0)
        with connection:  # and tries again
            insert(connection, page)
            page.keep()
        break
    assert (len(stored(database)), kept_pages(database)) == (8, 1)
    for page in app.messages(DbCursor(connection), limit=8):
        with connection:
            insert(connection, page)
            page.keep()
    assert len(stored(database)) == len(set(stored(database))) == 20


def test_a_page_that_the_app_does_not_keep_is_committed_with_its_rows_when_the_next_one_is_asked_for(
    app: ZoneClient, database: Path, connection: sqlite3.Connection
) -> None:
    pages = app.messages(DbCursor(connection), limit=8)
    insert(connection, next(pages))
    assert (stored(database), kept_pages(database)) == ([], 0)
    insert(connection, next(pages))
    assert (len(stored(database)), kept_pages(database)) == (8, 1)
    connection.rollback()
    for page in app.messages(DbCursor(connection), limit=8):
        insert(connection, page)
    assert len(stored(database)) == len(set(stored(database))) == 20


def test_no_transaction_is_open_while_the_app_waits_for_a_page(app: ZoneClient, connection: sqlite3.Connection) -> None:
    was_open = [connection.in_transaction for _ in app.messages(DbCursor(connection), limit=8)]
    assert was_open == [False] * 3
    assert not connection.in_transaction


def test_of_two_pulls_the_second_one_to_keep_a_page_is_refused_with_its_rows(
    app: ZoneClient, database: Path, connection: sqlite3.Connection
) -> None:
    with closing(sqlite3.connect(database)) as other:
        first, second = (
            next(app.messages(DbCursor(each), limit=limit)) for each, limit in ((connection, 8), (other, 9))
        )
        with connection:
            insert(connection, first)
            first.keep()
        with pytest.raises(CursorMovedError, match="the row 'messages' of wwspec_cursors has been changed"), other:
            insert(other, second)
            second.keep()
    assert len(stored(database)) == 8


def test_of_two_pulls_that_get_the_same_page_one_stores_it(
    app: ZoneClient, database: Path, connection: sqlite3.Connection
) -> None:
    """Row 20: a page behind which there are more has the same place for both."""
    with closing(sqlite3.connect(database)) as other:
        first, second = (next(app.messages(DbCursor(each), limit=8)) for each in (connection, other))
        with connection:
            insert(connection, first)
            first.keep()
            first.keep()  # twice is the same as once
        with pytest.raises(CursorMovedError, match="by another pull"), other:
            insert(other, second)
            second.keep()
    assert len(stored(database)) == 8


OLD = """
CREATE TABLE wwspec_cursors (
    name VARCHAR(255) NOT NULL PRIMARY KEY,
    next_cursor VARCHAR(255),
    covered_until BIGINT NOT NULL,
    pages BIGINT NOT NULL
)
"""
"""The table of earlier releases."""


def test_a_table_of_an_earlier_release_gains_its_column_and_the_pull_goes_on(
    app: ZoneClient, database: Path, connection: sqlite3.Connection
) -> None:
    with connection:
        insert(connection, page := next(app.messages(DbCursor(connection), limit=8)))
        page.keep()
    with connection:
        connection.execute("ALTER TABLE wwspec_cursors RENAME TO newer")
        connection.execute(OLD)
        connection.execute("INSERT INTO wwspec_cursors SELECT name, next_cursor, covered_until, pages FROM newer")
    with pytest.raises(CursorStoreError, match="earlier release: execute ALTER TABLE wwspec_cursors ADD COLUMN pull"):
        next(app.messages(DbCursor(connection, create=False)))
    insert(connection, page)  # what the app has not committed stays
    assert sum(map(len, app.messages(DbCursor(connection)))) == 12
    assert len(stored(database)) == 16


def test_a_page_whose_transaction_was_rolled_back_unseen_is_not_skipped(
    app: ZoneClient, database: Path, connection: sqlite3.Connection
) -> None:
    pages = app.messages(DbCursor(connection), limit=8)
    next(pages).keep()
    connection.rollback()
    page = next(pages)
    with pytest.raises(CursorMovedError, match="rolled back"):
        page.keep()
    connection.rollback()
    assert kept_pages(database) == 0


@pytest.mark.parametrize("options", [{"isolation_level": None}, {"autocommit": True}])
def test_a_connection_that_commits_each_statement_is_refused_before_the_cursor_is_written(
    app: ZoneClient, database: Path, options: dict[str, Any]
) -> None:
    only_where("autocommit" not in options or sys.version_info >= (3, 12), "Python is 3.12 or later")
    with closing(sqlite3.connect(database, **options)) as connection:
        page = next(app.messages(DbCursor(connection)))
        with pytest.raises(ConfigurationError, match=r"commits each statement: begin one with execute\('BEGIN'\)"):
            page.keep()
        assert kept_pages(database) == 0
        connection.execute("BEGIN")
        insert(connection, page)
        page.keep()
        connection.execute("COMMIT")
        assert (len(stored(database)), kept_pages(database)) == (20, 1)
        assert list(app.messages(DbCursor(connection))) == []


def test_each_name_has_a_cursor_of_its_own_and_the_table_may_be_made_by_the_app(
    app: ZoneClient, connection: sqlite3.Connection
) -> None:
    mine = DbCursor(connection, name="corp-1", table="main.cursors", create=False)
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        next(app.messages(mine))
    connection.execute(mine.ddl)
    other = DbCursor(connection, name="corp-2", table="cursors", create=False)
    assert [sum(map(len, app.messages(each))) for each in (mine, other, other)] == [20, 20, 0]
    assert repr(other) == "DbCursor(name='corp-2', table='cursors')"


STYLES: dict[str, Callable[[str], str]] = {
    "qmark": lambda text: text,
    "named": lambda text: text,
    "numeric": lambda text: re.sub(r":\d+", "?", text),
    "format": lambda text: text.replace("%s", "?"),
    "pyformat": lambda text: re.sub(r"%\((\w+)\)s", r":\1", text),
}
"""What makes a statement of a paramstyle one of SQLite."""


class TranslatedCursor(sqlite3.Cursor):
    """Takes statements of another paramstyle."""

    def execute(self, sql: str, parameters: Any = (), /) -> Self:
        assert isinstance(self.connection, TranslatedConnection)
        return super().execute(STYLES[self.connection.style](sql), parameters)


class TranslatedConnection(sqlite3.Connection):
    """A driver of another paramstyle over SQLite."""

    style = "qmark"

    def cursor(self, factory: Any = TranslatedCursor) -> Any:
        return super().cursor(factory)


@pytest.mark.parametrize("style", STYLES)
def test_the_paramstyle_of_any_driver_is_written(app: ZoneClient, database: Path, style: str) -> None:
    with closing(sqlite3.connect(database, factory=TranslatedConnection)) as connection:
        connection.style = style
        for _ in range(2):
            for page in app.messages(DbCursor(connection, paramstyle=style), limit=8):
                with connection:
                    sqlite3.Cursor(connection).executemany(
                        "INSERT INTO messages VALUES (?)", [(m.msgid,) for m in page]
                    )
                    page.keep()
    assert len(stored(database)) == len(set(stored(database))) == 20


class LateCursor(sqlite3.Cursor):
    """Refuses to make a table that another process has just made, while a query does not see it yet."""

    refusals = 2

    def execute(self, sql: str, parameters: Any = (), /) -> Self:
        if sql.startswith("CREATE TABLE") and LateCursor.refusals:
            LateCursor.refusals -= 1
            raise sqlite3.OperationalError('type "wwspec_cursors" already exists')
        return super().execute(sql, parameters)


class LateConnection(sqlite3.Connection):
    """Behaves as PostgreSQL does when several processes start at the same moment."""

    def cursor(self, factory: Any = LateCursor) -> Any:
        return super().cursor(factory)


def test_a_table_that_another_process_has_made_and_that_is_not_seen_yet_is_waited_for(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LateCursor, "refusals", 2)
    with closing(sqlite3.connect(database, factory=LateConnection)) as connection:
        assert DbCursor(connection).load() is None


def test_a_table_that_can_not_be_made_is_the_driver_s_error(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LateCursor, "refusals", 1_000)
    with (
        closing(sqlite3.connect(database, factory=LateConnection)) as connection,
        pytest.raises(sqlite3.OperationalError, match="already exists"),
    ):
        DbCursor(connection).load()


def test_the_paramstyle_is_read_from_the_module_of_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = ModuleType("driver")
    driver.paramstyle = "pyformat"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "driver", driver)
    in_package = type("Connection", (), {"__module__": "driver.connections"})
    derived = type("Connection", (in_package,), {"__module__": "app.database"})
    assert DbCursor(derived())._style == "pyformat"
    with pytest.raises(ConfigurationError, match="the paramstyle of object is not known: give paramstyle="):
        DbCursor(object())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "said"),
    [({"table": "x; DROP TABLE y"}, "table is a name of letters"), ({"paramstyle": "?"}, "paramstyle is one of qmark")],
)
def test_a_table_or_paramstyle_that_can_not_be_is_refused(
    connection: sqlite3.Connection, options: dict[str, str], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        DbCursor(connection, **options)  # type: ignore[arg-type]


class CrashError(Exception):
    """The app dies."""


class App:
    """An app that may die at any step of a page; what it has said and done is in its folder."""

    def __init__(self, zone: Zone, folder: Path) -> None:
        self.zone = zone
        self.folder = folder
        self.received: list[str] = []
        """By the file's way, in the order of handing out."""

    def by_database(self, limit: int, crash: int, *, keeps: bool) -> None:
        """Pull with `DbCursor`."""
        with closing(sqlite3.connect(self.folder / "app.db")) as connection, self.client() as client:
            connection.execute(ROWS)
            step = count()
            for page in client.messages(DbCursor(connection), limit=limit):
                die(step, crash)
                insert(connection, page)
                die(step, crash)
                if keeps:
                    page.keep()
                    die(step, crash)
                    connection.commit()
                die(step, crash)

    def by_file(self, limit: int, crash: int, *, keeps: bool) -> None:
        """Pull with `FileCursor`."""
        with self.client() as client:
            step = count()
            for page in client.messages(FileCursor(self.folder / "cursor"), limit=limit):
                die(step, crash)
                self.received.extend(message.msgid for message in page)
                die(step, crash)
                if keeps:
                    page.keep()
                die(step, crash)

    def client(self) -> ZoneClient:
        return self.zone.app_client(retries=QUICK)


def die(step: Iterator[int], crash: int) -> None:
    if next(step) == crash:
        raise CrashError


PULLS = st.tuples(st.integers(1, 12), st.integers(0, 14), st.booleans())
"""Messages of a page; the step at which the app dies; whether it keeps pages itself."""
HISTORIES = st.lists(st.one_of(st.integers(1, 3), PULLS), max_size=8)
"""Numbers are messages that are said in between."""


@pytest.mark.slow  # histories; the tests above have each crash alone
@given(HISTORIES)
def test_in_every_history_of_crashes_each_message_comes_once_by_database_and_at_least_once_by_file(
    module_zone: Zone, history: list[int | tuple[int, int, bool]]
) -> None:
    zone = module_zone
    zone.client.reset()
    with TemporaryDirectory() as folder:
        app = App(zone, Path(folder))
        for event in history:
            if isinstance(event, int):
                for _ in range(event):
                    zone.client.say("zhangwei", "你好", to=["helan"])
                continue
            limit, crash, keeps = event
            for way in (app.by_database, app.by_file):
                with suppress(CrashError):
                    way(limit, crash, keeps=keeps)
        app.by_database(1000, -1, keeps=True)
        app.by_file(1000, -1, keeps=True)
        with app.client() as client:
            everything = [m.msgid for page in client.messages(FileCursor(Path(folder) / "new")) for m in page]
        assert stored(Path(folder) / "app.db") == everything
        assert list(dict.fromkeys(app.received)) == everything


@pytest.mark.filterwarnings("error::DeprecationWarning")
def test_a_driver_other_than_that_of_sqlite_is_named_with_what_takes_it(connection: sqlite3.Connection) -> None:
    class Other:
        """A connection that is not of sqlite3."""

        cursor, commit, rollback = connection.cursor, connection.commit, connection.rollback

    DbCursor(connection)
    with pytest.warns(
        DeprecationWarning, match=r"^DbCursor is for sqlite3 .*wwspec_router\.client\.sql\.SqlCursor reads"
    ):
        DbCursor(Other(), paramstyle="qmark")
