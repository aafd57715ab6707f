"""The journal of jobs in a SQLite file: its tables and its rules.

What changes with every claim and renewal is in a table of small rows; the texts, which may be long, are in another
and are written once. The waiting jobs of one ability are a lane: an index finds the first of each lane, so that what an
owner can't run costs it nothing. How the file is opened, written and read is `SqliteFile`'s business. It is not aware
of events.
"""

import math
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple

from wwspec_router.stores.base import ORPHAN_AFTER, Job, JobFigures, Outcome, StoreLimits
from wwspec_router.stores.entry import (
    full_of_jobs,
    known_job,
    new_job_size,
    not_negative,
    positive,
    storable_ids,
    storable_outcome,
)
from wwspec_router.stores.sqlite_file import SqliteFile

JOB_TABLES: Sequence[str] = (
    """
    CREATE TABLE jobs (
        serial INTEGER PRIMARY KEY,
        job_id TEXT NOT NULL UNIQUE,
        size INTEGER NOT NULL,
        added REAL NOT NULL,
        due REAL NOT NULL,
        owner TEXT,
        attempt INTEGER NOT NULL DEFAULT 0
    )
    """,
    """
    CREATE TABLE job_texts (
        serial INTEGER PRIMARY KEY,
        corpid TEXT NOT NULL,
        agentid INTEGER NOT NULL,
        ability_id TEXT NOT NULL,
        job_info TEXT NOT NULL,
        notify_id TEXT NOT NULL,
        data TEXT NOT NULL,
        errcode INTEGER,
        result TEXT
    )
    """,
    "CREATE INDEX jobs_due ON jobs (due)",
    "CREATE INDEX jobs_claimed ON jobs (due) WHERE owner IS NOT NULL",
    "CREATE TABLE job_usage (rows INTEGER NOT NULL, bytes INTEGER NOT NULL)",
    "INSERT INTO job_usage VALUES (0, 0)",
    """
    CREATE TRIGGER job_added AFTER INSERT ON jobs BEGIN
        UPDATE job_usage SET rows = rows + 1, bytes = bytes + new.size;
    END
    """,
    """
    CREATE TRIGGER job_finished AFTER DELETE ON jobs BEGIN
        UPDATE job_usage SET rows = rows - 1, bytes = bytes - old.size;
        DELETE FROM job_texts WHERE serial = old.serial;
    END
    """,
)
"""The statements that make the tables; `sqlite.SCHEMA` says since which version they exist. Never edited."""

JOB_LANES: Sequence[str] = (
    "ALTER TABLE jobs ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0",  # the older `attempt` counts claims
    "ALTER TABLE jobs ADD COLUMN running INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE jobs ADD COLUMN lane INTEGER NOT NULL DEFAULT 0",  # 0 in jobs that an earlier release added
    "CREATE TABLE job_lanes (lane INTEGER PRIMARY KEY, ability_id TEXT NOT NULL UNIQUE, seen REAL NOT NULL DEFAULT 0)",
    "DROP INDEX jobs_due",
    "CREATE INDEX jobs_waiting ON jobs (lane, due, owner) WHERE owner IS NULL",
)
"""What a later version changes. A job runs while `running` is set and it has no outcome."""

_KNOWN = "SELECT 1 FROM jobs WHERE job_id = ?"
_USAGE = "SELECT rows, bytes FROM job_usage"
_LANE = "SELECT lane FROM job_lanes WHERE ability_id = ?"
_ADD_LANE = "INSERT INTO job_lanes (ability_id) VALUES (?)"
_ADD = "INSERT INTO jobs (job_id, size, added, due, lane) VALUES (?, ?, ?, ?, ?)"
_ADD_TEXTS = """
    INSERT INTO job_texts (serial, corpid, agentid, ability_id, job_info, notify_id, data) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
HEADS = """
    WITH RECURSIVE lanes (lane) AS (
        SELECT min(lane) FROM jobs WHERE owner IS NULL
        UNION ALL
        SELECT (SELECT min(lane) FROM jobs WHERE owner IS NULL AND lane > lanes.lane) FROM lanes
        WHERE lanes.lane IS NOT NULL
    )
    SELECT (SELECT min(due) FROM jobs WHERE owner IS NULL AND lane = lanes.lane), 0, 0, lanes.lane, ability_id, seen
    FROM lanes LEFT JOIN job_lanes ON job_lanes.lane = lanes.lane WHERE lanes.lane IS NOT NULL
    UNION ALL
    SELECT jobs.due, 1, running AND errcode IS NULL, jobs.lane, job_lanes.ability_id, seen
    FROM jobs JOIN job_texts USING (serial) LEFT JOIN job_lanes ON job_lanes.lane = jobs.lane
    WHERE owner IS NOT NULL AND jobs.due <= ?
