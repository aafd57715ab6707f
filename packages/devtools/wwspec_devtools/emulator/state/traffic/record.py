"""The latest exchanges: calls of the app, calls and events for the program, SDK calls, callbacks [100042].

Entries are numbered in the order in which they began. Each has the entry that caused it: the one under way in the same
context, or the one that its request refers to. The record is bounded in entries and in bytes. Safe under threads.
"""

import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import takewhile
from time import perf_counter
from typing import Any

import msgspec

from wwspec_contracts.files import ConsoleContract
from wwspec_devtools.emulator.bounded import MIB, BoundedDict, Kept
from wwspec_devtools.emulator.standin.wwspec_standin.seal import CallContent
from wwspec_devtools.emulator.state.clock import Clock
from wwspec_devtools.emulator.state.traffic.entries import APP, CALL, SDK, Entry, Reply, body_of
from wwspec_devtools.emulator.state.traffic.references import job_key
from wwspec_devtools.emulator.state.traffic.traces import Trace, trace_bytes, with_trace

KEPT_ENTRIES = 10_000
KEPT_BYTES = 128 * MIB
"""The most bytes of all entries in memory; the oldest are dropped."""

_current: ContextVar[Entry | None] = ContextVar("exchange", default=None)
"""The exchange under way: the cause of exchanges that begin meanwhile."""


def current_entry() -> Entry | None:
    """Return the exchange under way in this context."""
    return _current.get()


def note_contract(contract: ConsoleContract | None) -> None:
    """Record the contract that checks the exchange under way."""
    entry = _current.get()
    if entry is not None:
        entry.contract = contract


@contextmanager
def under(entry: Entry) -> Iterator[None]:
    """Make an entry the cause of exchanges that begin within the block, or in actions that the block schedules."""
    token = _current.set(entry)
    try:
        yield
    finally:
        _current.reset(token)


class Bounds(msgspec.Struct, frozen=True):
    """The numbers of the kept entries."""

    first: int
    """The number of the oldest kept entry; one more than `last` when none is kept."""
    last: int
    """The number of the newest entry, kept or not."""


class Changed(msgspec.Struct, frozen=True):
    """The entries that changed after a revision."""

    entries: list[Entry]
    """The entries in the order of their last changes."""
    revision: int
    """The revision of the last one."""
    bounds: Bounds
    more: bool
    """Whether further entries have changed since."""


