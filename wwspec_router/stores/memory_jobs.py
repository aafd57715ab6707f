"""The journal of jobs in the memory of one process; it lasts as long as the process.

It is not aware of events, nor of other processes.
"""

import heapq
import threading
from collections.abc import Callable, Sequence

import msgspec

from wwspec_router.stores.base import Job, JobFigures, Outcome, StoreLimits
from wwspec_router.stores.entry import (
    closed,
    full_of_jobs,
    known_job,
    new_job_size,
    not_negative,
    positive,
    storable_ids,
    storable_outcome,
)

_FEW = 64
"""Stale items of the heap that are never worth a rebuild."""


class _Row:
    """A job and whose it is."""

    __slots__ = ("added", "due", "job", "owner", "serial", "size", "stamp")

    def __init__(self, job: Job, size: int, added: float, serial: int) -> None:
        self.job = job
        self.size = size
        self.added = self.due = added
        self.serial = serial
        self.stamp = 0
        self.owner: str | None = None


class MemoryJobs:
    """Keeps jobs in a dict in the order of their arrival; a heap finds those that are due.

    A job is due from `due` on: its arrival, the end of its lease, or the end of its delay.

    Args:
        limits: Bounds in jobs and bytes.
        clock: Gives the time in seconds.
    """

    def __init__(self, limits: StoreLimits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._lock = threading.Lock()
        self._closed = False
        self._jobs: dict[str, _Row] = {}
        self._jobs_due: list[tuple[float, int, int, str]] = []  # each new due time leaves a stale item, see _take_due
        self._job_bytes = 0
        self._job_serial = 0

    def add(self, job: Job) -> None:
        """Keep a new job; see `JobJournal.add`. It lasts as long as this process."""
        size = new_job_size(job)
        with self._lock:
            self._check_open()
            if job.job_id in self._jobs:
                raise known_job()
            limits = self._limits
            if len(self._jobs) >= limits.max_jobs or self._job_bytes + size > limits.max_job_bytes:
                raise full_of_jobs(limits)
            self._job_serial += 1
            self._job_bytes += size
            self._jobs[job.job_id] = row = _Row(job, size, self._clock(), self._job_serial)
            self._set_due(row, row.due)

    def claim(self, owner: str, limit: int, lease: float) -> list[Job]:
        """Take jobs that are due; see `JobJournal.claim`."""
        storable_ids(owner)
        positive("lease", lease)
        with self._lock:
            self._check_open()
            now = self._clock()
            rows = self._take_due(now, limit)
            for row in rows:
                row.owner = owner
                age = max(0.0, now - row.added)
                row.job = msgspec.structs.replace(row.job, attempt=row.job.attempt + 1, age=age)
                self._set_due(row, now + lease)
            return [row.job for row in rows]

    def renew(self, owner: str, job_ids: Sequence[str], lease: float) -> set[str]:
        """Prolong leases; see `JobJournal.renew`."""
        storable_ids(owner, *job_ids)
        positive("lease", lease)
        with self._lock:
            self._check_open()
            ends = self._clock() + lease
            rows = [row for each in job_ids if (row := self._owned(owner, each)) is not None]
            for row in rows:
                self._set_due(row, ends)
            return {row.job.job_id for row in rows}

    def keep_outcome(self, owner: str, job_id: str, outcome: Outcome) -> bool:
        """Keep what the ability answered; see `JobJournal.keep_outcome`."""
        storable_ids(owner, job_id)
        storable_outcome(outcome)
        with self._lock:
            self._check_open()
            row = self._owned(owner, job_id)
            if row is not None:
                row.job = msgspec.structs.replace(row.job, outcome=outcome)
            return row is not None

    def postpone(self, owner: str, job_id: str, delay: float) -> bool:
        """Give a job back; see `JobJournal.postpone`."""
        storable_ids(owner, job_id)
        not_negative("delay", delay)
        with self._lock:
            self._check_open()
            row = self._owned(owner, job_id)
            if row is not None:
                row.owner = None
                self._set_due(row, self._clock() + delay)
            return row is not None

    def finish(self, owner: str, job_id: str) -> bool:
        """Remove a job; see `JobJournal.finish`."""
        storable_ids(owner, job_id)
        with self._lock:
            self._check_open()
            row = self._owned(owner, job_id)
            if row is not None:
                del self._jobs[job_id]
                self._job_bytes -= row.size
            return row is not None

    def job_figures(self) -> JobFigures:
        """Return how full the journal is; see `JobJournal.job_figures`."""
        with self._lock:
            self._check_open()
            now = self._clock()
            claimed = sum(row.owner is not None and row.due > now for row in self._jobs.values())
            oldest = next(iter(self._jobs.values()), None)
            return JobFigures(
                waiting=len(self._jobs) - claimed,
                claimed=claimed,
                bytes=self._job_bytes,
                oldest_age=0.0 if oldest is None else max(0.0, now - oldest.added),
            )

    def _check_open(self) -> None:
        if self._closed:
            raise closed()

    def _forget_jobs(self) -> None:
        self._jobs.clear()
        self._jobs_due.clear()
        self._job_bytes = 0

    def _owned(self, owner: str, job_id: str) -> _Row | None:
        row = self._jobs.get(job_id)
        return row if row is not None and row.owner == owner else None

    def _set_due(self, row: _Row, due: float) -> None:
        row.due = due
        row.stamp += 1
        heapq.heappush(self._jobs_due, _item(row))
        if len(self._jobs_due) > 2 * len(self._jobs) + _FEW:  # most are stale
            self._jobs_due = [_item(each) for each in self._jobs.values()]
            heapq.heapify(self._jobs_due)

    def _take_due(self, now: float, limit: int) -> list[_Row]:
        """Take up to `limit` due rows off the heap; an item whose stamp is not the row's is stale."""
        rows: list[_Row] = []
        while len(rows) < limit and self._jobs_due and self._jobs_due[0][0] <= now:
            _, serial, stamp, job_id = heapq.heappop(self._jobs_due)
            row = self._jobs.get(job_id)
            if row is not None and (row.serial, row.stamp) == (serial, stamp):
                rows.append(row)
        return rows


def _item(row: _Row) -> tuple[float, int, int, str]:
    return row.due, row.serial, row.stamp, row.job.job_id
