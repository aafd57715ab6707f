"""The store for one machine: a SQLite file that all its processes share and that outlives a restart.

How the file is opened, written and read is `SqliteFile`'s business, jobs are that of `SqliteJobs`; here are the table
of events and its rules.
"""

import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from wwspec_router.stores.base import StoreFigures, StoreLimits
from wwspec_router.stores.entry import encoded, full, positive, storable_key
from wwspec_router.stores.sqlite_file import SqliteFile
from wwspec_router.stores.sqlite_jobs import JOB_TABLES, SqliteJobs

SCHEMA: Sequence[Sequence[str]] = (
    (
        """
        CREATE TABLE notify (
            corpid TEXT NOT NULL,
            agentid INTEGER NOT NULL,
            notify_id TEXT NOT NULL,
            expires REAL NOT NULL,
            size INTEGER NOT NULL,
            text TEXT NOT NULL,
            PRIMARY KEY (corpid, agentid, notify_id)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX notify_expires ON notify (expires, size)",
        "CREATE TABLE notify_usage (rows INTEGER NOT NULL, bytes INTEGER NOT NULL)",
        "INSERT INTO notify_usage VALUES (0, 0)",
        """
        CREATE TRIGGER notify_added AFTER INSERT ON notify BEGIN
            UPDATE notify_usage SET rows = rows + 1, bytes = bytes + new.size;
        END
        """,
        """
        CREATE TRIGGER notify_replaced AFTER UPDATE ON notify BEGIN
            UPDATE notify_usage SET bytes = bytes + new.size - old.size;
        END
        """,
        """
        CREATE TRIGGER notify_removed AFTER DELETE ON notify BEGIN
            UPDATE notify_usage SET rows = rows - 1, bytes = bytes - old.size;
        END
        """,
    ),
    JOB_TABLES,
    ("DROP TRIGGER notify_added", "DROP TRIGGER notify_replaced"),  # `put` counts: a trigger costs a second journal
    (  # notify_id comes first: it tells rows apart by one comparison, while corpid and agentid are mostly the same
        "DROP TRIGGER notify_removed",
        "DROP INDEX notify_expires",
        "ALTER TABLE notify RENAME TO notify_3",
        """
        CREATE TABLE notify (
            notify_id TEXT NOT NULL,
            corpid TEXT NOT NULL,
            agentid INTEGER NOT NULL,
            expires REAL NOT NULL,
            size INTEGER NOT NULL,
            text TEXT NOT NULL,
            PRIMARY KEY (notify_id, corpid, agentid)
        ) WITHOUT ROWID
        """,
        """
        INSERT INTO notify (notify_id, corpid, agentid, expires, size, text)
        SELECT notify_id, corpid, agentid, expires, size, text FROM notify_3
        """,
        "DROP TABLE notify_3",
        "CREATE INDEX notify_expires ON notify (expires, size)",
        """
        CREATE TRIGGER notify_removed AFTER DELETE ON notify BEGIN
            UPDATE notify_usage SET rows = rows - 1, bytes = bytes - old.size;
        END
        """,
    ),
)
"""The statements of each schema version. A released version is never edited; a change is a new one."""

_PUTS_PER_REMOVAL = 8
"""Expired rows are removed with each how many-th put of a process."""
_REMOVED_AT_ONCE = 64
"""Rows of one removal; more than are put meanwhile, so that the backlog shrinks."""

_COUNT = "UPDATE notify_usage SET rows = rows + 1, bytes = bytes + ? WHERE rows < ? AND bytes <= ?"
_COUNT_OFF = "UPDATE notify_usage SET rows = rows - 1, bytes = bytes - ?"
_ADD = """
    INSERT INTO notify (corpid, agentid, notify_id, expires, size, text) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING
"""
_REMOVE = "DELETE FROM notify WHERE corpid = ? AND agentid = ? AND notify_id = ?"
_GET = "SELECT text FROM notify WHERE corpid = ? AND agentid = ? AND notify_id = ? AND expires > ?"
_REMOVE_EXPIRED = """
    DELETE FROM notify WHERE (corpid, agentid, notify_id) IN (
        SELECT corpid, agentid, notify_id FROM notify WHERE expires <= ? ORDER BY expires LIMIT ?
    )
"""
_USAGE_AFTER_PUT = """
    SELECT usage.rows + (old.size IS NULL), usage.bytes + ? - ifnull(old.size, 0)
    FROM notify_usage AS usage
    LEFT JOIN notify AS old ON old.corpid = ? AND old.agentid = ? AND old.notify_id = ?
"""
_FIGURES = """
    SELECT usage.rows - expired.rows, usage.bytes - expired.bytes
    FROM notify_usage AS usage,
         (SELECT count(*) AS rows, ifnull(sum(size), 0) AS bytes FROM notify WHERE expires <= ?) AS expired
"""


class SqliteStore(SqliteJobs):
    """Keeps entries and jobs in a SQLite file.

    Args:
        path: The file; made, with its directories, when it is missing, and readable by its owner only.
        limits: Bounds in rows, jobs and bytes, for all processes together.
        clock: Gives the time in seconds; the processes that share the file need the same clock.

    Raises:
        StoreError: The file can't be used; the text says why.
    """

    shared = True

    def __init__(
        self, path: str | Path, limits: StoreLimits | None = None, *, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(SqliteFile(Path(path), SCHEMA), limits or StoreLimits(), clock)
        self._puts = 0  # changed by the one thread that writes

    def put(self, corpid: str, agentid: int, notify_id: str, text: str, ttl: float) -> None:
        """Keep `text` for `ttl` seconds; see `NotifyStore.put`. It is on the disk when this returns."""
        size, now = len(encoded("text", text)), self._clock()
        row = (*storable_key(corpid, agentid, notify_id), now + positive("ttl", ttl), size, text)
        if not self._file.write(lambda db: self._put(db, row, size, now)):
            raise full(self._limits)

    def get(self, corpid: str, agentid: int, notify_id: str) -> str | None:
        """Return the text or None; see `NotifyStore.get`."""
        key, now = storable_key(corpid, agentid, notify_id), self._clock()
        rows = self._file.read(_GET, (*key, now))
        text: str | None = rows[0][0] if rows else None
        return text

    def check(self) -> None:
        """See `NotifyStore`."""
        self.figures()

    def figures(self) -> StoreFigures:
        """Return how many live entries there are and how many bytes they hold."""
        now = self._clock()
        [(rows, size)] = self._file.read(_FIGURES, (now,))
        return StoreFigures(rows=rows, bytes=size)

    def close(self) -> None:
        """Wait for what runs, then close the file; further calls raise StoreError."""
        self._file.close()

    def _put(self, db: sqlite3.Connection, row: tuple[str, int, str, float, int, str], size: int, now: float) -> bool:
        """Keep a row; return False when it would pass a bound."""
        self._puts += 1
        if self._puts % _PUTS_PER_REMOVAL == 0:
            db.execute(_REMOVE_EXPIRED, (now, _REMOVED_AT_ONCE))
        if db.execute(_COUNT, (size, self._limits.max_rows, self._limits.max_bytes - size)).rowcount:
            if db.execute(_ADD, row).rowcount:
                return True
            db.execute(_COUNT_OFF, (size,))
        # It replaces another one, or there is no room before something is removed.
        while not self._within_limits(db.execute(_USAGE_AFTER_PUT, (size, *row[:3])).fetchone()):
            if not db.execute(_REMOVE_EXPIRED, (now, _REMOVED_AT_ONCE)).rowcount:
                return False
        db.execute(_REMOVE, row[:3])
        db.execute(_COUNT, (size, self._limits.max_rows, self._limits.max_bytes - size))
        db.execute(_ADD, row)
        return True

    def _within_limits(self, usage: tuple[int, int]) -> bool:
        rows, size = usage
        return rows <= self._limits.max_rows and size <= self._limits.max_bytes
