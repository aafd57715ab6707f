"""The rows of an archiver: when each corp is pulled next, and which machine pulls it now."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import ColumnElement, Connection, and_, case, delete, or_, select, update

from wwspec_client.cursors import CursorMovedError, CursorStore, Position
from wwspec_client.notify.stores import latest_lease
from wwspec_client.sql.cursor import SqlCursor
from wwspec_client.sql.database import LATEST, Database, insert_new, upsert
from wwspec_client.sql.tables import ARCHIVE, CURSORS
from wwspec_contracts.support.printable import printable

AT_ONCE = 0.0
"""The time at which a corp is due that the app wants to be pulled now."""
_C = ARCHIVE.c
_LIVE = _C.forgotten == ""
_NEW = {
    **dict.fromkeys(("token", "holder", "reason", "forgotten"), ""),
    **dict.fromkeys(("token_until", "held_until", "pulled", "complete"), 0.0),
    **dict.fromkeys(("requests", "attempts"), 0),
}


@dataclass(frozen=True)
class Turn:
    """A corp that this archiver may pull now."""

    corpid: str
    requests: int
    token: str = field(repr=False)
    token_until: float
    attempts: int


@dataclass(frozen=True, kw_only=True)
class End:
    """How a pull has ended."""

    due: float
    """Unix time of the next one."""
    is_fixed: bool = False
    """Whether a notification that came meanwhile waits until `due`, too."""
    attempts: int = 0
    reason: str = ""
    pulled: float | None = None
    complete: float | None = None


@dataclass(frozen=True)
class ArchiveStatus:
    """What an archiver knows of a corp. All times are Unix times in seconds; 0 when there was none."""

    corpid: str
    """The corp."""
    due: float
    """When it is pulled next; 0 for at once."""
    pulled: float
    """When the latest pull ended that has not failed."""
    complete: float
    """All that was sent before is stored: the begin of the latest pull that has reached the end."""
    failures: int
    """How many pulls in a row have failed."""
    error: str
    """How the latest one failed; empty when it did not."""
    is_pulled: bool
    """Whether a machine pulls it now."""


def _is_free(now: float, until: float) -> ColumnElement[bool]:
    """Return whether a corp is due and nobody pulls it, or only a machine whose clock is wrong, which has set `due`."""
    return or_(and_(_C.due <= now, _C.held_until <= now), _C.held_until > latest_lease(now, until))


class ArchiveRows:
    """The rows of one archiver, as functions of a connection. Each of them is called in a transaction of its own.

    Args:
        name: Of the archiver.
        holder: Names this object among all that share the rows.
    """

    def __init__(self, name: str, holder: str) -> None:
        self._name = name
        self._holder = holder

    def ask(
        self, connection: Connection, corpid: str, now: float, token: str, token_until: float, *, at_once: bool
    ) -> str:
        """Let a corp be pulled soon; one whose pulls fail keeps its pause, unless it is to be pulled at once.

        Returns:
            The name of the `forget` after which the corp is not pulled; empty when it is.
        """
        waits = (_C.attempts > 0) | (_C.due <= now)
        change = update(ARCHIVE).where(*self._is(corpid), _LIVE).values(requests=_C.requests + 1)
        if at_once:
            change = change.values(due=AT_ONCE, attempts=0)
        else:
            change = change.values(due=case((waits, _C.due), else_=now))
        if token:
            newer = _C.token_until <= token_until
            # MySQL assigns in this order, which is that of the columns
            change = change.values(
                token=case((newer, token), else_=_C.token), token_until=case((newer, token_until), else_=_C.token_until)
            )
        if connection.execute(change).rowcount:
            return ""
        self._insert(connection, corpid, now)
        connection.execute(change)
        return connection.scalar(select(_C.forgotten).where(*self._is(corpid))) or ""

    def list(self, connection: Connection, corpids: Sequence[str], now: float) -> None:
        """Have a row for each of these corps, and none of others that nobody pulls now."""
        found = set(connection.scalars(select(_C.corpid).where(_C.name == self._name)))
        for corpid in set(corpids).difference(found):
            self._insert(connection, corpid, now)
        for corpid in found.difference(corpids):
            connection.execute(delete(ARCHIVE).where(*self._is(corpid), _LIVE, _C.held_until <= now))

    def due(self, connection: Connection, now: float, until: float, limit: int) -> Sequence[str]:
        """Return corps that are due and that nobody pulls; who waits longest comes first."""
        free = (_C.name == self._name, _is_free(now, until))
        return list(connection.scalars(select(_C.corpid).where(*free).order_by(_C.due, _C.corpid).limit(limit)))

    def claim(self, connection: Connection, corpids: Iterable[str], now: float, until: float) -> Sequence[Turn]:
        """Let nobody else pull these corps for a while, and return those that nobody else was quicker with.

        A corp whose machine ends comes behind all others that are due by then.
        """
        is_free = _is_free(now, until)
        claimed = [
            corpid
            for corpid in sorted(corpids)  # in one order on all machines, so that none waits for another in a circle
            if connection.execute(
                update(ARCHIVE)
                .where(*self._is(corpid), is_free)
                .values(holder=self._holder, held_until=until, due=until)
            ).rowcount
        ]
        if not claimed:
            return []
        columns = (_C.corpid, _C.requests, _C.token, _C.token_until, _C.attempts)
        rows = connection.execute(select(*columns).where(_C.name == self._name, _C.corpid.in_(claimed)))
        return [Turn(*row) for row in rows]

    def renew(self, connection: Connection, corpids: Sequence[str], until: float) -> None:
        """Go on to let nobody else pull these corps."""
        mine = (_C.name == self._name, _C.corpid.in_(corpids), _C.holder == self._holder)
        connection.execute(update(ARCHIVE).where(*mine).values(held_until=until))

    def finish(self, connection: Connection, turn: Turn, end: End) -> None:
        """Store how a pull has ended, unless another machine pulls the corp by now."""
        is_due = _C.due != AT_ONCE if end.is_fixed else _C.requests == turn.requests
        due = case((is_due, end.due), else_=_C.due)
        change = update(ARCHIVE).where(*self._is(turn.corpid), _C.holder == self._holder)
        change = change.values(due=due, holder="", held_until=0.0, attempts=end.attempts, reason=end.reason)
        if end.pulled is not None:
            change = change.values(pulled=end.pulled)
        if end.complete is not None:
            change = change.values(complete=end.complete)
        connection.execute(change)

    def check_held(self, connection: Connection, corpid: str) -> None:
        """Check that this archiver may store a page of a corp.

        Raises:
            CursorMovedError: The corp was forgotten, is listed no more, or another machine pulls it.
        """
        held = select(_C.corpid).where(*self._is(corpid), _LIVE, _C.holder == self._holder)
        if connection.execute(held).first() is None:
            raise CursorMovedError(f"the row of corp {printable(corpid)} in {ARCHIVE.name}")

    def forget(self, connection: Connection, corpid: str, forgotten: str) -> None:
        """Put a tombstone in place of what is stored of a corp: nobody pulls it until `revive`."""
        row = {**_NEW, "name": self._name, "corpid": corpid, "due": LATEST, "forgotten": forgotten}
        connection.execute(upsert(connection, ARCHIVE, row))

    def revive(self, connection: Connection, corpid: str, forgotten: str, now: float) -> None:
        """Let a corp be pulled again, unless it was forgotten once more."""
        gone = (*self._is(corpid), _C.forgotten == forgotten)
        connection.execute(update(ARCHIVE).where(*gone).values(forgotten="", due=now))

    def forgotten(self, connection: Connection) -> dict[str, str]:
        """Return the corps that were forgotten, and the name of each `forget`."""
        rows = connection.execute(select(_C.corpid, _C.forgotten).where(_C.name == self._name, _C.forgotten != ""))
        return {row.corpid: row.forgotten for row in rows}

    def status(self, connection: Connection, now: float) -> Sequence[ArchiveStatus]:
        """Return what is known of each corp."""
        columns = (_C.corpid, _C.due, _C.pulled, _C.complete, _C.attempts, _C.reason, _C.held_until > now)
        query = select(*columns).where(_C.name == self._name, _LIVE).order_by(_C.corpid)
        return [ArchiveStatus(*row) for row in connection.execute(query)]

    def _is(self, corpid: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return _C.name == self._name, _C.corpid == corpid

    def _insert(self, connection: Connection, corpid: str, now: float) -> None:
        """Insert the row of a corp, unless another machine has just done so."""
        insert_new(connection, ARCHIVE, {**_NEW, "name": self._name, "corpid": corpid, "due": now})


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
