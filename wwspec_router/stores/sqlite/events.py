"""The store for one machine: a SQLite file that all its processes share and that outlives a restart, or `memory:`.

`SqliteFile` opens, writes and reads the file; its other tables are those of `SqliteJobs`, `SqliteFailed`, `SqliteOnce`
and `SqliteKept`. This module has the tables of events and their rules, and the clock of all times in the file.

The newest events have a page of their own, and most puts change only that page. An event in its table changes three
pages: of the table, of the index of expiry, and the counters. Each of them is written and synced with the transaction.
So a small event that comes alone first goes to a table of about one page. Its room is counted as if all its events were
as long as the new one. Events that come together share a transaction and its pages. When the page is full, once a
second, and when the file is closed, its events are moved, all in one transaction. After every transaction the counters
and bounds are exact: both tables count, and each event is in one of them.
"""

import contextlib
import logging
import math
import sqlite3
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from wwspec_contracts.errors import StoreError
from wwspec_router.process.names import is_gone, machine_run, this_process
from wwspec_router.stores.base import Forgotten
from wwspec_router.stores.capacity import StoreFigures, StoreLimits
from wwspec_router.stores.checks import Key, encoded, full, new_job_size, positive, storable_key, storable_writes
from wwspec_router.stores.job import Job
from wwspec_router.stores.kept import KeptWrite
from wwspec_router.stores.once import corp_hash
from wwspec_router.stores.sqlite.failed import FAILED_TABLES, JOBS_OF_CORP, SqliteFailed
from wwspec_router.stores.sqlite.file import SqliteFile
from wwspec_router.stores.sqlite.jobs import CLAIMING, FREE_JOBS, JOB_TABLES, unless_refused
from wwspec_router.stores.sqlite.kept import KEPT_TABLES, VALUES
from wwspec_router.stores.sqlite.once import FREE_KEYS, HOLDING, ONCE_TABLES, REPLIES, SqliteOnce
from wwspec_router.stores.sqlite.removal import AT_ONCE, ExpiringRows, Housekeeping

log = logging.getLogger(__name__)

EventRow = tuple[str, int, str, float, int, str]
"""corpid, agentid, notify_id, expires, size, text."""

LAYOUT = 13
"""The number of the tables' layout, in `PRAGMA user_version`. A change of tables, or of what they mean, raises it."""
_EVENTS = ExpiringRows("notify", "corpid", "agentid", "notify_id")

SCHEMA: Sequence[str] = (
    *(
        # notify_id comes first: one comparison of it is enough, while corpid and agentid are mostly the same.
        f"""
        CREATE TABLE {table} (
            notify_id TEXT NOT NULL,
            corpid TEXT NOT NULL,
            agentid INTEGER NOT NULL,
            expires REAL NOT NULL,
            size INTEGER NOT NULL,
            text TEXT NOT NULL,
            PRIMARY KEY (notify_id, corpid, agentid)
        ) WITHOUT ROWID
        """
        for table in ("notify", "notify_new")
    ),
    "CREATE INDEX notify_expires ON notify (expires, size)",
    *_EVENTS.usage,  # `put` counts by itself: a trigger costs a second journal
    "CREATE TABLE clock (machine_run TEXT NOT NULL, epoch REAL NOT NULL)",
    *JOB_TABLES,
    *FAILED_TABLES,
    *ONCE_TABLES,
    *KEPT_TABLES,
)
"""The statements that make the tables of a new file."""

_PUTS_PER_REMOVAL = 8
"""A process removes expired rows with every so many puts."""
_SWEEP_SECONDS = 0.05
"""Longest time that each call of the housekeeping removes expired rows."""

WAL_KEPT = 10.0
"""Seconds after which the WAL is emptied again; all writes wait for that, some 50 ms on a slow disk."""

_PAGE = 4000
"""Bytes that the events in one page of 4,096 may take."""
_LONGEST_IDS = 96
"""Characters of corpid and notify_id together."""
_BESIDE_TEXTS = 32
"""Bytes that an event takes beside its text and ids, at most."""
_LARGEST_NEWEST = 760
"""Most bytes of text: from 1,002 bytes on, SQLite puts a part of a row into further pages."""

