"""The rows of the store that this process works on; no row has two workers at the same time."""

import logging
import math
from collections.abc import Callable, Sequence
from functools import partial
from threading import Lock
from typing import NamedTuple, cast

from wwspec_router.client.notify.models import Key, Pending, Stage
from wwspec_router.client.notify.policy import NotifyPolicy
from wwspec_router.client.notify.stores import PendingStore, SharedPendingStore
from wwspec_router.client.steps import Steps, ask

_PRUNE_EVERY = 60.0

_log = logging.getLogger("wwspec_router.notify")


class _Claim(NamedTuple):
    stage: Stage
    until: float
    """Unix time in seconds until which no other machine gets the row."""


class Claims:
    """Used by all workers. Of a store that is not shared, the process that leads has all rows.

    Args:
        store: Keeps the rows.
        policy: How long a machine has a row, and how long rows are kept at the end.
        clock: Returns Unix time in seconds.
    """

    def __init__(self, store: PendingStore, policy: NotifyPolicy, clock: Callable[[], float]) -> None:
        self._store = store
        self._shared = cast(SharedPendingStore, store) if hasattr(store, "claim") else None
        self._policy = policy
        self._clock = clock
        self._busy: dict[Key, _Claim] = {}
        self._reads: dict[int, set[Key]] = {}
        """For each worker that reads the store now, what others have released meanwhile: what it reads may be old."""
        self._lock = Lock()
        self._pruned = 0.0

    @property
    def are_shared(self) -> bool:
        """Whether claims must be renewed."""
        return self._shared is not None

    def claim(self, stage: Stage) -> Steps[Pending | None]:
        """Return the next row of a stage that is due; None when there is none, or another process leads.

        Raises:
            StoreError: The store can't be read or written.
        """
        if not (yield from ask(self._store.lead)):
            return None
        now = self._clock()
        yield from self._prune(now)
        if self._shared is None:
            return (yield from self._next(stage, now))
        until = now + self._policy.lease
        row: Pending | None = yield from ask(partial(self._shared.claim, stage, now, until))
        if row is not None:
            with self._lock:
                self._busy[row.key] = _Claim(stage, until)
        return row

    def _next(self, stage: Stage, now: float) -> Steps[Pending | None]:
        while True:
            released: set[Key] = set()
            with self._lock:
                self._reads[id(released)] = released
                limit = len(self._busy) + len(self._reads)
            rows: Sequence[Pending] = ()
            found = None
            try:
                rows = yield from ask(partial(self._store.due, stage, now, limit))
            finally:
                with self._lock:
                    del self._reads[id(released)]
                    found = next((row for row in rows if row.key not in released | self._busy.keys()), None)
                    if found is not None:
                        self._busy[found.key] = _Claim(stage, math.inf)
            if found is not None or len(rows) < limit:
                return found

    def put(self, row: Pending) -> Steps[bool]:
        """Store what has become of a claimed row; return False when another machine has the row by now.

        Raises:
            StoreError: The store can't be written.
        """
        with self._lock:
            claim = self._busy.get(row.key)
        if self._shared is not None and claim is not None and self._clock() >= claim.until:
            yield from self._renew([row.key])
            with self._lock:
                claim = self._busy.get(row.key)
            if claim is None or self._clock() >= claim.until:
                text = "%s took longer than its lease was renewed: another process has it, or it is forgotten"
                _log.warning(text, row.name)
                return False
        yield from ask(partial(self._store.put, row))
        return True

    def renew(self) -> Steps[None]:
        """Renew the claims that end soon.

        Raises:
            StoreError: The store can't be written.
        """
        soon = self._clock() + self._policy.lease * 2 / 3
        with self._lock:
            keys = [key for key, claim in self._busy.items() if claim.until < soon]
        if keys:
            yield from self._renew(keys)

    def _renew(self, keys: Sequence[Key]) -> Steps[None]:
        assert self._shared is not None  # noqa: S101 - other claims never end
        until = self._clock() + self._policy.lease
        kept = yield from ask(partial(self._shared.renew, keys, until))
        with self._lock:
            for key in self._busy.keys() & set(kept):
                self._busy[key] = self._busy[key]._replace(until=until)

    def drop(self, row: Pending) -> None:
        """Work no longer on a row. Other machines get it when its time is over, or by `release`."""
        with self._lock:
            self._busy.pop(row.key, None)
            for released in self._reads.values():
                released.add(row.key)

    def drop_all(self) -> None:
        """Work on no row any more."""
        with self._lock:
            self._busy.clear()

    def release(self, row: Pending) -> Steps[None]:
        """Let others claim a row again.

        Raises:
            StoreError: The store can't be written; others get the row when its time is over.
        """
        self.drop(row)
        if self._shared is not None:
            yield from ask(partial(self._shared.release, row.key))

    def is_fetching(self) -> bool:
        """Return whether an event is being fetched; it must be handled after that."""
        with self._lock:
            return any(claim.stage is Stage.NOTED for claim in self._busy.values())

    def is_empty(self) -> bool:
        """Return whether this process works on no row."""
        with self._lock:
            return not self._busy

    def _prune(self, now: float) -> Steps[None]:
        with self._lock:
            if abs(now - self._pruned) < _PRUNE_EVERY:
                return
            self._pruned = now
        # longer than a copy of the callback is accepted, so that a copy is recognised
        before = now - self._policy.lifetime - 2 * self._policy.replay_window
        yield from ask(partial(self._store.prune, Stage.DONE, before))
        for stage in (Stage.FAILED, Stage.FAILED_CALLBACK):
            dropped = yield from ask(partial(self._store.prune, stage, now - self._policy.keep_failed))
            if dropped:
                _log.error("%d that had failed are dropped: nobody has tried them again in time", dropped)
