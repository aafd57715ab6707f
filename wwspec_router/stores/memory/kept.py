"""Values that an application keeps, in the memory of one process.

It knows neither events nor jobs. The store that has it holds its lock during each call.
"""

import heapq
from collections.abc import Callable, Sequence
from typing import NamedTuple

from wwspec_router.errors import KeptConflictError
from wwspec_router.stores.base import StoreLimits
from wwspec_router.stores.checks import expects, fits_kept, full_of_kept, kept_value_size
from wwspec_router.stores.kept import KeptFigures, KeptKey, KeptValue, KeptWrite

_FEW = 64
"""The heap is not rebuilt for fewer stale items than this."""


class _KeptRow(NamedTuple):
    value: KeptValue
    size: int
    expires: float | None
    serial: int


class MemoryKept:
    """Keeps values in a dict; a heap of expiry times finds the expired ones without a scan.

    Args:
        limits: Bounds in bytes.
        clock: Returns the time in seconds.
    """

    def __init__(self, limits: StoreLimits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._rows: dict[KeptKey, _KeptRow] = {}
        self._bytes: dict[str, int] = {}  # by corpid
        self._ends: list[tuple[float, int, KeptKey]] = []  # the item of a replaced row stays, with an older serial
        self._serial = 0

    def read(self, key: KeptKey) -> KeptValue | None:
        """Return a value; see `KeptStore.read_kept`."""
        self._remove_expired()
        row = self._rows.get(key)
        return None if row is None else row.value

    def check(self, writes: Sequence[KeptWrite]) -> list[KeptWrite]:
        """Return the changes that are not made yet.

        Raises:
            KeptConflictError: See `KeptStore.write_kept`.
            StoreFullError: See `KeptStore.write_kept`.
        """
        self._remove_expired()
        fresh = []
        grown: dict[str, int] = {}
        for write in writes:
            row = self._rows.get(write.key)
            if row is not None and row.value.version == write.version:
                continue
            if not expects(write, None if row is None else row.value.version):
                raise KeptConflictError()
            more = kept_value_size(write) - (0 if row is None else row.size)
            grown[write.key.corpid] = grown.get(write.key.corpid, 0) + more
            fresh.append(write)
        if not fits_kept(self._limits, grown, sum(self._bytes.values()), self._bytes):
            raise full_of_kept(self._limits)
        return fresh

    def make(self, writes: Sequence[KeptWrite]) -> None:
        """Make changes that `check` returned."""
        for write in writes:
            self._remove(write.key)
            if write.text is None:
                continue
            self._serial += 1
            size, corpid = kept_value_size(write), write.key.corpid
            expires = None if write.ttl is None else self._clock() + write.ttl
            self._rows[write.key] = _KeptRow(KeptValue(write.text, write.version), size, expires, self._serial)
            self._bytes[corpid] = self._bytes.get(corpid, 0) + size
            if expires is not None:
                heapq.heappush(self._ends, (expires, self._serial, write.key))
        if len(self._ends) > 2 * len(self._rows) + _FEW:  # most are stale
            self._ends = [(row.expires, row.serial, key) for key, row in self._rows.items() if row.expires is not None]
            heapq.heapify(self._ends)

    def figures(self) -> KeptFigures:
        """Return how many values there are; see `KeptStore.kept_figures`."""
        self._remove_expired()
        return KeptFigures(rows=len(self._rows), bytes=sum(self._bytes.values()))

    def forget(self, corpid: str) -> int:
        """Remove the values of a corp; return their number."""
        self._remove_expired()
        keys = [key for key in self._rows if key.corpid == corpid]
        for key in keys:
            self._remove(key)
        return len(keys)

    def clear(self) -> None:
        """Remove all values."""
        self._rows.clear()
        self._bytes.clear()
        self._ends.clear()

    def _remove(self, key: KeptKey) -> None:
        row = self._rows.pop(key, None)
        if row is None:
            return
        left = self._bytes[key.corpid] - row.size
        if left:
            self._bytes[key.corpid] = left
        else:
            del self._bytes[key.corpid]

    def _remove_expired(self) -> None:
        now = self._clock()
        while self._ends and self._ends[0][0] <= now:
            _, serial, key = heapq.heappop(self._ends)
            row = self._rows.get(key)
            if row is not None and row.serial == serial:
                self._remove(key)
