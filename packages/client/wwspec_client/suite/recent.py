"""What was used last, in a bounded number."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from wwspec_client.forks import RenewedLock
from wwspec_contracts.errors import ConfigurationError

T = TypeVar("T")


class Recent(Generic[T]):
    """Values by key; the one that was used longest ago makes room. Used by any thread.

    Args:
        most: How many are kept.

    Raises:
        ConfigurationError: The number is below 1.
    """

    def __init__(self, most: int) -> None:
        if most < 1:
            raise ConfigurationError(f"clients is 1 or more, not {most}")
        self._most = most
        self._kept: OrderedDict[str, T] = OrderedDict()
        self._lock = RenewedLock(threading.Lock)

    def get(self, key: str) -> T | None:
        """Return a value."""
        with self._lock.held:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: str, value: T) -> None:
        """Keep a value."""
        with self._lock.held:
            self._put(key, value)

    def made(self, key: str, make: Callable[[], T]) -> T:
        """Return a value; a new one when it is not kept."""
        with self._lock.held:
            value = self._kept[key] if key in self._kept else make()
            self._put(key, value)
            return value

    def pop(self, key: str) -> T | None:
        """Keep a value no longer; return it, if it was kept."""
        with self._lock.held:
            return self._kept.pop(key, None)

    def _put(self, key: str, value: T) -> None:
        self._kept[key] = value
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
