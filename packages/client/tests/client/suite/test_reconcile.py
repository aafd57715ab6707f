"""A cancel_auth that is lost: the suite asks WeCom, and forgets the corp after two answers a minute apart."""

import time

import pytest

from tests.client.suite.conftest import Make
from tests.client.suite.stand import Data, Stand
from wwspec_client import NotInstalledError
from wwspec_client.errors import PlatformError
from wwspec_client.hooks import ClientHooks


class Gone(ClientHooks):
    def __init__(self) -> None:
        self.corps: list[str] = []

    def corp_gone(self, corpid: str) -> None:
        self.corps.append(corpid)


class Rig:
    """An app at two corps, whose commands are lost."""

    def __init__(self, make: Make) -> None:
        self.now, self.data, self.hook = time.time(), Data(), Gone()
        self.stand: Stand = make(corps=2, clock=lambda: self.now, forgets=[self.data], hooks=[self.hook])
        self.gone, self.stays = self.stand.corp(0), self.stand.corp(1)
        for corp in (self.gone, self.stays):
            corp.install()
        self.stand.lose_commands()

    def reconcile(self) -> list[str]:
        return list(self.stand.do(lambda suite: suite.reconcile()))


@pytest.fixture
def rig(make: Make) -> Rig:
    return Rig(make)


def test_a_corp_whose_cancellation_was_lost_is_forgotten_at_the_second_answer_of_a_minute_later(rig: Rig) -> None:
    rig.gone.admin.cancel()
    assert (rig.reconcile(), rig.reconcile()) == ([], [])
    rig.now += 59
    assert rig.reconcile() == []
    rig.now += 1
    assert rig.reconcile() == [rig.gone.corpid]
    assert rig.data.calls == rig.hook.corps == [rig.gone.corpid]
    assert rig.gone.stored is None
    with pytest.raises(NotInstalledError):
        rig.gone.call()
    assert rig.stays.call()
    assert rig.reconcile() == []


def test_a_corp_that_has_the_app_again_by_the_second_answer_is_kept(rig: Rig) -> None:
    rig.gone.admin.cancel()
    assert rig.reconcile() == []
    installed = rig.gone.exchange(rig.gone.admin.authorize(with_callback=False)["auth_code"])
    for _ in range(2):
        rig.now += 100
        assert rig.reconcile() == []
    assert (rig.gone.stored, rig.data.calls) == (installed, [])


def test_forgetting_that_has_failed_goes_on_the_next_time(rig: Rig) -> None:
    rig.gone.admin.cancel()
    rig.reconcile()
    rig.now += 60
    rig.data.failures = 1
    with pytest.raises(ConnectionError):
        rig.reconcile()
    assert (rig.gone.stored is None, rig.hook.corps) == (False, [])
    assert rig.reconcile() == [rig.gone.corpid]
    assert (rig.gone.stored, rig.hook.corps) == (None, [rig.gone.corpid])


def test_another_refusal_of_wecom_is_an_error_and_forgets_nobody(rig: Rig) -> None:
    rig.stand.emulator.platform.world.suite.tokens.clear()
    rig.stand.store.save_ticket("emulator-suite", "wrong", 4e9)
    for _ in range(2):
        with pytest.raises(PlatformError, match="40085"):
            rig.reconcile()
        rig.now += 60
    assert rig.data.calls == []
