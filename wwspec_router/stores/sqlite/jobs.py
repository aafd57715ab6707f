"""The journal of jobs in a SQLite file: its tables and its rules.

A table of small rows has the values that change with every claim and renewal. Another table has the texts, which may be
long and are written once. An index finds the first waiting job of each name, so that jobs which an owner can't run cost
it nothing. `SqliteFile` opens, writes and reads the file. This module does not know events.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from wwspec_contracts.errors import StoreError
from wwspec_router.stores import checks
from wwspec_router.stores.base import ANY_JOB, Demand
from wwspec_router.stores.capacity import JobFigures
from wwspec_router.stores.job import Job, OldJob, Outcome, claim_name, fields_of, info_of, old_job, stored_texts
from wwspec_router.stores.kept import KeptWrite
from wwspec_router.stores.sqlite.kept import SqliteKept

T = TypeVar("T")

JOB_TABLES: Sequence[str] = (
    """
    CREATE TABLE jobs (
        serial INTEGER PRIMARY KEY,
        job_id TEXT NOT NULL UNIQUE,
        size INTEGER NOT NULL,
        added REAL NOT NULL,
        due REAL NOT NULL,
        owner TEXT,
        attempt INTEGER NOT NULL DEFAULT 0,
        attempts INTEGER NOT NULL DEFAULT 0,
        running INTEGER NOT NULL DEFAULT 0,
        claim_name TEXT NOT NULL,
        process TEXT
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
    "CREATE INDEX jobs_waiting ON jobs (claim_name, due, owner) WHERE owner IS NULL",
    "CREATE INDEX jobs_claimed ON jobs (due) WHERE owner IS NOT NULL",
    # It costs other jobs nothing; notifications are those of these names.
    "CREATE INDEX unfetched ON job_texts (notify_id) WHERE ability_id >= 'notify:' AND ability_id < 'notify;'",
    # Those that failed for good are counted here, too: a page of their own would cost each reader.
    """
    CREATE TABLE job_usage (
        rows INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        failed INTEGER NOT NULL,
        forgotten INTEGER NOT NULL
    )
    """,
    "INSERT INTO job_usage VALUES (0, 0, 0, 0)",
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
"""The statements that make the tables; a change of them raises `events.LAYOUT`.

`attempt` counts claims, `attempts` begins. A job runs while `running` is set and it has no outcome. `process` is that
of the last claim."""

_HAS = "SELECT 1 FROM jobs WHERE job_id = ?"
_KNOWN = "SELECT 1 FROM jobs WHERE job_id = ? UNION ALL SELECT 1 FROM failed_jobs WHERE job_id = ?"
OWNED = "SELECT 1 FROM jobs WHERE job_id = ? AND owner = ?"
_USAGE = "SELECT rows, bytes FROM job_usage"
_ADD = "INSERT INTO jobs (job_id, size, added, due, claim_name) VALUES (?, ?, ?, ?, ?)"
_ADD_TEXTS = """
    INSERT INTO job_texts (serial, corpid, agentid, ability_id, job_info, notify_id, data)
    VALUES (:serial, :corpid, :agentid, :ability_id, :job_info, :notify_id, :data)
"""
_TEXTS = (
    "SELECT corpid, agentid, ability_id, job_info, notify_id, data, errcode, result FROM job_texts WHERE serial = ?"
)
FIRST = """
    WITH RECURSIVE names (name) AS (
        SELECT min(claim_name) FROM jobs WHERE owner IS NULL
        UNION ALL
        SELECT (SELECT min(claim_name) FROM jobs WHERE owner IS NULL AND claim_name > name) FROM names
        WHERE name IS NOT NULL
    )
    SELECT name, (SELECT min(due) FROM jobs WHERE owner IS NULL AND claim_name = name), 0, '', 0, 0, 0, 0
    FROM names WHERE name IS NOT NULL
    UNION ALL
    SELECT claim_name, due, serial, job_id, attempt, attempts, added, running AND errcode IS NULL
    FROM jobs JOIN job_texts USING (serial) WHERE owner IS NOT NULL AND due <= ?
"""
"""Finds when the first waiting job of each name is due, without its serial, and the jobs left behind, by index."""
DUE = """
    SELECT claim_name, due, serial, job_id, attempt, attempts, added, 0 FROM jobs
    WHERE owner IS NULL AND claim_name = ? AND due <= ? ORDER BY due, serial LIMIT ?
"""
"""Finds those to claim of one name, by index."""
_CLAIM = """
    UPDATE jobs
    SET owner = ?, process = ?, due = ?, attempt = attempt + 1, attempts = attempts + ?, running = max(running, ?)
    WHERE serial = ?
"""
CLAIMING = "SELECT DISTINCT process FROM jobs WHERE owner IS NOT NULL AND due > ?"
"""Finds the processes whose claims hold jobs, by index: there are not many."""
FREE_JOBS = """
    UPDATE jobs SET process = NULL, due = min(due, ? + (1 << 2 * min(attempts, 4)) / 4 - (attempts > 0))
    WHERE owner IS NOT NULL AND due > ? AND process = ?
"""
"""Ends the leases of a process: at once, or in 3, 15 and 63 s for a job that has begun 2, 3 and more times.

A job that ends each process that runs it, or a machine without memory, so gets the time that the leases gave."""
_BEGIN = "UPDATE jobs SET attempts = attempts + 1, running = 1 WHERE job_id = ? AND owner = ?"
_RENEW = "UPDATE jobs SET due = ? WHERE job_id = ? AND owner = ?"
_EXCUSE = "UPDATE jobs SET running = 0 WHERE job_id = ? AND owner = ?"
_KEEP = """
    UPDATE job_texts SET errcode = ?, result = ?
    WHERE serial = (SELECT serial FROM jobs WHERE job_id = ? AND owner = ?)
"""
_REPLACE_NOTIFY_ID = """
    UPDATE job_texts SET notify_id = ?, job_info = ?
    WHERE serial = (SELECT serial FROM jobs WHERE job_id = ? AND owner = ?)
"""
_POSTPONE = """
    UPDATE jobs SET due = ?, owner = NULL, running = 0, attempts = max(0, attempts - ?) WHERE job_id = ? AND owner = ?
"""
_FINISH = "DELETE FROM jobs WHERE job_id = ? AND owner = ?"
_FIGURES = """
    SELECT rows, bytes,
        (SELECT count(*) FROM jobs WHERE owner IS NOT NULL AND due > ? AND claim_name <> 'notify:'),
        (SELECT added FROM jobs WHERE claim_name <> 'notify:' ORDER BY serial LIMIT 1),
        (SELECT count(*) FROM job_texts WHERE ability_id >= 'notify:' AND ability_id < 'notify;'),
        failed, forgotten
    FROM job_usage
"""
_OLDEST = """
    SELECT ability_id, attempts, added, due, owner IS NOT NULL, running, errcode IS NOT NULL
    FROM jobs JOIN job_texts USING (serial) WHERE claim_name <> 'notify:' ORDER BY serial LIMIT ?
"""


class _Due(NamedTuple):
    """A job that can be claimed, or when the first one of a name is due; see `FIRST`."""

    name: str
    due: float
    serial: int
    """0 in place of a job."""
    job_id: str
    claims: int
    attempts: int
    added: float
    running: int


_BY_DUE = itemgetter(1, 2)


class _Search(NamedTuple):
    """What is looked for when an owner claims jobs."""

    limit: int
    known: frozenset[str] | None
    suspects: int

    def find(self, rows: Iterable[tuple[Any, ...]], now: float) -> list[_Due]:
        """Return what is due of these rows and the owner can have, the first one first."""
        found = (each for each in map(_Due._make, rows) if self.known is None or each.name in self.known)
        wanted = (each for each in found if each.due <= now and (self.suspects if each.running else self.limit))
        return sorted(wanted, key=_BY_DUE)


class SqliteJobs(SqliteKept):
    """Keeps jobs in a SQLite file, for all processes that share it.

    A job is due from `due` on: its arrival, the end of its lease, or the end of its delay. Each change is one write
    transaction, which no other process can interrupt.

    Its arguments are those of `SqliteKept`.
    """

    _found_nothing = True  # the last claim
    _process: str

    def add(self, job: Job, writes: Sequence[KeptWrite] = (), *, delay: float = 0.0) -> None:
        """Keep a new job; see `JobJournal.add`. It is on the disk when this returns."""
        size = checks.new_job_size(job)
        checks.storable_writes(writes)
        checks.not_negative("delay", delay)

        def work(db: sqlite3.Connection) -> StoreError | None:
            refusal = self._refusal(db, job, size) or (self._change_kept(db, writes) if writes else None)
            if refusal is None:
                self._add(db, job, size, delay)
            return refusal

        unless_refused(self._file.write(work))

    def _refusal(self, db: sqlite3.Connection, job: Job, size: int) -> StoreError | None:
        """Return why a new job can't be added; None when it can."""
        if db.execute(_KNOWN, (job.job_id, job.job_id)).fetchone():
            return checks.known_job()
        return self._refusal_of_size(db, size)

    def _refusal_of_size(self, db: sqlite3.Connection, size: int) -> StoreError | None:
        """Return why there is no room for a job; None when there is."""
        rows, total = db.execute(_USAGE).fetchone()
        if rows >= self._limits.max_jobs or total + size > self._limits.max_job_bytes:
            return checks.full_of_jobs(self._limits)
        return None

    def _add(self, db: sqlite3.Connection, job: Job, size: int, delay: float = 0.0) -> None:
        """Add a job that is not refused."""
        serial = self._add_row(db, job.job_id, job.name, size, delay)
        db.execute(_ADD_TEXTS, {**stored_texts(job), "serial": serial, "agentid": job.agentid})

    def _add_row(self, db: sqlite3.Connection, job_id: str, name: str, size: int, delay: float = 0.0) -> int | None:
        """Add a job without its texts; return its serial."""
        now = self._clock()
        return db.execute(_ADD, (job_id, size, now, now + delay, claim_name(name))).lastrowid

    def claim(self, owner: str, limit: int, lease: float, demand: Demand = ANY_JOB) -> list[Job]:
        """Take jobs that are due; see `JobJournal.claim`. It is on the disk when this returns if they begin."""
        checks.positive("lease", lease)
        limit = max(0, limit)
        few = limit if demand.suspects is None else max(0, demand.suspects)
        search = _Search(limit, demand.known, min(few, limit))
        now = self._clock()
        # Most claims find nothing; those need not wait for the write lock.
        if self._found_nothing and not search.find(self._file.read(FIRST, (now,)), now):
            return []
        jobs = self._file.write(partial(self._claim_due, owner, lease, search, demand.begins), synced=demand.begins)
        self._found_nothing = not jobs
        return jobs

    def _claim_due(self, owner: str, lease: float, search: _Search, begins: bool, db: sqlite3.Connection) -> list[Job]:
        now = self._clock()
        picked = _due_jobs(db, search, now)
        jobs = [_job(each, now, begins, db.execute(_TEXTS, (each.serial,)).fetchone()) for each in picked]
        holder = owner, self._process, now + lease
        rows = [(*holder, job.begun, job.begun, each.serial) for job, each in zip(jobs, picked, strict=True)]
        db.executemany(_CLAIM, rows)
        return jobs

    def begin(self, owner: str, job_id: str) -> bool:
        """Note that a job runs; see `JobJournal.begin`. It is on the disk when this returns."""
        return self._file.write(lambda db: db.execute(_BEGIN, (job_id, owner)).rowcount > 0)

    def renew(self, owner: str, job_ids: Sequence[str], lease: float) -> set[str]:
        """Extend leases; see `JobJournal.renew`."""
        checks.positive("lease", lease)

        def work(db: sqlite3.Connection) -> set[str]:
            ends = self._clock() + lease
            return {each for each in job_ids if db.execute(_RENEW, (ends, each, owner)).rowcount}

        return self._file.write(work, synced=False)

    def excuse(self, owner: str, job_ids: Sequence[str]) -> None:
        """Let jobs not become suspects; see `JobJournal.excuse`."""
        self._file.write(lambda db: db.executemany(_EXCUSE, [(each, owner) for each in job_ids]), synced=False)

    def keep_outcome(self, owner: str, job_id: str, outcome: Outcome, writes: Sequence[KeptWrite] = ()) -> bool:
        """Keep what the ability answered; see `JobJournal.keep_outcome`. It is on the disk when this returns."""
        return self._change_with(writes, owner, job_id, _KEEP, *checks.storable_outcome(outcome))

    def postpone(self, owner: str, job_id: str, delay: float, *, counted: bool = True) -> bool:
        """Give a job back; see `JobJournal.postpone`."""
        checks.not_negative("delay", delay)

        def work(db: sqlite3.Connection) -> bool:
            return db.execute(_POSTPONE, (self._clock() + delay, not counted, job_id, owner)).rowcount > 0

        return self._file.write(work, synced=False)

    def replace_notify_id(self, owner: str, job: Job) -> bool:
        """Keep another notify_id; see `JobJournal.replace_notify_id`. It is on the disk when this returns."""
        checks.storable_key(job.corpid, job.agentid, job.notify_id)
        row = (job.notify_id, info_of(job), job.job_id, owner)
        return self._file.write(lambda db: db.execute(_REPLACE_NOTIFY_ID, row).rowcount > 0)

    def finish_soon(self, owner: str, job_id: str, failed: Callable[[Exception], None]) -> None:
        """Remove a job with the next transaction; see `JobJournal.finish_soon`."""
        self._file.write_soon(lambda db: db.execute(_FINISH, (job_id, owner)), failed)

    def finish(self, owner: str, job_id: str, writes: Sequence[KeptWrite] = ()) -> bool:
        """Remove a job; see `JobJournal.finish`. That is on the disk when this returns."""
        return self._change_with(writes, owner, job_id, _FINISH)

    def _change_with(
        self, writes: Sequence[KeptWrite], owner: str, job_id: str, statement: str, *values: str | int
    ) -> bool:
        """Change a job if `owner` owns it, and kept values with it; return whether it does."""
        checks.storable_writes(writes)

        def work(db: sqlite3.Connection) -> bool | StoreError:
            if writes and db.execute(OWNED, (job_id, owner)).fetchone():
                refusal = self._change_kept(db, writes)
                if refusal is not None:
                    return refusal
            return db.execute(statement, (*values, job_id, owner)).rowcount > 0

        return unless_refused(self._file.write(work))

    def has_job(self, job_id: str) -> bool:
        """Return whether there is such a job; see `JobJournal.has_job`."""
        return bool(self._file.read(_HAS, (job_id,)))

    def job_figures(self) -> JobFigures:
        """Return how full the journal is; see `JobJournal.job_figures`."""
        now = self._clock()
        [(rows, size, claimed, oldest, unfetched, failed, forgotten)] = self._file.read(_FIGURES, (now,))
        return JobFigures(
            waiting=rows - unfetched - claimed,
            claimed=claimed,
            bytes=size,
            oldest_age=0.0 if oldest is None else max(0.0, now - oldest),
            unfetched=unfetched,
            failed=failed,
            forgotten=forgotten,
        )

    def oldest_jobs(self, limit: int) -> list[OldJob]:
        """Return how the oldest jobs are doing; see `JobJournal.oldest_jobs`."""
        now = self._clock()
        return [
            old_job(name, attempt, added, due, now, *map(bool, state))
            for name, attempt, added, due, *state in self._file.read(_OLDEST, (max(0, limit),))
        ]


def unless_refused(result: T | StoreError) -> T:
    """Return the result of a transaction, or raise the refusal that it returned, so that others in it stay."""
    if isinstance(result, StoreError):
        raise result
    return result


def _due_jobs(db: sqlite3.Connection, search: _Search, now: float) -> list[_Due]:
    """Return the jobs that an owner gets, in their order."""
    found = search.find(db.execute(FIRST, (now,)), now)
    names = [each.name for each in found if not each.serial]
    due = [each for each in found if each.serial]
    # The jobs that are due first have the names whose first ones are, so no more names are needed than jobs.
    for name in names[: search.limit]:
        due += map(_Due._make, db.execute(DUE, (name, now, search.limit)))
    picked: list[_Due] = []
    suspects = search.suspects
    for each in sorted(due, key=_BY_DUE):
        if len(picked) < search.limit and (suspects or not each.running):
            suspects -= each.running
            picked.append(each)
    return picked


def _job(due: _Due, now: float, begins: bool, texts: tuple[Any, ...]) -> Job:
    corpid, agentid, ability_id, job_info, notify_id, data, errcode, result = texts
    return Job(
        job_id=due.job_id,
        corpid=corpid,
        agentid=agentid,
        **fields_of(ability_id, job_info),
        data=data,
        notify_id=notify_id,
        attempt=due.attempts,
        claims=due.claims + 1,
        suspect=due.running == 1,
        begun=begins and due.running == 0 and errcode is None,
        age=max(0.0, now - due.added),
        outcome=None if errcode is None else Outcome(errcode=errcode, result=result),
    )
