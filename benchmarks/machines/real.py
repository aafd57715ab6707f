"""A small case of the simulation for real: three programs, the emulator, and an app with receiver and archiver.

The emulator is WeCom here. It sends events and calls to each machine in its turn, and knows at once that one is gone.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, NamedTuple
from wsgiref.simple_server import WSGIRequestHandler, make_server

from sqlalchemy import Connection, create_engine

from benchmarks.machines.parts import WAIT, App, Costs, Faults, Load, Outcome
from benchmarks.machines.simulation import Zone as Simulation
from benchmarks.zones import ROOT
from wwspec_client import NotifyEvent, NotifyReceiver, ZoneClient
from wwspec_client.archive import ArchivePage, Archiver
from wwspec_client.sql import create_tables
from wwspec_devtools.testing.zone import ServedZone, Zone

__all__ = ["EVERY", "MACHINES", "Seen", "Timeline", "real", "simulated"]

MACHINES, EVERY, LATE = 3, 5.0, 2.0
"""Machines, seconds of the archiver, seconds by which notifications are late."""
RATE, SELDOM = 10.0, 1.1
"""Messages a second, and a second of those whose notifications do not arrive."""
TOKEN, AES_KEY = "callback-token", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
PATIENCE = 60.0
ASKED = "get_rule_list"
"""The API of users: one that WeCom does not limit as strictly as pulls."""


class Seen(NamedTuple):
    """What was seen of the small case."""

    notified: int
    lost: int
    """Events that the app was notified of and did not get."""
    call: float
    """Seconds of a user's call, median."""
    notified_there: float
    """Seconds until the app had a message, median: of those whose notifications came."""
    pulled_there: float
    """The same of those whose notifications did not, which the schedule brings."""


