"""Which messages of a corp the app must have, may have, and must not have any more."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import pytest

from tests.support.emulator import Emulator
from tests.support.provider import COMMAND_SETTINGS, CommandUrl
from torture.tenants import Claim, Tenant
from wwspec_devtools.emulator.settings import EmulatorSettings


class Acts:
    def __init__(self, stack: ExitStack) -> None:
        self.commands = CommandUrl(stack)
        more: dict[str, Any] = {**COMMAND_SETTINGS, "command_url": self.commands.url}
        settings = EmulatorSettings(app_type="third", corps=2, messages=0, **more)
        self._emulator = Emulator(settings, stack)
        corpid = self._emulator.platform.world.apps[1].corpid
        self.tenant = stack.enter_context(Tenant(self._emulator.url, corpid, 1, settings.seed, 100))

    def say(self) -> str:
        said = self.tenant.sayer.said
        self.tenant.sayer.allow((len(said) + 1) / 100)
        assert self.tenant.sayer.wait_said(60)
        return said[-1]

    def idle(self) -> None:
        assert self._emulator.platform.wait_idle()


@pytest.fixture
def acts() -> Iterator[Acts]:
    with ExitStack() as stack:
        yield Acts(stack)


def claim(*, wanted: Sequence[str], allowed: Sequence[str] = (), gone: Sequence[str] = ()) -> Claim:
    return Claim(frozenset(wanted), frozenset(allowed), frozenset(gone))


def test_what_is_said_without_the_permission_may_be_there_and_the_rest_must(acts: Acts) -> None:
    first = acts.say()
    acts.tenant.end_permission()
    second = acts.say()
    acts.tenant.renew_permission()
    third = acts.say()
    assert acts.tenant.claim() == claim(wanted=[first, third], allowed=[second])


def test_what_was_said_before_a_cancellation_that_the_app_acknowledged_must_be_gone(acts: Acts) -> None:
    first = acts.say()
    acts.tenant.leave()
    second = acts.say()
    acts.idle()
    acts.tenant.join()
    third = acts.say()
    assert acts.tenant.claim() == claim(wanted=[third], gone=[first, second])


def test_what_was_said_before_a_cancellation_that_was_lost_may_be_there_though_an_earlier_one_was_not_lost(
    acts: Acts,
) -> None:
    acts.tenant.leave()
    acts.idle()
    acts.tenant.client.advance(1)
    acts.tenant.join()
    acts.idle()
    first = acts.say()
    acts.tenant.client.advance(1)
    acts.tenant.client.add_fault("callback", "never", count=1)
    acts.tenant.leave()
    acts.tenant.join()
    second = acts.say()
    assert acts.tenant.claim() == claim(wanted=[second], allowed=[first])
