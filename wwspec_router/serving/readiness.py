"""Whether one process can take calls: what `/readyz` answers.

The store is asked once a second by a thread of its own, so that no request waits for it. An answer holds no path,
no version and no text of an error: anybody may ask.
"""

import logging
import threading
from collections.abc import Callable
from time import monotonic

from wwspec_contracts.errors import StoreError
from wwspec_contracts.support.stacks import describe
from wwspec_router.stores.base import Store

log = logging.getLogger(__name__)

ROUND = 1.0
"""Seconds between two checks of the store."""
PATIENCE = 3.0
"""Seconds that a check may take; after that the store counts as one that does not answer."""


class Readiness:
    """Knows whether a process can take calls.

    Args:
        store: The program's.
        is_exhausted: Returns whether every thread hangs and none can be added.
        is_stopping: Returns whether the process has begun to stop.
    """

    def __init__(self, store: Store, is_exhausted: Callable[[], bool], is_stopping: Callable[[], bool]) -> None:
        self._store = store
        self._is_exhausted = is_exhausted
        self._is_stopping = is_stopping
        self._asked: float | None = None
        self._store_failed = False
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin to check the store.

        Raises:
            RuntimeError: The system starts no thread.
        """
        threading.Thread(target=self._watch, name="wwspec-readiness", daemon=True).start()

    def stop(self) -> None:
        """Stop checking the store."""
        self._stopped.set()

    def faults(self) -> list[str]:
        """Return a line for each reason why this process can't take calls; none when it can. On any thread."""
        asked = self._asked
        is_late = asked is not None and monotonic() - asked > PATIENCE
        faults = {
            "stopping: the program has been told to stop": self._is_stopping(),
            "store: events and jobs can't be kept": self._store_failed or is_late,
            "threads: every thread hangs and none can be added": self._is_exhausted(),
        }
        return [fault for fault, holds in faults.items() if holds]

    def _watch(self) -> None:
        while not self._stopped.wait(ROUND):
            self._asked = monotonic()
            failure = self._failure()
            self._asked = None
            if self._stopped.is_set():  # and the store closed
                return
            if failure and not self._store_failed:
                log.error("the store failed: %s", failure)
            if self._store_failed and not failure:
                log.warning("the store works again")
            self._store_failed = failure != ""

    def _failure(self) -> str:
        """Check the store; return what is wrong with it, or nothing."""
        try:
            self._store.check()
        except StoreError as error:
            return str(error)
        except Exception as error:  # after any error the next check may succeed
            return describe(error)
        return ""
