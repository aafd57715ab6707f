"""`wwspec zone machine` and `deploy`: with an emulator alone, and with one whose orders are followed."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from click.testing import Result

from tests.cli.zone.conftest import Wwspec
from tests.support.emulator import Emulator
from wwspec_contracts.errors import WWSpecError
from wwspec_devtools.emulator.http.follower import Follower
from wwspec_devtools.emulator.settings import EmulatorSettings


class Starter:
    """Notes what it shall do, and can start no second machine."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def stop_machine(self, number: int) -> None:
        self.done.append(f"stop {number}")

    def start_machine(self, number: int) -> None:
        self.done.append(f"start {number}")

    def wipe_machine(self, number: int) -> None:
        self.done.append(f"wipe {number}")
        if number == 2:
            raise WWSpecError("fault in abilities/shop.py:3")


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with ExitStack() as stack:
        yield Emulator(EmulatorSettings(messages=0, machines=2), stack)


def states(result: Result) -> list[Any]:
    assert result.exit_code == 0, result.output
    return [each["state"] for each in json.loads(result.stdout)]


def test_an_emulator_alone_only_sends_nothing_to_a_stopped_machine(wwspec: Wwspec) -> None:
    assert states(wwspec("zone", "machine", "stop", "2")) == ["unknown", "stopped"]
    assert states(wwspec("zone", "machine", "start", "2")) == ["unknown", "unknown"]
    for refused in (wwspec("zone", "machine", "wipe", "2"), wwspec("zone", "deploy")):
        assert refused.exit_code == 1
        assert "this emulator can't wipe what it did not start; start the machines by `wwspec dev" in refused.stderr
    assert wwspec("zone", "machine", "burn", "2").exit_code == 2
    assert "no machine 3: there are 2" in wwspec("zone", "machine", "stop", "3").stderr


def test_who_started_the_machines_does_what_is_ordered_or_says_why_not(wwspec: Wwspec, emulator: Emulator) -> None:
    starter = Starter()
    Follower(emulator.url, starter)
    assert states(wwspec("zone", "machine", "stop", "1")) == ["stopped", "unknown"]
    assert states(wwspec("zone", "machine", "wipe", "1")) == ["unknown", "unknown"]
    failed = wwspec("zone", "deploy")
    assert (failed.exit_code, failed.stdout) == (1, "")
    assert "machine 2: fault in abilities/shop.py:3" in failed.stderr
    assert states(wwspec("zone", "machine", "start", "2")) == ["unknown", "unknown"]
    assert starter.done == ["stop 1", "wipe 1", "wipe 1", "wipe 2", "start 2"]
