"""The journal of jobs in the memory of one process; it lasts as long as the process.

It knows neither events nor other processes.
"""

import heapq
import math
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice
from typing import NamedTuple

import msgspec

from wwspec_router.stores.base import JobFigures, StoreLimits
from wwspec_router.stores.checks import (
    Key,
    closed,
    full_of_jobs,
    known_job,
    new_job_size,
    not_negative,
    positive,
    storable_failure,
    storable_ids,
    storable_key,
    storable_outcome,
    storable_step,
    storable_writes,
)
from wwspec_router.stores.failed import NO_ABILITY, FailedJob, Failure
from wwspec_router.stores.job import Job, Outcome, claim_name
from wwspec_router.stores.kept import KeptWrite
from wwspec_router.stores.memory.kept import MemoryKept
from wwspec_router.stores.oldest import OldJob, old_job

_FEW = 64
"""The lanes are not rebuilt for fewer stale items than this."""

_Lane = str | None
"""The name of jobs that wait; None for those that have an owner."""
_Item = tuple[float, int, int, str]
"""The time when a job is due; the serial and stamp of its row; and its id."""


class _JobRow:
    """A job and its owner."""

    __slots__ = ("added", "due", "failed", "failure", "job", "owner", "running", "serial", "size", "stamp", "steps")

    def __init__(self, job: Job, size: int, added: float, serial: int) -> None:
        self.job = job
        self.size = size
        self.added = self.due = added
        self.serial = serial
        self.stamp = 0
        self.owner: str | None = None
        self.running = False
        self.steps: dict[str, str] = {}
        self.failure: Failure | None = None
        self.failed = 0.0

    @property
    def lane(self) -> _Lane:
        """The lane that it is in."""
        return claim_name(self.job.name) if self.owner is None else None

    @property
    def item(self) -> _Item:
        return self.due, self.serial, self.stamp, self.job.job_id


class _Demand(NamedTuple):
    """What an owner asks for; see `JobJournal.claim`."""

    limit: int
    known: frozenset[str] | None
    suspects: int


