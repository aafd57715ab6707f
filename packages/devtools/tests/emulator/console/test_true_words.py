"""What the page says where nothing was measured, nothing was seen, or no reason is given: what is true."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.emulator.console.conftest import opened_console
from tests.support.apps import write_files
from tests.support.waiting import wait_until
from tests.support.zones import serve_zone
from wwspec_devtools.testing.zone import ServedZone

pytestmark = pytest.mark.nightly  # in a browser; test_page, test_walk and test_working_day hold the page as a whole

HANDLERS = """
from wwspec_contracts.events import hit_keyword

def fails(event: hit_keyword.Event) -> None:
    raise RuntimeError("for good")
"""
REGISTRY = """
[abilities.status]
kind = "status"
[events.hit_keyword]
handler = "abilities.handlers:fails"
retries = 0
"""


@pytest.fixture(scope="module")
def zone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedZone]:
    folder = tmp_path_factory.mktemp("program")
    write_files(folder, {"abilities/handlers.py": HANDLERS, "abilities/registry.toml": REGISTRY})
    with serve_zone(folder) as zone:
        yield zone


def fact(page: Page, name: str) -> Locator:
    return page.locator(".facts div").filter(has=page.get_by_text(name, exact=True)).locator("dd")


def test_an_event_that_was_fired_is_not_ok_when_its_code_failed_for_good(shown: Page) -> None:
    shown.goto("/#/events/hit_keyword")
    shown.get_by_role("button", name="Fire", exact=True).click()
    result = shown.get_by_role("region", name="What the program did")
    expect(result.get_by_role("listitem").first).to_contain_text("event hit_keyword failed")
    expect(result.get_by_role("paragraph").first).to_have_text(re.compile(r"^Entry \d+ in the timeline$"))


def test_an_empty_reason_gets_the_cause_and_the_fix_of_the_table(shown: Page, zone: ServedZone) -> None:
    zone.kill_program()
    wait_until(lambda: zone.call("status").errcode == 710674)  # a kept connection may end first: 710675
    number = zone.client.traffic(kind="call")[-1]["number"]
    shown.goto(f"/#/timeline/{number}")
    problem = shown.locator(".problem").first
    expect(problem).to_contain_text("errcode 710674: connecting to the zone failed")
    with shown.context.expect_page() as opened:
        problem.get_by_role("link", name="About errcode 710674").click()
    row = opened.value.locator("#e710674")
    expect(row).to_contain_text("connecting to the zone failed")
    shown.get_by_role("button", name="中文").click()
    expect(problem).to_have_text(re.compile("^errcode 710674：[^A-Za-z]+ 错误码 710674 说明"))
    zone.start_program()


def test_nothing_is_said_of_an_sdk_that_was_never_seen_nor_of_jobs_that_nobody_tells(
    browser: Browser, zone: ServedZone
) -> None:
    zone.client.reset()
    refused = {"errcode": 0, "errmsg": "ok", "reply": '{"errcode":40058,"errmsg":"there is no such ability"}'}
    with opened_console(browser, zone.client.url, "about:blank") as page:
        page.route("**/emulator/figures", lambda route: route.fulfill(json=refused))
        page.goto("/#/program")
        expect(fact(page, "SDK")).to_have_text("not known until the program has answered")
        expect(page.get_by_text("No call takes longer than a second.")).to_be_visible()
        expect(page.get_by_text("No job is under way")).to_have_count(0)
        zone.call("status")
        expect(page.get_by_text('it has no ability of kind = "status"')).to_be_visible()