"""
"""Finds when the first job of each lane is due, and what was left behind, by index."""
DUE = """
    SELECT due, serial, job_id, attempt, attempts, added, 0 FROM jobs
    WHERE owner IS NULL AND lane = ? AND due <= ? ORDER BY due, serial LIMIT ?
"""
"""Finds those to claim in one lane, by index."""
LEASE_OVER = """
    SELECT lane, due, serial, job_id, attempt, attempts, added, running AND errcode IS NULL
    FROM jobs JOIN job_texts USING (serial) WHERE owner IS NOT NULL AND due <= ?
"""
"""Finds those whose owners gave no sign of life, by index."""
_ADD_MISSING_LANES = """
    INSERT INTO job_lanes (ability_id)
    SELECT DISTINCT ability_id FROM job_texts JOIN jobs USING (serial) WHERE lane = 0
    ON CONFLICT DO NOTHING
"""
_FILL_IN_LANES = """
    UPDATE jobs SET lane = (
        SELECT job_lanes.lane FROM job_lanes JOIN job_texts USING (ability_id) WHERE job_texts.serial = jobs.serial
    ) WHERE lane = 0
"""
_SEEN = "UPDATE job_lanes SET seen = ? WHERE lane = ?"
_TEXTS = (
    "SELECT corpid, agentid, ability_id, job_info, notify_id, data, errcode, result FROM job_texts WHERE serial = ?"
)
_CLAIM = "UPDATE jobs SET owner = ?, due = ?, attempt = attempt + 1 WHERE serial = ?"
_BEGIN = "UPDATE jobs SET attempts = attempts + 1, running = 1 WHERE job_id = ? AND owner = ?"
_RENEW = "UPDATE jobs SET due = ? WHERE job_id = ? AND owner = ?"
_EXCUSE = "UPDATE jobs SET running = 0 WHERE job_id = ? AND owner = ?"
_KEEP = """
    UPDATE job_texts SET errcode = ?, result = ?
    WHERE serial = (SELECT serial FROM jobs WHERE job_id = ? AND owner = ?)
"""
_POSTPONE = "UPDATE jobs SET due = ?, owner = NULL, running = 0 WHERE job_id = ? AND owner = ?"
_FINISH = "DELETE FROM jobs WHERE job_id = ? AND owner = ?"
_FIGURES = """
    SELECT rows, bytes,
        (SELECT count(*) FROM jobs WHERE owner IS NOT NULL AND due > ?),
        (SELECT added FROM jobs ORDER BY serial LIMIT 1)
    FROM job_usage
