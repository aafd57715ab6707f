"""Simulates the machines of the zone, and an app that many corps have installed: a discrete-event simulation.

Simulated are the threads, the queue and the processor of each machine, its store, the way of a notification, and when
the app pulls. What happens inside of a call is one number, its measured time (`Costs`). What WeCom does is not known
where it is not documented: see `App` and `Faults`. The same seed gives the same run.
"""

import heapq
import random
from bisect import bisect_left
from collections.abc import Callable
from functools import partial
from itertools import accumulate, count
from pathlib import Path

from benchmarks.machines.appside import Notice, Receiver
from benchmarks.machines.machine import DOWN, UNKNOWN, Call, Machine
from benchmarks.machines.parts import App, Costs, Faults, Load, Outcome, zipf
from wwspec_router.config import Settings

__all__ = ["Zone"]

GRACE = Settings(app=Path()).grace


class Zone:
    """Machines and an app.

    Args:
        costs: Measured times.
        load: What arrives.
        machines: How many there are.
        app: The app's side.
        faults: What happens to machines.
        in_turn: Whether machines get calls and events each in its turn, as the emulator does; else at random.
        seed: Of all random choices.
    """

    def __init__(
        self,
        costs: Costs,
        load: Load,
        machines: int,
        *,
        app: App | None = None,
        faults: Faults | None = None,
        in_turn: bool = False,
        seed: int = 1,
    ) -> None:
        self.costs, self.app = costs, app or App()
        self._load, self._faults, self._in_turn = load, faults or Faults(), in_turn
        self._random = random.Random(seed)  # noqa: S311 - a simulation
        self.now = 0.0
        self.outcome = Outcome()
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order, self._numbers, self._turn = count(), count(), count()
        self.machines = [Machine(self) for _ in range(machines)]
        self._known = list(self.machines)
        """Those that WeCom sends calls and events to."""
        self._shares = list(accumulate(zipf(load.corps, load.skew)))
        self.receiver = Receiver(self, load.corps)

    def at(self, delay: float, what: Callable[[], None]) -> None:
        """Do something later."""
        heapq.heappush(self._heap, (self.now + delay, next(self._order), what))

    def play(self, seconds: float) -> Outcome:
        """Simulate so many seconds, and return what they came to."""
        load, faults, app, out = self._load, self._faults, self.app, self.outcome
        out.app_calls = [0] * (int(seconds) + 1)
        self._arrive(load.events, self._say)
        self._arrive(load.calls, self._use)
        for _ in range(load.callers):
            self._use(again=True)
        for _ in range(load.burst):
            corp = self._random.randrange(load.corps)
            self.at(load.burst_at + self._random.random(), partial(self._say, corp))
        for moment in load.moments:
            self.at(moment, partial(self._say, 0))
        if app.every:
            for corp in range(load.corps):
                self.receiver.begin(corp, self._random.uniform(0, app.every))
        if faults.lost_at is not None:
            self.at(faults.lost_at, lambda: self._lose(self.machines[0]))
        if faults.deploy_at is not None:
            self.at(faults.deploy_at, lambda: self._deploy(0))
        while self._heap and self._heap[0][0] <= seconds:
            self.now, _, what = heapq.heappop(self._heap)
            what()
        self.now = seconds
        left = [number for corp in self.receiver.missing for _, number in corp]
        out.seconds, out.missing, out.waiting = seconds, len(left), self.receiver.waiting
        out.missing_gone = sum(number in out.gone for number in left)
        out.busiest = max(each.work_seconds for each in self.machines) / seconds
        return out

    def call(self, kind: str, call: Call, notice: Notice | None = None, corp: int = -1) -> None:
        """Send a call of the app through WeCom: one with a notify_id to the machine that made it."""
        out, then, half = self.outcome, call.then, self.app.hop / 2
        out.busiest_corp += corp == 0
        out.app_calls[min(int(self.now), len(out.app_calls) - 1)] += 1

        def back(errcode: int) -> None:
            if errcode:
                out.refused[kind, errcode] += 1
            elif notice is not None:
                out.fetched += 1
                notice.machine.store.discard(notice.number)
            self.at(half, lambda: then(errcode))

        call.then = back
        self.at(half, lambda: self._arrived(call, notice))

    def _arrived(self, call: Call, notice: Notice | None) -> None:
        if notice is None:
            machine = self._next()
        elif notice.life == notice.machine.life:
            machine = notice.machine
        elif notice.machine in self._known and not notice.machine.listens:
            machine = notice.machine  # WeCom does not know yet that it is gone
        else:
            call.then(UNKNOWN)  # another machine, or the same with another disk, knows no such event
            return
        if machine is None:
            call.then(DOWN)
        else:
            machine.accept(call)

    def _next(self) -> Machine | None:
        if not self._known:
            return None
        if self._in_turn:
            return self._known[next(self._turn) % len(self._known)]
        return self._random.choice(self._known)

    def _arrive(self, rate: float, what: Callable[[], None]) -> None:
        if rate > 0:

            def one() -> None:
                what()
                self.at(self._random.expovariate(rate), one)

            self.at(self._random.expovariate(rate), one)

    def _use(self, *, again: bool = False) -> None:
        """Let a user of the app call an ability that asks WeCom."""
        begun = self.now

        def then(errcode: int) -> None:
            if errcode == 0:
                self.outcome.calls.append(self.now - begun)
            if again:
                self._use(again=True)

        self.call("call", Call(self.costs.pull, self.costs.wait, then))

    def _say(self, corp: int | None = None) -> None:
        """Let somebody say something in a corp, and WeCom send the event of it."""
        out, number = self.outcome, next(self._numbers)
        if corp is None:
            corp = min(bisect_left(self._shares, self._random.random()), self._load.corps - 1)
        out.messages += 1
        self.receiver.missing[corp].append((self.now, number))
        machine = self._next()

        def refuse(errcode: int) -> None:
            """Forget the event: whether WeCom sends one again is not documented."""
            if errcode and not sent:
                out.refused["event", errcode] += 1
                out.gone.add(number)

        sent: list[float] = []
        if machine is None:
            refuse(DOWN)
            return
        chosen, whose = machine, corp

        def notify() -> None:
            sent.append(self.now)
            out.notified += 1
            chosen.store.add(number)
            if self.now < self.app.deaf_from:
                notice = Notice(number, whose, chosen, chosen.life, self.now)
                self.at(self.app.callback, lambda: self.receiver.notify(notice))

        machine.accept(Call(self.costs.event, self.costs.put + self.costs.wait, refuse, notify))

    def _forget(self, machine: Machine) -> None:
        if machine in self._known:
            self._known.remove(machine)

    def _lose(self, machine: Machine) -> None:
        faults = self._faults
        self._lose_store(machine)
        self.at(faults.noticed, lambda: self._forget(machine))
        if faults.back is not None:
            self.at(faults.back, lambda: self._start(machine))

    def _lose_store(self, machine: Machine) -> None:
        self.outcome.gone |= machine.store
        self.outcome.lost_with_store += machine.lose()

    def _start(self, machine: Machine) -> None:
        machine.listens = True
        if machine not in self._known:
            self._known.append(machine)

    def _deploy(self, place: int) -> None:
        """Replace one machine after the other."""
        if place == len(self.machines):
            return
        machine, faults = self.machines[place], self._faults
        if faults.drained:
            self._forget(machine)
        self.at(faults.drained, lambda: self._stop(machine, self.now + GRACE, lambda: self._deploy(place + 1)))

    def _stop(self, machine: Machine, until: float, then: Callable[[], None]) -> None:
        """Stop a program as SIGTERM does, and start the next version with an empty store."""
        machine.listens = False
        if machine.in_work and self.now < until:
            self.at(0.05, lambda: self._stop(machine, until, then))
            return
        self._lose_store(machine)

        def start() -> None:
            self._start(machine)
            then()

        self.at(self._faults.starts + self.costs.up, start)
