"""How many statements a call of a store is, and what its errors say."""

import math
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from tests.client.sql.conftest import opened, statements, with_tables
from tests.support.tables import for_each
from wwspec_client import ConfigurationError, Notification
from wwspec_client.sql import SqlCursor, SqlInstallationStore, SqlPendingStore, SqlTokenStore, create_tables
from wwspec_client.stores import (
    CursorError,
    CursorMovedError,
    CursorStoreError,
    Installation,
    Pending,
    Position,
    Stage,
    StoreError,
    Token,
)

ROW = Pending(notification=Notification(corpid="corp", notify_id="n1"), noted=1.0, due=1.0)
FIRST, SECOND = Position("s1", 1_700_000_000, 1, "a"), Position("s2", 1_700_000_060, 2, "a")
PASSWORD = "the-password"  # noqa: S105 - of nothing


def test_each_call_of_a_store_is_one_statement(sync_engine: Engine) -> None:
    pending, installations = SqlPendingStore(sync_engine), SqlInstallationStore(sync_engine)
    installed = Installation(suite_id="suite", corpid="corp", permanent_code="x")
    tokens = SqlTokenStore(sync_engine)
    calls: list[Callable[[], object]] = [
        pending.open,
        lambda: pending.add(ROW),
        lambda: pending.add(ROW),
        lambda: pending.put(ROW),
        lambda: pending.get(ROW.key),
        lambda: pending.due(Stage.NOTED, 2.0, 1),
        lambda: pending.claim(Stage.NOTED, 2.0, 3.0),
        lambda: pending.renew([ROW.key], 4.0),
        lambda: pending.release(ROW.key),
        lambda: pending.prune(Stage.DONE, math.inf),
        lambda: pending.forget("corp"),
        lambda: installations.replace(None, installed),
        lambda: installations.find("suite", "corp"),
        lambda: installations.corps("suite"),
        lambda: installations.replace(installed, None),
        lambda: installations.save_ticket("suite", "t", 1.0),
        lambda: installations.ticket("suite"),
        lambda: tokens.save("corp", Token("t")),
        lambda: tokens.load("corp"),
        lambda: tokens.forget("corp"),
    ]
    counts = []
    for each in calls:
        with statements(sync_engine) as found:
            each()
        counts.append(len(found))
    two_in_mysql = (6, 7)  # a claim and a renewal: its UPDATE returns no rows
    is_mysql = sync_engine.dialect.name == "mysql"
    assert counts == [2 if is_mysql and number in two_in_mysql else 1 for number in range(len(calls))]


def test_a_page_is_one_statement_in_the_transaction_of_the_app_which_may_roll_it_back(sync_engine: Engine) -> None:
    with sync_engine.connect() as connection:
        cursor = SqlCursor(connection, name="corp")
        with statements(sync_engine) as found:
            assert cursor.load() is None
        assert (len(found), connection.in_transaction()) == (1, False)
        with connection.begin() as transaction:
            cursor.keep(None, FIRST, commit=False)
            assert (cursor.load(), connection.in_transaction()) == (FIRST, True)
            transaction.rollback()
        assert cursor.load() is None
        cursor.keep(None, FIRST, commit=True)
        with statements(sync_engine) as found, connection.begin():
            cursor.keep(FIRST, SECOND, commit=False)
        assert len(found) == 1
        assert cursor.load() == SECOND


def test_a_place_is_forgotten_in_the_transaction_of_the_app(sync_engine: Engine) -> None:
    with sync_engine.connect() as connection:
        one, other = (SqlCursor(connection, name=name) for name in ("corp", "other"))
        for each in (one, other):
            each.keep(None, FIRST, commit=True)
        with connection.begin():
            assert [one.forget(), one.forget()] == [True, False]
        assert (one.load(), other.load()) == (None, FIRST)


@pytest.mark.parametrize("at_engine", [True, False])
def test_a_connection_that_commits_each_statement_is_refused(tmp_path: Path, at_engine: bool) -> None:
    url = f"sqlite:///{tmp_path / 'app.db'}"
    with with_tables(url, **({"isolation_level": "AUTOCOMMIT"} if at_engine else {})) as engine:
        each = engine if at_engine else engine.execution_options(isolation_level="AUTOCOMMIT")
        with Session(each) as session:
            cursor = SqlCursor(session, name="corp")
            with pytest.raises(ConfigurationError, match="commits each statement: take one without AUTOCOMMIT"):
                cursor.keep(None, FIRST, commit=False)
            cursor.keep(None, FIRST, commit=True)
            assert cursor.load() == FIRST


