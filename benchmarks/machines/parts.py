"""What a simulation of the zone's machines is made of: measured times, what arrives, what fails, what came of it."""

from collections import Counter
from collections.abc import Sequence

import msgspec

__all__ = ["App", "Costs", "Faults", "Load", "Outcome", "share", "zipf"]

WAIT = 0.05
"""Seconds that an SDK call waits for WeCom: not measured, since WeCom's time is not known."""


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """Measured times of one program, in seconds."""

    event: float
    """Processor time of an event: taken, stored, and the app notified."""
    fetch: float
    """Of a `get_callback_data`."""
    pull: float
    """Of a call that asks WeCom, such as `sync_msg`."""
    put: float
    """Until SQLite has an event."""
    up: float
    """From the start of a program to its first answer."""
    wait: float = WAIT


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What arrives."""

    events: float = 0.0
    """Messages a second, each with its event."""
    calls: float = 0.0
    """Calls a second of users of the app, each of which asks WeCom."""
    callers: int = 0
    """Callers beside them, each of which calls again when it has its answer."""
    corps: int = 10_000
    skew: float = 1.0
    """Exponent of Zipf's law: the busiest corp has 2 ** skew times the messages of the second."""
    burst: int = 0
    """Messages more, of all corps alike, within the second at `burst_at`."""
    burst_at: float = 5.0
    moments: Sequence[float] = ()
    """When the first corp has a message more, in seconds from the begin."""


class App(msgspec.Struct, frozen=True, kw_only=True):
    """The app's side."""

    every: float = 0.0
    """Seconds until a corp is pulled without a notification; 0 when only notifications lead to pulls."""
    fetchers: int = 64
    """Notifications that are fetched and handled at once."""
    pullers: int = 64
    """Corps that are pulled at once."""
    handling: float = 0.0
    """Seconds that the handler of a notification takes."""
    callback: float = 0.1
    """Seconds from the program's `spec_notify_app` until the app has the notification: not known of WeCom."""
    hop: float = 0.02
    """Seconds that a call needs on its way through WeCom, there and back: not known either."""
    deaf_from: float = float("inf")
    """No notification sent later reaches the app."""


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to machines."""

    lost_at: float | None = None
    """When the first machine is lost with its disk."""
    noticed: float = 30.0
    """Seconds for which WeCom goes on sending to it: not known."""
    back: float | None = None
    """Seconds until another one, with an empty store, is in its place; None for never."""
    deploy_at: float | None = None
    """When a rolling deployment begins: one machine after the other."""
    drained: float = 0.0
    """Seconds for which WeCom sends a machine nothing new before its program is stopped; 0 when it does not know."""
    starts: float = 10.0
    """Seconds from the end of the old program to the start of the new one."""


class Outcome(msgspec.Struct, kw_only=True):
    """What a run came to. Each message is one event; each event is notified, refused, or cut off."""

    seconds: float = 0.0
    messages: int = 0
    notified: int = 0
    fetched: int = 0
    lost_with_store: int = 0
    """Events that a store had when it was lost, and that the app had not fetched."""
    waiting: int = 0
    """Notifications that the app has not fetched at the end."""
    refused: Counter[tuple[str, int]] = msgspec.field(default_factory=Counter)
    """By kind of call and errcode."""
    calls: list[float] = []
    """Seconds of each answered call of users."""
    there: dict[int, float] = {}
    """Seconds until the app had each message, by its number."""
    gone: set[int] = set()
    """Messages whose events were refused, cut off, or lost with a store."""
    missing: int = 0
    """Messages that the app does not have at the end."""
    missing_gone: int = 0
    """Those of them whose events are gone."""
    app_calls: list[int] = []
    """Calls that the app sent, in each second."""
    busiest_corp: int = 0
    """Calls that it sent for the busiest corp."""
    sent: int = 0
    answered: int = 0
    busiest: float = 0.0
    """Share of its time that the busiest processor was used."""
    connections: int = 0
    """Most calls that one machine had at the same time, those that waited for a thread included."""

    def until_there(self, *, gone: bool) -> list[float]:
        """Return the seconds until the app had each message whose event is gone, or is not, in their order."""
        return [seconds for number, seconds in sorted(self.there.items()) if (number in self.gone) is gone]

    def refused_by(self, kind: str) -> dict[int, int]:
        """Return how many calls of a kind were refused, by errcode."""
        return {code: count for (each, code), count in sorted(self.refused.items()) if each == kind}


def zipf(corps: int, skew: float) -> list[float]:
    """Return the shares of corps, the busiest first."""
    weights = [1 / (place + 1) ** skew for place in range(corps)]
    whole = sum(weights)
    return [each / whole for each in weights]


def share(values: Sequence[float], part: float) -> float:
    """Return the value below which that part of them is; 0.0 without any."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0
