"""An emulator and a program for the verbs of `wwspec zone`, and the command line that finds the emulator."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.support.emulator import Emulator, SealedProgram, module_zone as module_zone, zone as zone
from wwspec_router.cli.main import main

Wwspec = Callable[..., Result]


@pytest.fixture
def emulator(zone: tuple[Emulator, SealedProgram]) -> Emulator:
    return zone[0]


@pytest.fixture
def program(zone: tuple[Emulator, SealedProgram]) -> SealedProgram:
    return zone[1]


@pytest.fixture
def wwspec(emulator: Emulator) -> Wwspec:
    """Run the command line with the emulator's URL in the environment."""

    def run(*arguments: str, input: str | None = None) -> Result:  # noqa: A002 - as click calls it
        env = {"WWSPEC_EMULATOR_URL": emulator.url, "NO_COLOR": "1"}
        return CliRunner().invoke(main, arguments, env=env, input=input)

    return run


def printed(result: Result) -> Any:
    """Return the JSON that a command printed, which has ended well."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)
