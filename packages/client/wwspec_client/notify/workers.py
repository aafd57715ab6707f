"""How workers of both receivers wait, and which functions the receivers accept."""

import inspect
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from wwspec_contracts.errors import ConfigurationError

FETCHERS = 4
"""Events that are fetched at the same time, at most."""
POLL = 1.0
"""Seconds between two regular checks of the store: for pauses that end, and rows that other processes add."""


class _Event(Protocol):
    def set(self) -> object: ...


EventT = TypeVar("EventT", bound=_Event)


class Wakeup(Generic[EventT]):
    """Wakes all workers at once. A worker that reads `next` before it checks for work misses no call of `wake`.

    Args:
        event: Makes an event, such as `threading.Event`.
    """

    def __init__(self, event: Callable[[], EventT]) -> None:
        self._event = event
        self.next: EventT = event()
        """The event that the next call of `wake` sets."""

    def wake(self) -> None:
        """Wake the workers."""
        rung, self.next = self.next, self._event()
        rung.set()


def check_plain(**functions: object) -> None:
    """Check that no function is `async def`.

    Raises:
        ConfigurationError: One is.
    """
    for name, function in functions.items():
        if inspect.iscoroutinefunction(function) or (
            callable(function) and inspect.iscoroutinefunction(function.__call__)
        ):
            raise ConfigurationError(
                f"{name} is an async function: give a plain one, or use the class for event loops, "
                "AsyncNotifyReceiver, AsyncSuite or AsyncProviderApp"
            )