class Traffic:
    """The record of one session: from a start or a reset of the emulator to the next.

    Args:
        clock: Stamps the entries.
        on_change: Called after each change, without a lock.
    """

    def __init__(self, clock: Clock, on_change: Callable[[], None] = lambda: None) -> None:
        self.session = secrets.token_hex(4)
        """The id of the session. In each session the numbers begin at 1."""
        self._clock = clock
        self._on_change = on_change
        self._lock = threading.Lock()
        self._entries = BoundedDict[int, Entry](KEPT_BYTES, KEPT_ENTRIES, self._forget)
        """By number."""
        self._changed: dict[int, Entry] = {}
        """By number, in the order of their last changes."""
        self._by_key: dict[str, int] = {}
        """Numbers of entries, by the keys that later exchanges refer to."""
        self._count = 0
        self._revision = 0
        self._began = perf_counter()

    def begin(
        self,
        kind: str,
        name: str,
        request: str | bytes = "",
        *,
        refers_to: Iterable[str] = (),
        follows: Iterable[str] = (),
        keys: tuple[str, ...] = (),
        call: CallContent | None = None,
        **fields: Any,
    ) -> Entry:
        """Record that an exchange begins.

        Args:
            kind: One of `KINDS`.
            name: What is called, or the event's type.
            request: What is sent.
            refers_to: Keys of the entry that caused it, when no entry is under way in this context. The first known key
                counts.
            follows: Keys of an entry of the same flow that did not cause it, such as the page before.
            keys: Keys by which later exchanges refer to this one.
            call: The call of the program; kept to be sent again, unless it is too long.
            fields: Other fields of the `Entry`.
        """
        kept = body_of(request)
        parent = None if kind in (APP, SDK) else _current.get()  # keys come from outside
        entry = Entry(
            number=0,
            time=self._clock.now(),
            offset=perf_counter() - self._began,
            kind=kind,
            name=name,
            flow=0,
            request=kept,
            keys=keys,
            call=None if isinstance(kept, int) else call,
            **fields,
        )
        with self._lock:
            self._count += 1
            entry.number = entry.flow = self._count
            if (cause := parent or self._find(refers_to)) is not None:
                entry.parent, entry.flow = cause.number, cause.flow
                if kind == CALL:
                    cause.about = entry
                else:
                    entry.about = cause if cause.kind == CALL else cause.about
            elif (before := self._find(follows)) is not None:
                entry.flow = before.flow
            for key in keys:
                self._by_key[key] = entry.number
            self._entries.put(entry.number, entry, entry.size)
            self._note_change(entry)
        self._on_change()
        return entry

    def end(
        self,
        entry: Entry,
        outcome: int | str,
        reply: str | bytes = "",
        *,
        came_back: Reply | None = None,
        keys: tuple[str, ...] = (),
    ) -> None:
        """Record how it ended.

        Args:
            entry: The exchange that ended.
            outcome: An errcode, of which 0 is shown as `ok`, or a word.
            reply: What came back, decoded.
            came_back: The reply as it was sent, when that is another text.
            keys: Further keys by which later exchanges refer to it.
        """
        entry.reply = body_of(reply)
        entry.came_back = came_back
        entry.errcode = outcome if isinstance(outcome, int) else None
        entry.outcome = "ok" if outcome == 0 else str(outcome)
        entry.duration = perf_counter() - self._began - entry.offset
        self.update(entry, keys)

    def update(self, entry: Entry, keys: tuple[str, ...] = ()) -> None:
        """Record that an entry has changed, and its further keys."""
        with self._lock:
            if entry.number in self._entries:
                entry.digest = None
                entry.keys += keys
                for key in keys:
                    self._by_key[key] = entry.number
                self._note_change(entry)
                self._entries.resize(entry.number, entry.size)
        self._on_change()

    def add_traces(self, traces: Iterable[Trace]) -> None:
        """Add what the program tells to the entries that it belongs to; drop what belongs to none that is kept."""
        for trace in traces:
            entry = self.find(job_key(trace.reference), trace.reference)
            if entry is not None:
                entry.traces = with_trace(entry.traces, trace)
                entry.trace_bytes = sum(map(trace_bytes, entry.traces))
                self.update(entry)
                if trace.outcome != "ok":  # others have its reason, too
                    for other in self.kept_entries((entry.parent or entry.number) - 1):
                        if other.about is entry:
                            self.update(other)

    def find(self, *keys: str) -> Entry | None:
        """Return the entry that one of the keys refers to; None when it is unknown or too old."""
        with self._lock:
            return self._find(keys)

    def get(self, number: int) -> Entry | None:
        """Return an entry; None when it is unknown or too old."""
        with self._lock:
            return self._entries.get(number)

    def kept_entries(self, since: int = 0) -> list[Entry]:
        """Return the entries after a number, oldest first."""
        with self._lock:
            return [entry for entry in self._entries.values() if entry.number > since]

    def children(self, number: int) -> list[int]:
        """Return the numbers of the entries that an entry caused."""
        return [entry.number for entry in self.kept_entries(number) if entry.parent == number]

    def changed(self, since: int, limit: int) -> Changed:
        """Return the entries that changed after a revision: at most `limit`, the earliest changes first."""
        with self._lock:
            changed = list(takewhile(lambda entry: entry.revision > since, reversed(self._changed.values())))
            entries = changed[-limit:][::-1]
            revision = entries[-1].revision if entries else max(since, self._revision)
            return Changed(entries, revision, self._bounds(), len(changed) > limit)

    @property
    def bounds(self) -> Bounds:
        """The numbers of the kept entries."""
        with self._lock:
            return self._bounds()

    @property
    def kept(self) -> Kept:
        """The size of the record."""
        with self._lock:
            return self._entries.kept

    def _find(self, keys: Iterable[str]) -> Entry | None:
        for key in keys:
            number = self._by_key.get(key) if key else None
            if number is not None:
                return self._entries.get(number)
        return None

    def _bounds(self) -> Bounds:
        oldest = self._entries.oldest()
        return Bounds(self._count + 1 if oldest is None else oldest[0], self._count)

    def _note_change(self, entry: Entry) -> None:
        self._revision += 1
        entry.revision = self._revision
        self._changed.pop(entry.number, None)
        if entry.number in self._entries:
            self._changed[entry.number] = entry

    def _forget(self, number: int, entry: Entry) -> None:
        self._changed.pop(number, None)
        for key in entry.keys:
            if self._by_key.get(key) == number:
                del self._by_key[key]