"""


class _Head(NamedTuple):
    """The first job of a lane, or one whose lease is over: when it was due, and whose it can be."""

    due: float
    left_behind: int
    running: int
    lane: int
    ability_id: str | None
    """None when the lane is 0."""
    seen: float | None
    """When somebody who knows the ability asked for jobs, or a little before: not every time is noted."""


class _Found(NamedTuple):
    """Where there is something for an owner: lanes, each with the time until when it must have been due."""

    waiting: dict[int, float]
    """The lane with the first head comes first."""
    left_behind: dict[int, float]
    seen: list[int]
    """Lanes of which it is to be noted that somebody who knows their abilities asks for jobs."""


class _Due(NamedTuple):
    """A job that can be claimed."""

    due: float
    serial: int
    job_id: str
    claims: int
    attempts: int
    added: float
    running: int


class _Demand(NamedTuple):
    """What an owner asks for; see `JobJournal.claim`."""

    limit: int
    known: frozenset[str] | None
    orphan_after: float
    suspects: int

    def find(self, heads: Sequence[_Head], now: float) -> _Found:
        """Return where there is something."""
        found = _Found({}, {}, [])
        late = now - self.orphan_after / 4
        for head in sorted(heads, key=itemgetter(0)):
            known = self.known is None or head.ability_id in self.known
            seen = head.seen or 0.0
            until = now
            if known and head.due <= now and seen <= late and head.lane not in found.seen:
                found.seen.append(head.lane)
            elif not known:
                until = now - self.orphan_after if seen <= late - self.orphan_after else -math.inf
            if head.due <= until and (self.suspects if head.running else self.limit):
                (found.left_behind if head.left_behind else found.waiting)[head.lane] = until
        return found

    def pick(self, due: Iterable[_Due]) -> list[_Due]:
        """Return those that the owner gets, in their order."""
        picked: list[_Due] = []
        suspects = self.suspects
        for each in sorted(due):
            if len(picked) == self.limit:
                break
            if not each.running or suspects > 0:
                suspects -= each.running
                picked.append(each)
        return picked


class SqliteJobs:
    """Keeps jobs in a SQLite file, for all processes that share it.

    A job is due from `due` on: its arrival, the end of its lease, or the end of its delay. Each change is one write
    transaction, which no other process enters meanwhile.

    Args:
        file: The file, with `JOB_TABLES` in its schema.
        limits: Bounds in jobs and bytes, for all processes together.
        clock: Gives the time in seconds; the processes that share the file need the same clock.
    """

    def __init__(self, file: SqliteFile, limits: StoreLimits, clock: Callable[[], float]) -> None:
        self._file = file
        self._limits = limits
        self._clock = clock
        self._found_nothing = True  # the last claim

    def add(self, job: Job) -> None:
        """Keep a new job; see `JobJournal.add`. It is on the disk when this returns."""
        size = new_job_size(job)
        texts = (job.corpid, job.agentid, job.ability_id, job.job_info, job.notify_id, job.data)

        def work(db: sqlite3.Connection) -> Exception | None:
            if db.execute(_KNOWN, (job.job_id,)).fetchone():
                return known_job()
            rows, total = db.execute(_USAGE).fetchone()
            if rows >= self._limits.max_jobs or total + size > self._limits.max_job_bytes:
                return full_of_jobs(self._limits)
            now = self._clock()
            serial = db.execute(_ADD, (job.job_id, size, now, now, _lane(db, job.ability_id))).lastrowid
            db.execute(_ADD_TEXTS, (serial, *texts))
            return None

        refusal = self._file.write(work)
        if refusal is not None:
            raise refusal

    def claim(
        self,
        owner: str,
        limit: int,
        lease: float,
        *,
        known: frozenset[str] | None = None,
        orphan_after: float = ORPHAN_AFTER,
        suspects: int | None = None,
    ) -> list[Job]:
        """Take jobs that are due; see `JobJournal.claim`."""
        storable_ids(owner)
        positive("lease", lease)
        limit = max(0, limit)
        few = limit if suspects is None else max(0, suspects)
        demand = _Demand(limit, known, positive("orphan_after", orphan_after), min(few, limit))
        if self._found_nothing and not self._look(demand, self._file.read(HEADS, (self._clock(),))):
            return []
        jobs = self._file.write(partial(self._take, owner, lease, demand), synced=False)
        self._found_nothing = not jobs
        return jobs

    def _look(self, demand: _Demand, heads: Sequence[tuple[Any, ...]]) -> bool:
        """Tell whether there is something to do: most looks find nothing, and need not wait for the write lock."""
        found = demand.find([_Head(*row) for row in heads], self._clock())
        return any(found) or any(head[3] == 0 for head in heads)

    def _take(self, owner: str, lease: float, demand: _Demand, db: sqlite3.Connection) -> list[Job]:
        now = self._clock()
        heads = [_Head(*row) for row in db.execute(HEADS, (now,)).fetchall()]
        if any(head.lane == 0 for head in heads):
            _fill_in_lanes(db)
            heads = [_Head(*row) for row in db.execute(HEADS, (now,)).fetchall()]
        found = demand.find(heads, now)
        if found.seen:
            db.executemany(_SEEN, [(now, each) for each in found.seen])
        # The first jobs of all are in the lanes with the first heads, so no more lanes are needed than jobs.
        due = [
            _Due(*row)
            for lane, until in islice(found.waiting.items(), demand.limit)
            for row in db.execute(DUE, (lane, until, demand.limit)).fetchall()
        ]
        if found.left_behind:
            rows = db.execute(LEASE_OVER, (now,)).fetchall()
            due += [_Due(*row) for lane, *row in rows if row[0] <= found.left_behind.get(lane, -math.inf)]
        picked = demand.pick(due)
        db.executemany(_CLAIM, [(owner, now + lease, each.serial) for each in picked])
        return [_job(each, now, db.execute(_TEXTS, (each.serial,)).fetchone()) for each in picked]

    def begin(self, owner: str, job_id: str) -> bool:
        """Note that a job runs; see `JobJournal.begin`. It is on the disk when this returns."""
        storable_ids(owner, job_id)
        return self._file.write(lambda db: db.execute(_BEGIN, (job_id, owner)).rowcount > 0)

    def renew(self, owner: str, job_ids: Sequence[str], lease: float) -> set[str]:
        """Prolong leases; see `JobJournal.renew`."""
        storable_ids(owner, *job_ids)
        positive("lease", lease)

        def work(db: sqlite3.Connection) -> set[str]:
            ends = self._clock() + lease
            return {each for each in job_ids if db.execute(_RENEW, (ends, each, owner)).rowcount}

        return self._file.write(work, synced=False)

    def excuse(self, owner: str, job_ids: Sequence[str]) -> None:
        """Clear jobs of suspicion; see `JobJournal.excuse`."""
        storable_ids(owner, *job_ids)
        self._file.write(lambda db: db.executemany(_EXCUSE, [(each, owner) for each in job_ids]), synced=False)

    def keep_outcome(self, owner: str, job_id: str, outcome: Outcome) -> bool:
        """Keep what the ability answered; see `JobJournal.keep_outcome`. It is on the disk when this returns."""
        storable_ids(owner, job_id)
        row = (*storable_outcome(outcome), job_id, owner)
        return self._file.write(lambda db: db.execute(_KEEP, row).rowcount > 0)

    def postpone(self, owner: str, job_id: str, delay: float) -> bool:
        """Give a job back; see `JobJournal.postpone`."""
        storable_ids(owner, job_id)
        not_negative("delay", delay)

        def work(db: sqlite3.Connection) -> bool:
            return db.execute(_POSTPONE, (self._clock() + delay, job_id, owner)).rowcount > 0

        return self._file.write(work, synced=False)

    def finish(self, owner: str, job_id: str) -> bool:
        """Remove a job; see `JobJournal.finish`."""
        storable_ids(owner, job_id)
        return self._file.write(lambda db: db.execute(_FINISH, (job_id, owner)).rowcount > 0)

    def has_job(self, job_id: str) -> bool:
        """Return whether there is such a job; see `JobJournal.has_job`."""
        storable_ids("", job_id)
        return bool(self._file.read(_KNOWN, (job_id,)))

    def job_figures(self) -> JobFigures:
        """Return how full the journal is; see `JobJournal.job_figures`."""
        now = self._clock()
        [(rows, size, claimed, oldest)] = self._file.read(_FIGURES, (now,))
        age = 0.0 if oldest is None else max(0.0, now - oldest)
        return JobFigures(waiting=rows - claimed, claimed=claimed, bytes=size, oldest_age=age)


def _lane(db: sqlite3.Connection, ability_id: str) -> int:
    """Return the lane of an ability, a new one if it has none."""
    found = db.execute(_LANE, (ability_id,)).fetchone()
    if found is None:
        db.execute(_ADD_LANE, (ability_id,))
        found = db.execute(_LANE, (ability_id,)).fetchone()
    return int(found[0])


def _fill_in_lanes(db: sqlite3.Connection) -> None:
    """Find the lanes of jobs that a process of an earlier release added."""
    db.execute(_ADD_MISSING_LANES)
    db.execute(_FILL_IN_LANES)


def _job(due: _Due, now: float, texts: tuple[Any, ...]) -> Job:
    corpid, agentid, ability_id, job_info, notify_id, data, errcode, result = texts
    return Job(
        job_id=due.job_id,
        corpid=corpid,
        agentid=agentid,
        ability_id=ability_id,
        job_info=job_info,
        data=data,
        notify_id=notify_id,
        attempt=due.attempts,
        claims=due.claims + 1,
        suspect=due.running == 1,
        age=max(0.0, now - due.added),
        outcome=None if errcode is None else Outcome(errcode=errcode, result=result),
    )
