"""The rows of the store that this process works on; no row has two workers at the same time."""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from threading import Lock
from typing import NamedTuple

from wwspec_client.notify.models import Key, Pending, Stage
from wwspec_client.notify.policy import NotifyPolicy
from wwspec_client.notify.stores import PendingStore
from wwspec_client.steps import Steps, ask

_PRUNE_EVERY = 60.0

_log = logging.getLogger("wwspec_client.notify")


class _Claim(NamedTuple):
    stage: Stage
    until: float
    """Unix time in seconds until which nobody else gets the row."""


class Claims:
    """Used by all workers.

    Args:
        store: Keeps the rows.
        policy: How long a process has a row, and how long rows are kept at the end.
        clock: Returns Unix time in seconds.
    """

    def __init__(self, store: PendingStore, policy: NotifyPolicy, clock: Callable[[], float]) -> None:
        self._store = store
        self._policy = policy
        self._clock = clock
        self._busy: dict[Key, _Claim] = {}
        self._lock = Lock()
        self._pruned = 0.0

    def claim(self, stage: Stage) -> Steps[Pending | None]:
        """Return the next row of a stage that is due; None when there is none.

        Raises:
            StoreError: The store can't be read or written.
        """
        now = self._clock()
        yield from self._prune(now)
        until = now + self._policy.lease
        row: Pending | None = yield from ask(partial(self._store.claim, stage, now, until))
        if row is None:
            return None
        with self._lock:
            is_free = row.key not in self._busy  # otherwise its lease was not renewed in time, and this has renewed it
            self._busy[row.key] = _Claim(stage, until)
        return row if is_free else None

    def put(self, row: Pending) -> Steps[bool]:
        """Store what has become of a claimed row; return False when another process has the row by now.

        Raises:
            StoreError: The store can't be written.
        """
        with self._lock:
            claim = self._busy.get(row.key)
        if claim is not None and self._clock() >= claim.until:
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
        until = self._clock() + self._policy.lease
        kept = yield from ask(partial(self._store.renew, keys, until))
        with self._lock:
            for key in self._busy.keys() & set(kept):
                self._busy[key] = self._busy[key]._replace(until=until)

    def drop(self, row: Pending) -> None:
        """Work no longer on a row. Others get it when its time is over, or by `release`."""
        with self._lock:
            self._busy.pop(row.key, None)

    def release_all(self) -> Steps[None]:
        """Work on no row any more, and let others claim them.

        Raises:
            StoreError: The store can't be written; others get the rows when their time is over.
        """
        with self._lock:
            keys = list(self._busy)
            self._busy.clear()
        for key in keys:
            yield from ask(partial(self._store.release, key))

    def release(self, row: Pending) -> Steps[None]:
        """Let others claim a row again.

        Raises:
            StoreError: The store can't be written; others get the row when its time is over.
        """
        self.drop(row)
        yield from ask(partial(self._store.release, row.key))

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
