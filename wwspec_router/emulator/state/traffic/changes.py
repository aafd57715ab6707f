"""Wakes watchers on other threads when something changed; they find out themselves what it is."""

import threading
from collections.abc import Callable

Wake = Callable[[], None]


class Changes:
    """The watchers to wake. While there are none, a change costs next to nothing."""

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
