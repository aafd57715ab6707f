"""Runs a function of a connection on an engine of SQLAlchemy: at once, or as a coroutine on an event loop."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, Executable, Table, case
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    OperationalError,
    SQLAlchemyError,
    TimeoutError as PoolTimeoutError,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from wwspec_client.sql.tables import is_mysql
from wwspec_contracts.errors import ConfigurationError, StoreError

T = TypeVar("T")

ERRORS = (SQLAlchemyError, OSError, UnicodeError, OverflowError)
"""What SQLAlchemy and drivers raise. Their texts may have values, and the password of the URL."""
LATEST = 1e18
"""Stands for an infinite time, which MySQL does not know."""
_ATTEMPTS = 10
_CONFLICTS = ("40001", "40P01", "1213", "1020")
"""A transaction is rolled back because of another one. 1020: the row has changed since it was read, in MariaDB."""
_BUSY = ("SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_LOCKED", "55P03", "1205")
"""Another transaction holds a lock for too long."""
_DUPLICATE = ("1062", "23000")
"""A row of the same key is there, in MySQL."""
_MISSING = ("42P01", "42S02", "1146", "42703", "42S22", "1054")
"""There is no such table, or no such column."""

_UNPREPARED = ("26000", "42P05", "08P01")
"""A prepared statement is missing, is there already, or is another one, in PostgreSQL."""

_POOLER = (
    "a pooler of connections, such as pgbouncer in transaction mode, mixes up prepared statements: "
    'create_engine(url, connect_args={"prepare_threshold": None}) prepares none with psycopg'
)


class Database:
    """An engine, sync or async. Stores are written once, as functions of a sync connection.

    Args:
        engine: Its URL decides the database and the driver.
        table: What the store keeps its rows in; errors name it.

    Raises:
        ConfigurationError: It is not an engine.
    """

    def __init__(self, engine: Engine | AsyncEngine, table: Table) -> None:
        if not isinstance(engine, Engine | AsyncEngine):
            raise ConfigurationError(
                "engine is an Engine or AsyncEngine of SQLAlchemy, as create_engine or create_async_engine make it, "
                f"not {type(engine).__name__}"
            )
        self.engine = engine
        self._table = table

    def run(self, work: Callable[[Connection], T]) -> T | Awaitable[T]:
        """Call a function in a transaction of its own, and commit; on an async engine this returns a coroutine.

        The function is called again when the database has ended the transaction for the sake of another one, or when
        the connection was lost: so doing its work twice is the same as once.

        Args:
            work: The function.

        Raises:
            StoreError: The database refuses. The text has neither values nor the URL.
        """
        if isinstance(self.engine, AsyncEngine):
            return self._run_async(self.engine, work)
        attempts = 1
        while True:
            try:
                with self.engine.begin() as connection:
                    return work(connection)
            except ERRORS as error:
                if attempts == _ATTEMPTS or not _passes(error):
                    raise StoreError(described(error, self._table)) from None
            attempts += 1

    async def _run_async(self, engine: AsyncEngine, work: Callable[[Connection], T]) -> T:
        attempts = 1
        while True:
            try:
                async with engine.begin() as connection:
                    return await connection.run_sync(work)
            except ERRORS as error:
                if attempts == _ATTEMPTS or not _passes(error):
                    raise StoreError(described(error, self._table)) from None
            attempts += 1


def described(error: BaseException, table: Table) -> str:
    """Return what a database has refused, and the fix, without values."""
    cause = getattr(error, "orig", None) or error
    code = _code(error)
    if _is_missing(error):
        return (
            f"the app's database lacks the table {table.name} or a column of it: call "
            "wwspec_client.sql.create_tables(connection), or run the migration that does"
        )
    name = type(cause).__name__ + (f" {code}" if code else "")
    if code in _BUSY:
        return f"another transaction locks the table {table.name} for too long ({name}): roll back, and try again later"
    fix = _POOLER if code in _UNPREPARED else "check that it is up, and its log"
    return f"the app's database refuses a statement on {table.name} ({name}): {fix}"


def advice(error: BaseException) -> str:
    """Return what to change about the engine after an error of a statement of the app; empty when nothing is known."""
    return _POOLER if _code(error) in _UNPREPARED else ""


def is_conflict(error: BaseException) -> bool:
    """Return whether a database has rolled a transaction back because of another one."""
    return _code(error) in _CONFLICTS


def is_passing(error: BaseException) -> bool:
    """Return whether the app may succeed in a new transaction: the connection was lost, or another one has a lock."""
    is_of_server = isinstance(error, OperationalError | PoolTimeoutError | OSError) or _code(error) in _BUSY
    return _passes(error) or (is_of_server and not _is_missing(error) and not advice(error))


def _is_missing(error: BaseException) -> bool:
    """Return whether a table or a column is missing."""
    code, cause = _code(error), getattr(error, "orig", None) or error
    return code in _MISSING or (code == "SQLITE_ERROR" and str(cause).startswith("no such "))


def _passes(error: BaseException) -> bool:
    return is_conflict(error) or (isinstance(error, DBAPIError) and error.connection_invalidated)


def _code(error: BaseException) -> str:
    """Return the number of MySQL, the name of SQLite or the SQLSTATE; empty when there is none."""
    cause = getattr(error, "orig", None) or error
    if cause.args and isinstance(cause.args[0], int):  # MySQL has one SQLSTATE, HY000, for many errors
        return str(cause.args[0])
    names = ("sqlite_errorname", "sqlstate", "pgcode")
    return next((code for name in names if isinstance(code := getattr(cause, name, None), str)), "")


def insert_new(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Store a row; return False, and change nothing, when one of the same key is there."""
    if not is_mysql(connection.dialect):
        new = _insert(connection, table, values).on_conflict_do_nothing().returning(*table.primary_key)
        return connection.execute(new).first() is not None
    try:
        connection.execute(table.insert(), values)
    except IntegrityError as error:  # INSERT IGNORE would ignore more than a known key
        if _code(error) not in _DUPLICATE:
            raise
        return False
    return True


def upsert(
    connection: Connection,
    table: Table,
    values: Mapping[str, Any],
    newer: Callable[[Any, Any], ColumnElement[bool]] | None = None,
) -> Executable:
    """Return the statement that stores a row, in place of the one of the same primary key.

    Args:
        connection: Its database decides how.
        table: The table.
        values: The row.
        newer: Says by the columns of the stored row, and of the new one, whether that replaces it. A row whose columns
            are as those of the stored one does: MySQL asks again for each column, after it has replaced those before.
    """
    keys = [column.name for column in table.primary_key]
    others = [name for name in values if name not in keys]
    if is_mysql(connection.dialect):
        insert = mysql.insert(table).values(**values)
        new: list[tuple[str, Any]] = [(name, insert.inserted[name]) for name in others]
        if newer is not None:
            is_newer = newer(table.c, insert.inserted)
            new = [(name, case((is_newer, value), else_=table.c[name])) for name, value in new]
        return insert.on_duplicate_key_update(new)
    statement = _insert(connection, table, values)
    return statement.on_conflict_do_update(
        index_elements=keys,
        set_={name: statement.excluded[name] for name in others},
        where=newer(table.c, statement.excluded) if newer is not None else None,
    )


def _insert(connection: Connection, table: Table, values: Mapping[str, Any]) -> postgresql.Insert | sqlite.Insert:
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).values(**values)
    return sqlite.insert(table).values(**values)
