"""What a forked process does with the connections and locks of the clients that its parent has made.

A connection that two processes read gives each the other's answers, and a lock that another thread has held at the fork
stays held. So the child gets new ones, in place, before any of its code runs.
"""

import os
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar
from weakref import WeakSet

HeldT = TypeVar("HeldT")


class Renewable(Protocol):
    """A part of a client that a forked process can't share."""

    def renew(self) -> None:
        """Begin anew, without touching what the parent uses."""
        ...


_PARTS = WeakSet[Renewable]()


def renew_after_fork(part: Renewable) -> None:
    """Renew a part in each process that is forked from now on."""
    _PARTS.add(part)


def _renew_parts() -> None:
    for part in list(_PARTS):
        part.renew()


os.register_at_fork(after_in_child=_renew_parts)


class RenewedLock(Generic[HeldT]):
    """A lock that a forked process gets anew: `with lock.held:`, or `async with lock.held:`.

    Args:
        make: Makes a lock: `threading.Lock` for threads, `anyio.Lock` for tasks of an event loop.
    """

    def __init__(self, make: Callable[[], HeldT]) -> None:
        self._make = make
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        """See `Renewable`."""
        self.held: HeldT = self._make()
