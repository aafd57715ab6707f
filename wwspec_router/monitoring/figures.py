"""Counts the calls of one process, and adds up the figures of several processes.

Latencies are kept as histograms whose buckets have fixed bounds, eight to an octave, so that the percentiles of several
processes come from the sum of their buckets. It knows neither how figures reach other processes nor
how they are shown.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import log2
from threading import Lock
from time import monotonic
from typing import Any

import msgspec

ASYNC = "(async)"
"""Counts the acceptance of asynchronous calls, whose time says nothing about their abilities."""
EVENT = "(event)"
"""Counts events."""
UNDECODED = "(undecoded)"
"""Counts requests that the SDK could not decode."""
UNKNOWN = "(unknown)"
"""Counts all calls whose ability ID is not in the table, so that hostile IDs take no memory."""

OTHER_ERRCODE = -1
"""Counts further errcodes after `MAX_ERRCODES` different ones."""
MAX_ERRCODES = 256
"""Different errcodes that one process counts apart: handlers choose them freely."""

Buckets = dict[int, int]
"""A histogram: calls by bucket. Buckets without calls are absent."""

_PER_OCTAVE = 8.0
_OFFSET = 161.0
"""Puts the shortest time that is counted apart into bucket 1."""
_SHORTEST = 2.0**-20
"""About a microsecond, in seconds; shorter times are in bucket 0 and read as 0."""
_LONGEST = 3600.0
"""Seconds; longer times are in the bucket of this one."""
_LAST = int(log2(_LONGEST) * _PER_OCTAVE + _OFFSET)


class Gauges(msgspec.Struct, frozen=True, kw_only=True):
    """How busy a process is at one moment. The gauges of several processes add up."""

    busy: int = 0
    """Worker threads that run a call."""
    threads: int = 0
    """Worker threads, busy or idle."""
    queued: int = 0
    """Calls that wait for a worker thread."""
    jobs_running: int = 0
    """Asynchronous calls that this process has claimed."""
    hung: int = 0
    """Worker threads that were replaced, since their call does not end."""


class Tally(msgspec.Struct, frozen=True):
    """What was counted of one ability, or of what `EVENT` and its like stand for."""

    calls: int
    """Since the start."""
    errors: int
    """Those of them that were answered with an errcode other than 0."""
    recent: Buckets
    """How long they took, of the last one to two intervals only; see `percentile`."""


class JobCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What became of asynchronous calls since the start. The counts of several processes add up."""

    ended: int = 0
    """Jobs whose outcome was kept, each once."""
    failed: int = 0
    """Those of them whose outcome is an errcode other than 0."""
    given_up: int = 0
    """Jobs of which the platform accepted no report."""


class EventCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What became of events that have a handler, since the start. The counts of several processes add up."""

    ended: int = 0
    """Events whose handler ended, or is not run again, each once."""
    retried: int = 0
    """Runs that failed and were followed by another."""
    failed: int = 0
    """Those that ended with an error of the handler."""
    given_up: int = 0
    """Those that could not be stored for the app after their handler."""
    unfetched: int = 0
    """Notifications that the app did not fetch within `told_for`."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one process at one moment, or of several taken together by `merged`."""

    started: float = math.inf
    """The start of the first of the processes, in seconds of `time.monotonic()`, which all processes share."""
    processes: int = 0
    """Processes that run."""
    gauges: Gauges = Gauges()
    tallies: dict[str, Tally] = {}
    """What was called, by ability ID or name."""
    errcodes: dict[int, int] = {}
    """Calls by errcode since the start, without those of errcode 0."""
    jobs: JobCounts = JobCounts()
    events: EventCounts = EventCounts()
    waited: Buckets = {}
    """How long calls were queued, of the last one to two intervals only."""

    @property
    def calls(self) -> int:
        """All calls since the start."""
        return sum(tally.calls for tally in self.tallies.values())

    @property
    def errors(self) -> int:
        """Those of them that were answered with an errcode other than 0."""
        return sum(tally.errors for tally in self.tallies.values())

    def lasting(self) -> "Snapshot":
        """Return the figures that stay true after the processes have ended: the counts since the start."""
        tallies = {name: Tally(tally.calls, tally.errors, {}) for name, tally in self.tallies.items()}
        return msgspec.structs.replace(self, processes=0, gauges=Gauges(), tallies=tallies, waited={})


