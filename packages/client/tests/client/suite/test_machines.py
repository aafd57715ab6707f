"""Two machines of one app: a corp leaves on one of them while it comes, or is called for, on the other."""

import random
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from hashlib import sha256
from threading import Event
from typing import Any

import pytest
from sqlalchemy import create_engine

from tests.client.archive.world import Clock
from tests.client.suite.conftest import Make
from tests.client.suite.stand import Corp, Data, Shared, Stand
from tests.support.waiting import DEADLINE
from wwspec_client import CancelAuth, NotInstalledError, PlatformError
from wwspec_client.sql import SqlInstallationStore, create_tables
from wwspec_client.stores import Installation, MemoryInstallationStore


class Between(MemoryInstallationStore):
    """Lets another machine do something just after an installation is read."""

    then: Callable[[], object] | None = None

    def find(self, suite_id: str, corpid: str) -> Installation | None:
        found = super().find(suite_id, corpid)
        then, self.then = self.then, None
        if then is not None:
            then()
        return found


class Pair:
    """The same corp, as two machines have it; the first one has the command URL."""

    def __init__(self, make: Make) -> None:
        self.store, self.clock, self.data = Between(), Clock(), Data()
        self.clock.now = time.time() - 60
        options: dict[str, Any] = {"clock": self.clock, "forgets": [self.data]}
        stand = make(installations=self.store, **options)
        self.corps = stand.corp(), stand.other_machine(**options).corp()


@pytest.fixture
def pair(make: Make) -> Pair:
    return Pair(make)


def is_of(installation: Installation | None, code: str) -> bool:
    """Return whether an installation is what an auth_code was exchanged for."""
    return installation is not None and installation.code_digest == sha256(code.encode()).hexdigest()


def test_a_code_that_another_machine_stores_while_a_cancellation_is_judged_is_kept(pair: Pair) -> None:
    here, there = pair.corps
    here.install()
    pair.clock.now += 60
    code = here.code()
    pair.store.then = lambda: there.exchange(code)
    here.send("cancel_auth", pair.clock.now)
    assert is_of(here.stored, code)
    assert (here.call(), there.call()) == (2, 2)


def test_a_corp_that_is_forgotten_while_another_machine_notes_a_permission_stays_forgotten(pair: Pair) -> None:
    here, there = pair.corps
    here.install()
    pair.store.then = lambda: there.stand.forget(there.corpid)
    here.send("auth_data_permission", pair.clock.now, AuthType="data_zone_chat")
    assert here.stored is None


def test_a_code_that_is_stored_while_another_machine_begins_to_forget_waits_for_its_end(pair: Pair) -> None:
    here, there = pair.corps
    here.install()
    here.send("auth_data_permission", pair.clock.now, AuthType="data_zone_chat")
    code = here.code()

    def begin() -> None:
        pair.data.failures = 1
        with pytest.raises(ConnectionError):
            there.stand.forget(there.corpid)

    pair.store.then = begin
    assert here.exchange(code).data_until == 0, "the permission was that of the installation before"
    assert is_of(here.stored, code)
    with pytest.raises(NotInstalledError, match="is being deleted"):
        here.call()
    there.stand.forget(there.corpid)
    assert is_of(here.stored, code), "it came after that forgetting had begun"
    assert here.call() == 2


def test_of_two_codes_that_machines_exchange_at_once_the_one_that_works_is_kept(pair: Pair) -> None:
    here, there = pair.corps
    first, codes = here.code(), list[str]()

    def come_back() -> None:
        pair.clock.now += 60
        codes.append(here.reinstall())
        there.exchange(codes[0])

    here.stand.lose_commands()
    pair.store.then = come_back
    here.exchange(first)
    assert is_of(here.stored, codes[0])
    assert here.access_token()


def test_a_code_that_another_machine_has_exchanged_counts_only_when_wecom_says_that_it_is_used(pair: Pair) -> None:
    here, there = pair.corps
    there.exchange(code := there.code())
    here.stand.control.add_fault("app", "errcode", "v2/get_permanent_code", 45009, count=1)
    with pytest.raises(PlatformError, match="45009"):
        here.exchange(code)
    assert is_of(here.exchange(code), code)


