"""The store of a receiver in a SQLite file, which a restart reads."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from wwspec_router.client.notify.lead import LeadLock
from wwspec_router.client.notify.models import Key, Notification, Pending, Stage
from wwspec_router.errors import ConfigurationError, StoreError, other_layout
from wwspec_router.host.private_files import make_private, restrict_to_owner

if TYPE_CHECKING:
    import sqlite3

T = TypeVar("T")

_LAYOUT = 1
"""The number of the table's layout, in `PRAGMA user_version`. A change of the table, or of what it means, raises it."""
_SCHEMA = """
CREATE TABLE wwspec_notifications (
    position INTEGER PRIMARY KEY, corpid TEXT NOT NULL, notify_id TEXT NOT NULL, notification BLOB NOT NULL,
    stage TEXT NOT NULL, noted REAL NOT NULL, due REAL NOT NULL, attempts INTEGER NOT NULL, event TEXT NOT NULL,
    reason TEXT NOT NULL, UNIQUE (corpid, notify_id))
"""
_INDEX = "CREATE INDEX wwspec_notifications_stage ON wwspec_notifications (stage, position)"
_ADD = """
INSERT INTO wwspec_notifications (corpid, notify_id, notification, stage, noted, due, attempts, event, reason)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1
"""
_PUT = """
UPDATE wwspec_notifications SET stage = ?, noted = ?, due = ?, attempts = ?, event = ?, reason = ?
WHERE corpid = ? AND notify_id = ?
"""
_GET = """
SELECT notification, stage, noted, due, attempts, event, reason FROM wwspec_notifications
WHERE corpid = ? AND notify_id = ?
"""
_DUE = """
SELECT notification, stage, noted, due, attempts, event, reason FROM wwspec_notifications
WHERE stage = ? AND due <= ? ORDER BY position LIMIT ?
"""
_PRUNE = "DELETE FROM wwspec_notifications WHERE stage = ? AND due < ? RETURNING 1"
_FORGET = "DELETE FROM wwspec_notifications WHERE corpid = ? RETURNING 1"
_BUSY_SECONDS = 3.0
"""A write waits so long for another process: the callback must be answered within 5 seconds."""


