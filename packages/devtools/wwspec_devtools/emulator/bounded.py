"""A mapping with a limit in bytes: the oldest entries are dropped for new ones.

The caller gives the size of each entry, and holds a lock.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import msgspec

MIB = 1024 * 1024

ENTRY_BYTES = 256
"""Bytes that count for each entry besides its given size: about the memory of the smallest entry."""

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
        max_bytes: The most bytes of all entries together. A larger entry is not kept.
        max_entries: The most entries; None for as many as `max_bytes` allows.
        on_drop: Called with each entry that is dropped for a new one.
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
            key: The key; an earlier entry of the same key is replaced.
            value: What to keep.
            size: Its bytes.
        """
        self.remove(key)
        self._entries[key] = (value, size + ENTRY_BYTES)
        self._bytes += size + ENTRY_BYTES
        self._make_room()

    def resize(self, key: K, size: int) -> None:
        """Change the size of an entry, if it is still there."""
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
