"""The cursor of a corp, as an archiver uses it: read in a transaction of its own, written in that of a page."""

from collections.abc import Awaitable
from functools import partial

from sqlalchemy import BigInteger, Column, Connection, String, Table, delete, insert, select, update

from wwspec_router.client.cursors import CursorMovedError, CursorStore, Position
from wwspec_router.client.sql.database import Database
from wwspec_router.client.sql.tables import METADATA

CURSORS = Table(
    "wwspec_cursors",
    METADATA,
    Column("name", String(255), primary_key=True),
    Column("next_cursor", String(255)),
    Column("covered_until", BigInteger, nullable=False),
    Column("pages", BigInteger, nullable=False),
    Column("pull", String(32), nullable=False, default=""),
)
_C = CURSORS.c


class ArchiveCursor(CursorStore):
    """A row of `wwspec_cursors`.

    Args:
        database: The app's.
        name: Of the row.
    """

    same_thread = True

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name

    def load(self) -> Position | None | Awaitable[Position | None]:
        """See `CursorStore`."""
        return self._database.run(self._load)

    def keep(self, before: Position | None, after: Position, *, commit: bool) -> None | Awaitable[None]:
        """See `CursorStore`; always in a transaction of its own."""
        return self._database.run(partial(self.write, before=before, after=after))

    def _load(self, connection: Connection) -> Position | None:
        row = connection.execute(
            select(_C.next_cursor, _C.covered_until, _C.pages, _C.pull).where(_C.name == self._name)
        ).first()
        if row is None:
            connection.execute(insert(CURSORS).values(name=self._name, next_cursor="", covered_until=0, pages=0))
            return None
        return Position(*row) if row.pages else None

    def write(self, connection: Connection, before: Position | None, after: Position) -> None:
        """Store where the pull is now, in the transaction of a page; raises as `keep`."""
        change = (
            update(CURSORS)
            .where(
                _C.name == self._name,
                _C.pages == (before.pages if before else 0),
                _C.pull == (before.pull if before else ""),
            )
            .values(next_cursor=after.cursor, covered_until=after.covered_until, pages=after.pages, pull=after.pull)
        )
        if connection.execute(change).rowcount != 1:
            raise CursorMovedError(f"the row {self._name!r} of wwspec_cursors")

    def remove(self, connection: Connection) -> None:
        """Remove the row."""
        connection.execute(delete(CURSORS).where(_C.name == self._name))
