"""A corp that is forgotten on one machine: no other one stores a page of it, or brings back its rows."""

import random
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from threading import Event
from typing import Any

import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from tests.client.archive.world import (
    KINDS,
    MESSAGES,
    Clock,
    Kind,
    Machine,
    Rig,
    archived,
    async_url,
    made_tables,
    rows,
)
from tests.client.conftest import QUICK
from tests.client.notify.stand import OnThread
from tests.support.apps import ROOT
from tests.support.provider import SUITE_ID
from tests.support.rsa_keys import new_rsa_key
from tests.support.waiting import DEADLINE
from wwspec_client import AsyncSuite, NotInstalledError, Suite
from wwspec_client.sql import SqlInstallationStore, SqlTokenStore
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.testing.zone import Zone


def test_a_corp_that_is_forgotten_between_its_claim_and_its_first_page_has_no_row_afterwards(rig: Rig) -> None:
    gone = rig.corpids[0]
    machine, other = rig.start(corps=[gone]), rig.start()

    def forget() -> None:
        rig.on_client = lambda: None
        other.forget(gone)

    rig.on_client = forget
    assert machine.run_due() == 1
    assert (archived(rig.url), rows(rig.url, "wwspec_cursors"), machine.status()) == ([], [], {})


def test_a_late_notification_of_a_forgotten_corp_does_not_bring_it_back_and_pull_soon_does(rig: Rig) -> None:
    gone = rig.corpids[0]
    machine, other = rig.start(corps=None), rig.start(corps=None)
    machine.pull_soon(gone)
    other.forget(gone)
    assert machine.on_event(rig.event(gone))
    assert (machine.run_due(), archived(rig.url), machine.status()) == (0, [], {})
    machine.pull_soon(gone)
    assert (machine.run_due(), rig.stored()) == (1, 20)


def test_a_list_of_corps_that_was_read_before_does_not_bring_a_forgotten_one_back(rig: Rig) -> None:
    gone = rig.corpids[0]
    other = rig.start()

    def corps() -> list[str]:
        other.forget(gone)
        return [gone]

    machine = rig.start(corps=corps)
    for _ in range(3):
        assert machine.run_due() == 0
        rig.clock.now += 100
    assert (archived(rig.url), rows(rig.url, "wwspec_cursors"), machine.status()) == ([], [], {})


