"""Why a program failed: one text in the record, in the terminal and in the program's log."""

import re
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from tests.support.apps import write_files
from tests.support.failing_app import REGISTRY, SHOP
from tests.support.tables import for_each
from tests.support.waiting import wait_until
from tests.support.zones import serve_zone
from wwspec_contracts.support.printable import printable
from wwspec_devtools.testing.zone import Zone
from wwspec_router.cli.main import main

OWN = """

from wwspec_router import AbilityError

class Line(Contract):
    messages: int = 0

class Lines(Output):
    lines: list[Line] = []

@ability
def hostile(request: Order) -> Sum:
    raise ValueError("\\x1b[2J \\u202e")

@ability
def totals(request: Order) -> Lines:
    return Lines(lines=[Line(), Line(messages="many")])

@ability
def closed(request: Order) -> Sum:
    raise AbilityError("the shop is closed", errcode=1001)
"""
ROWS = "".join(f'[abilities.{name}]\nhandler = "shop:{name}"\n' for name in ("hostile", "totals", "closed"))
ROWS += '[abilities.passed]\napi = "sync_msg"\n'
NO_NUMBER = {"text": "no number"}
NO_JSON = "JSONDecodeError Expecting value: line 1 column 1 (char 0)"
STUCK = 1 + SHOP[: SHOP.index("never.wait(")].count("\n")
"""The line where `stuck` waits."""

REASONS: dict[str, tuple[str, str]] = {
    "error of the code": ("total", NO_JSON),
    "wrong output": ("totals", "output $.lines[1].messages: int expected, str found"),
    "errcode of the SDK": ("recent", "errcode 45009 of sync_msg"),
    "errcode that is passed on": ("passed", "errcode 45009 of sync_msg"),
    "LinkError": ("recent", "return code -10002 of sync_msg"),
    "time-out": ("stuck", f"time-out of 0.1 s at shop.py:{STUCK} stuck"),
    "on purpose": ("closed", "errcode 1001: the shop is closed"),
    "hostile text": ("hostile", "ValueError \x1b[2J \u202e"),
    "event code": ("hit_keyword", "ValueError no such group <script>alert(1)</script>"),
}
"""What is called, and why it fails."""


@pytest.fixture(scope="module")
def zone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zone]:
    files = {"shop.py": SHOP + OWN, "abilities/registry.toml": REGISTRY + ROWS}
    folder = write_files(tmp_path_factory.mktemp("app"), files)
    with serve_zone(folder, serve=("--retry-pause", "0.02")) as zone:
        yield zone


def fail(zone: Zone, case: str) -> int:
    """Let something fail; return the number of its entry."""
    name, _ = REASONS[case]
    before = zone.client.last_number()
    if case == "event code":
        zone.fire(name)
    elif REASONS[case][1] == "errcode 45009 of sync_msg":
        zone.client.add_fault("sdk", "errcode", api="sync_msg", value=45009, count=1)
    elif case == "LinkError":
        zone.client.add_fault("sdk", "return_code", api="sync_msg", value=-10002, count=1)
    if case != "event code":
        assert zone.call(name, {"limit": 1} if name in ("passed", "recent") else NO_NUMBER).errcode
    number: int = zone.client.traffic(before, ("call", "event"), bodies=False, wait=False)[0]["number"]
    wait_until(lambda: zone.client.entry(number)["verdict"] == "failed" and zone.client.entry(number)["traces"])
    return number


def printed(zone: Zone, *arguments: str) -> str:
    """Return what the command line prints of the zone's emulator."""
    environment = {"WWSPEC_EMULATOR_URL": zone.client.url, "NO_COLOR": "1"}
    return CliRunner().invoke(main, arguments, env=environment).output


@for_each((case, reason) for case, (_, reason) in REASONS.items())
def test_record_terminal_and_log_say_why_in_one_text(case: str, reason: str, zone: Zone) -> None:
    number = fail(zone, case)
    entry = zone.client.entry(number)
    assert (entry["verdict"], re.sub(r"\S*/shop", "shop", entry["reason"][0])) == ("failed", reason)
    shown = printable(entry["reason"][0])
    listed = printed(zone, "zone", "traffic", "--table").splitlines()
    assert any(line.split()[0] == str(number) and f"  failed: {shown}" in line for line in listed)
    assert f"failed: {shown}  " in printed(zone, "zone", "show", str(number)).splitlines()[0]
    wait_until(lambda: any(line.endswith(f"  {shown}") for line in zone.program_log().splitlines()))


def test_the_call_of_the_app_has_the_reason_of_the_call_that_it_is_passed_on_as(zone: Zone) -> None:
    number = fail(zone, "error of the code")
    app, call = zone.client.traffic(number - 2)
    assert (app["kind"], app["verdict"], app["reason"]) == ("app", "failed", call["reason"])


def test_all_that_brings_the_result_of_a_failed_job_has_its_reason(zone: Zone) -> None:
    before = zone.client.last_number()
    assert zone.submit("total", NO_NUMBER).result().errcode
    wait_until(lambda: zone.client.traffic(before, "call")[0]["verdict"] == "failed")
    failed = [(row["kind"], row["reason"][0]) for row in zone.client.traffic(before, failed=True)]
    assert failed == [("call", NO_JSON), ("sdk", NO_JSON), ("app", NO_JSON)]
