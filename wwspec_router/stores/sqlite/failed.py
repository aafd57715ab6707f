"""Jobs that failed for good, and the results of parts of jobs, in a SQLite file.

A failed job leaves the tables of the journal for one of its own, so that it costs the journal nothing. The steps of a
job have its id, and leave with the job, whichever of the tables it leaves.
"""

import json
import sqlite3
from collections.abc import Sequence

from wwspec_contracts.errors import StoreError
from wwspec_router.stores.checks import new_job_size, not_negative, storable_failure, storable_key, storable_step
from wwspec_router.stores.failed import NO_ABILITY, FailedJob, Failure
from wwspec_router.stores.job import Job
from wwspec_router.stores.sqlite.jobs import OWNED, SqliteJobs, unless_refused
from wwspec_router.stores.sqlite.removal import CorpRows

FAILED_TABLES: Sequence[str] = (
    """
    CREATE TABLE failed_jobs (
        serial INTEGER PRIMARY KEY,
        job_id TEXT NOT NULL UNIQUE,
        corpid TEXT NOT NULL,
        agentid INTEGER NOT NULL,
        failed REAL NOT NULL,
        error TEXT NOT NULL,
        error_errcode INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        size INTEGER NOT NULL,
        ability_id TEXT NOT NULL,
        job_info TEXT NOT NULL,
        notify_id TEXT NOT NULL,
        data TEXT NOT NULL,
        errcode INTEGER,
        result TEXT
    )
    """,
    "CREATE INDEX failed_jobs_of ON failed_jobs (corpid, agentid)",
    """
    CREATE TABLE job_steps (
        job_id TEXT NOT NULL,
        name TEXT NOT NULL,
        text TEXT NOT NULL,
        PRIMARY KEY (job_id, name)
    ) WITHOUT ROWID
    """,
    """
    CREATE TRIGGER failed_added AFTER INSERT ON failed_jobs BEGIN
        UPDATE job_usage SET failed = failed + 1;
    END
    """,
    """
    CREATE TRIGGER failed_removed AFTER DELETE ON failed_jobs BEGIN
        UPDATE job_usage SET failed = failed - 1;
        DELETE FROM job_steps
        WHERE job_id = old.job_id AND NOT EXISTS (SELECT 1 FROM jobs WHERE job_id = old.job_id);
    END
    """,
    # The condition is one look into an index, while each DELETE of several rows makes a temporary table.
    """
    CREATE TRIGGER job_steps_removed AFTER DELETE ON jobs
    WHEN EXISTS (SELECT 1 FROM job_steps WHERE job_id = old.job_id)
        AND NOT EXISTS (SELECT 1 FROM failed_jobs WHERE job_id = old.job_id)
    BEGIN
        DELETE FROM job_steps WHERE job_id = old.job_id;
    END
    """,
)
"""The statements that make the tables; a change of them raises `events.LAYOUT`."""

JOBS_OF_CORP = (
    CorpRows(
        "SELECT serial, corpid, ? IS NOT NULL FROM job_texts JOIN jobs USING (serial) WHERE corpid = ? LIMIT ?",
        "DELETE FROM jobs WHERE serial = (SELECT serial FROM job_texts WHERE serial = ? AND corpid = ?)",
    ),
    CorpRows(
        "SELECT serial, corpid, ? IS NOT NULL FROM failed_jobs WHERE corpid = ? LIMIT ?",
        "DELETE FROM failed_jobs WHERE serial = ? AND corpid = ?",
    ),
)
"""Those of the journal, and those that failed."""

