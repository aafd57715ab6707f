"""Calls that run once, in a SQLite file: their table and its rules.

`SqliteFile` opens, writes and reads the file. This module knows neither events nor jobs.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from wwspec_router.stores.capacity import StoreLimits
from wwspec_router.stores.checks import full_of_replies, kept_size, positive, storable_claim, storable_hashes
from wwspec_router.stores.once import KeptReply, OnceClaim, OnceEntry
from wwspec_router.stores.sqlite.file import SqliteFile
from wwspec_router.stores.sqlite.removal import ExpiringRows

REPLIES = ExpiringRows("once", "key", "corp", corp="corp")

ONCE_TABLES: Sequence[str] = (
    """
    CREATE TABLE once (
        key TEXT PRIMARY KEY,
        token TEXT NOT NULL,
        request TEXT NOT NULL,
        expires REAL NOT NULL,
        size INTEGER NOT NULL,
        errcode INTEGER,
        text TEXT,
        corp TEXT NOT NULL,
        process TEXT
    ) WITHOUT ROWID
    """,
    "CREATE INDEX once_expires ON once (expires, size)",
    "CREATE INDEX once_claimed ON once (process) WHERE process IS NOT NULL",
    *REPLIES.usage,
    REPLIES.count_added,
)
"""The statements that make the tables; a change of them raises `events.LAYOUT`. Only a claim has a `process`."""

_FIND = "SELECT token, request, errcode, text FROM once WHERE key = ? AND expires > ?"
_ADD = """
    INSERT INTO once (key, token, request, expires, size, errcode, text, corp, process)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
HOLDING = "SELECT DISTINCT process FROM once WHERE process IS NOT NULL"
"""Finds the processes whose claims hold keys, by index."""
FREE_KEYS = "DELETE FROM once WHERE process = ?"
"""Frees the keys of a process."""
_EXTEND = "UPDATE once SET expires = ? WHERE key = ?"
_REMOVE = "DELETE FROM once WHERE key = ?"
_RELEASE = "DELETE FROM once WHERE key = ? AND token = ? AND errcode IS NULL"
_USAGE = "SELECT rows, bytes FROM once_usage"


class SqliteOnce:
    """Keeps them in a file that all its processes share. A base of `SqliteStore`, which has the file and the clock."""

    _file: SqliteFile
    _limits: StoreLimits
    _clock: Callable[[], float]
    _process: str

    def claim_once(self, claim: OnceClaim, lease: float) -> OnceEntry | None:
        """Take a key; see `OnceStore.claim_once`. If the key is held, this only reads."""
        storable_claim(claim)
        positive("lease", lease)
        entry = _entry(self._file.read(_FIND, (claim.key, self._clock())))
        if entry is None or entry.token == claim.token:
            now = self._clock()
            entry = self._file.write(lambda db: self._claim(db, claim, now, lease), synced=False)
        return None if _is_running(entry, claim) else entry

    def renew_once(self, claims: Sequence[OnceClaim], lease: float) -> set[str]:
        """Extend leases; see `OnceStore.renew_once`."""
        positive("lease", lease)
        for claim in claims:
            storable_claim(claim)
        now = self._clock()

        def renew(db: sqlite3.Connection) -> set[str]:
            return {claim.token for claim in claims if _is_running(self._renew(db, claim, now, lease), claim)}

        return self._file.write(renew, synced=False) if claims else set()

    def keep_once(self, claim: OnceClaim, reply: KeptReply, ttl: float) -> bool:
        """Keep a reply; see `OnceStore.keep_once`. It is on the disk when this returns."""
        storable_claim(claim)
        size, now = kept_size(reply), self._clock()
        positive("ttl", ttl)
        row = (claim.key, claim.token, claim.request, now + ttl, size, reply.errcode, reply.text, claim.corp, None)

        def keep(db: sqlite3.Connection) -> bool:
            entry = _find(db, claim.key, now)
            if entry is not None and entry.token != claim.token:
                return False
            db.execute(_REMOVE, (claim.key,))
            db.execute(_ADD, row)
            return True

        return self._file.write(keep)

    def release_once(self, key: str, token: str) -> None:
        """Free a key; see `OnceStore.release_once`."""
        storable_hashes(key=key, token=token)
        self._file.write(lambda db: db.execute(_RELEASE, (key, token)), synced=False)

    def _claim(self, db: sqlite3.Connection, claim: OnceClaim, now: float, lease: float) -> OnceEntry:
        """Return the entry that holds the key: that of the claim, or one that was added meanwhile.

        Raises:
            StoreFullError: A bound would be exceeded.
        """
        REPLIES.remove_expired(db, now)
        if _find(db, claim.key, now) is None:
            while not self._has_room(db):
                if not REPLIES.remove_expired(db, now):
                    raise full_of_replies(self._limits)
        return self._renew(db, claim, now, lease)

    def _has_room(self, db: sqlite3.Connection) -> bool:
        rows, size = db.execute(_USAGE).fetchone()
        return bool(rows < self._limits.max_once and size < self._limits.max_once_bytes)

    def _renew(self, db: sqlite3.Connection, claim: OnceClaim, now: float, lease: float) -> OnceEntry:
        """Let the claim hold the key for `lease` seconds, unless another entry does; return the entry that holds it."""
        entry = _find(db, claim.key, now)
        if entry is None:
            row = (claim.key, claim.token, claim.request, now + lease, 0, None, None, claim.corp, self._process or None)
            db.execute(_REMOVE, (claim.key,))
            db.execute(_ADD, row)
        elif _is_running(entry, claim):
            db.execute(_EXTEND, (now + lease, claim.key))
        return entry or OnceEntry(token=claim.token, request=claim.request)


def _is_running(entry: OnceEntry, claim: OnceClaim) -> bool:
    return entry.token == claim.token and entry.reply is None


def _find(db: sqlite3.Connection, key: str, now: float) -> OnceEntry | None:
    return _entry(db.execute(_FIND, (key, now)).fetchall())


def _entry(rows: list[Any]) -> OnceEntry | None:
    for token, request, errcode, text in rows:
        reply = None if errcode is None else KeptReply(text=text, errcode=errcode)
        return OnceEntry(token=token, request=request, reply=reply)
    return None
