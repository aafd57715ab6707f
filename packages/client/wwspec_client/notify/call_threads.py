"""Threads that call the app's functions, so that these can neither end nor block a thread of the receiver."""

import threading
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from queue import SimpleQueue

from wwspec_client.notify.watch import Call, Outcome, Watch, Watched
from wwspec_client.running import call_plain

_Work = tuple[Call, "Future[Outcome]"]


class Hands:
    """Calls functions for one worker, on one thread until a function hangs. A context manager, which ends the thread.

    Args:
        watch: Watches the calls.
        name: Of the thread.
    """

    def __init__(self, watch: Watch, name: str) -> None:
        self._watch = watch
        self._name = name
        self._queue: SimpleQueue[_Work | None] | None = None

    def __enter__(self) -> "Hands":
        return self

    def __exit__(self, *_: object) -> None:
        if self._queue is not None:
            self._queue.put(None)
        self._queue = None

    def run(self, step: Watched) -> Outcome:
        """Call a function and wait for its end, or until it takes too long."""
        future: Future[Outcome] = Future()
        call = Call(step, lambda: _set_result(future, call.overdue))
        with self._watch.watching(call):
            if self._queue is None:
                self._queue = SimpleQueue()
                threading.Thread(target=_work, args=(self._queue,), name=self._name, daemon=True).start()
            self._queue.put((call, future))
            outcome = future.result()
        if outcome.hangs:
            self.__exit__()  # its thread ends when the function does
        return outcome


def _work(queue: "SimpleQueue[_Work | None]") -> None:
    while (work := queue.get()) is not None:
        call, future = work
        _set_result(future, call.run(call_plain))


def _set_result(future: "Future[Outcome]", outcome: Outcome) -> None:
    with suppress(InvalidStateError):  # it took too long, and has ended now
        future.set_result(outcome)