class Provider:
    """A machine of a provider's app: a suite, and an archiver of what the corps say, both of a kind."""

    def __init__(self, kind: Kind, url: str, zone: Zone, stack: ExitStack) -> None:
        info = zone.client.info()
        self.corpids: list[str] = info["corps"]
        assert zone.client.memory is not None
        options: dict[str, Any] = {"program_id": info["program_id"], "base_url": zone.client.url, "retries": QUICK}
        options["clock"] = self._clock = Clock()
        options["forgets"] = [lambda corpid: self.machine.archiver.forget(corpid), self._forget_rows]
        self.engine = create_engine(url)
        stack.callback(self.engine.dispose)
        self.suite: Suite | AsyncSuite
        self.machine: Machine
        engine: Any = self.engine
        self.statements = self.engine
        if kind == "loop":
            engine = create_async_engine(async_url(url), poolclass=NullPool)
            self.statements = engine.sync_engine
        options |= {"installations": SqlInstallationStore(engine), "tokens": SqlTokenStore(engine)}
        if kind == "threads":
            self.suite = Suite(SUITE_ID, info["suite_secret"], transport=zone.client.memory, **options)
        else:
            self.suite = AsyncSuite(SUITE_ID, info["suite_secret"], transport=OnThread(zone.client.memory), **options)
        self.client: Any = self.suite.corp
        self.async_client: Any = self.suite.corp
        self.machine = stack.enter_context(Machine(kind, url, self, clock=self._clock, corps=self.suite.corps))

    def call(self, act: Callable[[Any], Any]) -> Any:
        """Call a method of the suite, or of a client of it."""
        return self.machine.call(act, self.suite)

    def run_due(self) -> int:
        """List the corps, and pull what is due."""
        self._clock.now += 100
        return self.machine.run_due()

    def forget(self, corpid: str) -> None:
        self.call(lambda suite: suite.forget(corpid))

    def _forget_rows(self, corpid: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(MESSAGES.delete().where(MESSAGES.c.corpid == corpid))


class Corp:
    """A corp that installs the app, says something, and removes it again."""

    def __init__(self, zone: Zone, corpid: str) -> None:
        self.corpid = corpid
        self.admin = EmulatorClient(zone.client.url, zone.client.memory, corp=corpid)
        self._key = new_rsa_key().public_key().export_key().decode()
        self._version = 0

    def install(self, provider: Provider) -> None:
        """Install the app anew, on a machine of it, and say something."""
        self.admin.cancel()
        code = self.admin.authorize(with_callback=False)["auth_code"]
        assert provider.call(lambda suite: suite.install(code)).is_ready
        self._version += 1
        provider.call(lambda suite: suite.corp(self.corpid).set_public_key(self._key, self._version))
        self.admin.say("zhangwei", "message", to=["helan"])


@pytest.fixture
def corps() -> Iterator[tuple[Zone, list[Corp]]]:
    with Zone.in_process(ROOT, app_type="third", messages=0, tokenless_pulls=1_000_000) as zone:
        yield zone, [Corp(zone, corpid) for corpid in zone.client.info()["corps"]]


def rows_of(corp: Corp, url: str) -> list[Any]:
    found = rows(url, "messages", "wwspec_cursors", "wwspec_tokens", "wwspec_installations")
    return [row for row in found if corp.corpid in str(row)]


def provided(stack: ExitStack, url: str, zone: Zone) -> tuple[Provider, Provider]:
    """Return two machines of the app, one of either kind."""
    first, second = (Provider(kind, url, zone, stack) for kind in KINDS)
    first.call(lambda suite: suite._core.installations.save_ticket(SUITE_ID, zone.client.info()["suite_ticket"], 1.0))
    return first, second


def test_a_corp_that_comes_back_is_pulled_again_without_a_word_of_the_app(
    url: str, corps: tuple[Zone, list[Corp]], stack: ExitStack
) -> None:
    zone, [corp] = corps
    first, second = provided(stack, url, zone)
    for pulling, forgetting in ((first, second), (second, first)):
        corp.install(forgetting)
        assert pulling.run_due() == 1
        assert len(archived(url)) == 1
        forgetting.forget(corp.corpid)
        assert pulling.run_due() == 0
        with pytest.raises(NotInstalledError):
            pulling.machine.pull_soon(corp.corpid)
        assert rows_of(corp, url) == []


@pytest.mark.parametrize("number", range(2), ids=KINDS)
def test_a_corp_whose_cancellation_was_lost_is_forgotten_by_the_archiver(
    url: str, corps: tuple[Zone, list[Corp]], stack: ExitStack, number: int
) -> None:
    zone, [corp] = corps
    provider = provided(stack, url, zone)[number]
    corp.install(provider)
    provider.run_due()
    corp.admin.cancel()
    provider.run_due()
    assert [each.failures for each in provider.machine.status().values()] == [1]
    provider.run_due()
    assert provider.machine.status() == {}
    assert rows_of(corp, url) == []


class Beside:
    """Begins something beside a statement, chosen as is how long that waits for it, and waits for its end."""

    def __init__(self, begin: Callable[[], Future[None]], choice: random.Random) -> None:
        self._begin = begin
        self._left = choice.randrange(1, 25)
        self._pause = choice.random() / 100
        self._begun: Future[None] | None = None

    def __call__(self, *_: object) -> None:
        self._left -= 1
        if self._left == 0:
            self._begun = self._begin()
            Event().wait(self._pause)

    def end(self) -> None:
        """Wait for the end; begin now what no statement has begun."""
        (self._begun or self._begin()).result(DEADLINE)


@pytest.mark.parametrize(
    "rounds",
    [
        pytest.param(60, marks=pytest.mark.slow),  # seconds for each database
        pytest.param(300, marks=pytest.mark.nightly),  # minutes
    ],
)
def test_of_a_corp_that_is_forgotten_beside_a_pull_no_row_is_left(
    new_url: str, corps: tuple[Zone, list[Corp]], stack: ExitStack, rounds: int
) -> None:
    """The forgetting begins with any statement of the machine that pulls."""
    zone, [corp] = corps
    pool = stack.enter_context(ThreadPoolExecutor(1))
    made_tables(new_url)
    machines = provided(stack, new_url, zone)
    seed = secrets.randbits(32)
    choice = random.Random(seed)  # noqa: S311 - the same seed, the same choices
    for number in range(rounds):
        pulling, forgetting = machines if number % 2 else machines[::-1]
        corp.install(forgetting)
        beside = Beside(partial(pool.submit, forgetting.forget, corp.corpid), choice)
        event.listen(pulling.statements, "before_cursor_execute", beside)
        pulling.run_due()
        event.remove(pulling.statements, "before_cursor_execute", beside)
        beside.end()
        with pytest.raises(NotInstalledError):
            pulling.machine.on_event(Rig.event(corp.corpid))
        pulling.run_due()
        found = rows(new_url, "messages", "wwspec_cursors", "wwspec_tokens")
        assert [row for row in found if corp.corpid in str(row)] == [], (number, seed)
        assert pulling.machine.status() == {}, (number, seed)
