"""Callbacks until they are handled, in the app's database: any number of machines work on them."""

import secrets
from collections.abc import Awaitable, Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncEngine

from wwspec_client.notify.models import Key, Pending, Stage, pending_of
from wwspec_client.notify.stores import latest_lease
from wwspec_client.sql.database import LATEST, Database, insert_new
from wwspec_client.sql.tables import PENDING
from wwspec_contracts.errors import ConfigurationError

_ROW = PENDING.c["notification", "stage", "noted", "due", "attempts", "event", "reason"]


class SqlPendingStore:
    """Keeps callbacks in the table `wwspec_pending` of the app's database, for all machines that share it.

    Each machine accepts callbacks and works on them. A row that one has claimed is nobody else's until it is released,
    or until the machine has not answered for the `lease` of `NotifyPolicy`.

    Args:
        engine: An engine of SQLAlchemy for SQLite, PostgreSQL, MySQL or MariaDB. With an async one, for
            `AsyncNotifyReceiver`, methods return awaitables.
        receiver: Keeps the rows of receivers apart that share the table. All machines of an app give the same name.

    Raises:
        ConfigurationError: `engine` is not an engine, or the name of the receiver is too long.

    Examples:
        >>> import sqlalchemy
        >>> from wwspec_client.sql import SqlPendingStore, create_tables
        >>> engine = sqlalchemy.create_engine("sqlite:///pending.db")
        >>> with engine.begin() as connection:
        ...     create_tables(connection)
        >>> store = SqlPendingStore(engine)
        >>> store.open()
    """

    durable = True

    def __init__(self, engine: Engine | AsyncEngine, *, receiver: str = "notifications") -> None:
        if not 0 < len(receiver.encode()) <= 64:
            raise ConfigurationError("receiver is a name of 1 to 64 bytes")
        self._database = Database(engine, PENDING)
        self._receiver = receiver
        self._holder = secrets.token_hex(16)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(receiver={self._receiver!r})"

    def open(self) -> None | Awaitable[None]:
        """Check the table; see `PendingStore`.

        Raises:
            StoreError: The table is missing, or the database is not up.
        """
        self._holder = secrets.token_hex(16)  # a forked process is another one
        return self._database.run(lambda connection: connection.execute(select(*_ROW).limit(0)).close())

    def close(self) -> None:
        """Do nothing: the engine is the app's."""

    def add(self, row: Pending) -> bool | Awaitable[bool]:
        """Store a new row; see `PendingStore`."""
        values = {**self._named(row.key), "notification": msgspec.json.encode(row.notification).decode()}
        values |= {**_state(row), "holder": "", "held_until": 0.0}
        return self._database.run(lambda connection: insert_new(connection, PENDING, values))

    def put(self, row: Pending) -> None | Awaitable[None]:
        """Replace a row; see `PendingStore`."""
        statement = update(PENDING).where(self._is(row.key)).values(**_state(row))
        return self._database.run(lambda connection: connection.execute(statement).close())

    def get(self, key: Key) -> Pending | None | Awaitable[Pending | None]:
        """Return a row; see `PendingStore`."""
        query = select(*_ROW).where(self._is(key))
        return self._database.run(lambda connection: _first(connection.execute(query).first()))

    def due(self, stage: Stage, now: float, limit: int) -> Sequence[Pending] | Awaitable[Sequence[Pending]]:
        """Return rows that are due; see `PendingStore`."""
        query = select(*_ROW).where(*self._due(stage, now)).order_by(PENDING.c.position).limit(limit)
        return self._database.run(lambda connection: [pending_of(*row) for row in connection.execute(query)])

    def prune(self, stage: Stage, before: float) -> int | Awaitable[int]:
        """Remove old rows; see `PendingStore`."""
        return self._delete(PENDING.c.stage == stage.value, PENDING.c.due < min(before, LATEST))

    def forget(self, corpid: str) -> int | Awaitable[int]:
        """Remove the rows of a corp; see `PendingStore`."""
        return self._delete(PENDING.c.corpid == corpid)

    def claim(self, stage: Stage, now: float, until: float) -> Pending | None | Awaitable[Pending | None]:
        """Return a row that nobody has; see `PendingStore`."""
        is_over = or_(PENDING.c.held_until <= now, PENDING.c.held_until > latest_lease(now, until))
        is_free = (*self._due(stage, now), is_over)
        free = select(PENDING.c.position).where(*is_free).order_by(PENDING.c.position).limit(1)
        free = free.with_for_update(skip_locked=True)
        claimed = update(PENDING).values(holder=self._holder, held_until=until)

        def work(connection: Connection) -> Pending | None:
            if connection.dialect.update_returning:
                return _first(
                    connection.execute(
                        claimed.where(PENDING.c.position == free.scalar_subquery(), *is_free).returning(*_ROW)
                    ).first()
                )
            row = connection.execute(free.add_columns(*_ROW)).first()
            if row is None:
                return None
            taken = connection.execute(claimed.where(PENDING.c.position == row.position, *is_free))
            return pending_of(*row[1:]) if taken.rowcount == 1 else None

        return self._database.run(work)

    def renew(self, keys: Collection[Key], until: float) -> Collection[Key] | Awaitable[Collection[Key]]:
        """Keep rows for longer; see `PendingStore`."""
        names = (PENDING.c.corpid, PENDING.c.notify_id)
        mine = (PENDING.c.receiver == self._receiver, PENDING.c.holder == self._holder, tuple_(*names).in_(list(keys)))
        renewed = update(PENDING).where(*mine).values(held_until=until)

        def work(connection: Connection) -> Collection[Key]:
            if not keys:
                return []
            if connection.dialect.update_returning:
                rows = connection.execute(renewed.returning(*names)).all()
            else:
                connection.execute(renewed)
                rows = connection.execute(select(*names).where(*mine)).all()
            return [(corpid, notify_id) for corpid, notify_id in rows]

        return self._database.run(work)

    def release(self, key: Key) -> None | Awaitable[None]:
        """Let others claim a row; see `PendingStore`."""
        mine = update(PENDING).where(self._is(key), PENDING.c.holder == self._holder)
        statement = mine.values(holder="", held_until=0.0)
        return self._database.run(lambda connection: connection.execute(statement).close())

    def _delete(self, *where: ColumnElement[bool]) -> int | Awaitable[int]:
        statement = delete(PENDING).where(PENDING.c.receiver == self._receiver, *where)
        return self._database.run(lambda connection: connection.execute(statement).rowcount)

    def _named(self, key: Key) -> dict[str, Any]:
        return {"receiver": self._receiver, "corpid": key[0], "notify_id": key[1]}

    def _is(self, key: Key) -> ColumnElement[bool]:
        corpid, notify_id = key
        return and_(PENDING.c.receiver == self._receiver, PENDING.c.corpid == corpid, PENDING.c.notify_id == notify_id)

    def _due(self, stage: Stage, now: float) -> tuple[ColumnElement[bool], ...]:
        return PENDING.c.receiver == self._receiver, PENDING.c.stage == stage.value, PENDING.c.due <= min(now, LATEST)


def _state(row: Pending) -> dict[str, Any]:
    return {
        "stage": row.stage.value,
        "noted": row.noted,
        "due": row.due,
        "attempts": row.attempts,
        "event": row.event,
        "reason": row.reason.replace("\0", "\N{REPLACEMENT CHARACTER}"),  # which PostgreSQL refuses
    }


def _first(row: Any) -> Pending | None:
    return None if row is None else pending_of(*row)