_KEEP_STEP = """
    INSERT INTO job_steps (job_id, name, text) SELECT job_id, ?, ? FROM jobs WHERE job_id = ? AND owner = ?
    ON CONFLICT DO UPDATE SET text = excluded.text
"""
_STEPS = "SELECT name, text FROM job_steps WHERE job_id = ?"
_STEP = "SELECT text FROM job_steps WHERE job_id = ? AND name = ?"
_SET_ASIDE = """
    INSERT INTO failed_jobs (
        failed, error, error_errcode, job_id, attempts, size,
        corpid, agentid, ability_id, job_info, notify_id, data, errcode, result
    )
    SELECT ?, ?, ?, job_id, attempts, size,
        corpid, agentid, ability_id, job_info, notify_id, data, errcode, result
    FROM jobs JOIN job_texts USING (serial) WHERE job_id = ? AND owner = ?
"""
_REMOVE_JOB = "DELETE FROM jobs WHERE job_id = ?"
_REMOVE_OLDEST = """
    DELETE FROM failed_jobs WHERE serial IN (
        SELECT serial FROM failed_jobs ORDER BY serial LIMIT max(0, (SELECT failed FROM job_usage) - ?)
    )
"""
_COUNT_FORGOTTEN = "UPDATE job_usage SET forgotten = forgotten + ?"
_FAILED = """
    SELECT job_id, ability_id, attempts, error, error_errcode, failed FROM failed_jobs
    WHERE corpid = ? AND agentid = ? ORDER BY serial DESC LIMIT ?
"""
_FIND = "SELECT size, ability_id FROM failed_jobs WHERE corpid = ? AND agentid = ? AND job_id = ?"
_COPY_TEXTS = """
    INSERT INTO job_texts (serial, corpid, agentid, ability_id, job_info, notify_id, data, errcode, result)
    SELECT ?, corpid, agentid, ability_id, job_info, notify_id, data, errcode, result FROM failed_jobs WHERE job_id = ?
"""
_DROP = "DELETE FROM failed_jobs WHERE corpid = ? AND agentid = ? AND job_id = ?"
_UNKNOWN_NAMES = """
    SELECT claim_name, count(*) FROM jobs
    WHERE (owner IS NULL OR due <= ?) AND claim_name NOT IN (SELECT value FROM json_each(?)) GROUP BY claim_name
"""
_UNKNOWN_JOBS = """
    SELECT job_id, ability_id, attempts, ?, 0, added FROM jobs CROSS JOIN job_texts USING (serial)
    WHERE (owner IS NULL OR due <= ?) AND claim_name NOT IN (SELECT value FROM json_each(?))
        AND corpid = ? AND agentid = ? ORDER BY serial DESC LIMIT ?
"""
"""Reads the texts of those jobs only: `CROSS JOIN` keeps the order of the tables."""
_DROP_UNKNOWN = """
    DELETE FROM jobs
    WHERE job_id = ? AND (owner IS NULL OR due <= ?) AND claim_name NOT IN (SELECT value FROM json_each(?))
        AND serial IN (SELECT serial FROM job_texts WHERE serial = jobs.serial AND corpid = ? AND agentid = ?)
"""