@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_at_each_level_of_isolation_the_loser_of_two_pulls_is_told(sync_engine: Engine, level: str) -> None:
    if sync_engine.dialect.name == "sqlite" and level != "SERIALIZABLE":
        level = "SERIALIZABLE"  # its only one
    engine = sync_engine.execution_options(isolation_level=level)
    with sync_engine.connect() as connection:
        SqlCursor(connection, name="corp").keep(None, FIRST, commit=True)
    with engine.connect() as one, engine.connect() as other:
        loser = SqlCursor(other, name="corp")
        with pytest.raises(CursorMovedError), other.begin():
            if (sync_engine.dialect.name, level) != ("mysql", "SERIALIZABLE"):  # where who reads locks
                other.exec_driver_sql("SELECT pages FROM wwspec_cursors").all()  # the app has read before
            SqlCursor(one, name="corp").keep(FIRST, SECOND, commit=True)
            loser.keep(FIRST, Position("s9", 9, 2, "b"), commit=False)
        assert loser.load() == SECOND


def test_a_missing_table_is_named_with_what_makes_it(tmp_path: Path) -> None:
    fix = r"create_tables\(connection\), or run the migration"
    with opened(f"sqlite:///{tmp_path / 'app.db'}") as engine, engine.connect() as connection:
        calls: dict[str, Callable[[], object]] = {
            "wwspec_pending": SqlPendingStore(engine).open,
            "wwspec_installations": lambda: SqlInstallationStore(engine).corps("suite"),
            "wwspec_suite_tickets": lambda: SqlInstallationStore(engine).ticket("suite"),
            "wwspec_tokens": lambda: SqlTokenStore(engine).load("corp"),
            "wwspec_cursors": SqlCursor(connection, name="corp").load,
        }
        for table, each in calls.items():
            with pytest.raises((StoreError, CursorError), match=f"lacks the table {table}.*: .*{fix}") as caught:
                each()
            assert not getattr(caught.value, "retryable", False)


def test_a_row_that_another_transaction_locks_is_an_error_with_its_cause_that_a_repeat_may_end(tmp_path: Path) -> None:
    with with_tables(f"sqlite:///{tmp_path / 'app.db'}", connect_args={"timeout": 0}) as engine:
        with engine.connect() as holder, engine.connect() as connection:
            holder.exec_driver_sql("BEGIN IMMEDIATE")
            text = r"another transaction locks the table .*\(OperationalError SQLITE_BUSY\)"
            with pytest.raises(CursorStoreError, match=text) as caught:
                SqlCursor(connection, name="corp").keep(None, FIRST, commit=False)
    assert caught.value.retryable
    assert isinstance(caught.value.__cause__, OperationalError)


@pytest.mark.parametrize("kind", [Session, Engine.connect])
def test_a_connection_that_the_server_has_ended_is_seen_by_the_app(
    sync_engine: Engine, kind: Callable[[Engine], Any]
) -> None:
    ends = {"postgresql": "SELECT pg_terminate_backend(%s)", "mysql": "KILL %s"}
    if sync_engine.dialect.name not in ends:
        return  # a file has no server
    who = {"postgresql": "SELECT pg_backend_pid()", "mysql": "SELECT CONNECTION_ID()"}[sync_engine.dialect.name]
    with kind(sync_engine) as bound, sync_engine.connect() as other:
        pid = (bound.connection() if kind is Session else bound).exec_driver_sql(who).scalar()
        other.exec_driver_sql(ends[sync_engine.dialect.name], (pid,))
        with pytest.raises(CursorStoreError) as caught:
            SqlCursor(bound, name="corp").keep(None, FIRST, commit=False)
    assert caught.value.retryable
    assert isinstance(caught.value.__cause__, DBAPIError)
    assert caught.value.__cause__.connection_invalidated


