"""The Redis server of a simulated fleet: one thread."""

from collections.abc import Callable
from typing import Protocol

from benchmarks.fleet.parts import Costs, Outcome, Step

__all__ = ["Clock", "Redis", "Then"]

Then = Callable[[], None]


class Clock(Protocol):
    """What the server needs of the simulation."""

    costs: Costs
    outcome: Outcome

    def at(self, delay: float, what: Then) -> None:
        """Do something later."""
        ...


class Redis:
    """Takes all commands that are there, runs them one after the other, syncs its file once, answers all of them."""

    def __init__(self, fleet: Clock) -> None:
        self._fleet = fleet
        self._queue: list[tuple[Callable[[], Step], Then]] = []
        self._works = False

    def send(self, command: Callable[[], Step], done: Then) -> None:
        """Queue a command: it is called when the server runs it, and `done` when the server answers."""
        self._queue.append((command, done))
        if not self._works:
            self._begin()

    def _begin(self) -> None:
        batch, self._queue, self._works = self._queue, [], True
        fleet, out = self._fleet, self._fleet.outcome
        steps = [command() for command, _ in batch]
        work = sum(step.seconds for step in steps)
        taken = work
        if any(step.writes for step in steps):
            taken += fleet.costs.sync
            work += fleet.costs.sync_work
            out.syncs += 1
        out.sent += len(batch)
        out.run += sum(step.run for step in steps)
        out.redis_seconds += work
        out.busy_seconds += taken
        out.largest_batch = max(out.largest_batch, len(batch))
        fleet.at(taken, lambda: self._answer([done for _, done in batch]))

    def _answer(self, waiting: list[Then]) -> None:
        for done in waiting:
            done()
        self._works = False
        if self._queue:
            self._begin()