class SqliteFailed(SqliteJobs):
    """Keeps them beside the journal, in the same file."""

    def keep_step(self, owner: str, job_id: str, name: str, text: str) -> bool:
        """Keep a part of the job's result; see `JobJournal.keep_step`. It is on the disk when this returns."""
        storable_step(name, text)
        return self._file.write(lambda db: db.execute(_KEEP_STEP, (name, text, job_id, owner)).rowcount > 0)

    def add_once(self, owner: str, job_id: str, name: str, new: Job, *, delay: float = 0.0) -> str | None:
        """Keep a job and a step of another; see `JobJournal.add_once`. Both are on the disk when this returns."""
        size, text = new_job_size(new), new.notify_id
        storable_step(name, text)
        not_negative("delay", delay)

        def work(db: sqlite3.Connection) -> str | StoreError | None:
            if not db.execute(OWNED, (job_id, owner)).fetchone():
                return None
            if (first := db.execute(_STEP, (job_id, name)).fetchone()) is not None:
                return str(first[0])
            if (refusal := self._refusal(db, new, size)) is not None:
                return refusal
            db.execute(_KEEP_STEP, (name, text, job_id, owner))
            self._add(db, new, size, delay)
            return text

        return unless_refused(self._file.write(work))

    def steps(self, job_id: str) -> dict[str, str]:
        """Return what was kept of a job; see `JobJournal.steps`."""
        return dict(self._file.read(_STEPS, (job_id,)))

    def set_aside(self, owner: str, job_id: str, failure: Failure) -> bool:
        """Move a job to those that failed; see `FailedJobs.set_aside`. It is on the disk when this returns."""
        storable_failure(failure)

        def work(db: sqlite3.Connection) -> bool:
            why = (self._clock(), failure.error, failure.errcode)
            if not db.execute(_SET_ASIDE, (*why, job_id, owner)).rowcount:
                return False
            db.execute(_REMOVE_JOB, (job_id,))
            if removed := db.execute(_REMOVE_OLDEST, (self._limits.max_failed,)).rowcount:
                db.execute(_COUNT_FORGOTTEN, (removed,))
            return True

        return self._file.write(work)

    def failed_jobs(self, corpid: str, agentid: int, limit: int) -> list[FailedJob]:
        """Return the jobs that failed; see `FailedJobs.failed_jobs`."""
        corpid, agentid, _ = storable_key(corpid, agentid, "")
        return self._list(_FAILED, corpid, agentid, max(0, limit))

    def retry(self, corpid: str, agentid: int, job_id: str) -> bool:
        """Move a job back to the journal; see `FailedJobs.retry`. It is on the disk when this returns."""
        key = storable_key(corpid, agentid, job_id)

        def work(db: sqlite3.Connection) -> bool | StoreError:
            found = db.execute(_FIND, key).fetchone()
            if found is None:
                return False
            size, name = found
            refusal = self._refusal_of_size(db, size)
            if refusal is not None:
                return refusal
            db.execute(_COPY_TEXTS, (self._add_row(db, job_id, name, size), job_id))
            db.execute(_DROP, key)
            return True

        return unless_refused(self._file.write(work))

    def drop(self, corpid: str, agentid: int, job_id: str) -> bool:
        """Remove a job that failed; see `FailedJobs.drop`. That is on the disk when this returns."""
        key = storable_key(corpid, agentid, job_id)
        return self._file.write(lambda db: db.execute(_DROP, key).rowcount > 0)

    def unknown_names(self, known: frozenset[str]) -> dict[str, int]:
        """Return the names that are not `known`; see `JobJournal.unknown_names`."""
        return dict(self._file.read(_UNKNOWN_NAMES, (self._clock(), json.dumps(list(known)))))

    def unknown_jobs(self, known: frozenset[str], corpid: str, agentid: int, limit: int) -> list[FailedJob]:
        """Return jobs of such names; see `JobJournal.unknown_jobs`."""
        corpid, agentid, _ = storable_key(corpid, agentid, "")
        names = json.dumps(list(known))
        return self._list(_UNKNOWN_JOBS, NO_ABILITY.error, self._clock(), names, corpid, agentid, max(0, limit))

    def drop_unknown(self, known: frozenset[str], corpid: str, agentid: int, job_id: str) -> bool:
        """Remove such a job; see `JobJournal.drop_unknown`. That is on the disk when this returns."""
        corpid, agentid, job_id = storable_key(corpid, agentid, job_id)
        values = (job_id, self._clock(), json.dumps(list(known)), corpid, agentid)
        return self._file.write(lambda db: db.execute(_DROP_UNKNOWN, values).rowcount > 0)

    def _list(self, statement: str, *parameters: str | float) -> list[FailedJob]:
        now = self._clock()
        return [
            FailedJob(job_id, name, attempts, Failure(error, errcode), max(0.0, now - since))
            for job_id, name, attempts, error, errcode, since in self._file.read(statement, parameters)
        ]