class SqlitePendingStore:
    """Keeps rows in a SQLite file on a local disk. Several processes of one machine may share it.

    All of them accept callbacks. One of them, which holds a lock on `<file>.lock`, fetches and handles; when it ends,
    even by a crash, another one takes over. Processes that it has forked do not hold the lock.

    Args:
        path: The file, in a folder that is there. It is made when it is missing, and is its owner's only: one that
            others may use is taken from them, and one of another user is refused.
    """

    durable = True

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None
        self._lead: LeadLock | None = None
        self._pid = 0

    def open(self) -> None:
        """Open the file.

        Raises:
            ConfigurationError: It can't be opened, is no SQLite file, belongs to another user or program, has another
                layout, or may be replaced by any user.
        """
        import sqlite3

        if self._connection is not None:
            return
        connection = lead = None
        try:
            self._path.parent.resolve(strict=True)
            path = make_private(self._path)
            for suffix in ("-wal", "-shm"):
                with suppress(FileNotFoundError):
                    restrict_to_owner(Path(f"{path}{suffix}"))
            connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            _has_table(connection, self._path)  # before anything is changed
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA secure_delete = ON")  # what is removed is overwritten, too
            connection.execute("PRAGMA synchronous = FULL")  # an accepted callback survives a power cut
            connection.execute("BEGIN IMMEDIATE")
            if not _has_table(connection, self._path):
                for statement in (_SCHEMA, _INDEX, f"PRAGMA user_version = {_LAYOUT}"):
                    connection.execute(statement)
            connection.execute("COMMIT")
            lead = LeadLock(make_private(path.with_name(f"{path.name}.lock")))
        except (OSError, RuntimeError, sqlite3.Error) as error:
            if connection is not None:
                connection.close()
            reason = error.strerror if isinstance(error, OSError) else error
            raise ConfigurationError(
                f"{self._path} can't keep notifications: {reason}; name a file on a local disk that only this user may "
                "write"
            ) from None
        except ConfigurationError:
            if connection is not None:
                connection.close()
            raise
        self._connection, self._lead, self._pid = connection, lead, os.getpid()

    def close(self) -> None:
        """Close the file, and let another process lead."""
        with self._lock:
            if self._connection is not None and self._lead is not None:
                self._connection.close()
                self._lead.close()
            self._connection, self._lead = None, None

    def lead(self) -> bool:
        """Return whether this process has the lock; see `PendingStore`."""
        with self._lock:
            return self._lead is not None and self._pid == os.getpid() and self._clearly(self._lead.acquire)

    def add(self, row: Pending) -> bool:
        """Store a new row; see `PendingStore`."""
        arguments = (*row.key, msgspec.json.encode(row.notification), *_state(row))
        return bool(self._query(_ADD, arguments))

    def put(self, row: Pending) -> None:
        """Replace a row; see `PendingStore`."""
        self._query(_PUT, (*_state(row), *row.key))

    def get(self, key: Key) -> Pending | None:
        """Return a row; see `PendingStore`."""
        rows = self._query(_GET, key)
        return _pending(*rows[0]) if rows else None

    def due(self, stage: Stage, now: float, limit: int) -> Sequence[Pending]:
        """Return rows that are due; see `PendingStore`."""
        return [_pending(*row) for row in self._query(_DUE, (stage, now, limit))]

    def prune(self, stage: Stage, before: float) -> int:
        """Remove old rows; see `PendingStore`."""
        return len(self._query(_PRUNE, (stage, before)))

    def forget(self, corpid: str) -> int:
        """Remove the rows of a corp; see `PendingStore`.

        Nothing of them is left in the file and in its WAL.

        Raises:
            StoreError: The file can't be written, or the rows are removed and the WAL can't be emptied now.
        """
        removed = len(self._query(_FORGET, (corpid,)))
        [(busy, _, _)] = self._query("PRAGMA wal_checkpoint(TRUNCATE)", ())
        if busy:
            raise StoreError(
                f"{self._path}-wal still has what was removed, since another process reads the file: call forget again"
            )
        return removed

    def _query(self, sql: str, arguments: Sequence[object]) -> list[Any]:
        with self._lock:
            connection = self._connection
            if connection is None:
                raise StoreError(f"{self._path} is not open: start the receiver")
            if self._pid != os.getpid():  # a connection of SQLite does not work over a fork
                raise StoreError(f"{self._path} was opened before a fork: start the receiver in the forked process")
            return self._clearly(lambda: connection.execute(sql, arguments).fetchall())

    def _clearly(self, step: Callable[[], T]) -> T:
        import sqlite3

        try:
            return step()
        except (sqlite3.Error, UnicodeError, OverflowError) as error:
            name = getattr(error, "sqlite_errorname", type(error).__name__)
        raise StoreError(f"{self._path} can't be read or written ({name}): check the disk and who uses the file")


def _has_table(connection: "sqlite3.Connection", path: Path) -> bool:
    """Return whether the file has the table; false for a file that has nothing yet.

    Raises:
        ConfigurationError: It belongs to another program, or has another layout.
    """
    [(number,)] = connection.execute("PRAGMA user_version")
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    if tables and "wwspec_notifications" not in tables:
        raise ConfigurationError(f"{path} belongs to another program: name another file for notifications")
    if tables and number != _LAYOUT:
        raise ConfigurationError(other_layout(str(path), number, _LAYOUT, "name another file, or delete this one"))
    return bool(tables)


def _state(row: Pending) -> tuple[object, ...]:
    return row.stage, row.noted, row.due, row.attempts, row.event, row.reason


def _pending(
    notification: bytes, stage: str, noted: float, due: float, attempts: int, event: str, reason: str
) -> Pending:
    return Pending(
        notification=msgspec.json.decode(notification, type=Notification),
        stage=Stage(stage),
        noted=noted,
        due=due,
        attempts=attempts,
        event=event,
        reason=reason,
    )
