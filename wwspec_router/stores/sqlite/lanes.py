"""Finds the jobs of a SQLite file that an owner can have: waiting jobs, in a lane for each name, and jobs left behind.

An index finds the first job of each lane, so that jobs which an owner can't run cost it nothing. Nothing is claimed
here.
"""

import math
import sqlite3
from collections.abc import Iterable, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple

JOB_LANES: Sequence[str] = (
    "CREATE TABLE job_lanes (lane INTEGER PRIMARY KEY, ability_id TEXT NOT NULL UNIQUE, seen REAL NOT NULL DEFAULT 0)",
)
"""The statement that makes the table; a change of it raises `events.LAYOUT`."""

_LANE = "SELECT lane FROM job_lanes WHERE ability_id = ?"
_ADD_LANE = "INSERT INTO job_lanes (ability_id) VALUES (?)"
HEADS = """
    WITH RECURSIVE lanes (lane) AS (
        SELECT min(lane) FROM jobs WHERE owner IS NULL
        UNION ALL
        SELECT (SELECT min(lane) FROM jobs WHERE owner IS NULL AND lane > lanes.lane) FROM lanes
        WHERE lanes.lane IS NOT NULL
    )
    SELECT (SELECT min(due) FROM jobs WHERE owner IS NULL AND lane = lanes.lane), 0, 0, lanes.lane, ability_id, seen
    FROM lanes JOIN job_lanes ON job_lanes.lane = lanes.lane WHERE lanes.lane IS NOT NULL
    UNION ALL
    SELECT jobs.due, 1, running AND errcode IS NULL, jobs.lane, job_lanes.ability_id, seen
    FROM jobs JOIN job_texts USING (serial) JOIN job_lanes ON job_lanes.lane = jobs.lane
    WHERE owner IS NOT NULL AND jobs.due <= ?
"""
"""Finds the time when the first job of each lane is due, and the jobs left behind, by index."""
DUE = """
    SELECT due, serial, job_id, attempt, attempts, added, 0 FROM jobs
    WHERE owner IS NULL AND lane = ? AND due <= ? ORDER BY due, serial LIMIT ?
"""
"""Finds those to claim in one lane, by index."""
LEASE_OVER = """
    SELECT lane, due, serial, job_id, attempt, attempts, added, running AND errcode IS NULL
    FROM jobs JOIN job_texts USING (serial) WHERE owner IS NOT NULL AND due <= ?
"""
"""Finds those whose leases are over, by index."""
_SEEN = "UPDATE job_lanes SET seen = ? WHERE lane = ?"


class _Head(NamedTuple):
    """The first job of a lane, or one whose lease is over: when it was due, and which owners can have it."""

    due: float
    left_behind: int
    running: int
    lane: int
    name: str
    seen: float
    """When an owner that knows the name last asked for jobs, or a little earlier: not every time is noted."""


class _Found(NamedTuple):
    """The lanes that have jobs for an owner, each with the latest due time of those jobs."""

    waiting: dict[int, float]
    """The lane with the first head comes first."""
    left_behind: dict[int, float]
    seen: list[int]
    """Lanes whose `seen` is to be set: this owner knows their names."""


class Due(NamedTuple):
    """A job that can be claimed."""

    due: float
    serial: int
    job_id: str
    claims: int
    attempts: int
    added: float
    running: int


class Demand(NamedTuple):
    """What an owner asks for; see `JobJournal.claim`."""

    limit: int
    known: frozenset[str] | None
    orphan_after: float
    suspects: int

    def find(self, heads: Sequence[_Head], now: float) -> _Found:
        """Return where there are jobs."""
        found = _Found({}, {}, [])
        late = now - self.orphan_after / 4
        for head in sorted(heads, key=itemgetter(0)):
            known = self.known is None or head.name in self.known
            until = now
            if known and head.due <= now and head.seen <= late and head.lane not in found.seen:
                found.seen.append(head.lane)
            elif not known:
                until = now - self.orphan_after if head.seen <= late - self.orphan_after else -math.inf
            if head.due <= until and (self.suspects if head.running else self.limit):
                (found.left_behind if head.left_behind else found.waiting)[head.lane] = until
        return found

    def pick(self, due: Iterable[Due]) -> list[Due]:
        """Return those that the owner gets, in their order."""
        picked: list[Due] = []
        suspects = self.suspects
        for each in sorted(due):
            if len(picked) == self.limit:
                break
            if not each.running or suspects > 0:
                suspects -= each.running
                picked.append(each)
        return picked


def is_worth_a_claim(heads: Sequence[tuple[Any, ...]], demand: Demand, now: float) -> bool:
    """Return whether a claim has something to do with these rows of `HEADS`: to take or note something."""
    return any(demand.find([_Head(*row) for row in heads], now))


def due_jobs(db: sqlite3.Connection, demand: Demand, now: float) -> list[Due]:
    """Return the jobs that an owner gets, in their order, and note for which lanes it asked."""
    heads = [_Head(*row) for row in db.execute(HEADS, (now,)).fetchall()]
    found = demand.find(heads, now)
    if found.seen:
        db.executemany(_SEEN, [(now, each) for each in found.seen])
    # The jobs that are due first are in the lanes with the first heads, so at most as many lanes as jobs are needed.
    due = [
        Due(*row)
        for lane, until in islice(found.waiting.items(), demand.limit)
        for row in db.execute(DUE, (lane, until, demand.limit)).fetchall()
    ]
    if found.left_behind:
        rows = db.execute(LEASE_OVER, (now,)).fetchall()
        due += [Due(*row) for lane, *row in rows if row[0] <= found.left_behind.get(lane, -math.inf)]
    return demand.pick(due)


def lane_of(db: sqlite3.Connection, name: str) -> int:
    """Return the lane of the jobs of a name, a new one if there is none."""
    found = db.execute(_LANE, (name,)).fetchone()
    if found is None:
        db.execute(_ADD_LANE, (name,))
        found = db.execute(_LANE, (name,)).fetchone()
    return int(found[0])
