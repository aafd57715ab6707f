"""Two machines of one app: a corp leaves on one of them while it comes, or is called for, on the other."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from hashlib import sha256
from typing import Any

import pytest

from tests.client.suite.conftest import Make
from tests.client.suite.stand import Corp, Kind, Stand
from tests.support.provider import AES_KEY, TOKEN
from tests.support.waiting import wait_until
from wwspec_router.client import (
    Installation,
    MemoryInstallationStore,
    NotInstalledError,
    StoredToken,
    StoredTokenProvider,
    TokenProvider,
)


class Between(MemoryInstallationStore):
    """Lets another machine do something just after an installation is read."""

    then: Callable[[], object] | None = None

    def find(self, suite_id: str, corpid: str) -> Installation | None:
        found = super().find(suite_id, corpid)
        then, self.then = self.then, None
        if then is not None:
            then()
        return found


@pytest.fixture
def store() -> Between:
    return Between()


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = time.time() - 60

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Data:
    """The app's data of corps."""

    is_down = False

    def forget(self, corpid: str) -> None:
        if self.is_down:
            raise ConnectionError("the app's database is down")


@pytest.fixture
def data() -> Data:
    return Data()


@pytest.fixture
def corps(make: Make, kind: Kind, stack: ExitStack, store: Between, clock: Clock, data: Data) -> tuple[Corp, Corp]:
    """The same corp, as two machines have it; the first one has the command URL."""
    options: dict[str, Any] = {"installations": store, "clock": clock, "forgets": [data]}
    stand = make(**options)
    return stand.corp(), Stand(kind, stack, emulator=stand.emulator, **options).corp()


def is_of(installation: Installation | None, code: str) -> bool:
    """Return whether an installation is what an auth_code was exchanged for."""
    return installation is not None and installation.code_digest == sha256(code.encode()).hexdigest()


def send(corp: Corp, info_type: str, at: float, **fields: str) -> None:
    """Let the first machine get a command, and wait until it is handled."""
    before = len(corp.stand.events)
    assert corp.stand.send(info_type, at=at, AuthCorpId=corp.corpid, **fields).text == "success"
    assert corp.stand.send("enter_agent").text == "success"
    wait_until(lambda: any(each.info_type == "enter_agent" for each in corp.stand.events[before:]))


def test_a_code_that_another_machine_stores_while_a_cancellation_is_judged_is_kept(
    corps: tuple[Corp, Corp], store: Between, clock: Clock
) -> None:
    here, there = corps
    here.install()
    clock.now += 60
    code = here.code()
    store.then = lambda: there.exchange(code)
    send(here, "cancel_auth", clock.now)
    assert is_of(here.stored, code)
    assert (here.call(), there.call()) == (2, 2)


def test_a_corp_that_is_forgotten_while_another_machine_notes_a_permission_stays_forgotten(
    corps: tuple[Corp, Corp], store: Between, clock: Clock
) -> None:
    here, there = corps
    here.install()
    store.then = lambda: there.stand.forget(there.corpid)
    send(here, "auth_data_permission", clock.now, AuthType="data_zone_chat")
    assert here.stored is None


def test_a_code_that_is_stored_while_another_machine_begins_to_forget_waits_for_its_end(
    corps: tuple[Corp, Corp], store: Between, data: Data
) -> None:
    here, there = corps
    here.install()
    code = here.code()

    def begin() -> None:
        data.is_down = True
        with pytest.raises(ConnectionError):
            there.stand.forget(there.corpid)

    store.then = begin
    here.exchange(code)
    assert is_of(here.stored, code)
    with pytest.raises(NotInstalledError, match="is being deleted"):
        here.call()
    data.is_down = False
    there.stand.forget(there.corpid)
    assert is_of(here.stored, code), "it came after that forgetting had begun"
    assert here.call() == 2


def test_of_two_codes_that_machines_exchange_at_once_the_one_that_works_is_kept(
    corps: tuple[Corp, Corp], store: Between, clock: Clock
) -> None:
    here, there = corps
    first, codes = here.code(), list[str]()

    def come_back() -> None:
        clock.now += 60
        codes.append(here.reinstall())
        there.exchange(codes[0])

    here.stand.control.set_command_callback("http://127.0.0.1:9/", TOKEN, AES_KEY)  # nobody listens
    store.then = come_back
    here.exchange(first)
    assert is_of(here.stored, codes[0])
    assert here.access_token()


def test_a_client_of_another_machine_makes_no_call_for_a_corp_that_was_forgotten(corps: tuple[Corp, Corp]) -> None:
    here, there = corps
    here.install()
    assert there.call() == 2
    here.stand.forget(here.corpid)
    before = here.stand.asked("get_log_level")
    with pytest.raises(NotInstalledError):
        there.call()
    assert here.stand.asked("get_log_level") == before


def test_a_token_of_an_earlier_installation_is_used_on_no_machine(corps: tuple[Corp, Corp]) -> None:
    here, there = corps
    here.install()
    there.access_token()
    here.stand.forget(here.corpid)
    here.install()
    there.access_token()
    assert here.stand.asked("get_corp_token") == 2


class Shared:
    """Tokens that machines share, as a table has them."""

    def __init__(self) -> None:
        self.rows: dict[str, StoredToken] = {}
        self.then: Callable[[], object] | None = None
        """Called once, just before a token is stored."""

    def provider(self, name: str, source: TokenProvider) -> TokenProvider:
        return StoredTokenProvider(source, self, name=name)

    def load(self, name: str) -> StoredToken | None:
        return self.rows.get(name)

    def save(self, name: str, token: StoredToken) -> None:
        then, self.then = self.then, None
        if then is not None:
            then()
        self.rows[name] = token

    def forget(self, name: str) -> bool:
        return self.rows.pop(name, None) is not None


def test_a_token_that_comes_while_another_machine_forgets_the_corp_is_not_left(
    make: Make, kind: Kind, stack: ExitStack
) -> None:
    shared = Shared()
    stand = make(tokens=shared)
    here = stand.corp()
    there = Stand(kind, stack, emulator=stand.emulator, installations=stand.store, tokens=shared).corp()
    here.install()
    here.stand.do(lambda suite: suite.auth_info(here.corpid))  # the token of the suite is there
    shared.then = lambda: there.stand.forget(there.corpid)
    with pytest.raises(NotInstalledError):
        here.call()
    assert [name for name in shared.rows if here.corpid in name] == []


def test_a_token_that_comes_while_the_corp_comes_back_is_not_used(make: Make, kind: Kind, stack: ExitStack) -> None:
    shared = Shared()
    stand = make(tokens=shared)
    here = stand.corp()
    there = Stand(kind, stack, emulator=stand.emulator, installations=stand.store, tokens=shared).corp()
    here.install()
    here.stand.do(lambda suite: suite.auth_info(here.corpid))

    def come_back() -> None:
        there.stand.forget(there.corpid)
        there.install()

    shared.then = come_back
    assert here.access_token() == there.access_token()
    assert (here.stored is not None) and [each.owner for each in shared.rows.values()][1:] == [here.stored.code_digest]
