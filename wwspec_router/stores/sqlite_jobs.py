"""The journal of jobs in a SQLite file: its tables and its rules.

What changes with every claim and renewal is in a table of small rows; the texts, which may be long, are in another
and are written once. Jobs of one ability that wait, or that run, are a lane: an index finds the first of each lane, so
that what an owner can't run costs it nothing. How the file is opened, written and read is `SqliteFile`'s business. It
is not aware of events.
"""

import heapq
import math
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
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
    "ALTER TABLE jobs ADD COLUMN lane INTEGER NOT NULL DEFAULT 0",
    "CREATE TABLE job_lanes (lane INTEGER PRIMARY KEY, ability_id TEXT NOT NULL UNIQUE, seen REAL NOT NULL DEFAULT 0)",
    "DROP INDEX jobs_due",
    "CREATE INDEX jobs_by_lane ON jobs (lane, due)",
)
"""What a later version changes.

An ability's number is in `job_lanes`. Twice that is the lane of its jobs that wait, and one more the lane of those that
run. In lanes 0 and 1 are jobs that a process of an earlier release added.
"""

_KNOWN = "SELECT 1 FROM jobs WHERE job_id = ?"
_USAGE = "SELECT rows, bytes FROM job_usage"
_NUMBER = "SELECT lane FROM job_lanes WHERE ability_id = ?"
_ADD_NUMBER = "INSERT INTO job_lanes (ability_id) VALUES (?)"
_ADD = "INSERT INTO jobs (job_id, size, added, due, lane) VALUES (?, ?, ?, ?, ?)"
_ADD_TEXTS = """
    INSERT INTO job_texts (serial, corpid, agentid, ability_id, job_info, notify_id, data) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
HEADS = """
    WITH RECURSIVE lanes (lane) AS (
        SELECT min(lane) FROM jobs
        UNION ALL
        SELECT (SELECT min(lane) FROM jobs WHERE lane > lanes.lane) FROM lanes WHERE lanes.lane IS NOT NULL
    )
    SELECT (SELECT min(due) FROM jobs WHERE lane = lanes.lane), lanes.lane, ability_id, seen
    FROM lanes LEFT JOIN job_lanes ON job_lanes.lane = lanes.lane / 2 WHERE lanes.lane IS NOT NULL
"""
"""Finds when the first job of each lane is due, by index."""
DUE = """
    SELECT due, serial, job_id, attempt, attempts, added, lane % 2 FROM jobs
    WHERE lane = ? AND due <= ? ORDER BY due, serial LIMIT ?
"""
"""Finds those to claim in one lane, by index."""
_ADD_MISSING_NUMBERS = """
    INSERT INTO job_lanes (ability_id)
    SELECT DISTINCT ability_id FROM job_texts JOIN jobs USING (serial) WHERE lane < 2
    ON CONFLICT DO NOTHING
"""
_FILL_IN_LANES = """
    UPDATE jobs SET lane = lane + 2 * (
        SELECT job_lanes.lane FROM job_lanes JOIN job_texts USING (ability_id) WHERE job_texts.serial = jobs.serial
    ) WHERE lane < 2
"""
_SEEN = "UPDATE job_lanes SET seen = ? WHERE lane = ?"
_TEXTS = (
    "SELECT corpid, agentid, ability_id, job_info, notify_id, data, errcode, result FROM job_texts WHERE serial = ?"
)
_CLAIM = "UPDATE jobs SET owner = ?, due = ?, attempt = attempt + 1 WHERE serial = ?"
_BEGIN = "UPDATE jobs SET attempts = attempts + 1, lane = lane | 1 WHERE job_id = ? AND owner = ?"
_RENEW = "UPDATE jobs SET due = ? WHERE job_id = ? AND owner = ?"
_END = "UPDATE jobs SET lane = lane & ~1 WHERE job_id = ? AND owner = ?"
_KEEP = "UPDATE job_texts SET errcode = ?, result = ? WHERE serial = (SELECT serial FROM jobs WHERE job_id = ?)"
_POSTPONE = "UPDATE jobs SET due = ?, owner = NULL, lane = lane & ~1 WHERE job_id = ? AND owner = ?"
_FINISH = "DELETE FROM jobs WHERE job_id = ? AND owner = ?"
_FIGURES = """
    SELECT rows, bytes,
        (SELECT count(*) FROM jobs WHERE owner IS NOT NULL AND due > ?),
        (SELECT added FROM jobs ORDER BY serial LIMIT 1)
    FROM job_usage
