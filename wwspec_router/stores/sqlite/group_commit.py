"""Group commit: items that several threads submit at the same time are written together.

The first thread writes at once. Those that come meanwhile wait; the writing thread takes their items as soon as it is
ready to write, and one of those that remain writes next. So an idle writer adds no delay and no thread, and under load
one sync to disk serves many.

It does not know what an item is or how it is written.
"""

import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar

T = TypeVar("T")


class _Turn(Generic[T]):
    """One thread's item, and what wakes that thread: its item was written, or it has to write now."""

    __slots__ = ("done", "item", "wake", "writes_next")

    def __init__(self, item: T) -> None:
        self.item = item
        self.done = False
        self.writes_next = False
        self.wake = threading.Lock()
        self.wake.acquire()


class GroupCommit(Generic[T]):
    """Calls `write` for items, from one thread at a time.

    Args:
        write: Writes an item, on the thread that submitted it. Its second argument is a function that returns the
            items of the threads that wait; `write` may call it once, when it is ready to write, and writes those as
            well. If it does not, they go on waiting. It keeps each item's outcome in the item; what it raises reaches
            only the thread on which it runs, so it should raise nothing.
        max_batch: Items that are written together.
    """

    def __init__(self, write: Callable[[T, Callable[[], list[T]]], None], *, max_batch: int) -> None:
        self._write = write
        self._max_batch = max_batch
        self._lock = threading.Lock()
        self._waiting: deque[_Turn[T]] = deque()
        self._writing = False

    def submit(self, item: T) -> None:
        """Return as soon as `item` was written."""
        batch: list[_Turn[T]] | None = None
        try:
            with self._lock:
                if not self._writing:
                    batch = []
                    self._writing = True
            if batch is not None:
                self._write(item, partial(self._take, batch))
        finally:
            if batch is not None:
                self._end(batch)
        if batch is None:
            self._submit_with_others(item)

    def _submit_with_others(self, item: T) -> None:
        """Wait until another thread wrote the item; or write it, when no other thread writes any more."""
        turn = _Turn(item)
        try:
            with self._lock:
                self._waiting.append(turn)
                if not self._writing:
                    turn.writes_next = self._writing = True
            if not turn.writes_next:
                turn.wake.acquire()
            if not turn.done:
                self._lead(turn)
        except BaseException:  # such as Ctrl-C: no thread may be left waiting for this one to write
            self._withdraw(turn)
            raise

    @property
    def waiting(self) -> int:
        """How many items wait to be written."""
        return len(self._waiting)

    def _withdraw(self, turn: _Turn[T]) -> None:
        with self._lock:
            if turn not in self._waiting:
                return
            self._waiting.remove(turn)
        if turn.writes_next:
            self._pass_on()

    def _lead(self, turn: _Turn[T]) -> None:
        """Write the item of the turn that waited first."""
        batch: list[_Turn[T]] = []
        try:
            with self._lock:
                self._waiting.remove(turn)
            self._write(turn.item, partial(self._take, batch))
        finally:
            self._end(batch)

    def _take(self, batch: list[_Turn[T]]) -> list[T]:
        """Return the items that wait, and put their turns into `batch`."""
        with self._lock:
            batch += [self._waiting.popleft() for _ in range(min(len(self._waiting), self._max_batch - 1))]
        return [turn.item for turn in batch]

    def _end(self, batch: list[_Turn[T]]) -> None:
        """Let the next thread write, and wake those whose items were written with this one."""
        self._pass_on()
        for turn in batch:
            turn.done = True
            turn.wake.release()

    def _pass_on(self) -> None:
        """Let the thread that waits longest write next, or note that none waits."""
        with self._lock:
            self._writing = bool(self._waiting)
            if self._waiting:
                self._waiting[0].writes_next = True
                self._waiting[0].wake.release()
