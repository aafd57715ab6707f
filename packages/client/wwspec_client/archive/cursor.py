"""The cursor of a corp, as an archiver uses it: read in a transaction of its own, written in that of a page."""

from collections.abc import Awaitable, Callable
from functools import partial

from sqlalchemy import Connection

from wwspec_client.cursors import CursorStore, Position
from wwspec_client.sql.cursor import SqlCursor
from wwspec_client.sql.database import Database, insert_new
from wwspec_client.sql.tables import CURSORS


class ArchiveCursor(CursorStore):
    """A row of `wwspec_cursors` that is written only while the archiver may store pages of its corp.

    Args:
        database: The app's.
        name: Of the row.
        check: Raises an error when no page of the corp may be stored.
    """

    same_thread = True

    def __init__(self, database: Database, name: str, check: Callable[[Connection], None]) -> None:
        self._database = database
        self._name = name
        self._check = check

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self._name!r})"

    def load(self) -> Position | None | Awaitable[Position | None]:
        """See `CursorStore`."""
        return self._database.run(self._load)

    def keep(self, before: Position | None, after: Position, *, commit: bool) -> None | Awaitable[None]:
        """See `CursorStore`; always in a transaction of its own."""
        return self._database.run(partial(self.write, before=before, after=after))

    def write(self, connection: Connection, before: Position | None, after: Position) -> None:
        """Store where the pull is now, in the transaction of a page; raises as `keep`, and what the check raises.

        Written before the rows of the page, this locks the row until the transaction ends: another pull waits and does
        nothing, and so does `remove`. What is checked under the lock stays so until then.
        """
        SqlCursor(connection, name=self._name).keep(before, after, commit=False)
        self._check(connection)

    def remove(self, connection: Connection) -> None:
        """Remove the row, and let no page be stored until the transaction has ended.

        Where there is no row, one is inserted first: that waits for a page that inserts it.
        """
        cursor = SqlCursor(connection, name=self._name)
        if not cursor.forget():
            insert_new(connection, CURSORS, {"name": self._name, "covered_until": 0, "pages": 0})
            cursor.forget()

    def _load(self, connection: Connection) -> Position | None:
        found = SqlCursor(connection, name=self._name).load()
        assert not isinstance(found, Awaitable)  # noqa: S101 - the connection is a sync one
        return found