_ADD_NEWEST = """
    INSERT OR IGNORE INTO notify_new (corpid, agentid, notify_id, expires, size, text) VALUES (?, ?, ?, ?, ?, (
        SELECT ? FROM notify_usage, (SELECT count(*) AS waiting FROM notify_new)
        WHERE waiting < ? AND rows + waiting < ? AND bytes + waiting * ? <= ?
            AND NOT EXISTS (SELECT 1 FROM notify WHERE corpid = ? AND agentid = ? AND notify_id = ?)
    ))
"""
"""Adds nothing when there is no room: then the text is NULL, which the table refuses.

It counts the newest events, which is quick, and does not add up their sizes; near the bound in bytes they are moved
before this runs.
"""
_MOVE_NEWEST = (
    """
    INSERT INTO notify (notify_id, corpid, agentid, expires, size, text)
    SELECT notify_id, corpid, agentid, expires, size, text FROM notify_new
    """,
    """
    UPDATE notify_usage SET rows = notify_usage.rows + new.rows, bytes = notify_usage.bytes + new.bytes
    FROM (SELECT count(*) AS rows, ifnull(sum(size), 0) AS bytes FROM notify_new) AS new
    """,
    "DELETE FROM notify_new",
)

_ANY_NEWEST = "SELECT 1 FROM notify_new LIMIT 1"
"""Returns a row when there is something to move."""

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_SMALLEST_JUMP = 2.0
"""When a clock moves by so many seconds within about a second, somebody set it: time servers change its speed by less
than a thousandth."""

_COUNT = """
    UPDATE notify_usage SET rows = rows + 1, bytes = bytes + ?
    WHERE rows < ? AND bytes <= ? AND NOT EXISTS (SELECT 1 FROM notify_new)
"""
_COUNT_OFF = "UPDATE notify_usage SET rows = rows - 1, bytes = bytes - ?"
_ADD = """
    INSERT INTO notify (corpid, agentid, notify_id, expires, size, text) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING
"""
_REMOVE = "DELETE FROM notify WHERE corpid = ? AND agentid = ? AND notify_id = ?"
_GET = """
    SELECT text, NULL FROM notify WHERE corpid = ? AND agentid = ? AND notify_id = ? AND expires > ?
    UNION ALL
    SELECT text, NULL FROM notify_new WHERE corpid = ? AND agentid = ? AND notify_id = ? AND expires > ?
    {}LIMIT 1
"""
_FETCH = _GET.format(
    """
    UNION ALL SELECT data, job_id FROM job_texts JOIN jobs USING (serial)
    WHERE corpid = ? AND agentid = ? AND notify_id = ? AND ability_id >= 'notify:' AND ability_id < 'notify;'
    """
)
_GET = _GET.format("")
_FIND_FETCHED = "SELECT serial, notify_id, data FROM jobs JOIN job_texts USING (serial) WHERE job_id = ?"
_END_NOTIFICATION = "DELETE FROM jobs WHERE serial = ?"
_REMOVE_EXPIRED_NEWEST = "DELETE FROM notify_new WHERE expires <= ?"
_FIRST_EXPIRY = """
    SELECT ifnull(min(expires), 9e999)
    FROM (SELECT min(expires) AS expires FROM notify UNION ALL SELECT min(expires) FROM notify_new)
"""
_EPOCH = "SELECT epoch FROM clock WHERE machine_run = ?"
_FITS = """
    SELECT usage.rows + (old.size IS NULL) <= ? AND usage.bytes - ifnull(old.size, 0) <= ?
    FROM notify_usage AS usage
    LEFT JOIN notify AS old ON old.corpid = ? AND old.agentid = ? AND old.notify_id = ?
"""
_FIGURES = """
    SELECT usage.rows - expired.rows + new.rows, usage.bytes - expired.bytes + new.bytes
    FROM notify_usage AS usage,
         (SELECT count(*) AS rows, ifnull(sum(size), 0) AS bytes FROM notify WHERE expires <= ?) AS expired,
         (SELECT count(*) AS rows, ifnull(sum(size), 0) AS bytes FROM notify_new WHERE expires > ?) AS new
"""


