"""The rows of the store that this process works on; no row has two workers at the same time."""

import logging
from threading import Lock

from wwspec_router.client.notify.models import Key, Pending, Stage
from wwspec_router.client.notify.policy import NotifyPolicy
from wwspec_router.client.notify.stores import PendingStore

_PRUNE_EVERY = 60.0

_log = logging.getLogger("wwspec_router.notify")


class Claims:
    """Used by all workers.

    Args:
        store: Keeps the rows.
        policy: How long they are kept at the end.
    """

    def __init__(self, store: PendingStore, policy: NotifyPolicy) -> None:
        self._store = store
        self._policy = policy
        self._busy: dict[Key, Stage] = {}
        self._lock = Lock()
        self._pruned = 0.0

    def claim(self, stage: Stage, now: float) -> Pending | None:
        """Return the next row of a stage that is due; None when there is none, or another process leads.

        Raises:
            StoreError: The store can't be read or written.
        """
        if not self._store.lead():
            return None
        with self._lock:
            self._prune(now)
            for row in self._store.due(stage, now, len(self._busy) + 1):
                if row.notification.key not in self._busy:
                    self._busy[row.notification.key] = stage
                    return row
        return None

    def release(self, row: Pending) -> None:
        """Let others claim a row again."""
        with self._lock:
            self._busy.pop(row.notification.key, None)

    def is_fetching(self) -> bool:
        """Return whether an event is being fetched; it must be handled after that."""
        with self._lock:
            return Stage.NOTED in self._busy.values()

    def _prune(self, now: float) -> None:
        if abs(now - self._pruned) < _PRUNE_EVERY:
            return
        self._pruned = now
        # longer than a copy of the callback is accepted, so that a copy is recognised
        self._store.prune(Stage.DONE, now - self._policy.lifetime - 2 * self._policy.replay_window)
        if dropped := self._store.prune(Stage.FAILED, now - self._policy.keep_failed):
            _log.error("%d notifications that had failed are dropped: nobody has tried them again in time", dropped)