class MemoryJobs:
    """Keeps jobs in a dict in the order of their arrival; a heap for each lane finds those that are due.

    A job is due from `due` on: its arrival, the end of its lease, or the end of its delay.

    Args:
        limits: Bounds in jobs and bytes.
        clock: Returns the time in seconds.
    """

    def __init__(self, limits: StoreLimits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._lock = threading.Lock()
        self._closed = False
        self._jobs: dict[str, _JobRow] = {}
        self._unfetched: dict[Key, _JobRow] = {}  # those of them that are notifications
        self._lanes: dict[_Lane, list[_Item]] = {}  # each new due time leaves a stale item, see _head
        self._items = 0
        self._job_bytes = 0
        self._job_serial = 0
        self._failed: dict[str, _JobRow] = {}  # the oldest first
        self._failed_forgotten = 0
        self._kept = MemoryKept(limits, clock)

    def check(self) -> None:
        """Return while it is open; see `Readiness.check`."""
        with self._lock:
            self._check_open()

    def add(self, job: Job, writes: Sequence[KeptWrite] = (), *, delay: float = 0.0) -> None:
        """Keep a new job; see `JobJournal.add`. It lasts as long as this process."""
        size = new_job_size(job)
        storable_writes(writes)
        not_negative("delay", delay)
        with self._lock:
            self._check_open()
            self._check_room(job, size)
            fresh = writes and self._kept.check(writes)
            self._add(job, size, delay)
            if fresh:
                self._kept.make(fresh)

    def claim(
        self,
        owner: str,
        limit: int,
        lease: float,
        *,
        known: frozenset[str] | None = None,
        suspects: int | None = None,
        begins: bool = False,
    ) -> list[Job]:
        """Take jobs that are due; see `JobJournal.claim`."""
        storable_ids(owner)
        positive("lease", lease)
        with self._lock:
            self._check_open()
            now = self._clock()
            most = limit if suspects is None else suspects
            rows = self._pop_due(now, _Demand(limit, known, most))
            return [self._claimed(row, owner, now, lease) for row in rows]

    def begin(self, owner: str, job_id: str) -> bool:
        """Note that a job runs; see `JobJournal.begin`."""
        storable_ids(owner, job_id)
        with self._lock:
            self._check_open()
            row = self._owned(owner, job_id)
            if row is not None:
                row.job = msgspec.structs.replace(row.job, attempt=row.job.attempt + 1)
                row.running = True
            return row is not None

    def renew(self, owner: str, job_ids: Sequence[str], lease: float) -> set[str]:
        """Extend leases; see `JobJournal.renew`."""
        storable_ids(owner, *job_ids)
        positive("lease", lease)
        with self._lock:
            self._check_open()
            ends = self._clock() + lease
            rows = [row for each in job_ids if (row := self._owned(owner, each)) is not None]
            for row in rows:
                self._set_due(row, ends)
            return {row.job.job_id for row in rows}

    def excuse(self, owner: str, job_ids: Sequence[str]) -> None:
        """Let jobs not become suspects; see `JobJournal.excuse`."""
        storable_ids(owner, *job_ids)
        with self._lock:
            self._check_open()
            for each in job_ids:
                if (row := self._owned(owner, each)) is not None:
                    row.running = False

    def keep_outcome(self, owner: str, job_id: str, outcome: Outcome, writes: Sequence[KeptWrite] = ()) -> bool:
        """Keep what the ability answered; see `JobJournal.keep_outcome`."""
        storable_ids(owner, job_id)
        storable_outcome(outcome)
        storable_writes(writes)
        with self._lock:
            self._check_open()
            row = self._owned(owner, job_id)
            if row is not None:
                fresh = writes and self._kept.check(writes)
                row.job = msgspec.structs.replace(row.job, outcome=outcome)
                row.running = False
                if fresh:
                    self._kept.make(fresh)
            return row is not None

    def keep_step(self, owner: str, job_id: str, name: str, text: str) -> bool:
        """Keep a part of the job's result; see `JobJournal.keep_step`."""
        storable_ids(owner, job_id)
        storable_step(name, text)
        with self._lock:
            self._check_open()
            row = self._owned(owner, job_id)
            if row is not None:
                row.steps[name] = text
            return row is not None

    def steps(self, job_id: str) -> dict[str, str]:
        """Return what was kept of a job; see `JobJournal.steps`."""
        storable_ids("", job_id)
        with self._lock:
            self._check_open()
            row = self._jobs.get(job_id)
            return {} if row is None else dict(row.steps)

    def postpone(self, owner: str, job_id: str, delay: float, *, counted: bool = True) -> bool:
        """Give a job back; see `JobJournal.postpone`."""
        storable_ids(owner, job_id)
        not_negative("delay", delay)
        with self._lock:
            self._check_open()
            row = self._owned(owner, job_id)
            if row is not None:
                if not counted:
                    row.job = msgspec.structs.replace(row.job, attempt=max(0, row.job.attempt - 1))
                self._give_back(row, delay)
            return row is not None

    def replace_notify_id(self, owner: str, job: Job) -> bool:
        """Keep another notify_id of a notification; see `JobJournal.replace_notify_id`."""
        storable_ids(owner, job.job_id)
        storable_key(job.corpid, job.agentid, job.notify_id)
        with self._lock:
            self._check_open()
            row = self._owned(owner, job.job_id)
            if row is not None:
                del self._unfetched[_key(row.job)]
                row.job = msgspec.structs.replace(row.job, notify_id=job.notify_id, id_made=job.id_made)
                self._unfetched[_key(row.job)] = row
            return row is not None

    def finish_soon(self, owner: str, job_id: str, failed: Callable[[Exception], None]) -> None:
        """Remove a job; see `JobJournal.finish_soon`."""
        self.finish(owner, job_id)

    def finish(self, owner: str, job_id: str, writes: Sequence[KeptWrite] = ()) -> bool:
        """Remove a job; see `JobJournal.finish`."""
        storable_ids(owner, job_id)
        storable_writes(writes)
        with self._lock:
            self._check_open()
            row = self._owned(owner, job_id)
            if row is not None:
                if writes:
                    self._kept.make(self._kept.check(writes))
                self._remove_job(row)
            return row is not None

    def set_aside(self, owner: str, job_id: str, failure: Failure) -> bool:
        """Move a job to those that failed; see `FailedJobs.set_aside`."""
        storable_ids(owner, job_id)
        storable_failure(failure)
        with self._lock:
            self._check_open()
            row = self._owned(owner, job_id)
            if row is not None:
                self._remove_job(row)
                row.failure, row.failed = failure, self._clock()
                self._failed[job_id] = row
                while len(self._failed) > self._limits.max_failed:
                    del self._failed[next(iter(self._failed))]
                    self._failed_forgotten += 1
            return row is not None

    def failed_jobs(self, corpid: str, agentid: int, limit: int) -> list[FailedJob]:
        """Return the jobs that failed; see `FailedJobs.failed_jobs`."""
        storable_key(corpid, agentid, "")
        with self._lock:
            self._check_open()
            now = self._clock()
            found = (
                FailedJob(
                    job_id=row.job.job_id,
                    name=row.job.name,
                    attempt=row.job.attempt,
                    failure=row.failure,
                    age=max(0.0, now - row.failed),
                )
                for row in reversed(self._failed.values())
                if (row.job.corpid, row.job.agentid) == (corpid, agentid) and row.failure is not None
            )
            return list(islice(found, max(0, limit)))

    def retry(self, corpid: str, agentid: int, job_id: str) -> bool:
        """Move a job back to the journal; see `FailedJobs.retry`."""
        with self._lock:
            row = self._failed_row(corpid, agentid, job_id)
            if row is None:
                return False
            job = msgspec.structs.replace(row.job, attempt=0, claims=0, age=0.0)
            self._check_bounds(row.size)
            del self._failed[job_id]
            self._add(job, row.size).steps = row.steps
            return True

    def drop(self, corpid: str, agentid: int, job_id: str) -> bool:
        """Remove a job that failed; see `FailedJobs.drop`."""
        with self._lock:
            row = self._failed_row(corpid, agentid, job_id)
            if row is not None:
                del self._failed[job_id]
            return row is not None

    def unknown_names(self, known: frozenset[str]) -> dict[str, int]:
        """Return the names that are not `known`; see `JobJournal.unknown_names`."""
        with self._lock:
            self._check_open()
            return dict(Counter(claim_name(row.job.name) for row in self._unknown(known)))

    def unknown_jobs(self, known: frozenset[str], corpid: str, agentid: int, limit: int) -> list[FailedJob]:
        """Return jobs of such names; see `JobJournal.unknown_jobs`."""
        storable_key(corpid, agentid, "")
        with self._lock:
            self._check_open()
            now = self._clock()
            return [
                FailedJob(
                    job_id=row.job.job_id,
                    name=row.job.name,
                    attempt=row.job.attempt,
                    failure=NO_ABILITY,
                    age=max(0.0, now - row.added),
                )
                for row in self._unknown(known)
                if (row.job.corpid, row.job.agentid) == (corpid, agentid)
            ][: max(0, limit)]

    def drop_unknown(self, known: frozenset[str], corpid: str, agentid: int, job_id: str) -> bool:
        """Remove such a job; see `JobJournal.drop_unknown`."""
        storable_key(corpid, agentid, job_id)
        with self._lock:
            self._check_open()
            for row in self._unknown(known):
                if (row.job.corpid, row.job.agentid, row.job.job_id) == (corpid, agentid, job_id):
                    self._remove_job(row)
                    return True
            return False

    def _unknown(self, known: frozenset[str]) -> list[_JobRow]:
        rows = [row for row in self._jobs.values() if row.owner is None or row.due <= self._clock()]
        return [row for row in rows if claim_name(row.job.name) not in known]

    def has_job(self, job_id: str) -> bool:
        """Return whether there is such a job; see `JobJournal.has_job`."""
        storable_ids("", job_id)
        with self._lock:
            self._check_open()
            return job_id in self._jobs

    def job_figures(self) -> JobFigures:
        """Return how full the journal is; see `JobJournal.job_figures`."""
        with self._lock:
            self._check_open()
            now = self._clock()
            rows = [row for row in self._jobs.values() if not row.job.unfetched]
            claimed = sum(row.owner is not None and row.due > now for row in rows)
            return JobFigures(
                waiting=len(rows) - claimed,
                claimed=claimed,
                bytes=self._job_bytes,
                oldest_age=max(0.0, now - rows[0].added) if rows else 0.0,
                unfetched=len(self._unfetched),
                failed=len(self._failed),
                forgotten=self._failed_forgotten,
            )

    def oldest_jobs(self, limit: int) -> list[OldJob]:
        """Return how the oldest jobs are doing; see `JobJournal.oldest_jobs`."""
        with self._lock:
            self._check_open()
            now = self._clock()
            return [
                old_job(
                    row.job.name,
                    row.job.attempt,
                    row.added,
                    row.due,
                    owned=row.owner is not None,
                    running=row.running,
                    ended=row.job.outcome is not None,
                    now=now,
                )
                for row in islice((each for each in self._jobs.values() if not each.job.unfetched), max(0, limit))
            ]

    def _check_open(self) -> None:
        if self._closed:
            raise closed()

    def _check_room(self, job: Job, size: int) -> None:
        """Raise StoreError when a new job can't be added."""
        if job.job_id in self._jobs or job.job_id in self._failed:
            raise known_job()
        self._check_bounds(size)

    def _check_bounds(self, size: int) -> None:
        limits = self._limits
        if len(self._jobs) >= limits.max_jobs or self._job_bytes + size > limits.max_job_bytes:
            raise full_of_jobs(limits)

    def _add(self, job: Job, size: int, delay: float = 0.0) -> _JobRow:
        """Add a job for which there is room."""
        self._job_serial += 1
        self._job_bytes += size
        self._jobs[job.job_id] = row = _JobRow(job, size, self._clock(), self._job_serial)
        self._set_due(row, row.added + delay)
        if job.unfetched:
            self._unfetched[_key(job)] = row
        return row

    def _remove_job(self, row: _JobRow) -> None:
        del self._jobs[row.job.job_id]
        if row.job.unfetched:
            del self._unfetched[_key(row.job)]
        self._job_bytes -= row.size

    def _give_back(self, row: _JobRow, delay: float) -> None:
        row.owner = None
        row.running = False
        self._set_due(row, self._clock() + delay)

    def _failed_row(self, corpid: str, agentid: int, job_id: str) -> _JobRow | None:
        storable_key(corpid, agentid, job_id)
        self._check_open()
        row = self._failed.get(job_id)
        return row if row is not None and (row.job.corpid, row.job.agentid) == (corpid, agentid) else None

    def _forget_jobs_of(self, corpid: str) -> int:
        """Remove the jobs of a corp; return their number."""
        rows = [row for row in self._jobs.values() if row.job.corpid == corpid]
        for row in rows:
            self._remove_job(row)
        failed = [job_id for job_id, row in self._failed.items() if row.job.corpid == corpid]
        for job_id in failed:
            del self._failed[job_id]
        return len(rows) + len(failed)

    def _forget_jobs(self) -> None:
        self._jobs.clear()
        self._unfetched.clear()
        self._failed.clear()
        self._lanes.clear()
        self._items = self._job_bytes = 0

    def _owned(self, owner: str, job_id: str) -> _JobRow | None:
        row = self._jobs.get(job_id)
        return row if row is not None and row.owner == owner else None

    def _set_due(self, row: _JobRow, due: float) -> None:
        row.due = due
        row.stamp += 1
        self._push(row)
        if self._items > 2 * len(self._jobs) + _FEW:  # most are stale
            self._lanes.clear()
            self._items = 0
            for each in self._jobs.values():
                self._push(each)

    def _push(self, row: _JobRow) -> None:
        heapq.heappush(self._lanes.setdefault(row.lane, []), row.item)
        self._items += 1

    def _until(self, name: str, now: float, demand: _Demand) -> float:
        """Return the latest due time of jobs of a name that the owner can claim now."""
        return now if demand.known is None or name in demand.known else -math.inf

    def _head(self, lane: _Lane) -> _Item | None:
        """Return the first item of a lane that is not stale; remove a lane that has none."""
        items = self._lanes.get(lane, [])
        while items:
            _, serial, stamp, job_id = items[0]
            row = self._jobs.get(job_id)
            if row is not None and (row.serial, row.stamp) == (serial, stamp):
                return items[0]
            self._pop(lane)
        self._lanes.pop(lane, None)
        return None

    def _pop_due(self, now: float, demand: _Demand) -> list[_JobRow]:
        """Take rows off the lanes, in the order in which they became due."""
        untils = {lane: self._until(lane, now, demand) for lane in self._lanes if lane is not None}
        left_behind = self._pop_left_behind(now)
        heads: list[tuple[_Item, _Lane]] = [
            (row.item, None) for row in left_behind if row.due <= self._until(claim_name(row.job.name), now, demand)
        ]
        heads += [(item, lane) for lane, until in untils.items() if (item := self._head(lane)) and item[0] <= until]
        heapq.heapify(heads)
        rows: list[_JobRow] = []
        suspects = demand.suspects
        while heads and len(rows) < demand.limit:
            item, lane = heapq.heappop(heads)
            row = self._jobs[item[3]]
            if lane is not None:
                self._pop(lane)
                if (following := self._head(lane)) is not None and following[0] <= untils[lane]:
                    heapq.heappush(heads, (following, lane))
            elif row.running:
                if suspects <= 0:
                    continue
                suspects -= 1
            rows.append(row)
        for row in set(left_behind).difference(rows):
            self._push(row)
        return rows

    def _pop_left_behind(self, now: float) -> list[_JobRow]:
        """Take rows whose leases are over off their lane."""
        rows = []
        while (item := self._head(None)) is not None and item[0] <= now:
            self._pop(None)
            rows.append(self._jobs[item[3]])
        return rows

    def _pop(self, lane: _Lane) -> None:
        heapq.heappop(self._lanes[lane])
        self._items -= 1

    def _claimed(self, row: _JobRow, owner: str, now: float, lease: float) -> Job:
        row.owner = owner
        row.job = msgspec.structs.replace(row.job, claims=row.job.claims + 1, age=max(0.0, now - row.added))
        self._set_due(row, now + lease)
        return msgspec.structs.replace(row.job, suspect=row.running)


def _key(job: Job) -> Key:
    """Return what the data of a notification are fetched under."""
    return job.corpid, job.agentid, job.notify_id
