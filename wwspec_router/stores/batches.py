"""Batches: what several threads want at the same time is done together.

The first thread works at once. Those that come meanwhile wait; a working thread takes their items as soon as it is
ready for them, and one of those that remain works next. So an idle object adds no delay and no thread, and under load
one sync to a disk, or one round trip to a server, serves many.

It does not know what an item is or what is done with it.
"""

import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar

T = TypeVar("T")


class _Turn(Generic[T]):
    """One thread's item, and what wakes that thread: its item was worked on, or it has to work now."""

    __slots__ = ("done", "item", "wake", "works")

    def __init__(self, item: T) -> None:
        self.item = item
        self.done = False
        self.works = False
        self.wake = threading.Lock()
        self.wake.acquire()


class Batches(Generic[T]):
    """Calls `work` for items, from few threads at a time.

    Args:
        work: Works on an item, on the thread that submitted it. Its second argument is a function that returns
            the items of threads that wait, the longest first; they do so no longer. `work` calls it when it is ready
            for them, as often as it likes, and works on those as well; what it does not take goes on waiting. It keeps
            each item's outcome in the item; what it raises reaches only the thread on which it runs, so it should
            raise nothing.
        max_batch: Most items that one call of that function returns, plus 1.
        at_once: Threads that work at the same time.
    """

    def __init__(self, work: Callable[[T, Callable[[], list[T]]], None], *, max_batch: int, at_once: int = 1) -> None:
        self._work = work
        self._max_batch = max_batch
        self._at_once = at_once
        self._lock = threading.Lock()
        self._waiting: deque[_Turn[T]] = deque()
        self._working = 0

    def submit(self, item: T, timeout: float = -1) -> None:
        """Return as soon as `item` was worked on.

        Args:
            item: The item.
            timeout: Seconds to wait for other threads; -1 for as long as it takes. Afterwards the item may still be
                worked on.

        Raises:
            TimeoutError: The time is over; no working thread took the item, or one works on it still.
        """
        turn = _Turn(item)
        try:
            with self._lock:
                if self._working < self._at_once:  # then none waits
                    turn.works = True
                    self._working += 1
                else:
                    self._waiting.append(turn)
            if not (turn.works or turn.wake.acquire(timeout=timeout) or turn.works):
                raise TimeoutError
            if turn.works:
                self._lead(turn)
        except BaseException:  # such as Ctrl-C: no thread may be left waiting for this one to work
            self._withdraw(turn)
            raise

    @property
    def waiting(self) -> int:
        """How many items wait, without those whose threads are about to work."""
        return len(self._waiting)

    @property
    def idle(self) -> bool:
        """Whether no thread works, or is about to."""
        return not self._working

    def _lead(self, turn: _Turn[T]) -> None:
        """Work on this turn's item, and on those that `work` takes."""
        batch: list[_Turn[T]] = []
        try:
            self._work(turn.item, partial(self._pop_waiting, batch))
        finally:
            self._pass_on(turn)
            for each in batch:
                each.done = True
                each.wake.release()

    def _pop_waiting(self, batch: list[_Turn[T]]) -> list[T]:
        """Return items that wait, and add their turns to `batch`."""
        if not self._waiting:  # as for a single thread
            return []
        with self._lock:
            taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._max_batch - 1))]
            batch += taken
        return [turn.item for turn in taken]

    def _withdraw(self, turn: _Turn[T]) -> None:
        with self._lock:
            if turn in self._waiting:
                self._waiting.remove(turn)
        self._pass_on(turn)

    def _pass_on(self, turn: _Turn[T]) -> None:
        """Let the thread that waits longest work instead of this one, which may have passed on already."""
        with self._lock:
            if not turn.works:
                return
            turn.works = False
            if not self._waiting:
                self._working -= 1
                return
            following = self._waiting.popleft()
            following.works = True
        following.wake.release()
