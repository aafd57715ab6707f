"""Why a program failed: one text in the record, in the terminal and in the program's log."""

import re
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from tests.support.apps import write_files
from tests.support.tables import for_each
from tests.support.waiting import wait_until
from tests.support.zones import serve_zone
from wwspec_contracts.support.printable import printable
from wwspec_devtools.testing.zone import Zone
from wwspec_router.cli.main import main

SHOP = """
from threading import Event

from wwspec_contracts.api import sync_msg
from wwspec_contracts.events import hit_keyword
from wwspec_router import AbilityError, Context, Contract, EventContext, Output, ability

never = Event()
PRICES = {"A-1": 5}


class Request(Contract):
    sku: str = ""


class Line(Contract):
    messages: int = 0


class Reply(Output):
    lines: list[Line] = []


@ability
def price(request: Request) -> Reply:
    return Reply(lines=[Line(messages=PRICES[request.sku])])


@ability
def hostile(request: Request) -> Reply:
    raise ValueError("\\x1b[2J \\u202e")


@ability
def totals(request: Request) -> Reply:
    return Reply(lines=[Line(), Line(messages="many")])


@ability
def slow(request: Request) -> Reply:
    never.wait(1)
    return Reply()


@ability
def recent(request: Request, ctx: Context) -> Reply:
    ctx.invoke(sync_msg.Request(limit=1))
    return Reply()


@ability
def closed(request: Request) -> Reply:
    raise AbilityError("the shop is closed", errcode=1001)


def on_hit(event: hit_keyword.Event, ctx: EventContext) -> None:
    PRICES["of the event"]
"""
ABILITIES = ("price", "hostile", "totals", "slow", "recent", "closed")
REGISTRY = "".join(f'[abilities.{name}]\nhandler = "shop:{name}"\n' for name in ABILITIES)
REGISTRY = REGISTRY.replace('"shop:slow"', '"shop:slow"\ntimeout = 0.2')
REGISTRY += '[abilities.passed]\napi = "sync_msg"\n'
REGISTRY += '[events.hit_keyword]\nhandler = "shop:on_hit"\nretries = 0\nnotify = "never"\n'

REASONS: dict[str, tuple[str, str]] = {
    "KeyError": ("price", "KeyError 'B-9'"),
    "wrong output": ("totals", "output $.lines[1].messages: int expected, str found"),
    "errcode of the SDK": ("recent", "errcode 45009 of sync_msg"),
    "errcode that is passed on": ("passed", "errcode 45009 of sync_msg"),
    "LinkError": ("recent", "return code -10002 of sync_msg"),
    "time-out": ("slow", "time-out of 0.2 s at shop.py:41 slow"),
    "on purpose": ("closed", "errcode 1001: the shop is closed"),
    "hostile text": ("hostile", "ValueError \x1b[2J \u202e"),
    "event code": ("hit_keyword", "KeyError 'of the event'"),
}
"""What is called, and why it fails."""


@pytest.fixture(scope="module")
def zone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zone]:
    folder = write_files(tmp_path_factory.mktemp("app"), {"shop.py": SHOP, "abilities/registry.toml": REGISTRY})
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
        assert zone.call(name, {"limit": 1} if name == "passed" else {"sku": "B-9"}).errcode
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
    number = fail(zone, "KeyError")
    app, call = zone.client.traffic(number - 2)
    assert (app["kind"], app["verdict"], app["reason"]) == ("app", "failed", call["reason"])


def test_all_that_brings_the_result_of_a_failed_job_has_its_reason(zone: Zone) -> None:
    before = zone.client.last_number()
    assert zone.submit("price", {"sku": "B-9"}).result().errcode
    wait_until(lambda: zone.client.traffic(before, "call")[0]["verdict"] == "failed")
    failed = [(row["kind"], row["reason"][0]) for row in zone.client.traffic(before, failed=True)]
    assert failed == [("call", "KeyError 'B-9'"), ("sdk", "KeyError 'B-9'"), ("app", "KeyError 'B-9'")]
