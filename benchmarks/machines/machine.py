"""One simulated machine: a program with one worker process on one core, and a store of its own."""

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from benchmarks.machines.parts import Outcome
from wwspec_router.config import Settings

__all__ = ["CUT", "DOWN", "OVERLOAD", "UNKNOWN", "Call", "Clock", "Machine", "Then"]

DOWN, CUT = 710674, 710675
"""No connection to the program; no answer of it."""
OVERLOAD = UNKNOWN = 710660
"""The program's own errcode: too many calls wait, or no event waits under the notify_id."""
_SETTINGS = Settings(app=Path())
THREADS, QUEUE, PATIENCE = _SETTINGS.threads, _SETTINGS.queue, _SETTINGS.queue_timeout

Then = Callable[[int], None]


class Clock(Protocol):
    """What a machine needs of the simulation."""

    now: float
    outcome: Outcome

    def at(self, delay: float, what: Callable[[], None]) -> None:
        """Do something later."""
        ...


class Call:
    """A call or an event that a machine has.

    Args:
        cost: Its processor time.
        wait: Seconds that it waits in the middle, without the processor.
        then: Called once, with an errcode.
        waited: Called when it has waited.
    """

    __slots__ = ("cost", "done", "then", "wait", "waited")

    def __init__(self, cost: float, wait: float, then: Then, waited: Callable[[], None] | None = None) -> None:
        self.cost, self.wait, self.then, self.waited = cost, wait, then, waited
        self.done = False


class Machine:
    """Threads, a queue for them, a processor that they share, and a store.

    Args:
        clock: The simulation.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.life = 0
        """How many disks it had before."""
        self.listens = True
        self.store: set[int] = set()
        """Events that the app has not fetched."""
        self.work_seconds = 0.0
        self._free_at = 0.0
        self._running: set[Call] = set()
        self._queue: deque[Call] = deque()

    @property
    def in_work(self) -> int:
        """How many calls it has."""
        return len(self._running) + len(self._queue)

    def accept(self, call: Call) -> None:
        """Accept a call. It is answered once, whatever becomes of the machine."""
        out = self._clock.outcome
        out.sent += 1
        if not self.listens:
            self._answer(call, DOWN)
        elif len(self._running) < THREADS:
            self._start(call)
        elif len(self._queue) < QUEUE:
            self._queue.append(call)
            self._clock.at(PATIENCE, lambda: self._refuse_late(call))
        else:
            self._answer(call, OVERLOAD)
        out.connections = max(out.connections, self.in_work)

    def lose(self) -> int:
        """End at once, and lose the store; return how many events were in it."""
        self.listens = False
        self.cut()
        self.life += 1
        lost = len(self.store)
        self.store = set()
        return lost

    def cut(self) -> None:
        """Leave what runs and waits without an answer."""
        left = [*self._running, *self._queue]
        self._running, self._queue = set(), deque()
        for call in left:
            self._answer(call, CUT)

    def _start(self, call: Call) -> None:
        self._running.add(call)
        clock = self._clock
        clock.at(self._work(call.cost / 2) + call.wait, lambda: self._go_on(call))

    def _work(self, seconds: float) -> float:
        """Use the processor after whatever came before; return in how many seconds that is done."""
        self._free_at = max(self._free_at, self._clock.now) + seconds
        self.work_seconds += seconds
        return self._free_at - self._clock.now

    def _go_on(self, call: Call) -> None:
        if call.done:
            return
        if call.waited is not None:
            call.waited()
        self._clock.at(self._work(call.cost / 2), lambda: self._end(call))

    def _end(self, call: Call) -> None:
        if call.done:
            return
        self._running.discard(call)
        if self._queue:
            self._start(self._queue.popleft())
        self._answer(call, 0)

    def _refuse_late(self, call: Call) -> None:
        if call in self._queue:
            self._queue.remove(call)
            self._answer(call, OVERLOAD)

    def _answer(self, call: Call, errcode: int) -> None:
        if call.done:
            raise RuntimeError("a call is answered twice")
        call.done = True
        self._clock.outcome.answered += 1
        call.then(errcode)
