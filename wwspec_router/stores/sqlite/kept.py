"""Values that an application keeps, in a SQLite file: their tables and their rules.

`SqliteFile` opens, writes and reads the file. This module knows neither events nor jobs.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec import UNSET
from msgspec.structs import astuple, replace

from wwspec_contracts.errors import JsonError, KeptConflictError, StoreError, StoreFullError
from wwspec_router.stores.capacity import StoreLimits
from wwspec_router.stores.checks import full_of_kept, kept_value_size, no_counts, storable_kept, storable_writes
from wwspec_router.stores.kept import KeptKey, KeptValue, KeptWrite, merged
from wwspec_router.stores.sqlite.file import SqliteFile
from wwspec_router.stores.sqlite.removal import ExpiringRows

VALUES = ExpiringRows("kept", "corpid", "agentid", "space", "name")

KEPT_TABLES: Sequence[str] = (
    """
    CREATE TABLE kept (
        corpid TEXT NOT NULL,
        agentid INTEGER NOT NULL,
        space TEXT NOT NULL,
        name TEXT NOT NULL,
        version TEXT NOT NULL,
        expires REAL,
        size INTEGER NOT NULL,
        text TEXT NOT NULL,
        PRIMARY KEY (corpid, agentid, space, name)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX kept_expires ON kept (expires, size) WHERE expires IS NOT NULL",
    *VALUES.usage,
    VALUES.count_added,
    "CREATE TABLE kept_corps (corpid TEXT PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID",
    """
    CREATE TRIGGER kept_added_to_corp AFTER INSERT ON kept BEGIN
        INSERT INTO kept_corps (corpid, bytes) VALUES (new.corpid, new.size)
            ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
    END
    """,
    """
    CREATE TRIGGER kept_removed_from_corp AFTER DELETE ON kept BEGIN
        UPDATE kept_corps SET bytes = bytes - old.size WHERE corpid = old.corpid;
        DELETE FROM kept_corps WHERE corpid = old.corpid AND bytes = 0;
    END
    """,
)
"""The statements that make the tables; a change of them raises `events.LAYOUT`."""

_READ = """
    SELECT text, version FROM kept
    WHERE corpid = ? AND agentid = ? AND space = ? AND name = ? AND (expires IS NULL OR expires > ?)
"""
_FIND = """
    SELECT iif(expires <= ?, NULL, version), size, text FROM kept
    WHERE corpid = ? AND agentid = ? AND space = ? AND name = ?
"""
_REMOVE = "DELETE FROM kept WHERE corpid = ? AND agentid = ? AND space = ? AND name = ?"
_ADD = """
    INSERT INTO kept (corpid, agentid, space, name, version, expires, size, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_TOTAL = "SELECT bytes FROM kept_usage"
_OF_CORP = "SELECT bytes FROM kept_corps WHERE corpid = ?"


class KeptChange(NamedTuple):
    """What a list of writes comes to."""

    writes: Sequence[KeptWrite] = ()
    """Those that are not made yet."""
    refusal: StoreError | None = None
    """Why none of them may be made."""


_NOTHING = KeptChange()


class SqliteKept:
    """Keeps them in a file that all its processes share. A base of `SqliteStore`.

    Args:
        file: The file.
        limits: Bounds, for all processes together.
        clock: Returns the time in seconds; the processes that share the file need the same clock.
    """

    def __init__(self, file: SqliteFile, limits: StoreLimits, clock: Callable[[], float]) -> None:
        self._file = file
        self._limits = limits
        self._clock = clock

    def read_kept(self, key: KeptKey) -> KeptValue | None:
        """Return a value; see `KeptStore.read_kept`."""
        storable_kept(key)
        rows = self._file.read(_READ, (*astuple(key), self._clock()))
        return KeptValue(*rows[0]) if rows else None

    def write_kept(self, writes: Sequence[KeptWrite]) -> None:
        """Change values; see `KeptStore.write_kept`. They are on the disk when this returns."""
        storable_writes(writes)
        if (refusal := self._file.write(lambda db: self._change_kept(db, writes))) is not None:
            raise refusal

    def _change_kept(self, db: sqlite3.Connection, writes: Sequence[KeptWrite]) -> StoreError | None:
        """Make all changes; or none, and return why."""
        change = self._check_kept(db, writes)
        if change.refusal is None:
            self._make_kept(db, change)
        return change.refusal

    def _check_kept(self, db: sqlite3.Connection, writes: Sequence[KeptWrite]) -> KeptChange:
        """Return what to do for changes; nothing is written but that expired values may be removed."""
        if not writes:  # as mostly
            return _NOTHING
        while True:
            now = self._clock()
            change = self._check_once(db, writes, now)
            if not isinstance(change.refusal, StoreFullError) or not VALUES.remove_expired(db, now):
                return change

    def _check_once(self, db: sqlite3.Connection, writes: Sequence[KeptWrite], now: float) -> KeptChange:
        fresh, grown = [], dict[str, int]()
        for write in writes:
            corpid = write.key.corpid
            version, size, text = db.execute(_FIND, (now, *astuple(write.key))).fetchone() or (None, 0, None)
            if version == write.version:
                continue
            if write.expected is not UNSET and write.expected != version:
                return KeptChange(refusal=KeptConflictError())
            if write.counts is not None:
                try:
                    write = replace(write, text=merged(text if version else None, write.counts, write.most))
                except JsonError:
                    return KeptChange(refusal=no_counts())
            fresh.append(write)
            grown[corpid] = grown.get(corpid, 0) + kept_value_size(write) - size
        bounds = [(sum(grown.values()), self._limits.max_kept_bytes, db.execute(_TOTAL))]
        of_corp = self._limits.max_kept_bytes_of_corp
        bounds += [(more, of_corp, db.execute(_OF_CORP, (corpid,))) for corpid, more in grown.items()]
        fits = all(more <= max(0, most - (found.fetchone() or (0,))[0]) for more, most, found in bounds)
        return KeptChange(fresh, None if fits else full_of_kept(self._limits))

    def _make_kept(self, db: sqlite3.Connection, change: KeptChange) -> None:
        """Make changes that are not refused."""
        for write in change.writes:
            key = astuple(write.key)
            db.execute(_REMOVE, key)
            if write.text is not None:
                expires = None if write.ttl is None else self._clock() + write.ttl
                db.execute(_ADD, (*key, write.version, expires, kept_value_size(write), write.text))