class SqliteStore(SqliteFailed, SqliteOnce):
    """Keeps entries and jobs in a SQLite file.

    Its clock counts the seconds since the machine was started, so that no correction of the system's clock ends a
    lifetime or a lease. It starts at an epoch that is stored in the file: the clock agrees with the system's at the
    time when the file was first opened after that start.

    When a process is gone, what it had claimed is free before its leases end: as soon as another one opens the file, or
    within a second. Only a job that has ended several processes waits longer. That needs the same PID namespace, which
    a container has of its own; in another one the leases count.

    A thread checks once a second that the file is still there, frees such claims, and removes expired entries. Some
    seconds later the file and its WAL no longer contain them. The thread ends with `close`.

    Args:
        path: The file; made, with its directories, when it is missing, and readable by its owner only. None for one
            that only this object uses, and that is gone with it: see `SqliteFile`.
        limits: Bounds in rows, jobs and bytes, for all processes together.
        clock: Returns the time in seconds, the same in all processes that share the file; None for the clock above, or
            without a path for the machine's monotonic one.

    Raises:
        StoreError: The file can't be read or can't be written; the text says why.
    """

    def __init__(
        self, path: str | Path | None, limits: StoreLimits | None = None, *, clock: Callable[[], float] | None = None
    ) -> None:
        self.shared = path is not None
        file = SqliteFile(Path(path) if path is not None else None, LAYOUT, SCHEMA)
        try:
            own_clock = clock or (_steady_clock(file) if self.shared else time.monotonic)
            super().__init__(file, limits or StoreLimits(), own_clock)
            self._process = this_process()
            self._free_claims()
        except BaseException:
            file.close()
            raise
        self._puts = 0
        self._first_expiry = -math.inf  # the first expiry of an event in the file, as far as this process knows
        self._wal_emptied = -math.inf
        self._ahead = time.time() - _uptime()  # of the system's clock
        self._housekeeping = Housekeeping(self._tick)

    def put(self, corpid: str, agentid: int, notify_id: str, text: str, ttl: float) -> None:
        """Keep `text` for `ttl` seconds; see `NotifyStore.put`. It is on the disk when this returns."""
        size, now = len(encoded("text", text)), self._clock()
        row = (*storable_key(corpid, agentid, notify_id), now + positive("ttl", ttl), size, text)
        removes = self._removes_expired(row, now)
        alone = None if removes else lambda db: self._add_newest(db, row)
        if not self._file.write(lambda db: self._put(db, row, removes, now), alone=alone):
            raise full(self._limits)

    def put_with_job(self, job: Job, ttl: float, writes: Sequence[KeptWrite] = ()) -> None:
        """Keep an event and its job; see `Store.put_with_job`. Both are on the disk when this returns."""
        size, job_size, now = len(encoded("text", job.data)), new_job_size(job), self._clock()
        storable_writes(writes)
        key = storable_key(job.corpid, job.agentid, job.notify_id)
        row = (*key, now + positive("ttl", ttl), size, job.data)
        removes = self._removes_expired(row, now)

        def work(db: sqlite3.Connection) -> StoreError | None:
            kept = self._check_kept(db, writes) if writes else None
            refusal = self._refusal(db, job, job_size) or (kept and kept.refusal)
            if refusal is not None:
                return refusal
            if not self._put(db, row, removes, now):
                return full(self._limits)
            self._add(db, job, job_size)
            if kept is not None:
                self._make_kept(db, kept)
            return None

        unless_refused(self._file.write(work))

    def get(self, corpid: str, agentid: int, notify_id: str) -> str | None:
        """Return the text or None; see `NotifyStore.get`."""
        key, now = storable_key(corpid, agentid, notify_id), self._clock()
        rows = self._file.read(_GET, (*key, now, *key, now))
        text: str | None = rows[0][0] if rows else None
        return text

    def fetch(self, corpid: str, agentid: int, notify_id: str, ttl: float) -> str | None:
        """Return an event, or a notification, which becomes one with the next transaction; see `Store.fetch`."""
        key, now = storable_key(corpid, agentid, notify_id), self._clock()
        positive("ttl", ttl)
        rows = self._file.read(_FETCH, (*key, now, *key, now, *key))
        if not rows:
            return None
        text: str
        text, job_id = rows[0]
        if job_id is not None:
            # No thread waits for a disk; yet the mark outlives this process before the app has the reply.
            self._file.write_soon(partial(self._end_notification, job_id, key, now + ttl), _log_unmarked, synced=False)
        return text

    def _end_notification(self, job_id: str, key: Key, expires: float, db: sqlite3.Connection) -> None:
        """Make an event of a notification that the app has fetched."""
        if (found := db.execute(_FIND_FETCHED, (job_id,)).fetchone()) is None:
            return
        serial, notify_id, text = found
        keys = {key, (*key[:2], notify_id)}  # the app may have been given another one meanwhile
        now = self._clock()
        if all(self._put(db, (*each, expires, len(text.encode()), text), False, now) for each in keys):
            db.execute(_END_NOTIFICATION, (serial,))

    def figures(self) -> StoreFigures:
        """Return how many live entries there are and how many bytes they hold."""
        now = self._clock()
        [(rows, size)] = self._file.read(_FIGURES, (now, now))
        return StoreFigures(rows=rows, bytes=size)

    def forget(self, corpid: str) -> Forgotten:
        """Remove all of a corp; see `Store.forget`. That is on the disk when this returns."""
        encoded("corpid", corpid)
        self._move_all_newest()
        file, now = self._file, self._clock()
        return Forgotten(
            events=_EVENTS.forget(file, corpid, now),
            jobs=sum(rows.forget(file, corpid, now) for rows in JOBS_OF_CORP),
            kept=VALUES.forget(file, corpid, now),
            replies=REPLIES.forget(file, corp_hash(corpid), now),
        )

    def close(self) -> None:
        """Wait for running calls, then close the file; further calls raise StoreError."""
        self._housekeeping.close()
        with contextlib.suppress(StoreError):  # nothing is lost: the next process that opens the file moves them
            self._move_all_newest()
        self._file.close()

    def check(self) -> None:
        """Return when the file is there and works; see `Store.check`."""
        self._file.check()

    def _tick(self) -> None:
        self._warn_of_clock()
        self._file.check_files()
        self._free_claims()
        ends = time.monotonic() + _SWEEP_SECONDS
        self._move_all_newest()
        for rows, remove in (
            (_EVENTS, self._remove_expired),
            (REPLIES, REPLIES.remove_expired),
            (VALUES, VALUES.remove_expired),
        ):
            while rows.any_expired(self._file, now := self._clock()):
                self._file.write(partial(remove, now=now), synced=False)
                if time.monotonic() >= ends:
                    break
        if time.monotonic() >= self._wal_emptied + WAL_KEPT and self._file.empty_wal():
            self._wal_emptied = time.monotonic()

    def _free_claims(self) -> None:
        """Free what processes have claimed that are gone. A job that one has begun comes back as a suspect."""
        now = self._clock()
        names = {name for (name,) in (*self._file.read(CLAIMING, (now,)), *self._file.read(HOLDING, ()))}
        gone = [name for name in names - {self._process, "", None} if is_gone(name)]

        def free(db: sqlite3.Connection) -> None:
            db.executemany(FREE_JOBS, [(now, now, name) for name in gone])
            db.executemany(FREE_KEYS, [(name,) for name in gone])

        if gone:
            self._file.write(free, synced=False)

    def _warn_of_clock(self) -> None:
        """Log that somebody has set the system's clock since the last call."""
        before, self._ahead = self._ahead, time.time() - _uptime()
        if abs(jump := self._ahead - before) >= _SMALLEST_JUMP:
            effect = "also for stored events and jobs" if self._clock is time.time else "not for stored events and jobs"
            log.warning("the system's clock was set by %+.0f s, %s", jump, effect)

    def _move_all_newest(self) -> None:
        if self._file.read(_ANY_NEWEST):
            self._file.write(_move_newest, synced=False)

    def _removes_expired(self, row: EventRow, now: float) -> bool:
        """Return whether a put also removes expired rows: one of several puts does so if there may be some."""
        self._puts += 1
        self._first_expiry = min(self._first_expiry, row[3])
        return self._puts % _PUTS_PER_REMOVAL == 0 and self._first_expiry <= now

    def _remove_expired(self, db: sqlite3.Connection, now: float) -> int:
        """Remove rows that have expired, not too many; return their number."""
        removed = _EVENTS.remove_expired(db, now)
        if removed < AT_ONCE:
            removed += db.execute(_REMOVE_EXPIRED_NEWEST, (now,)).rowcount
            (self._first_expiry,) = db.execute(_FIRST_EXPIRY).fetchone()
        return removed

    def _put(self, db: sqlite3.Connection, row: EventRow, removes: bool, now: float) -> bool:
        """Keep a row; return False when it would exceed a bound."""
        if removes:
            self._remove_expired(db, now)
        alone = self._file.together == 1
        if self._add_newest(db, row) if alone else self._add_event(db, row):
            return True
        _move_newest(db)
        return (alone and self._add_newest(db, row)) or self._add_event(db, row) or self._replace_event(db, row, now)

    def _add_newest(self, db: sqlite3.Connection, row: EventRow) -> bool:
        """Add an event to the newest ones, by one statement.

        Returns:
            False when nothing was added: it is too long, it replaces another, or the newest events must be moved first,
            because their page is full or a bound is near.
        """
        corpid, _, notify_id, _, size, _ = row
        ids = len(corpid) + len(notify_id)
        if size > _LARGEST_NEWEST or ids > _LONGEST_IDS:
            return False
        room = (
            _PAGE // (size + ids + _BESIDE_TEXTS),
            self._limits.max_rows,
            _LARGEST_NEWEST,
            self._limits.max_bytes - size,
        )
        return db.execute(_ADD_NEWEST, (*row, *room, *row[:3])).rowcount > 0

    def _add_event(self, db: sqlite3.Connection, row: EventRow) -> bool:
        """Add a row to the table; return False when there is no room, or the key exists in either table."""
        size = row[4]
        if not db.execute(_COUNT, (size, self._limits.max_rows, self._limits.max_bytes - size)).rowcount:
            return False
        if db.execute(_ADD, row).rowcount:
            return True
        db.execute(_COUNT_OFF, (size,))
        return False

    def _replace_event(self, db: sqlite3.Connection, row: EventRow, now: float) -> bool:
        """Add a row that replaces another, or that needs room; all events are in the table then."""
        size = row[4]
        bounds = (self._limits.max_rows, self._limits.max_bytes - size)
        while not db.execute(_FITS, (*bounds, *row[:3])).fetchone()[0]:
            if not self._remove_expired(db, now):
                return False
        db.execute(_REMOVE, row[:3])
        db.execute(_COUNT, (size, *bounds))
        db.execute(_ADD, row)
        return True


