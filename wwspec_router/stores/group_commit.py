"""Group commit: items that several threads hand in at the same time are written together.

The first thread to come writes at once, alone. Those that come meanwhile wait, and one of them then writes
for all. So an idle writer adds no delay and no thread, and under load one sync to disk serves many.

It is not aware of what an item is or how it is written.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class _Turn(Generic[T]):
    """One thread's item, and what wakes that thread: its item is written, or it has to write now."""

    __slots__ = ("done", "item", "wake", "writes_next")

    def __init__(self, item: T) -> None:
        self.item = item
        self.done = False
        self.writes_next = False
        self.wake = threading.Lock()
        self.wake.acquire()


class GroupCommit(Generic[T]):
    """Calls `write` with batches of items, from one thread at a time.

    Args:
        write: Writes a batch. It keeps each item's outcome in the item; what it raises reaches the one thread
            that happened to write, so it should raise nothing.
        max_batch: Items in one batch.
    """

    def __init__(self, write: Callable[[Sequence[T]], None], *, max_batch: int) -> None:
        self._write = write
        self._max_batch = max_batch
        self._lock = threading.Lock()
        self._waiting: deque[_Turn[T]] = deque()
        self._writing = False

    def submit(self, item: T) -> None:
        """Return as soon as `item` was in a batch that is written."""
        alone = False
        try:
            with self._lock:
                if not self._writing:
                    alone = self._writing = True
            if alone:
                self._write((item,))
        finally:
            if alone:
                self._pass_on()
        if not alone:
            self._submit_with_others(item)

    def _submit_with_others(self, item: T) -> None:
        """Wait for a batch, or write one: whoever was writing may have ended meanwhile."""
        turn = _Turn(item)
        try:
            with self._lock:
                self._waiting.append(turn)
                if not self._writing:
                    turn.writes_next = self._writing = True
            if not turn.writes_next:
                turn.wake.acquire()
            if not turn.done:
                self._write_batch()
        except BaseException:  # such as Ctrl-C: nobody may be left waiting for this thread to write
            self._withdraw(turn)
            raise

    @property
    def waiting(self) -> int:
        """How many items wait for their batch to begin."""
        return len(self._waiting)

    def _withdraw(self, turn: _Turn[T]) -> None:
        with self._lock:
            if turn not in self._waiting:
                return
            self._waiting.remove(turn)
        if turn.writes_next:
            self._pass_on()

    def _write_batch(self) -> None:
        with self._lock:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._max_batch))]
        try:
            self._write([turn.item for turn in batch])
        finally:
            self._pass_on()
            for turn in batch:
                turn.done = True
                turn.wake.release()

    def _pass_on(self) -> None:
        """Let the longest waiting thread write next, or note that none is."""
        with self._lock:
            self._writing = bool(self._waiting)
            if self._waiting:
                self._waiting[0].writes_next = True
                self._waiting[0].wake.release()
