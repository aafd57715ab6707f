"""What goes to one callback URL of the app: how it is sent, what became of it, and who waits for it.

Safe under threads: it uses the emulator's lock itself, so its methods are called without.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from wwspec_devtools.emulator.state.faults import LATE, NEVER, TWICE, Faults
from wwspec_devtools.emulator.state.tickets import Delivery
from wwspec_devtools.emulator.state.timers import Timers
from wwspec_devtools.emulator.state.traffic.entries import CALLBACK, Attempt
from wwspec_devtools.emulator.state.traffic.record import Traffic

KEPT_DELIVERIES = 1000

DeliveryT = TypeVar("DeliveryT", bound=Delivery)

Deliver = Callable[[DeliveryT], None]
"""Takes what is to be brought to the callback URL, and returns at once."""


@dataclass(eq=False)
class Deliveries(Generic[DeliveryT]):
    """The callbacks of one kind."""

    lock: threading.Lock
    """The emulator's."""
    traffic: Traffic
    """Records each one."""
    faults: Faults
    """May delay, repeat or withhold it."""
    timers: Timers
    """Send late ones."""
    deliver: Deliver[DeliveryT] | None
    """Brings it to the URL; None without a URL."""

    def __post_init__(self) -> None:
        self.latest: deque[DeliveryT] = deque(maxlen=KEPT_DELIVERIES)
        self._count = 0
        self._changed = threading.Condition(self.lock)

    def send(self, delivery: DeliveryT, name: str, request: bytes, corpid: str, agentid: int | None) -> None:
        """Send a callback, unless a fault prevents it.

        Args:
            delivery: The callback.
            name: Its name in the record.
            request: The JSON that the record shows.
            corpid: The corp that it is about.
            agentid: The app that it is about.
        """
        entry = self.traffic.begin(
            CALLBACK, name, request, keys=(delivery.key,), notification=delivery, corpid=corpid, agentid=agentid
        )
        met = self.faults.apply(CALLBACK, "", entry)
        if NEVER in met:
            delivery.state = "withheld"
        elif LATE in met:
            delivery.state = "late"
            self.timers.schedule(met[LATE].value, lambda: self._pass_on(delivery, twice=TWICE in met))
        else:
            self._pass_on(delivery, twice=TWICE in met)
        if delivery.state in ("recorded", "withheld"):
            self.traffic.end(entry, "")
        else:
            self.traffic.update(entry)

    def _pass_on(self, delivery: DeliveryT, *, twice: bool) -> None:
        for _ in range(2 if twice else 1):
            with self.lock:
                deliver = self.deliver
                delivery.state = "recorded" if deliver is None else "waiting"
                self.latest.append(delivery)
                self._count += 1
                self._changed.notify_all()
            if deliver is not None:
                deliver(delivery)
        entry = self.traffic.find(delivery.key)
        if entry is not None:
            self.traffic.update(entry)

    def deliver_by(self, deliver: Deliver[DeliveryT] | None) -> None:
        """Bring callbacks to the URL by another function from now on; None without a URL."""
        with self.lock:
            self.deliver = deliver

    def record(self, delivery: Delivery, state: str, attempts: int, last: Attempt | None = None) -> None:
        """Record the outcome of a callback."""
        with self.lock:
            delivery.state = state
            delivery.attempts = attempts
            delivery.attempt = None if last is None else last.shown
            self._changed.notify_all()
        entry = self.traffic.find(delivery.key)
        if entry is not None:
            if last is not None:
                entry.head, entry.sealed = last.head, last.sealed
            self.traffic.end(entry, "", came_back=None if last is None else last.reply)

    def after(self, number: int, seconds: float) -> tuple[list[DeliveryT], int]:
        """Return the callbacks after a number, oldest first, and the number of the last; wait for one."""
        with self.lock:
            self._changed.wait_for(lambda: self._count != number, seconds)
            known = number if number <= self._count else 0  # a larger number is of the time before a reset
            return list(self.latest)[max(0, len(self.latest) + known - self._count) :], self._count

    def wait_delivered(self, seconds: float) -> bool:
        """Wait until none is on its way to the URL; return whether that is so."""
        with self.lock:
            return self._changed.wait_for(lambda: all(each.state != "waiting" for each in self.latest), seconds)