@pytest.mark.slow  # a server is started
@pytest.mark.parametrize("code", ["26000", "42P05", "08P01"])
def test_statements_that_a_pooler_mixes_up_are_an_error_that_names_the_option_of_the_engine(
    postgresql: str, code: str
) -> None:
    with opened(postgresql, connect_args={"prepare_threshold": 0}) as engine, engine.connect() as connection:
        create_tables(connection)
        cursor, driver = SqlCursor(connection, name="corp"), connection.connection.driver_connection
        assert driver is not None
        cursor.load()
        prepared = "SELECT name FROM pg_prepared_statements ORDER BY prepare_time DESC LIMIT 1"
        with driver.cursor() as other:  # hidden from psycopg in a block, as what other clients of a pooler do
            name = other.execute(prepared, prepare=False).fetchone()[0]
            if code == "42P05":
                name = f"_pg3_{int(name.removeprefix('_pg3_')) + 1}"
            else:
                other.execute("DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$", prepare=False)
            if code != "26000":
                other.execute(f"DO $$ BEGIN EXECUTE 'PREPARE {name} AS SELECT 1'; END $$", prepare=False)
        with pytest.raises(CursorStoreError, match=f"{code}.*pgbouncer.*prepare_threshold.: None") as caught:
            cursor.keep(None, FIRST, commit=False) if code == "42P05" else cursor.load()
        assert not caught.value.retryable


def test_a_missing_table_of_a_server_is_named_too(sync_engine: Engine) -> None:
    with sync_engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE wwspec_tokens RENAME TO elsewhere")
    try:
        with pytest.raises(StoreError, match="lacks the table wwspec_tokens"):
            SqlTokenStore(sync_engine).load("corp")
    finally:
        with sync_engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO wwspec_tokens")


@pytest.mark.parametrize(
    "url",
    [f"postgresql+psycopg://app:{PASSWORD}@/app?host=/nowhere", f"mysql+pymysql://app:{PASSWORD}@127.0.0.1:1/app"],
)
def test_a_database_that_is_down_is_a_store_error_without_password_and_url(url: str) -> None:
    if url.startswith("postgresql"):
        pytest.importorskip("psycopg", exc_type=ImportError)
    engine = create_engine(url)
    text = r"refuses a statement on wwspec_tokens \(OperationalError.*check that it is up"
    with pytest.raises(StoreError, match=text) as caught:
        SqlTokenStore(engine).load("corp")
    text = "".join(traceback.format_exception(caught.value))
    assert [each for each in (PASSWORD, "nowhere", "127.0.0.1") if each in text] == []


def test_no_value_is_in_an_error(database: Engine) -> None:
    token = Token("the-token\ud800")
    with pytest.raises(StoreError) as caught:
        SqlTokenStore(database).save("corp", token)
    assert "the-token" not in "".join(traceback.format_exception(caught.value))


@for_each([SqlPendingStore, SqlInstallationStore, SqlTokenStore, lambda engine: SqlCursor(engine, name="corp")])
def test_what_is_no_engine_or_connection_is_refused_at_once(make: Callable[[Any], object]) -> None:
    for each in ("sqlite://", sessionmaker()):
        with pytest.raises(ConfigurationError, match=f"of SQLAlchemy.*, not {type(each).__name__}"):
            make(each)


def test_a_name_that_does_not_fit_is_refused(database: Engine) -> None:
    with database.connect() as connection:
        for name in ("", "n" * 256):
            with pytest.raises(ConfigurationError, match="1 to 255 characters"):
                SqlCursor(connection, name=name)


def test_an_operator_who_reads_the_table_sees_texts(sync_engine: Engine) -> None:
    SqlPendingStore(sync_engine).add(ROW)
    with sync_engine.connect() as connection:
        query = "SELECT receiver, corpid, notify_id, stage, holder FROM wwspec_pending"
        assert connection.exec_driver_sql(query).all() == [("notifications", "corp", "n1", "noted", "")]


def test_receivers_that_share_the_table_do_not_see_rows_of_each_other(database: Engine) -> None:
    one, other = (SqlPendingStore(database, receiver=name) for name in ("one", "other"))
    assert (one.add(ROW), other.add(ROW)) == (True, True)
    assert one.forget("corp") == 1
    assert (one.get(ROW.key), other.get(ROW.key)) == (None, ROW)
    assert one.claim(Stage.NOTED, 2.0, 3.0) is None
