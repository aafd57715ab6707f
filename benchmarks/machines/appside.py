"""The app's side of the simulation: what `NotifyReceiver` and `Archiver` do, with all their processes together."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

from benchmarks.machines.machine import Call, Machine
from benchmarks.machines.parts import App, Costs, Outcome
from wwspec_client.archive.core import PAUSES
from wwspec_client.notify.policy import NotifyPolicy
from wwspec_contracts.backoff import Backoff

__all__ = ["Notice", "Receiver", "Surroundings"]

_POLICY = NotifyPolicy()
_FETCH = Backoff(first=_POLICY.first_pause, longest=_POLICY.longest_pause, jitter=0.0)
_PULL = Backoff(first=PAUSES.first, longest=PAUSES.longest, jitter=0.0)


class Notice(NamedTuple):
    """A notification that the app was sent."""

    number: int
    corp: int
    machine: Machine
    life: int
    """Of the machine, when it made the notify_id."""
    sent: float


class Surroundings(Protocol):
    """What the app needs of the simulation."""

    now: float
    app: App
    costs: Costs
    outcome: Outcome

    def at(self, delay: float, what: Callable[[], None]) -> None:
        """Do something later."""
        ...

    def call(self, kind: str, call: Call, notice: Notice | None = None, corp: int = -1) -> None:
        """Send a call through WeCom."""
        ...


class Receiver:
    """Fetches what it is notified of, and pulls corps that are due.

    Args:
        fleet: The simulation.
        corps: How many there are.
    """

    def __init__(self, fleet: Surroundings, corps: int) -> None:
        self._fleet = fleet
        self.missing: list[list[tuple[float, int]]] = [[] for _ in range(corps)]
        """Of each corp the messages that the app does not have: when each was said, and its number."""
        self._notices: deque[Notice] = deque()
        self._handled = 0
        self._due: deque[int] = deque()
        self._pulled = 0
        self._is_due = [False] * corps
        self._is_pulled = [False] * corps
        self._turns = [0] * corps
        self._attempts = [0] * corps
        self.retrying = 0
        """Notifications that wait for their next attempt."""

    @property
    def waiting(self) -> int:
        """How many notifications are not fetched."""
        return len(self._notices) + self.retrying + self._handled

    def begin(self, corp: int, delay: float) -> None:
        """Pull a corp by the schedule, for the first time after so many seconds."""
        turn = self._turns[corp]
        self._fleet.at(delay, lambda: self._by_schedule(corp, turn))

    def notify(self, notice: Notice) -> None:
        """Take a notification."""
        self._notices.append(notice)
        self._fetch_next()

    def _fetch_next(self) -> None:
        while self._notices and self._handled < self._fleet.app.fetchers:
            self._handled += 1
            self._fetch(self._notices.popleft(), 1)

    def _fetch(self, notice: Notice, attempt: int) -> None:
        def then(errcode: int) -> None:
            self._on_fetched(notice, attempt, errcode)

        self._fleet.call("fetch", Call(self._fleet.costs.fetch, 0.0, then), notice, notice.corp)

    def _on_fetched(self, notice: Notice, attempt: int, errcode: int) -> None:
        fleet = self._fleet
        if errcode == 0:
            fleet.at(fleet.app.handling, lambda: self._on_handled(notice.corp))
            return
        if fleet.now > notice.sent + _POLICY.lifetime:
            self._free()
            return
        self.retrying += 1
        self._free()

        def again() -> None:
            self.retrying -= 1
            self._handled += 1  # a later attempt does not wait for a turn: there are few
            self._fetch(notice, attempt + 1)

        fleet.at(_FETCH.pause(attempt), again)

    def _on_handled(self, corp: int) -> None:
        self._ask_for(corp)
        self._free()

    def _free(self) -> None:
        self._handled -= 1
        self._fetch_next()

    def _ask_for(self, corp: int) -> None:
        if self._is_due[corp] or self._attempts[corp]:
            return
        self._is_due[corp] = True
        if not self._is_pulled[corp]:
            self._due.append(corp)
            self._pull_next()

    def _by_schedule(self, corp: int, turn: int) -> None:
        if self._turns[corp] == turn and not self._is_due[corp]:
            self._is_due[corp] = True
            self._due.append(corp)
            self._pull_next()

    def _pull_next(self) -> None:
        while self._due and self._pulled < self._fleet.app.pullers:
            self._pulled += 1
            self._pull(self._due.popleft())

    def _pull(self, corp: int) -> None:
        fleet = self._fleet
        self._is_due[corp], self._is_pulled[corp] = False, True
        self._turns[corp] += 1
        begun = fleet.now

        def then(errcode: int) -> None:
            self._is_pulled[corp] = False
            self._pulled -= 1
            if errcode == 0:
                self._attempts[corp] = 0
                self._store(corp, begun)
                if self._is_due[corp]:  # somebody has asked for it meanwhile
                    self._due.append(corp)
                elif fleet.app.every:
                    self.begin(corp, fleet.app.every)
            else:
                self._attempts[corp] += 1
                self._is_due[corp] = False
                self.begin(corp, _PULL.pause(self._attempts[corp]))
            self._pull_next()

        fleet.call("pull", Call(fleet.costs.pull, fleet.costs.wait, then), corp=corp)

    def _store(self, corp: int, begun: float) -> None:
        """Have all messages that were said before a pull began."""
        out, now = self._fleet.outcome, self._fleet.now
        later = [each for each in self.missing[corp] if each[0] > begun]
        for said, number in self.missing[corp][: len(self.missing[corp]) - len(later)]:
            out.there[number] = now - said
        self.missing[corp] = later
