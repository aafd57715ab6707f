"""The place of a pull in the app's own database, through the app's own transaction."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from msgspec.structs import astuple
from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import Session

from wwspec_client.cursors import CursorError, CursorMovedError, CursorStore, CursorStoreError, Position
from wwspec_client.sql.database import ERRORS, described, insert_new, is_conflict, is_passing
from wwspec_client.sql.tables import CURSORS
from wwspec_contracts.errors import ConfigurationError

T = TypeVar("T")

_COLUMNS = ("next_cursor", "covered_until", "pages", "pull")
"""What a `Position` has, in its order."""
_PLACE = (func.coalesce(CURSORS.c.next_cursor, ""), CURSORS.c.covered_until, CURSORS.c.pages, CURSORS.c.pull)
_UNSTARTED = Position("", 0, 0)
"""What the row of a pull has that has kept nothing."""


class SqlCursor(CursorStore):
    """Stores where a pull ended in the table `wwspec_cursors`: the app gets each message exactly once.

    `page.keep()` writes in the app's transaction and does not commit: the app commits, together with its rows. A page
    that the loop keeps, because the app has not, is committed. The start of a pull leaves no transaction open that the
    app has not begun.

    Two pulls of one name are safe: the second one to keep a page gets a `CursorMovedError`, and rolls its rows back.

    Args:
        connection: A Connection or Session of SQLAlchemy that the app writes its rows with; with `AsyncZoneClient` an
            AsyncConnection or AsyncSession, for which methods return awaitables.
        name: The name of the row. Use one for each corp and app.

    Raises:
        ConfigurationError: It is neither a connection nor a session, or the name is empty or too long. `page.keep()`
            raises it when the connection commits each statement by itself.

    Examples:
        With a `ZoneClient` as `client`:

        >>> import sqlalchemy
        >>> from wwspec_client.sql import SqlCursor, create_tables
        >>> engine = sqlalchemy.create_engine("sqlite:///archive.db")
        >>> with engine.begin() as connection:
        ...     create_tables(connection)
        ...     _ = connection.execute(sqlalchemy.text("CREATE TABLE messages (msgid TEXT PRIMARY KEY)"))
        >>> insert = sqlalchemy.text("INSERT OR IGNORE INTO messages VALUES (:msgid)")
        >>> with engine.connect() as connection:
        ...     for page in client.messages(SqlCursor(connection, name=corpid)):
        ...         with connection.begin():
        ...             _ = connection.execute(insert, [{"msgid": message.msgid} for message in page])
        ...             page.keep()
        >>> with engine.connect() as connection:
        ...     list(client.messages(SqlCursor(connection, name=corpid)))
        []
    """

    same_thread = True

    def __init__(self, connection: Connection | Session | AsyncConnection | AsyncSession, *, name: str) -> None:
        if not isinstance(connection, Connection | Session | AsyncConnection | AsyncSession):
            raise ConfigurationError(
                "SqlCursor takes a Connection, Session, AsyncConnection or AsyncSession of SQLAlchemy, not "
                f"{type(connection).__name__}; the connection of an engine is engine.connect()"
            )
        if not 0 < len(name) <= 255:
            raise ConfigurationError("the name of a SqlCursor has 1 to 255 characters")
        self._connection = connection
        self._name = name

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self._name!r})"

    def load(self) -> Position | None | Awaitable[Position | None]:
        """See `CursorStore`."""
        return self._run(self._load)

    def keep(self, before: Position | None, after: Position, *, commit: bool) -> None | Awaitable[None]:
        """See `CursorStore`."""
        return self._run(lambda bound: self._keep(bound, before or _UNSTARTED, after, commit=commit))

    def forget(self) -> bool | Awaitable[bool]:
        """Remove the row in the app's transaction, which the app commits; return False when there was none.

        Raises:
            CursorStoreError: It can't be removed.
        """
        statement = delete(CURSORS).where(CURSORS.c.name == self._name)
        return self._run(lambda bound: _connection(bound).execute(statement).rowcount == 1)

    def _run(self, work: Callable[[Connection | Session], T]) -> T | Awaitable[T]:
        if isinstance(self._connection, AsyncConnection | AsyncSession):
            return self._run_async(self._connection, work)
        try:
            return work(self._connection)
        except ERRORS as error:
            raise self._clear(error) from error

    async def _run_async(
        self, connection: AsyncConnection | AsyncSession, work: Callable[[Connection | Session], T]
    ) -> T:
        try:
            return await connection.run_sync(work)
        except ERRORS as error:
            raise self._clear(error) from error

    def _load(self, bound: Connection | Session) -> Position | None:
        is_apps = bound.in_transaction()
        place = self._stored(_connection(bound))
        if not is_apps:
            bound.rollback()
        return place if place is not None and place.pages else None

    def _keep(self, bound: Connection | Session, before: Position, after: Position, *, commit: bool) -> None:
        try:
            self._write(bound, before, after, commit=commit)
        except BaseException:
            if commit:  # otherwise the app ends its transaction
                bound.rollback()
            raise

    def _write(self, bound: Connection | Session, before: Position, after: Position, *, commit: bool) -> None:
        connection = _connection(bound)
        if not commit and _commits_each_statement(connection):
            raise ConfigurationError(
                "keep() belongs into a transaction, together with the rows of the page, and this connection commits "
                "each statement: take one without AUTOCOMMIT, or leave it to the loop to keep pages"
            )
        is_before = [column == value for column, value in zip(_PLACE, astuple(before), strict=True)]
        values = dict(zip(_COLUMNS, astuple(after), strict=True))
        kept = connection.execute(update(CURSORS).where(CURSORS.c.name == self._name, *is_before).values(**values))
        if kept.rowcount != 1:
            stored = self._stored(connection)
            row = {"name": self._name, **values}
            is_first = stored is None and before == _UNSTARTED and insert_new(connection, CURSORS, row)
            if stored != after and not is_first:
                raise self._moved()
        if commit:
            bound.commit()

    def _stored(self, connection: Connection) -> Position | None:
        row = connection.execute(select(*_PLACE).where(CURSORS.c.name == self._name)).first()
        return None if row is None else Position(*row)

    def _clear(self, error: BaseException) -> CursorError:
        if is_conflict(error):
            return self._moved()
        return CursorStoreError(described(error, CURSORS), retryable=is_passing(error))

    def _moved(self) -> CursorMovedError:
        return CursorMovedError(f"the row {self._name!r} of {CURSORS.name}")


def _connection(bound: Connection | Session) -> Connection:
    return bound.connection() if isinstance(bound, Session) else bound


def _commits_each_statement(connection: Connection) -> bool:
    level = connection.get_execution_options().get("isolation_level")
    if level is None:  # of create_engine
        level = getattr(connection.dialect, "_on_connect_isolation_level", None)
    return level == "AUTOCOMMIT"
