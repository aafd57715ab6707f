"""Tasks of somebody who looks for a cause, from the console's first page: each takes at most two actions."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.emulator.console.conftest import opened_console
from tests.emulator.console.test_one_reason import failed_callback
from tests.emulator.console.test_working_day import Actions, line
from tests.scenarios.test_reasons import REASONS, fail, zone as zone
from tests.support.emulator import Response, http_server
from wwspec_devtools.testing.zone import Zone

pytestmark = pytest.mark.nightly  # in a browser; test_working_day and test_page hold the page as a whole

MOST = 2
"""Actions from the first page to the cause."""


@pytest.fixture
def person(browser: Browser, zone: Zone) -> Iterator[Actions]:
    """A person who looks at the first page of a zone where nothing has happened yet, and acts at most twice."""
    zone.client.reset()
    with opened_console(browser, zone.client.url) as page:
        person = Actions(page)
        yield person
        assert person.count <= MOST


def why(person: Actions) -> Locator:
    return person.page.get_by_role("tabpanel", name="Why")


def assert_reason(person: Actions, text: str) -> None:
    """Assert that the heading of the entry says why it failed, and that it is on the screen."""
    reason = person.page.get_by_role("article").locator(".problem > strong")
    expect(reason).to_have_text(text)
    expect(reason).to_be_in_viewport()


@pytest.mark.parametrize("case", ["KeyError", "wrong output", "errcode of the SDK", "LinkError", "event code"])
def test_why_the_programs_code_failed(person: Actions, zone: Zone, case: str) -> None:
    name, reason = REASONS[case]
    fail(zone, case)
    person.click(line(person, name))
    assert_reason(person, reason)
    said = why(person).get_by_role("region", name="Handler" if case == "wrong output" else "Where it was raised")
    expect(said).to_contain_text("shop.py:")
    expect(said.get_by_text("shop.py:").first).to_be_in_viewport()
    if case == "wrong output":
        facts = why(person).locator("dl.said").first
        for fact in ('Value"many"', "[abilities.totals]", "declare messages: str"):
            expect(facts).to_contain_text(fact)


def test_where_a_call_was_when_its_time_was_over(person: Actions, zone: Zone) -> None:
    entry = zone.client.entry(fail(zone, "time-out"))
    person.click(line(person, "slow"))
    assert_reason(person, entry["reason"][0])
    expect(why(person)).to_contain_text("never.wait(1)")


def test_why_the_callback_url_is_not_verified(person: Actions, zone: Zone, stack: ExitStack) -> None:
    answer: Response = (403, {}, b"who are you")
    failed_callback(zone, stack.enter_context(http_server(lambda headers, body: answer, lambda path: answer)))
    person.click(line(person, "conversation_new_message"))
    person.click(person.page.get_by_role("list", name="What it caused").get_by_role("link", name="program_notify"))
    assert_reason(person, "callback URL not verified: 403")
    expect(why(person)).to_contain_text("Answer403 who are you")
    person.page.set_viewport_size({"width": 420, "height": 800})
    below_bar = person.page.locator("#bar").bounding_box()
    entry = person.page.get_by_role("article").bounding_box()
    assert below_bar is not None
    assert entry is not None
    assert entry["y"] - (below_bar["y"] + below_bar["height"]) < 20, "on a phone a short entry begins at the top"


def test_a_flow_says_once_that_an_errcode_of_the_sdk_is_passed_on(person: Actions, zone: Zone) -> None:
    _, reason = REASONS["errcode that is passed on"]
    fail(zone, "errcode that is passed on")
    expect(line(person, "passed").locator(".problems .chip.bad")).to_have_text([reason])
