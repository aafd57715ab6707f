"""What a receiver's store is, and the one in memory.

A store keeps rows; it does not know their use.
"""

from collections.abc import Awaitable, Collection, Iterator, Sequence
from itertools import islice
from threading import Lock
from typing import Protocol

from wwspec_client.notify.models import Key, Pending, Stage


class PendingStore(Protocol):
    """What a receiver needs of its store: rows of `Pending`, each under its `key`.

    Methods are called on any thread, several at once. With `AsyncNotifyReceiver` each may be `async def`; plain ones
    run on threads. A store keeps all fields of a row, whatever its stage; `event` may have more than 65,535 bytes.

    Any number of processes and machines may share the rows, each by a store of its own, and each works on rows that it
    has claimed. One object is one of those that claim; two objects are two, even in one process. The clocks of the
    machines differ by less than the `lease` of `NotifyPolicy`.
    """

    durable: bool
    """Whether rows are still there after the process has ended."""

    def open(self) -> None | Awaitable[None]:
        """Begin, in the process that uses the store."""

    def close(self) -> None | Awaitable[None]:
        """End."""

    def add(self, row: Pending) -> bool | Awaitable[bool]:
        """Store a row, durably when this returns; return False, and change nothing, when its key is stored already.

        Args:
            row: What has just arrived.

        Raises:
            StoreError: The row can't be stored. The callback is answered with 500, so that WeCom sends it again.
        """
        ...

    def put(self, row: Pending) -> None | Awaitable[None]:
        """Replace the row of the same key; change nothing when there is none, such as after `forget`.

        Args:
            row: The new state.

        Raises:
            StoreError: The row can't be stored.
        """

    def get(self, key: Key) -> Pending | None | Awaitable[Pending | None]:
        """Return the row of a key; None when there is none.

        Args:
            key: `Pending.key`.

        Raises:
            StoreError: The store can't be read.
        """

    def due(self, stage: Stage, now: float, limit: int) -> Sequence[Pending] | Awaitable[Sequence[Pending]]:
        """Return the rows of a stage that are due, in the order in which they arrived.

        Args:
            stage: Of the rows.
            now: Unix time in seconds: rows whose `due` is later are left out. It may be infinite.
            limit: The most rows to return, up to 2**31.

        Raises:
            StoreError: The store can't be read.
        """
        ...

    def prune(self, stage: Stage, before: float) -> int | Awaitable[int]:
        """Remove old rows of a stage, and return their number.

        Args:
            stage: Of the rows.
            before: Unix time in seconds: rows whose `due` is earlier are removed.

        Raises:
            StoreError: The store can't be written.
        """
        ...

    def forget(self, corpid: str) -> int | Awaitable[int]:
        """Remove all rows of a corp, whatever their stage, and return their number.

        Args:
            corpid: The first part of `Pending.key`.

        Raises:
            StoreError: The store can't be written.
        """
        ...

    def claim(self, stage: Stage, now: float, until: float) -> Pending | None | Awaitable[Pending | None]:
        """Return the oldest row of a stage that is due and that nobody has, and let nobody have it for a while.

        Args:
            stage: Of the row.
            now: Unix time in seconds: rows whose `due` is later are left out, and so are rows that somebody, this
                object as well, has until later. One that somebody has until more than a lease (`until - now`) after
                `until` is not: the clock of that machine is wrong.
            until: Unix time in seconds until which nobody gets it, should this process end. `put` does not change
                that, `renew` does, and `release` ends it.

        Raises:
            StoreError: The store can't be read or written.
        """

    def renew(self, keys: Collection[Key], until: float) -> Collection[Key] | Awaitable[Collection[Key]]:
        """Keep rows for longer; return the keys of those that this object still has.

        Nobody has claimed such a row since this object has, even if its time was over, and it is still stored.

        Args:
            keys: Of rows that this object has claimed.
            until: As in `claim`.

        Raises:
            StoreError: The store can't be written.
        """
        ...

    def release(self, key: Key) -> None | Awaitable[None]:
        """Let others claim a row that this object has; change nothing when it no longer has it.

        Args:
            key: `Pending.key`.

        Raises:
            StoreError: The store can't be written.
        """


def latest_lease(now: float, until: float) -> float:
    """Return the latest end of a lease by clocks that differ by less than a lease; a later one counts as over.

    Args:
        now: Unix time.
        until: The end of a lease that begins now.
    """
    return until + (until - now)


class MemoryPendingStore:
    """Keeps rows in this process only. Rows that are not handled when it ends are lost."""

    durable = False

    def __init__(self) -> None:
        self._rows: dict[Key, Pending] = {}
        self._held: dict[Key, float] = {}
        self._lock = Lock()

    def open(self) -> None:
        """Do nothing: there is nothing to open."""

    def close(self) -> None:
        """Do nothing: the rows stay for a next start."""

    def add(self, row: Pending) -> bool:
        """Store a new row; see `PendingStore`."""
        with self._lock:
            return self._rows.setdefault(row.key, row) is row

    def put(self, row: Pending) -> None:
        """Replace a row; see `PendingStore`."""
        with self._lock:
            if row.key in self._rows:
                self._rows[row.key] = row

    def get(self, key: Key) -> Pending | None:
        """Return a row; see `PendingStore`."""
        return self._rows.get(key)

    def due(self, stage: Stage, now: float, limit: int) -> Sequence[Pending]:
        """Return rows that are due; see `PendingStore`."""
        with self._lock:
            return list(islice(self._due(stage, now), limit))

    def prune(self, stage: Stage, before: float) -> int:
        """Remove old rows; see `PendingStore`."""
        with self._lock:
            old = [key for key, row in self._rows.items() if row.stage is stage and row.due < before]
            return self._remove(old)

    def forget(self, corpid: str) -> int:
        """Remove the rows of a corp; see `PendingStore`."""
        with self._lock:
            return self._remove([key for key in self._rows if key[0] == corpid])

    def claim(self, stage: Stage, now: float, until: float) -> Pending | None:
        """Return a row that nobody has; see `PendingStore`."""
        with self._lock:
            for row in self._due(stage, now):
                if not now < self._held.get(row.key, now) <= latest_lease(now, until):
                    self._held[row.key] = until
                    return row
        return None

    def renew(self, keys: Collection[Key], until: float) -> Collection[Key]:
        """Keep rows for longer; see `PendingStore`."""
        with self._lock:
            held = self._held.keys() & set(keys)
            self._held.update(dict.fromkeys(held, until))
            return held

    def release(self, key: Key) -> None:
        """Let others claim a row; see `PendingStore`."""
        with self._lock:
            self._held.pop(key, None)

    def _due(self, stage: Stage, now: float) -> Iterator[Pending]:
        return (row for row in self._rows.values() if row.stage is stage and row.due <= now)

    def _remove(self, keys: Collection[Key]) -> int:
        for key in keys:
            del self._rows[key]
            self._held.pop(key, None)
        return len(keys)
