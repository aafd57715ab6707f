"""Shares each turn of the event loop among the connections that have something to read.

Chunks of one byte, or short trailers, take a hundred times as long as as many plain bytes. So work is counted: in calls
of functions by the parser, and in bytes. A connection that has used up its share of a turn leaves what comes to the
system until a later turn. A turn may be used up for all of them, too: then only what is small is read at once.
"""

import asyncio
from collections import deque
from typing import Protocol

from wwspec_router.http1 import bounds


class Waiting(Protocol):
    """A connection that waits for a turn."""

    def go_on(self) -> None:
        """Read on, or wait again."""
        ...


class Turns:
    """The turns of one event loop.

    Each begins with the connections that had no whole share yet of their request, since most requests need no more.
    At least one of the others goes on, too.

    Attributes:
        left: Work that is left of this turn. Who works takes it off, and calls `begin_soon` when it is 0 or less.
        piece: What is read into where any byte may call the parser: in heads and chunks.
        buffer: What is read into where none does.
    """

    def __init__(self) -> None:
        self.buffer = memoryview(bytearray(bounds.READ))
        self.piece = self.buffer[: bounds.PIECE]
        self.left = bounds.TURN
        self._first: deque[Waiting] = deque()
        self._later: deque[Waiting] = deque()
        self._is_called = False

    def wait(self, connection: Waiting, *, has_had_its_share: bool) -> None:
        """Let a connection go on in one of the next turns."""
        (self._later if has_had_its_share else self._first).append(connection)
        self.begin_soon()

    def begin_soon(self) -> None:
        """Begin a turn after the callbacks of this one."""
        if not self._is_called:
            self._is_called = True
            asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        """Begin a turn: what comes with it is read after those that wait."""
        self._is_called = False
        self.left = bounds.TURN
        self._let_go_on(self._first, len(self._first))
        self._let_go_on(self._later, min(len(self._later), bounds.RESUMED))
        if self._first or self._later:
            self.begin_soon()

    def _let_go_on(self, waiting: deque[Waiting], most: int) -> None:
        """Let connections go on while work of this turn is left; at least one of them."""
        for number in range(most):
            if number and self.left <= 0:
                return
            waiting.popleft().go_on()