class Figures:
    """Counts the calls of one process.

    Args:
        abilities: Every ability ID of the table. Calls of others are counted as `UNKNOWN`.
    """

    def __init__(self, abilities: Iterable[str]) -> None:
        self._started = monotonic()
        self._names = list(dict.fromkeys((UNKNOWN, EVENT, UNDECODED, ASYNC, *abilities)))
        self._numbers = {name: number for number, name in enumerate(self._names)}
        self._calls = [0] * len(self._names)
        self._errors = [0] * len(self._names)
        self._errcodes: dict[int, int] = {}
        self._outcomes: dict[type, Any] = {JobCounts: JobCounts(), EventCounts: EventCounts()}
        self._lasted: list[Buckets | None] = [None] * len(self._names)  # None until the first call in the interval
        self._waited: Buckets = defaultdict(int)
        self._previous: tuple[list[Buckets | None], Buckets] = self._lasted.copy(), {}
        self._lock = Lock()

    def count(self, what: str, errcode: int, waited: float, lasted: float) -> None:
        """Count one call; from any thread, and in less than a microsecond, since every call pays for it.

        Args:
            what: An ability ID, `ASYNC`, `EVENT` or `UNDECODED`; anything else is counted as `UNKNOWN`.
            errcode: The errcode of the answer; 0 for success.
            waited: Seconds in which it was queued.
            lasted: Seconds from its arrival to its answer, or whatever else latency is to mean.
        """
        number = self._numbers.get(what, 0)
        # The same code twice, since a call of a function would double the cost.
        wait = int(log2(waited) * _PER_OCTAVE + _OFFSET) if _SHORTEST <= waited < _LONGEST else _outer_bucket(waited)
        last = int(log2(lasted) * _PER_OCTAVE + _OFFSET) if _SHORTEST <= lasted < _LONGEST else _outer_bucket(lasted)
        self._lock.acquire()  # a with statement costs twice as much
        try:
            self._calls[number] += 1
            buckets = self._lasted[number]
            if buckets is None:
                buckets = self._lasted[number] = defaultdict(int)
            buckets[last] += 1
            self._waited[wait] += 1
            if errcode:
                self._count_error(number, errcode)
        finally:
            self._lock.release()

    def add(self, counts: JobCounts | EventCounts) -> None:
        """Count what became of an asynchronous call, or of an event that has a handler; from any thread."""
        with self._lock:
            self._outcomes[type(counts)] = _sum([self._outcomes[type(counts)], counts])

    def turn(self) -> None:
        """Begin a new interval: percentiles speak of this one and the one that ends now."""
        with self._lock:
            self._previous = self._lasted, self._waited
            self._lasted, self._waited = [None] * len(self._names), defaultdict(int)

    def snapshot(self, gauges: Gauges | None = None) -> Snapshot:
        """Return what was counted up to now, together with how busy the process is."""
        with self._lock:  # only what is quick; calls are waiting
            calls, errors, errcodes = self._calls.copy(), self._errors.copy(), self._errcodes.copy()
            lasted = [buckets and dict(buckets) for buckets in self._lasted]
            waited = dict(self._waited)
            jobs, events = self._outcomes[JobCounts], self._outcomes[EventCounts]
            previous_lasted, previous_waited = self._previous  # which change no more
        return Snapshot(
            started=self._started,
            processes=1,
            gauges=gauges or Gauges(),
            tallies={
                name: Tally(calls[number], errors[number], _sum([lasted[number] or {}, previous_lasted[number] or {}]))
                for number, name in enumerate(self._names)
                if calls[number]
            },
            errcodes=errcodes,
            jobs=jobs,
            events=events,
            waited=_sum([waited, previous_waited]),
        )

    def _count_error(self, number: int, errcode: int) -> None:
        self._errors[number] += 1
        errcode = int(errcode)  # of an IntEnum, perhaps
        known = errcode in self._errcodes
        if not known and (len(self._errcodes) >= MAX_ERRCODES or not -(2**63) <= errcode < 2**63):
            errcode = OTHER_ERRCODE
        self._errcodes[errcode] = self._errcodes.get(errcode, 0) + 1


def merged(snapshots: Iterable[Snapshot]) -> Snapshot:
    """Take snapshots together, as if one process had counted everything; their order and grouping don't matter."""
    parts = [Snapshot(), *snapshots]
    total: Snapshot = _sum(parts)
    return msgspec.structs.replace(total, started=min(each.started for each in parts))


def percentile(buckets: Mapping[int, int], percent: int) -> float | None:
    """Return the time within which `percent` of 100 calls were done, by nearest rank.

    Returns:
        Seconds, at most 4.5 % off for times from a microsecond to an hour; None when there was no call.
    """
    rank = -(-percent * sum(buckets.values()) // 100)
    for bucket in sorted(buckets):
        rank -= buckets[bucket]
        if rank <= 0:
            return 2.0 ** ((bucket + 0.5 - _OFFSET) / _PER_OCTAVE) if bucket else 0.0
    return None


def _outer_bucket(seconds: float) -> int:
    return _LAST if seconds >= _LONGEST else 0


def _sum(parts: Sequence[Any]) -> Any:
    """Add up numbers; structs field by field, dicts key by key. The parts stay as they are."""
    first = parts[0]
    if isinstance(first, msgspec.Struct):
        fields = first.__struct_fields__
        return type(first)(**{name: _sum([getattr(each, name) for each in parts]) for name in fields})
    if isinstance(first, dict):
        total: dict[Any, Any] = {}
        for each in parts:
            for key, value in each.items():
                if key not in total:
                    total[key] = value
                elif isinstance(value, int):  # as in a histogram, which has many
                    total[key] += value
                else:
                    total[key] = _sum([total[key], value])
        return total
    return sum(parts)