def _move_newest(db: sqlite3.Connection) -> None:
    """Move all of the newest events to the table of events, within a transaction."""
    if db.execute(_ANY_NEWEST).fetchone():
        for statement in _MOVE_NEWEST:
            db.execute(statement)


def _log_unmarked(error: Exception) -> None:
    """Log that the app is notified again of what it has fetched."""
    log.warning("it could not be stored that a notification was fetched, so the app is notified again: %s", error)


def _steady_clock(file: SqliteFile) -> Callable[[], float]:
    """Return the clock of all processes that share a file; the system's where machine starts have no names."""
    run = machine_run()
    if not run:
        return time.time
    epoch, clock_gettime, clock = file.write(lambda db: _epoch(db, run)), time.clock_gettime, _CLOCK
    return lambda: epoch + clock_gettime(clock)


def _epoch(db: sqlite3.Connection, run: str) -> float:
    """Return when the machine was started, as the first process after that start noted it."""
    found = db.execute(_EPOCH, (run,)).fetchone()
    if found:
        return float(found[0])
    epoch = time.time() - _uptime()
    newest = db.execute("INSERT INTO clock (machine_run, epoch) VALUES (?, ?)", (run, epoch)).lastrowid
    db.execute("DELETE FROM clock WHERE rowid <= ? - 16", (newest,))
    return epoch


def _uptime() -> float:
    """Return the seconds since the machine was started, including its sleep if the system counts that.

    No correction of the system's clock changes it.
    """
    return time.clock_gettime(_CLOCK)
