"""Stores that several receivers of one process share, as machines share a database; plain and `async def`."""

from collections.abc import Collection, Sequence
from threading import Lock

import anyio

from wwspec_router.client import Key, MemoryPendingStore, Pending, Stage


class SharedRows:
    """The rows, and who has each of them until when."""

    def __init__(self) -> None:
        self.rows = MemoryPendingStore()
        self.held: dict[Key, tuple[object, float]] = {}
        self.lock = Lock()


class SharedStore(MemoryPendingStore):
    """One machine's store; a `SharedPendingStore`."""

    durable = True

    def __init__(self, shared: SharedRows) -> None:
        super().__init__()
        self.shared = shared
        self._rows, self._lock = shared.rows._rows, shared.rows._lock

    def claim(self, stage: Stage, now: float, until: float) -> Pending | None:
        with self.shared.lock:
            for row in self.due(stage, now, 2**31):
                held_until = self.shared.held.get(row.key, (None, 0.0))[1]
                if held_until <= now or held_until > until + (until - now):
                    self.shared.held[row.key] = self, until
                    return row
        return None

    def renew(self, keys: Collection[Key], until: float) -> Collection[Key]:
        with self.shared.lock:
            mine = [key for key in keys if self.shared.held.get(key, (None, 0.0))[0] is self]
            self.shared.held.update(dict.fromkeys(mine, (self, until)))
            return mine

    def release(self, key: Key) -> None:
        with self.shared.lock:
            if self.shared.held.get(key, (None, 0.0))[0] is self:
                del self.shared.held[key]

    def forget(self, corpid: str) -> int:
        with self.shared.lock:
            self.shared.held = {key: held for key, held in self.shared.held.items() if key[0] != corpid}
            return super().forget(corpid)


class AsyncSharedStore:
    """The same with `async def`, as a store over an asynchronous driver has it."""

    durable = True

    def __init__(self, shared: SharedRows) -> None:
        self.store = SharedStore(shared)

    async def open(self) -> None:
        await anyio.lowlevel.checkpoint()

    async def close(self) -> None:
        await anyio.lowlevel.checkpoint()

    async def lead(self) -> bool:
        return True

    async def add(self, row: Pending) -> bool:
        await anyio.lowlevel.checkpoint()
        return self.store.add(row)

    async def put(self, row: Pending) -> None:
        await anyio.lowlevel.checkpoint()
        self.store.put(row)

    async def get(self, key: Key) -> Pending | None:
        await anyio.lowlevel.checkpoint()
        return self.store.get(key)

    async def due(self, stage: Stage, now: float, limit: int) -> Sequence[Pending]:
        await anyio.lowlevel.checkpoint()
        return self.store.due(stage, now, limit)

    async def prune(self, stage: Stage, before: float) -> int:
        await anyio.lowlevel.checkpoint()
        return self.store.prune(stage, before)

    async def forget(self, corpid: str) -> int:
        await anyio.lowlevel.checkpoint()
        return self.store.forget(corpid)

    async def claim(self, stage: Stage, now: float, until: float) -> Pending | None:
        await anyio.lowlevel.checkpoint()
        return self.store.claim(stage, now, until)

    async def renew(self, keys: Collection[Key], until: float) -> Collection[Key]:
        await anyio.lowlevel.checkpoint()
        return self.store.renew(keys, until)

    async def release(self, key: Key) -> None:
        await anyio.lowlevel.checkpoint()
        self.store.release(key)
