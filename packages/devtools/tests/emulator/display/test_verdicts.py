"""How an exchange ended: the same in every place that says it, and `ok` only where nothing failed."""

import json
from typing import Any

import pytest
from click.testing import CliRunner

from tests.support.emulator import Emulator, SealedProgram
from wwspec_contracts.files import ConsoleContract
from wwspec_devtools.cli.tail import Lines
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.http.reading import StreamEvent
from wwspec_router.cli.main import main

CRASH = '{"errcode": 710660, "errmsg": "internal error"}'


@pytest.fixture
def emulator(zone: tuple[Emulator, SealedProgram], monkeypatch: pytest.MonkeyPatch) -> Emulator:
    monkeypatch.setenv("WWSPEC_EMULATOR_URL", zone[0].url)
    monkeypatch.setenv("NO_COLOR", "1")
    return zone[0]


def said_of(emulator: Emulator) -> dict[str, tuple[Any, Any]]:
    """Return how `zone traffic`, `zone tail` and the rows of the page say that calls and events ended, by kind."""
    with EmulatorClient(emulator.url) as client:
        rows = client.traffic()
    event = StreamEvent("entries", {"rows": rows, "missed": 0}, "")
    tailed = [[part.strip() for part in line.split("  ")] for line in Lines().of(event)]
    listed = [
        [part.strip() for part in line.split("  ")]
        for line in CliRunner().invoke(main, ["zone", "traffic", "--table"]).stdout.splitlines()
    ]
    kept = ("call", "event", "app")
    said = {}
    for row, tail, traffic in zip(rows, tailed, listed, strict=True):
        if row["kind"] in kept and row["name"] != "gettoken":
            assert row["verdict"] in tail
            assert row["verdict"] in traffic
            said[row["kind"]] = (row["verdict"], row["failed"])
    return said


def test_what_a_program_refuses_is_not_ok_anywhere(emulator: Emulator, zone: tuple[Emulator, SealedProgram]) -> None:
    zone[1].reply = lambda call: CRASH
    emulator.call_program()
    emulator.receive_events()
    emulator.fire("hit_keyword")
    refused = ("program 710660", True)
    assert said_of(emulator) == {"app": refused, "call": refused, "event": refused} | {"app": ("ok", False)}


def test_what_does_not_fit_the_contract_is_not_ok(emulator: Emulator, zone: tuple[Emulator, SealedProgram]) -> None:
    emulator.platform.register({"echo": ConsoleContract({}, {"errcode": 0, "errmsg": ""})})
    zone[1].reply = lambda call: '{"more": 1}'
    emulator.call_program()
    said = said_of(emulator)
    assert said["call"] == ("misfit", True)
    assert said["app"] == ("790014", True)


def test_what_went_well_is_ok(emulator: Emulator) -> None:
    emulator.call_program(json.dumps({"errcode": 0}))
    assert said_of(emulator) == {"app": ("ok", False), "call": ("ok", False)}
