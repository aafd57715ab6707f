"""A store in the memory of one process: for tests, and for programs that may lose events at a restart.

A process does not see the events of another: a worker can't read what another worker stored.
"""

import heapq
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from wwspec_router.errors import StoreFullError
from wwspec_router.stores.base import Forgotten, StoreFigures, StoreLimits
from wwspec_router.stores.checks import (
    Key,
    encoded,
    full,
    new_job_size,
    positive,
    storable_kept,
    storable_key,
    storable_writes,
)
from wwspec_router.stores.job import Job
from wwspec_router.stores.kept import KeptFigures, KeptKey, KeptValue, KeptWrite
from wwspec_router.stores.memory.jobs import MemoryJobs
from wwspec_router.stores.memory.once import MemoryOnce

_REMOVE_AT_ONCE = 64
"""Expired entries that are removed while the lock is held once."""


class _StoredEvent(NamedTuple):
    data: bytes
    expires: float
    serial: int


class MemoryStore(MemoryJobs, MemoryOnce):
    """Keeps entries in a dict; a heap of expiry times finds the expired ones without a scan.

    Args:
        limits: Bounds in rows, jobs and bytes.
        clock: Returns the time in seconds.
    """

    shared = False

    def __init__(self, limits: StoreLimits | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        limits = limits or StoreLimits()
        MemoryJobs.__init__(self, limits, clock)
        MemoryOnce.__init__(self, limits, clock)
        self._entries: dict[Key, _StoredEvent] = {}
        self._due: list[tuple[float, int, Key]] = []  # the item of a replaced entry stays, with an older serial
        self._bytes = 0
        self._serial = 0

    def put(self, corpid: str, agentid: int, notify_id: str, text: str, ttl: float) -> None:
        """Keep `text` for `ttl` seconds; see `NotifyStore.put`. It lasts as long as this process."""
        key, data = storable_key(corpid, agentid, notify_id), encoded("text", text)
        positive("ttl", ttl)
        with self._lock:
            self._check_open()
            self._put(key, data, ttl)

    def put_with_job(self, job: Job, ttl: float, writes: Sequence[KeptWrite] = ()) -> None:
        """Keep an event and its job; see `Store.put_with_job`. They last as long as this process."""
        key, data, size = (
            storable_key(job.corpid, job.agentid, job.notify_id),
            encoded("text", job.data),
            new_job_size(job),
        )
        positive("ttl", ttl)
        storable_writes(writes)
        with self._lock:
            self._check_open()
            self._check_room(job, size)
            fresh = writes and self._kept.check(writes)
            self._put(key, data, ttl)
            self._add(job, size)
            if fresh:
                self._kept.make(fresh)

    def get(self, corpid: str, agentid: int, notify_id: str) -> str | None:
        """Return the text or None; see `NotifyStore.get`."""
        key = storable_key(corpid, agentid, notify_id)
        with self._lock:
            self._check_open()
            entry = self._entries.get(key)
        return entry.data.decode() if entry is not None and entry.expires > self._clock() else None

    def fetch(self, corpid: str, agentid: int, notify_id: str, ttl: float) -> str | None:
        """Return an event, or a notification, which becomes one; see `Store.fetch`."""
        positive("ttl", ttl)
        if (text := self.get(corpid, agentid, notify_id)) is not None:
            return text
        key = (corpid, agentid, notify_id)
        with self._lock:
            if (row := self._unfetched.get(key)) is None:
                return None
            with suppress(StoreFullError):
                self._put(key, row.job.data.encode(), ttl)
                self._remove_job(row)
            return row.job.data

    def figures(self) -> StoreFigures:
        """Return how many live entries there are and how many bytes they hold."""
        now = self._clock()
        while True:
            with self._lock:
                self._check_open()
                if not self._remove_expired(now):
                    return StoreFigures(rows=len(self._entries), bytes=self._bytes)

    def read_kept(self, key: KeptKey) -> KeptValue | None:
        """Return a value; see `KeptStore.read_kept`."""
        storable_kept(key)
        with self._lock:
            self._check_open()
            return self._kept.read(key)

    def write_kept(self, writes: Sequence[KeptWrite]) -> None:
        """Change values; see `KeptStore.write_kept`. They last as long as this process."""
        storable_writes(writes)
        with self._lock:
            self._check_open()
            self._kept.make(self._kept.check(writes))

    def kept_figures(self) -> KeptFigures:
        """Return how many values there are; see `KeptStore.kept_figures`."""
        with self._lock:
            self._check_open()
            return self._kept.figures()

    def forget(self, corpid: str) -> Forgotten:
        """Remove all of a corp; see `Store.forget`."""
        encoded("corpid", corpid)
        with self._lock:
            self._check_open()
            self._remove_expired_all()
            keys = [key for key in self._entries if key[0] == corpid]
            for key in keys:
                self._remove(key)
            jobs, kept = self._forget_jobs_of(corpid), self._kept.forget(corpid)
        return Forgotten(events=len(keys), jobs=jobs, kept=kept, replies=self._forget_once_of(corpid))

    def close(self) -> None:
        """Forget all entries, jobs, kept values and kept replies; further calls raise StoreError."""
        self._forget_once()
        with self._lock:
            self._closed = True
            self._forget_jobs()
            self._kept.clear()
            self._entries.clear()
            self._due.clear()
            self._bytes = 0

    def _put(self, key: Key, data: bytes, ttl: float) -> None:
        now = self._clock()
        self._remove_expired(now)
        while not self._fits(key, len(data)):
            if not self._remove_expired(now):
                raise full(self._limits)
        self._remove(key)
        self._serial += 1
        self._entries[key] = _StoredEvent(data, now + ttl, self._serial)
        self._bytes += len(data)
        heapq.heappush(self._due, (now + ttl, self._serial, key))
        self._drop_stale_items()

    def _fits(self, key: Key, size: int) -> bool:
        old = self._entries.get(key)
        rows = len(self._entries) + (old is None)
        total = self._bytes + size - (0 if old is None else len(old.data))
        return rows <= self._limits.max_rows and total <= self._limits.max_bytes

    def _remove(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= len(entry.data)

    def _remove_expired_all(self) -> None:
        now = self._clock()
        while self._remove_expired(now):
            pass

    def _remove_expired(self, now: float) -> int:
        """Remove some expired entries; return how many items of the heap were removed, 0 when none is due."""
        done = 0
        while done < _REMOVE_AT_ONCE and self._due and self._due[0][0] <= now:
            _, serial, key = heapq.heappop(self._due)
            entry = self._entries.get(key)
            if entry is not None and entry.serial == serial:
                self._remove(key)
            done += 1
        return done

    def _drop_stale_items(self) -> None:
        """Rebuild the heap when most of its items belong to replaced entries, so that it stays bounded."""
        if len(self._due) > 2 * len(self._entries) + _REMOVE_AT_ONCE:
            self._due = [(entry.expires, entry.serial, key) for key, entry in self._entries.items()]
            heapq.heapify(self._due)
