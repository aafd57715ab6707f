"""The store of a receiver in a SQLite file, which a restart reads."""

import os
import secrets
from collections.abc import Collection, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import msgspec

from wwspec_client.notify.models import Key, Pending, Stage, pending_of
from wwspec_client.notify.stores import latest_lease
from wwspec_contracts.errors import ConfigurationError, StoreError, other_layout
from wwspec_contracts.support.private_files import make_private, restrict_to_owner

if TYPE_CHECKING:
    import sqlite3

_LAYOUT = 1
"""The number of the table's layout, in `PRAGMA user_version`. A change of the table, or of what it means, raises it."""
_SCHEMA = """
CREATE TABLE wwspec_notifications (
    position INTEGER PRIMARY KEY, corpid TEXT NOT NULL, notify_id TEXT NOT NULL, notification BLOB NOT NULL,
    stage TEXT NOT NULL, noted REAL NOT NULL, due REAL NOT NULL, attempts INTEGER NOT NULL, event TEXT NOT NULL,
    reason TEXT NOT NULL, holder TEXT NOT NULL, held_until REAL NOT NULL, UNIQUE (corpid, notify_id))
"""
_INDEX = "CREATE INDEX wwspec_notifications_stage ON wwspec_notifications (stage, position)"
_ADD = """
INSERT INTO wwspec_notifications (corpid, notify_id, notification, stage, noted, due, attempts, event, reason,
    holder, held_until)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', 0) ON CONFLICT DO NOTHING RETURNING 1
"""
_PUT = """
UPDATE wwspec_notifications SET stage = ?, noted = ?, due = ?, attempts = ?, event = ?, reason = ?
WHERE corpid = ? AND notify_id = ?
"""
_COLUMNS = "notification, stage, noted, due, attempts, event, reason"
_GET = f"SELECT {_COLUMNS} FROM wwspec_notifications WHERE corpid = ? AND notify_id = ?"  # noqa: S608 - constants
_DUE = f"""
SELECT {_COLUMNS} FROM wwspec_notifications WHERE stage = ? AND due <= ? ORDER BY position LIMIT ?
"""  # noqa: S608 - constants
_FREE = """
SELECT position FROM wwspec_notifications
WHERE stage = ? AND due <= ? AND (held_until <= ? OR held_until > ?) ORDER BY position LIMIT 1
"""
_CLAIM = f"""
UPDATE wwspec_notifications SET holder = ?, held_until = ? WHERE position = ({_FREE}) RETURNING {_COLUMNS}
"""  # noqa: S608 - constants
_RENEW = """
UPDATE wwspec_notifications SET held_until = ? WHERE holder = ? AND (corpid, notify_id) IN (VALUES {})
RETURNING corpid, notify_id
"""
_RELEASE = """
UPDATE wwspec_notifications SET holder = '', held_until = 0 WHERE corpid = ? AND notify_id = ? AND holder = ?
"""
_PRUNE = "DELETE FROM wwspec_notifications WHERE stage = ? AND due < ? RETURNING 1"
_FORGET = "DELETE FROM wwspec_notifications WHERE corpid = ? RETURNING 1"
_BUSY_SECONDS = 3.0
"""A write waits so long for another process: the callback must be answered within 5 seconds."""


class SqlitePendingStore:
    """Keeps rows in a SQLite file on a local disk. Several processes of one machine may share it.

    Each of them accepts callbacks and works on rows. A row that one has claimed is nobody else's until it is released,
    or until the process has not answered for the `lease` of `NotifyPolicy`.

    Args:
        path: The file, in a folder that is there. It is made when it is missing, and is its owner's only: one that
            others may use is taken from them, and one of another user is refused.
    """

    durable = True

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None
        self._pid = 0
        self._holder = ""

    def open(self) -> None:
        """Open the file.

        Raises:
            ConfigurationError: It can't be opened, is no SQLite file, belongs to another user or program, has another
                layout, or may be replaced by any user.
        """
        import sqlite3

        if self._connection is not None:
            return
        try:
            self._path.parent.resolve(strict=True)
            path = make_private(self._path)
            for suffix in ("-wal", "-shm"):
                with suppress(FileNotFoundError):
                    restrict_to_owner(Path(f"{path}{suffix}"))
            connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            with ExitStack() as unless_done:
                unless_done.callback(connection.close)
                self._prepare(connection)
                unless_done.pop_all()
        except (OSError, RuntimeError, sqlite3.Error) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise ConfigurationError(
                f"{self._path} can't keep notifications: {reason}; name a file on a local disk that only this user may "
                "write"
            ) from None
        self._connection, self._pid, self._holder = connection, os.getpid(), secrets.token_hex(16)

    def _prepare(self, connection: "sqlite3.Connection") -> None:
        """Set the connection up, and make the table if there is none.

        Raises:
            ConfigurationError: The file belongs to another program, or has another layout.
        """
        _has_table(connection, self._path)  # before anything is changed
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA secure_delete = ON")  # what is removed is overwritten, too
        connection.execute("BEGIN IMMEDIATE")
        if not _has_table(connection, self._path):
            for statement in (_SCHEMA, _INDEX, f"PRAGMA user_version = {_LAYOUT}"):
                connection.execute(statement)
        connection.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

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
        return pending_of(*rows[0]) if rows else None

    def due(self, stage: Stage, now: float, limit: int) -> Sequence[Pending]:
        """Return rows that are due; see `PendingStore`."""
        return [pending_of(*row) for row in self._query(_DUE, (stage, now, limit))]

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

    def claim(self, stage: Stage, now: float, until: float) -> Pending | None:
        """Return a row that nobody has; see `PendingStore`."""
        free = (stage, now, now, latest_lease(now, until))
        if not self._query(_FREE, free):  # so that a process that has nothing to do locks nobody out
            return None
        rows = self._query(_CLAIM, (self._holder, until, *free), synchronous="NORMAL")
        return pending_of(*rows[0]) if rows else None

    def renew(self, keys: Collection[Key], until: float) -> Collection[Key]:
        """Keep rows for longer; see `PendingStore`."""
        arguments = (until, self._holder, *(part for key in keys for part in key))
        rows = ", ".join(["(?, ?)"] * len(keys))
        return self._query(_RENEW.format(rows), arguments, synchronous="NORMAL") if keys else []

    def release(self, key: Key) -> None:
        """Let others claim a row; see `PendingStore`."""
        self._query(_RELEASE, (*key, self._holder), synchronous="NORMAL")

    def _query(self, sql: str, arguments: Sequence[object], *, synchronous: str = "FULL") -> list[Any]:
        """Run a statement. FULL is for what survives a power cut; who has a row need not."""
        import sqlite3

        with self._lock:
            connection = self._connection
            if connection is None:
                raise StoreError(f"{self._path} is not open: start the receiver")
            if self._pid != os.getpid():  # a connection of SQLite does not work over a fork
                raise StoreError(f"{self._path} was opened before a fork: start the receiver in the forked process")
            try:
                connection.execute(f"PRAGMA synchronous = {synchronous}")
                return connection.execute(sql, arguments).fetchall()
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
