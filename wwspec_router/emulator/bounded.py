"""A mapping that is bounded in bytes: the oldest entries make room for new ones.

It counts the size that it is given for each entry, and does not know what an entry is. Plain state: the caller holds a
lock.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import msgspec

MIB = 1024 * 1024

ENTRY_BYTES = 256
"""Counted for each entry besides its given size: about the memory of the smallest one."""

K = TypeVar("K")
V = TypeVar("V")


class Kept(msgspec.Struct, frozen=True):
    """How full a mapping is."""

    entries: int
    bytes: int
    max_bytes: int


class BoundedDict(Generic[K, V]):
    """Entries in the order in which they were put.

    Args:
        max_bytes: Of all entries together. An entry that is larger is not kept.
        max_entries: How many there are at most; None for as many as `max_bytes` allows.
        on_drop: Told of each entry that makes room.
    """

    def __init__(
        self, max_bytes: int, max_entries: int | None = None, on_drop: Callable[[K, V], None] | None = None
    ) -> None:
        self._max_bytes = max_bytes
        self._max_entries = max_entries
        self._on_drop = on_drop
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._bytes = 0

    @property
    def kept(self) -> Kept:
        """How full it is."""
        return Kept(len(self._entries), self._bytes, self._max_bytes)

    def put(self, key: K, value: V, size: int) -> None:
        """Keep an entry as the newest one.

        Args:
            key: A former entry under it is replaced.
            value: What to keep.
            size: Its bytes.
        """
        self.remove(key)
        self._entries[key] = (value, size + ENTRY_BYTES)
        self._bytes += size + ENTRY_BYTES
        self._make_room()

    def resize(self, key: K, size: int) -> None:
        """Count an entry anew; nothing happens when it is gone."""
        if key in self._entries:
            value, before = self._entries[key]
            self._entries[key] = (value, size + ENTRY_BYTES)
            self._bytes += size + ENTRY_BYTES - before
            self._make_room()

    def get(self, key: K) -> V | None:
        """Return an entry; None when there is none."""
        found = self._entries.get(key)
        return None if found is None else found[0]

    def remove(self, key: K) -> None:
        """Forget an entry, if there is one."""
        found = self._entries.pop(key, None)
        if found is not None:
            self._bytes -= found[1]

    def oldest(self) -> tuple[K, V] | None:
        """Return the oldest entry with its key; None when there is none."""
        for key, (value, _) in self._entries.items():
            return key, value
        return None

    def values(self) -> Iterator[V]:
        """Go through the entries, the oldest first."""
        return (value for value, _ in self._entries.values())

    def __contains__(self, key: K) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def _make_room(self) -> None:
        while self._bytes > self._max_bytes or (self._max_entries is not None and len(self) > self._max_entries):
            key, (value, size) = self._entries.popitem(last=False)
            self._bytes -= size
            if self._on_drop is not None:
                self._on_drop(key, value)
