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
from wwspec_router.client import Installation, MemoryInstallationStore, NotInstalledError


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
