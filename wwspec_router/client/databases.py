"""The cursor of a pull in the app's own database, through its own connection of sqlite3.

Other drivers of PEP 249 work for one more release, with a warning: `SqlCursor` is for them. Then go the paramstyles,
the questions whether a connection commits each statement, and what is tried again because of PostgreSQL.
"""

import re
import sqlite3
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, Protocol

from wwspec_router.backoff import Backoff
from wwspec_router.client.cursors import CursorMovedError, CursorStore, CursorStoreError, Position
from wwspec_router.errors import ConfigurationError

_TABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?")
_PARAMETER = re.compile(r":(\w+)")

_PLACEHOLDERS: Mapping[str, Callable[[int, str], str]] = {
    "qmark": lambda number, name: "?",
    "numeric": lambda number, name: f":{number}",
    "format": lambda number, name: "%s",
    "named": lambda number, name: f":{name}",
    "pyformat": lambda number, name: f"%({name})s",
}
"""How each paramstyle of PEP 249 writes a parameter."""
_BY_NAME = ("named", "pyformat")
_PULL = "pull VARCHAR(32) DEFAULT '' NOT NULL"
"""The column that tables of before 0.2 lack."""
_UNSEEN = Backoff(first=0.01, longest=0.1)
"""The pause before a statement is tried again that another process has done: PostgreSQL refuses it as done already, and
for a moment still says that there is no such table."""
_ATTEMPTS = 5


class _Rows(Protocol):
    """A cursor of PEP 249."""

    @property
    def rowcount(self) -> int: ...

    def execute(self, operation: Any, parameters: Any = ..., /) -> Any: ...

    def fetchone(self) -> Any: ...

    def close(self) -> Any: ...


class DbConnection(Protocol):
    """A connection of PEP 249, such as that of sqlite3, psycopg or PyMySQL."""

    def cursor(self) -> _Rows:
        """Return a cursor."""
        ...

    def commit(self) -> Any:
        """Commit."""
        ...

    def rollback(self) -> Any:
        """Roll back."""
        ...