"""


class _Head(NamedTuple):
    """A lane, and when its first job was due."""

    due: float
    lane: int
    ability_id: str | None
    """None when the lane is 0 or 1."""
    seen: float | None
    """When somebody who knows the ability asked for jobs, or a little before: not every time is noted."""


class _Lane(NamedTuple):
    """Where an owner gets jobs."""

    due: float
    lane: int
    until: float
    """When they must have been due at the latest."""


class _Due(NamedTuple):
    """A job that is to be claimed."""

    due: float
    serial: int
    job_id: str
    claims: int
    attempts: int
    added: float
    suspect: int


class _Demand(NamedTuple):
    """What an owner asks for; see `JobJournal.claim`."""

    limit: int
    known: frozenset[str] | None
    orphan_after: float
    suspects: int

    def lanes(self, heads: Sequence[_Head], now: float) -> list[tuple[int, list[_Lane]]]:
        """Return where there are jobs, and how many to take: of those that wait, and of suspects."""
        able = [_Lane(each.due, each.lane, self._until(each, now)) for each in heads]
        chosen = []
        for running, limit in ((0, self.limit), (1, min(self.limit, self.suspects))):
            lanes = [each for each in able if each.lane % 2 == running and each.due <= each.until]
            # The first jobs of all are in the lanes with the first heads, so no more lanes are needed than jobs.
            chosen.append((limit, heapq.nsmallest(limit, lanes)))
        return chosen

    def seen(self, heads: Sequence[_Head], now: float) -> list[int]:
        """Return the abilities of which it is to be noted that somebody who knows them asked for jobs."""
        late = now - self.orphan_after / 4
        return [each.lane // 2 for each in heads if self._knows(each) and each.seen is not None and each.seen <= late]

    def _until(self, head: _Head, now: float) -> float:
        if self._knows(head):
            return now
        asked = head.seen is not None and head.seen > now - 1.25 * self.orphan_after
        return -math.inf if asked else now - self.orphan_after

    def _knows(self, head: _Head) -> bool:
        return self.known is None or head.ability_id in self.known


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
            serial = db.execute(_ADD, (job.job_id, size, now, now, 2 * _number(db, job.ability_id))).lastrowid
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
        demand = _Demand(limit, known, positive("orphan_after", orphan_after), few)
        while True:
            # Most looks find nothing; those need not wait for the write lock.
            now = self._clock()
            heads = [_Head(*row) for row in self._file.read(HEADS) if row[0] <= now]
            if any(each.ability_id is None for each in heads):
                self._file.write(_fill_in_lanes, synced=False)
                continue
            lanes, seen = demand.lanes(heads, now), demand.seen(heads, now)
            if not seen and not any(found for _, found in lanes):
                return []
            jobs = self._file.write(partial(self._claim, owner, lease, lanes, seen), synced=False)
            if jobs or seen:
                return jobs
            # Others took all of them meanwhile.

    def _claim(
        self, owner: str, lease: float, lanes: list[tuple[int, list[_Lane]]], seen: list[int], db: sqlite3.Connection
    ) -> list[Job]:
        now = self._clock()
        db.executemany(_SEEN, [(now, each) for each in seen])
        due = _due(db, lanes)
        db.executemany(_CLAIM, [(owner, now + lease, each.serial) for each in due])
        return [_job(each, now, db.execute(_TEXTS, (each.serial,)).fetchone()) for each in due]

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
        self._file.write(lambda db: db.executemany(_END, [(each, owner) for each in job_ids]), synced=False)

    def keep_outcome(self, owner: str, job_id: str, outcome: Outcome) -> bool:
        """Keep what the ability answered; see `JobJournal.keep_outcome`. It is on the disk when this returns."""
        storable_ids(owner, job_id)
        row = (*storable_outcome(outcome), job_id)

        def work(db: sqlite3.Connection) -> bool:
            return db.execute(_END, (job_id, owner)).rowcount > 0 and db.execute(_KEEP, row).rowcount > 0

        return self._file.write(work)

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


def _number(db: sqlite3.Connection, ability_id: str) -> int:
    """Return the number of an ability, a new one if it has none."""
    found = db.execute(_NUMBER, (ability_id,)).fetchone()
    if found is None:
        db.execute(_ADD_NUMBER, (ability_id,))
        found = db.execute(_NUMBER, (ability_id,)).fetchone()
    return int(found[0])


def _fill_in_lanes(db: sqlite3.Connection) -> None:
    """Find the lanes of jobs that a process of an earlier release added."""
    db.execute(_ADD_MISSING_NUMBERS)
    db.execute(_FILL_IN_LANES)


def _due(db: sqlite3.Connection, lanes: list[tuple[int, list[_Lane]]]) -> list[_Due]:
    """Return the jobs that an owner gets, in their order."""
    found: list[_Due] = []
    for limit, chosen in lanes:
        rows = [_Due(*row) for each in chosen for row in db.execute(DUE, (each.lane, each.until, limit)).fetchall()]
        found += heapq.nsmallest(limit, rows)
    return heapq.nsmallest(lanes[0][0], found)


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
        suspect=due.suspect == 1,
        age=max(0.0, now - due.added),
        outcome=None if errcode is None else Outcome(errcode=errcode, result=result),
    )
