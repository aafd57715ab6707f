"""The cursor of a corp, as an archiver uses it: read in a transaction of its own, written in that of a page."""

from collections.abc import Awaitable
from functools import partial

from sqlalchemy import Connection, update

from wwspec_router.client.cursors import CursorMovedError, CursorStore, Position
from wwspec_router.client.sql.cursor import SqlCursor
from wwspec_router.client.sql.database import Database, insert_new
from wwspec_router.client.sql.tables import CURSORS


class ArchiveCursor(CursorStore):
    """A row of `wwspec_cursors` that is there from the first pull on: a corp whose row is removed is stored no more.

    Args:
        database: The app's.
        name: Of the row.
    """

    same_thread = True

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self._name!r})"

    def load(self) -> Position | None | Awaitable[Position | None]:
        """See `CursorStore`."""
        return self._database.run(self._load)

    def keep(self, before: Position | None, after: Position, *, commit: bool) -> None | Awaitable[None]:
        """See `CursorStore`; always in a transaction of its own."""
        return self._database.run(partial(self.write, before=before, after=after))

    def write(self, connection: Connection, before: Position | None, after: Position) -> None:
        """Store where the pull is now, in the transaction of a page; raises as `keep`.

        Written before the rows of the page, this locks the row: another pull waits, and does nothing.
        """
        if before is None:
            there = update(CURSORS).where(CURSORS.c.name == self._name).values(pages=CURSORS.c.pages)
            if connection.execute(there).rowcount != 1:
                raise CursorMovedError(f"the row {self._name!r} of {CURSORS.name}")
        SqlCursor(connection, name=self._name).keep(before, after, commit=False)

    def remove(self, connection: Connection) -> None:
        """Remove the row."""
        SqlCursor(connection, name=self._name).forget()

    def _load(self, connection: Connection) -> Position | None:
        found = SqlCursor(connection, name=self._name).load()
        assert not isinstance(found, Awaitable)  # noqa: S101 - the connection is a sync one
        if found is None:
            unstarted = {"name": self._name, "next_cursor": "", "covered_until": 0, "pages": 0, "pull": ""}
            insert_new(connection, CURSORS, unstarted)
        return found
