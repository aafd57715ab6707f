"""Wakes watchers on other threads after a change. The watchers find out themselves what has changed."""

import threading
from collections.abc import Callable

Wake = Callable[[], None]


class Changes:
    """The watchers to wake. Without watchers a change takes no time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watchers: tuple[Wake, ...] = ()

    def add(self, wake: Wake) -> None:
        """Wake a watcher from now on; `wake` may be called on any thread, and returns at once."""
        with self._lock:
            self._watchers = (*self._watchers, wake)

    def remove(self, wake: Wake) -> None:
        """Stop waking a watcher."""
        with self._lock:
            self._watchers = tuple(each for each in self._watchers if each != wake)

    def wake_all(self) -> None:
        """Wake all watchers."""
        for wake in self._watchers:
            wake()
