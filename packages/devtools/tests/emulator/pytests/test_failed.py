"""The test of an exchange in which the program's code failed: red until the code is fixed."""

from pathlib import Path

import pytest

from tests.support.apps import write_files
from tests.support.waiting import wait_until
from tests.support.working_day import run_written_test
from tests.support.zones import serve_zone
from wwspec_devtools.testing.zone import Zone

BROKEN = """
from wwspec_router import AbilityError, Context, Contract, EventContext, Output, ability
from wwspec_contracts.events import hit_keyword

PRICES = {"A-1": 2}

class Item(Contract):
    sku: str = "B-9"

class Price(Output):
    total: int = 0

@ability
def price(request: Item, ctx: Context) -> Price:
    return Price(total=PRICES[request.sku])

@ability
def wrong(request: Item, ctx: Context) -> Price:
    return Price(total="many")

@ability
def refuse(request: Item, ctx: Context) -> Price:
    raise AbilityError("no such item", errcode=1001)

def on_hit(event: hit_keyword.Event, ctx: EventContext) -> None:
    PRICES["B-9"]
"""
FIXED = BROKEN.replace('{"A-1": 2}', '{"A-1": 2, "B-9": 3}').replace('"many"', "1")
REGISTRY = """
[abilities.price]
handler = "shop:price"
[abilities.wrong]
handler = "shop:wrong"
[abilities.refuse]
handler = "shop:refuse"
[events.hit_keyword]
handler = "shop:on_hit"
retries = 1
notify = "never"
"""
RETRY = ("--retry-pause", "0.05")


def written_tests(zone: Zone) -> dict[str, str]:
    """Let each sort of exchange fail, and return the tests that are written of them."""
    found = {}

    def note(name: str, kind: str) -> None:
        number = zone.client.traffic(kind=kind)[-1]["number"]
        calls = [each["number"] for each in zone.client.traffic(number - 1) if each["kind"] in ("call", "event")]
        wait_until(lambda: zone.client.entry(calls[0])["traces"])  # the program tells it in the background
        written = zone.client.test_of(number)
        assert written is not None
        found[name] = written["source"]

    for ability in ("price", "wrong", "refuse"):
        assert zone.call(ability, {"sku": "B-9"}).errcode != 0
        note(ability, "app")
    note("sent again", "call")
    assert zone.submit("price", {"sku": "B-9"}).result().errcode != 0
    note("asynchronous", "call")
    zone.fire("hit_keyword")
    zone.wait_idle()
    note("event", "event")
    return found


@pytest.mark.slow  # two programs: 4 s, and more on a busy machine
def test_a_test_of_what_failed_fails_until_the_code_is_fixed(tmp_path: Path) -> None:
    files = {"shop.py": BROKEN, "abilities/registry.toml": REGISTRY}
    with serve_zone(write_files(tmp_path / "broken", files), serve=RETRY) as zone:
        written = written_tests(zone)
        refused = [written.pop(name) for name in ("refuse", "sent again")]
        for source in written.values():
            with pytest.raises(AssertionError):
                run_written_test(source, tmp_path, zone)
        for source in refused:
            assert "is_refused_with_1001" in source, "a refusal on purpose is expected again"
            run_written_test(source, tmp_path, zone)
    assert "# Recorded: KeyError 'B-9'" in written["price"]
    assert "# Recorded: output $.total: int expected, str found" in written["wrong"]
    assert "_runs_without_an_error(zone: Zone)" in written["event"]
    with serve_zone(write_files(tmp_path / "fixed", {**files, "shop.py": FIXED}), serve=RETRY) as zone:
        for source in written.values():
            run_written_test(source, tmp_path, zone)
