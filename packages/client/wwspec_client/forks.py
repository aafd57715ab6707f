"""What a forked process does with the connections and locks of the clients that its parent has made.

A connection that two processes read gives each the other's answers, and a lock that another thread has held at the fork
stays held. So the child gets new ones, in place, before any of its code runs.
"""

import os
import threading
from typing import Protocol
from weakref import WeakSet

import anyio


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


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_parts)


class ThreadLock:
    """A lock for threads: `with lock.held:`."""

    def __init__(self) -> None:
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        """See `Renewable`."""
        self.held: threading.Lock = threading.Lock()


class TaskLock:
    """A lock for tasks of an event loop: `async with lock.held:`."""

    def __init__(self) -> None:
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        """See `Renewable`."""
        self.held: anyio.Lock = anyio.Lock()
