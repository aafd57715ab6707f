"""Batches: the work of several threads at the same time is done together.

The first thread works at once. Threads that come meanwhile wait. A working thread takes their items as soon as it is
ready for them, and one of the threads that remain works next. So an idle object adds no delay and no thread, and under
load one sync to a disk serves many.

It does not know what an item is, or what `work` does with it.
"""

import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar

T = TypeVar("T")


class _Turn(Generic[T]):
    """One thread's item. The thread is woken when its item is done, or when it has to work itself."""

    __slots__ = ("done", "has_thread", "item", "wake", "works")

    def __init__(self, item: T, *, has_thread: bool = True) -> None:
        self.item = item
        self.has_thread = has_thread
        self.done = False
        self.works = False
        self.wake = threading.Lock()
        self.wake.acquire()


class Batches(Generic[T]):
    """Calls `work` for items, from one thread at a time.

    Args:
        work: Works on an item, on the thread that submitted it. Its second argument is a function that takes the items
            of waiting threads, and returns them in the order of their arrival. `work` calls it when it is ready for
            them, as often as it likes, and works on those as well; other items keep waiting. It stores each item's
            outcome in the item. It should raise nothing, since an error reaches only the thread on which it runs.
        max_batch: Most items that one call of that function returns, plus 1.
    """

    def __init__(self, work: Callable[[T, Callable[[], list[T]]], None], *, max_batch: int) -> None:
        self._work = work
        self._max_batch = max_batch
        self._lock = threading.Lock()
        self._waiting: deque[_Turn[T]] = deque()
        self._working = False

    def submit(self, item: T) -> None:
        """Return as soon as `item` was worked on."""
        turn = _Turn(item)
        try:
            with self._lock:
                if self._working:
                    self._waiting.append(turn)
                else:  # then none waits
                    turn.works = self._working = True
            if not turn.works:
                turn.wake.acquire()
            if turn.works:
                self._lead(turn)
        except BaseException:  # such as Ctrl-C: no thread may be left waiting for this one to work
            self._withdraw(turn)
            raise

    def submit_soon(self, item: T) -> None:
        """Return at once when a thread works: then that one, or the next, works on `item` too. Else do as `submit`."""
        with self._lock:
            if self._working:
                self._waiting.append(_Turn(item, has_thread=False))
                return
        self.submit(item)

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
            left = self._pass_on(turn)
            for each in batch:
                each.done = True
                each.wake.release()
            if left is not None:
                self._lead(left)

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
        if (left := self._pass_on(turn)) is not None:
            self._lead(left)

    def _pass_on(self, turn: _Turn[T]) -> _Turn[T] | None:
        """Let the thread that waits longest work instead of this one, unless this one has already done so.

        Returns:
            A turn that this thread has to work on, since no other thread waits.
        """
        with self._lock:
            if not turn.works:
                return None
            turn.works = False
            if not self._waiting:
                self._working = False
                return None
            following = next((each for each in self._waiting if each.has_thread), self._waiting[0])
            self._waiting.remove(following)
            following.works = True
        if not following.has_thread:
            return following
        following.wake.release()
        return None
