"""Calls a store's housekeeping once a second, from a thread of its own.

It does not know what the housekeeping does.
"""

import logging
import threading
import weakref
from collections.abc import Callable

from wwspec_contracts.errors import StoreError
from wwspec_contracts.support.stacks import describe

log = logging.getLogger(__name__)

EVERY = 0.9
"""Seconds between two calls, so that each thing is done within a second."""


class Housekeeping:
    """Calls a method again and again until it is closed, or until no reference to the method's object is left.

    The thread does not keep its process alive.

    Args:
        method: A bound method. What it raises is logged, except a StoreError: each user of the store gets that, too.
    """

    def __init__(self, method: Callable[[], None]) -> None:
        self._closed = threading.Event()
        arguments = (weakref.WeakMethod(method), self._closed)
        self._thread = threading.Thread(target=_work, args=arguments, name="wwspec-store", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread after the call that runs. Closing again does nothing."""
        self._closed.set()
        if self._thread is not threading.current_thread():
            self._thread.join()


def _work(method: "weakref.WeakMethod[Callable[[], None]]", closed: threading.Event) -> None:
    while not closed.wait(EVERY):
        step = method()
        if step is None:
            return
        try:
            step()
        except StoreError:
            pass
        except Exception as error:  # after any error the next call may work
            log.error("housekeeping of the store failed: %s", describe(error))
        del step
