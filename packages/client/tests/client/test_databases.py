"""`SqlCursor`: the cursor in the app's own database, kept in the transaction of a page's rows: each message once."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, strategies as st
from sqlalchemy import Connection

from tests.client.conftest import QUICK
from tests.client.sql.conftest import with_tables
from tests.support.apps import ROOT
from wwspec_client import MessagePage, ZoneClient
from wwspec_client.sql import SqlCursor
from wwspec_client.stores import CursorMovedError, FileCursor
from wwspec_devtools.testing.zone import Zone

ROWS = "CREATE TABLE IF NOT EXISTS messages (msgid TEXT NOT NULL)"
"""Without a key: a message that comes twice is there twice."""


@pytest.fixture(scope="module")
def module_zone() -> Iterator[Zone]:
    """A zone that lets as many pulls through as tests make."""
    with Zone.in_process(ROOT, messages=20, tokenless_pulls=1_000_000) as zone:
        yield zone


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    with connected(tmp_path / "app.db") as connection:
        yield connection


@contextmanager
def connected(path: Path) -> Iterator[Connection]:
    """Connect to the app's database, which has its tables."""
    with with_tables(f"sqlite:///{path}") as engine, engine.connect() as connection:
        with connection.begin():
            connection.exec_driver_sql(ROWS)
        yield connection


def cursor(connection: Connection) -> SqlCursor:
    return SqlCursor(connection, name="messages")


def insert(connection: Connection, page: MessagePage) -> None:
    connection.exec_driver_sql("INSERT INTO messages VALUES (?)", [(message.msgid,) for message in page])


def committed(connection: Connection, query: str) -> list[Any]:
    """Return what another connection finds."""
    with closing(sqlite3.connect(str(connection.engine.url.database))) as other:
        return [row[0] for row in other.execute(query)]


def stored(connection: Connection) -> list[str]:
    return committed(connection, "SELECT msgid FROM messages ORDER BY rowid")


def kept_pages(connection: Connection) -> int:
    [pages] = committed(connection, "SELECT coalesce(max(pages), 0) FROM wwspec_cursors")
    return int(pages)


def test_rows_and_cursor_are_written_in_one_transaction_of_the_app(app: ZoneClient, connection: Connection) -> None:
    pages = app.messages(cursor(connection), limit=8)
    for page in pages:
        with suppress(ZeroDivisionError), connection.begin():
            insert(connection, page)
            page.keep()
            1 / 0  # noqa: B018 - the app fails before it commits
        assert (stored(connection), kept_pages(connection)) == ([], 0)
        with connection.begin():  # and tries again
            insert(connection, page)
            page.keep()
        break
    assert (len(stored(connection)), kept_pages(connection)) == (8, 1)
    for page in app.messages(cursor(connection), limit=8):
        with connection.begin():
            insert(connection, page)
            page.keep()
    assert len(stored(connection)) == len(set(stored(connection))) == 20


def test_a_page_that_the_app_does_not_keep_is_committed_with_its_rows_when_the_next_one_is_asked_for(
    app: ZoneClient, connection: Connection
) -> None:
    pages = app.messages(cursor(connection), limit=8)
    insert(connection, next(pages))
    assert (stored(connection), kept_pages(connection)) == ([], 0)
    insert(connection, next(pages))
    assert (len(stored(connection)), kept_pages(connection)) == (8, 1)
    connection.rollback()
    for page in app.messages(cursor(connection), limit=8):
        insert(connection, page)
    assert len(stored(connection)) == len(set(stored(connection))) == 20


def test_no_transaction_is_open_while_the_app_waits_for_a_page(app: ZoneClient, connection: Connection) -> None:
    was_open = [connection.in_transaction() for _ in app.messages(cursor(connection), limit=8)]
    assert was_open == [False] * 3
    assert not connection.in_transaction()


def test_of_two_pulls_the_second_one_to_keep_a_page_is_refused_with_its_rows(
    app: ZoneClient, connection: Connection
) -> None:
    """The page is the same, which has the same place for both."""
    moved = "the row 'messages' of wwspec_cursors has been changed .*by another pull"
    with connected(Path(str(connection.engine.url.database))) as other:
        first, second = (next(app.messages(cursor(each), limit=8)) for each in (connection, other))
        with connection.begin():
            insert(connection, first)
            first.keep()
            first.keep()  # twice is the same as once
        with pytest.raises(CursorMovedError, match=moved), other.begin():
            insert(other, second)
            second.keep()
    assert len(stored(connection)) == 8


def test_a_page_whose_transaction_was_rolled_back_unseen_is_not_skipped(
    app: ZoneClient, connection: Connection
) -> None:
    pages = app.messages(cursor(connection), limit=8)
    next(pages).keep()
    connection.rollback()
    page = next(pages)
    with pytest.raises(CursorMovedError, match="rolled back"):
        page.keep()
    connection.rollback()
    assert kept_pages(connection) == 0


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
        with connected(self.folder / "app.db") as connection, self.client() as client:
            step = count()
            for page in client.messages(cursor(connection), limit=limit):
                die(step, crash)
                insert(connection, page)
                die(step, crash)
                if keeps:
                    page.keep()
                    die(step, crash)
                    connection.commit()
                die(step, crash)

    def by_file(self, limit: int, crash: int, *, keeps: bool) -> None:
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
        with connected(Path(folder) / "app.db") as connection:
            assert stored(connection) == everything
        assert list(dict.fromkeys(app.received)) == everything
