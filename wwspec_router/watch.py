"""Watches calls that are being worked on, and gives up those that nobody waits for or whose time is over.

One timer looks at all of them, so that a quick call costs nothing but an entry in a set: only a call that has lasted
a whole round gets a listener for its client.
"""

import asyncio
from enum import Enum, auto
from time import monotonic
from typing import Any

from starlette.types import Receive

from wwspec_router.exchange import Ticket

__all__ = ["GivenUp", "Watch", "Watched"]

ROUND = 0.05
"""Seconds between two looks."""
MARGIN = 0.1
"""Seconds that an ability gets beyond its deadline to answer for itself: an `async def` handler is cancelled then."""


class GivenUp(Enum):
    """Why a call was given up."""

    CLIENT_GONE = auto()
    TIME_OVER = auto()


class Watched:
    """One call under watch."""

    __slots__ = ("given_up", "job", "listener", "receive", "ticket")

    def __init__(self, ticket: Ticket, job: "asyncio.Future[Any]", receive: Receive) -> None:
        self.ticket = ticket
        self.job = job
        self.receive = receive
        self.listener: asyncio.Task[None] | None = None
        self.given_up: GivenUp | None = None

    def give_up(self, why: GivenUp) -> None:
        """Cancel the job; one that runs already ends unheard."""
        if not self.job.done():
            self.given_up = why
            self.job.cancel()

    async def listen(self) -> None:
        """Wait for the client to hang up."""
        while (await self.receive())["type"] != "http.disconnect":
            pass
        self.give_up(GivenUp.CLIENT_GONE)


class Watch:
    """All calls that are being worked on in one event loop."""

    def __init__(self) -> None:
        self._calls: set[Watched] = set()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, ticket: Ticket, job: "asyncio.Future[Any]", receive: Receive) -> Watched:
        """Begin to watch a call."""
        watched = Watched(ticket, job, receive)
        self._calls.add(watched)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(ROUND, self._look)
        return watched

    def remove(self, watched: Watched) -> None:
        """End watching a call."""
        self._calls.discard(watched)
        if watched.listener is not None:
            watched.listener.cancel()

    def _look(self) -> None:
        now = monotonic()
        for watched in self._calls:
            deadline = watched.ticket.deadline
            if deadline is not None and now > deadline + MARGIN:
                watched.give_up(GivenUp.TIME_OVER)
            elif watched.listener is None and now - watched.ticket.arrived > ROUND:
                watched.listener = asyncio.ensure_future(watched.listen())
        self._timer = asyncio.get_running_loop().call_later(ROUND, self._look) if self._calls else None
