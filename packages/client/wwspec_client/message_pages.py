"""Pages of messages as the app gets them, for threads and for an event loop."""

from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Generic, TypeVar

from wwspec_client.messages import Pull, Pulled
from wwspec_client.steps import Steps
from wwspec_contracts.messages import Message

RunT = TypeVar("RunT")


class _Messages:
    """Messages in ascending order of their time; iterable."""

    messages: list[Message]

    def __iter__(self) -> Iterator[Message]:
        return iter(self.messages)

    def __len__(self) -> int:
        return len(self.messages)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self.messages)} messages>"


class _Page(_Messages, Generic[RunT]):
    """What both pages share."""

    def __init__(self, pull: Pull, pulled: Pulled, run: RunT) -> None:
        self.messages: list[Message] = pulled.messages
        self.has_more: bool = not pulled.is_last
        self._pull = pull
        self._pulled = pulled
        self._run = run


class MessagePage(_Page[Callable[[Steps[None]], None]]):
    """A page of `ZoneClient.messages`: messages in ascending order of their time; iterable.

    Attributes:
        messages: The messages; at least one.
        has_more: Whether WeCom has more, for a pull that ends by `max_pages` or `deadline`.
    """

    def keep(self) -> None:
        """Store where this page ends: the next pull starts after it.

        A `SqlCursor` writes through the app's connection; the app commits.

        Raises:
            CursorError: It can't be stored; `CursorMovedError` when another pull has kept a page.
        """
        self._run(self._pull.keep(self._pulled))


class AsyncMessagePage(_Page[Callable[[Steps[None]], Coroutine[Any, Any, None]]]):
    """A page of `AsyncZoneClient.messages`: messages in ascending order of their time; iterable with a plain `for`.

    Attributes:
        messages: The messages; at least one.
        has_more: Whether WeCom has more, for a pull that ends by `max_pages` or `deadline`.
    """

    async def keep(self) -> None:
        """Store where this page ends; see `MessagePage.keep`."""
        await self._run(self._pull.keep(self._pulled))