class Timeline(NamedTuple):
    """When things happened, for the simulation: seconds from the begin."""

    moments: Sequence[float]
    loud: int
    """How many of them have notifications that arrive: the first ones."""
    wiped: float
    back: float
    hop: float
    seconds: float


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Print nothing."""


class _AppSide:
    """What the app has received."""

    def __init__(self) -> None:
        self.handled = 0
        self.there: dict[str, float] = {}
        self.lock = Lock()

    def store(self, page: ArchivePage, _: Connection) -> None:
        """Note when messages are there."""
        for each in page:
            self.there[each.msgid] = time.perf_counter()


def real(loud: int = 100, quiet: int = 6) -> tuple[Seen, Timeline]:
    """Run the small case for real.

    Args:
        loud: How many messages have notifications.
        quiet: How many come after them, whose notifications do not arrive.
    """
    with tempfile.TemporaryDirectory(prefix="wwspec-bench-machines-") as name, _zone() as zone:
        side = _AppSide()
        engine = create_engine(f"sqlite:///{Path(name) / 'app.db'}")
        with engine.begin() as connection:
            create_tables(connection)
        with zone.app_client() as client:
            hop = statistics.median(_took(client) for _ in range(30))
            for api in ("sync_msg", "spec_notify_app", ASKED):
                zone.client.add_fault("sdk", "latency", api, WAIT)
            archiver = Archiver(client, engine, side.store, corps=[zone.client.info()["corpid"]], every=EVERY)
            with _received(zone, client, archiver, side):
                thread = Thread(target=archiver.run)
                thread.start()
                try:
                    return _played(zone, client, side, hop, (loud, quiet))
                finally:
                    archiver.stop()
                    thread.join()
                    engine.dispose()


def _played(
    zone: ServedZone, client: ZoneClient, side: _AppSide, hop: float, counts: tuple[int, int]
) -> tuple[Seen, Timeline]:
    begun, done = time.perf_counter(), Event()
    said: dict[str, float] = {}
    calls: list[float] = []

    def use() -> None:
        while not done.wait(0.2):
            calls.append(_took(client))

    def talk(count: int, rate: float) -> None:
        for _ in range(count):
            at = time.perf_counter()
            said[zone.client.say("zhangwei", "你好", to=["helan"])] = at
            done.wait(max(0.0, 1 / rate - (time.perf_counter() - at)))

    users = Thread(target=use)
    zone.client.add_fault("callback", "late", value=LATE)
    users.start()
    talk(counts[0], RATE)
    wiped = time.perf_counter()
    zone.client.machines.wipe(1)
    back = time.perf_counter()
    notified = len(zone.client.notifications())
    before = _wait_stable(lambda: side.handled, 2 * LATE)
    zone.client.add_fault("callback", "never")
    loud = dict(said)
    talk(counts[1], SELDOM)
    _wait(lambda: said.keys() <= side.there.keys())
    done.set()
    users.join()
    ended = time.perf_counter()
    took = {each: side.there[each] - at for each, at in said.items()}
    seen = Seen(
        notified,
        notified - before,
        statistics.median(calls),
        statistics.median(took[each] for each in loud),
        statistics.median(took[each] for each in said if each not in loud),
    )
    moments = [at - begun for at in said.values()]
    return seen, Timeline(moments, counts[0], wiped - begun, back - wiped, hop, ended - begun)


def simulated(costs: Costs, timeline: Timeline, seed: int) -> Seen:
    """Simulate the same, with the moments of the real run."""
    quiet = timeline.moments[timeline.loud] - 0.01
    zone = Simulation(
        costs,
        Load(calls=4.0, corps=1, moments=timeline.moments),
        MACHINES,
        app=App(every=EVERY, callback=timeline.hop + LATE, hop=timeline.hop, deaf_from=quiet),
        faults=Faults(lost_at=timeline.wiped, noticed=0.0, back=timeline.back),
        in_turn=True,
        seed=seed,
    )
    out = zone.play(timeline.seconds + EVERY)
    return _seen(out, timeline.loud)


def _seen(out: Outcome, loud: int) -> Seen:
    took = [seconds for _, seconds in sorted(out.there.items())]
    return Seen(
        loud,
        out.lost_with_store,
        statistics.median(out.calls),
        statistics.median(took[:loud]),
        statistics.median(took[loud:]),
    )


@contextmanager
def _zone() -> Iterator[ServedZone]:
    """Start three machines and the emulator, without messages of before."""
    with Zone.serve(ROOT, machines=MACHINES, emulate=["--messages", "0"]) as zone:
        yield zone


@contextmanager
def _received(zone: ServedZone, client: ZoneClient, archiver: Archiver, side: _AppSide) -> Iterator[None]:
    """Receive notifications, and note the corp's messages as due."""

    def on_event(event: NotifyEvent) -> None:
        archiver.on_event(event)
        with side.lock:
            side.handled += 1

    corpid = zone.client.info()["corpid"]
    own = {"token": TOKEN, "encoding_aes_key": AES_KEY, "receive_id": corpid}
    with (
        NotifyReceiver(client, on_event, **own) as receiver,
        make_server("127.0.0.1", 0, receiver, handler_class=_Quiet) as server,
    ):
        Thread(target=server.serve_forever, daemon=True).start()
        zone.client.set_callback(f"http://127.0.0.1:{server.server_port}/", TOKEN, AES_KEY)
        try:
            yield
        finally:
            server.shutdown()


def _took(client: ZoneClient) -> float:
    begun = time.perf_counter()
    client.call(f"invoke_{ASKED}", {"limit": 10})
    return time.perf_counter() - begun


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError("the app did not get its messages in time")
        time.sleep(0.01)


def _wait_stable(value: Callable[[], int], seconds: float = 2.0) -> int:
    """Return a number when it has not changed for a while."""
    latest, since = value(), time.monotonic()
    while time.monotonic() - since < seconds:
        time.sleep(0.01)
        if (now := value()) != latest:
            latest, since = now, time.monotonic()
    return latest