def test_a_client_of_another_machine_makes_no_call_for_a_corp_that_was_forgotten(pair: Pair) -> None:
    here, there = pair.corps
    here.install()
    assert there.call() == 2
    here.stand.forget(here.corpid)
    before = here.stand.asked("get_log_level")
    with pytest.raises(NotInstalledError):
        there.call()
    assert here.stand.asked("get_log_level") == before


def test_a_token_of_an_earlier_installation_is_used_on_no_machine(pair: Pair) -> None:
    here, there = pair.corps
    here.install()
    there.access_token()
    here.stand.forget(here.corpid)
    here.install()
    there.access_token()
    assert here.stand.asked("get_corp_token") == 2


Sharing = tuple[Corp, Corp, Shared]


@pytest.fixture
def sharing(make: Make) -> Sharing:
    """The same, on machines that share tokens; that of the suite is there."""
    shared = Shared()
    stand = make(tokens=shared)
    here, there = stand.corp(), stand.other_machine(tokens=shared).corp()
    here.install()
    stand.do(lambda suite: suite.auth_info(here.corpid))
    return here, there, shared


def test_a_token_that_comes_while_another_machine_forgets_the_corp_is_not_left(sharing: Sharing) -> None:
    here, there, shared = sharing
    shared.then = lambda: there.stand.forget(there.corpid)
    with pytest.raises(NotInstalledError):
        here.call()
    assert [name for name in shared.rows if here.corpid in name] == []


def test_a_token_that_comes_while_the_corp_comes_back_is_not_used(sharing: Sharing) -> None:
    here, there, shared = sharing

    def come_back() -> None:
        there.stand.forget(there.corpid)
        there.install()

    shared.then = come_back
    assert here.access_token() == there.access_token()
    assert (here.stored is not None) and [each.owner for each in shared.rows.values()][1:] == [here.stored.code_digest]


def test_a_second_cancellation_within_the_second_of_the_first_is_handled(pair: Pair) -> None:
    here, _ = pair.corps
    here.stand.lose_commands()
    here.install()
    now = pair.clock.now = time.time()
    here.send("cancel_auth", now)
    here.reinstall()
    here.install()
    here.admin.cancel()
    here.send("cancel_auth", now)
    assert here.stored is None
    assert len(here.stand.seen(2, CancelAuth)) == 2


@pytest.fixture
def shared(new_url: str) -> Iterator[SqlInstallationStore]:
    engine = create_engine(new_url)
    with engine.begin() as connection:
        create_tables(connection)
    yield SqlInstallationStore(engine)
    engine.dispose()


@pytest.mark.parametrize(
    "rounds",
    [
        pytest.param(40, marks=pytest.mark.slow),  # seconds for each database
        pytest.param(200, marks=pytest.mark.nightly),  # minutes
    ],
)
def test_of_a_corp_that_leaves_and_comes_back_at_once_on_two_machines_no_code_is_lost(
    shared: SqlInstallationStore, stack: ExitStack, rounds: int
) -> None:
    here = Stand("wsgi", stack, installations=shared)
    here.listen()
    here.lose_commands()  # the test sends them
    corp = here.corp()
    there = Stand("asgi", stack, emulator=here.emulator, installations=shared).corp()
    seed = secrets.randbits(32)
    choice = random.Random(seed)  # noqa: S311 - the same seed, the same choices
    pool = stack.enter_context(ThreadPoolExecutor(1))
    codes = [corp.code()]
    there.exchange(codes[0])
    for number in range(rounds):
        codes.append(corp.reinstall())
        pause = choice.random() / 50

        def come_back(code: str = codes[-1], pause: float = pause) -> None:
            Event().wait(pause)
            there.exchange(code)

        coming = pool.submit(come_back)
        corp.send("cancel_auth", time.time())
        coming.result(DEADLINE)
        assert is_of(corp.stored, codes[-1]), (number, seed)
        assert there.access_token(), (number, seed)
        assert corp.access_token(), (number, seed)


def test_a_code_that_works_is_kept_though_the_clock_of_its_machine_is_behind(pair: Pair) -> None:
    here, there = pair.corps
    here.stand.lose_commands()
    pair.clock.now += 60
    there.install()
    pair.clock.now -= 60
    code = here.reinstall()
    here.exchange(code)
    assert is_of(here.stored, code)
    assert here.access_token()
