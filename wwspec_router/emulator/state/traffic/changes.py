"""Tells watchers on other threads that something changed, and not what: they look for themselves."""

import threading
from collections.abc import Callable

__all__ = ["Changes"]

Wake = Callable[[], None]


class Changes:
    """Whom to wake. Telling costs next to nothing while nobody watches."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watchers: tuple[Wake, ...] = ()

    def add(self, wake: Wake) -> None:
        """Wake a watcher from now on; `wake` may be called on any thread, and returns at once."""
        with self._lock:
            self._watchers = (*self._watchers, wake)

    def remove(self, wake: Wake) -> None:
        """Do so no longer."""
        with self._lock:
            self._watchers = tuple(each for each in self._watchers if each != wake)

    def wake_all(self) -> None:
        """Wake all of them."""
        for wake in self._watchers:
            wake()