class DbCursor(CursorStore):
    """Stores where a pull ended in a row of a database of sqlite3: the app gets each message exactly once.

    For other databases, and with SQLAlchemy, use `wwspec_router.client.sql.SqlCursor`, which reads the same table.
    Another driver of PEP 249 works for one more release, with a `DeprecationWarning`.

    `page.keep()` writes through the connection and does not commit: the app commits, together with its rows. This class
    commits in two places: at the start of a pull, after it has read the row; and after a page that the loop keeps
    because the app has not.

    Two pulls of one name are safe: the second one to keep a page gets a `CursorMovedError`, which rolls its rows back.

    Args:
        connection: A connection of PEP 249: the one that the app writes its rows with, on the same thread.
        name: The name of the row. Use one for each corp and app.
        table: The table, as `name` or `schema.name`.
        paramstyle: How the driver writes parameters; None to read it from the driver's module.
        create: Make the table with `ddl` when it is missing.

    Raises:
        ConfigurationError: `table` is not a name, or the paramstyle is not known.

    Examples:
        With a `ZoneClient` as `client`. The rows of a page and its place are stored in one transaction:

        >>> import sqlite3
        >>> from wwspec_router.client import DbCursor
        >>> connection = sqlite3.connect("app.db")
        >>> _ = connection.execute("CREATE TABLE messages (msgid TEXT PRIMARY KEY, send_time INTEGER)")
        >>> for page in client.messages(DbCursor(connection)):
        ...     with connection:
        ...         rows = [(message.msgid, message.send_time) for message in page]
        ...         _ = connection.executemany("INSERT INTO messages VALUES (?, ?)", rows)
        ...         page.keep()
        >>> list(client.messages(DbCursor(connection)))
        []
        >>> connection.close()
    """

    same_thread = True

    def __init__(
        self,
        connection: DbConnection,
        *,
        name: str = "messages",
        table: str = "wwspec_cursors",
        paramstyle: str | None = None,
        create: bool = True,
    ) -> None:
        if not _TABLE.fullmatch(table):
            raise ConfigurationError(f"table is a name of letters, digits and _, as name or schema.name, not {table!r}")
        self._connection = connection
        self._name = name
        self._table = table
        self._style = paramstyle_of(connection) if paramstyle is None else paramstyle
        if self._style not in _PLACEHOLDERS:
            raise ConfigurationError(f"paramstyle is one of {', '.join(_PLACEHOLDERS)}, not {self._style!r}")
        self._create = create
        if not isinstance(connection, sqlite3.Connection):
            warnings.warn(
                f"DbCursor is for sqlite3 only in the release after next; wwspec_router.client.sql.SqlCursor reads its "
                f"rows with {type(connection).__module__.partition('.')[0]} through SQLAlchemy",
                DeprecationWarning,
                stacklevel=2,
            )

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self._name!r}, table={self._table!r})"

    @property
    def ddl(self) -> str:
        """The statement that makes the table, for SQLite, PostgreSQL and MySQL."""
        return (
            f"CREATE TABLE IF NOT EXISTS {self._table} (name VARCHAR(255) NOT NULL PRIMARY KEY, "
            f"next_cursor VARCHAR(255), covered_until BIGINT NOT NULL, pages BIGINT NOT NULL, {_PULL})"
        )

    def load(self) -> Position | None:
        """See `CursorStore`."""
        self._connection.commit()  # the app's rows, which a failing step below would roll back
        if self._create:
            self._ensure("pages", self.ddl)
            self._ensure("pull", self._upgrade)
        elif self._has("pages") and not self._has("pull"):
            raise CursorStoreError(f"the table {self._table} is from an earlier release: execute {self._upgrade}")
        position = self._stored()
        if position is None:
            position = self._insert()
        self._connection.commit()
        return position if position.pages else None

    def keep(self, before: Position | None, after: Position, *, commit: bool) -> None:
        """See `CursorStore`."""
        if not commit and _commits_each_statement(self._connection):
            raise ConfigurationError(
                "keep() belongs into a transaction, together with the rows of the page, and this connection commits "
                f"each statement: {_begin(self._connection)}, or leave it to the loop to keep pages"
            )
        statement = (
            f"UPDATE {self._table} SET next_cursor = :next_cursor, covered_until = :covered_until, pages = :pages, "  # noqa: S608 - the name is checked
            "pull = :pull WHERE name = :name AND pages = :pages_before AND pull = :pull_before"
        )
        values = {"next_cursor": after.cursor, "covered_until": after.covered_until, "pages": after.pages}
        was = {"pages_before": before.pages if before else 0, "pull_before": before.pull if before else ""}
        with closing(self._execute(statement, **values, pull=after.pull, name=self._name, **was)) as rows:
            if rows.rowcount != 1 and self._stored() != after:
                raise CursorMovedError(f"the row {self._name!r} of {self._table}")
        if commit:
            self._connection.commit()

    def _stored(self) -> Position | None:
        query = f"SELECT next_cursor, covered_until, pages, pull FROM {self._table} WHERE name = :name"  # noqa: S608 - see keep
        with closing(self._execute(query, name=self._name)) as rows:
            row = rows.fetchone()
        return Position(row[0] or "", int(row[1]), int(row[2]), row[3] or "") if row else None

    @property
    def _upgrade(self) -> str:
        return f"ALTER TABLE {self._table} ADD COLUMN {_PULL}"

    def _ensure(self, column: str, statement: str) -> None:
        """Execute a statement that adds a column, unless the column is there; another process may do the same now."""
        for attempt in range(1, _ATTEMPTS + 1):
            if self._has(column):
                return
            try:
                self._execute(statement).close()
                self._connection.commit()
                return
            except Exception:  # the class is the driver's
                self._connection.rollback()
                if attempt == _ATTEMPTS and not self._has(column):
                    raise
            time.sleep(_UNSEEN.pause(attempt))

    def _has(self, column: str) -> bool:
        try:
            with closing(self._execute(f"SELECT {column} FROM {self._table} WHERE 1 = 0")) as rows:  # noqa: S608 - see keep
                rows.fetchone()
        except Exception:  # the class is the driver's
            self._connection.rollback()
            return False
        return True

    def _insert(self) -> Position:
        """Make the row, unless another process does at the same time."""
        statement = f"INSERT INTO {self._table} (name, next_cursor, covered_until, pages) VALUES (:name, :empty, 0, 0)"  # noqa: S608 - see keep
        try:
            self._execute(statement, name=self._name, empty="").close()
        except Exception:  # the class is the driver's
            self._connection.rollback()
            position = self._stored()
            if position is None:
                raise
            return position
        return Position("", 0, 0)

    def _execute(self, statement: str, **values: object) -> _Rows:
        """Execute a statement with parameters as `:name`, each once, in the order of the values."""
        names = _PARAMETER.findall(statement)
        written = iter(_PLACEHOLDERS[self._style](number, name) for number, name in enumerate(names, 1))
        text = _PARAMETER.sub(lambda _: next(written), statement)
        rows = self._connection.cursor()
        rows.execute(text, values if self._style in _BY_NAME else [values[name] for name in names])
        return rows


def paramstyle_of(connection: DbConnection) -> str:
    """Return the paramstyle of the driver that a connection comes from.

    Raises:
        ConfigurationError: Its module does not say it.
    """
    for each in type(connection).__mro__:
        name = each.__module__
        while name:
            style = getattr(sys.modules.get(name), "paramstyle", None)
            if isinstance(style, str):
                return style
            name = name.rpartition(".")[0]
    raise ConfigurationError(f"the paramstyle of {type(connection).__qualname__} is not known: give paramstyle=")


def _commits_each_statement(connection: DbConnection) -> bool:
    if isinstance(connection, sqlite3.Connection):
        autocommit = getattr(connection, "autocommit", -1)  # of Python 3.12
        commits = autocommit is True or (autocommit is not False and connection.isolation_level is None)
    else:  # psycopg and MySQL's own driver have an attribute, PyMySQL and mysqlclient a function
        commits = getattr(connection, "autocommit", None) is True
        ask: Callable[[], object] | None = getattr(connection, "get_autocommit", None)
        commits = commits or (ask is not None and ask() is True)
    return commits and not _in_transaction(connection)


def _in_transaction(connection: DbConnection) -> bool:
    """Return whether a transaction was begun; each driver has its own way to say so."""
    state = getattr(connection, "in_transaction", None)  # sqlite3, MySQL's own
    if state is None:
        state = getattr(getattr(connection, "info", None), "transaction_status", None)  # psycopg: 0 outside of one
    if state is None:
        state = getattr(connection, "server_status", 0) & 1  # PyMySQL
    return bool(state)


def _begin(connection: DbConnection) -> str:
    """Return how to begin a transaction."""
    if callable(getattr(connection, "transaction", None)):
        return "use `with connection.transaction():`"
    return "begin one with execute('BEGIN')" if isinstance(connection, sqlite3.Connection) else "turn autocommit off"
