"""Why an exchange failed: one text on the page, in the terminal and in the log, two actions from the first page."""

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.emulator.conftest import AES_KEY, TOKEN, CallbackApp
from tests.emulator.console.conftest import opened_console
from tests.emulator.console.test_working_day import Actions, line
from tests.scenarios.test_reasons import REASONS, fail, printed, zone as zone
from tests.support.emulator import Response, http_server
from tests.support.provider import COMMAND_SETTINGS, CommandUrl
from tests.support.waiting import wait_until
from wwspec_contracts.support.printable import printable
from wwspec_devtools.testing.zone import Zone

pytestmark = pytest.mark.nightly  # in a browser; test_page and test_working_day hold the page as a whole


@pytest.fixture
def console(browser: Browser, zone: Zone) -> Iterator[Page]:
    with opened_console(browser, zone.client.url) as page:
        yield page


def heading(console: Page, number: int) -> Locator:
    """Return what the heading of an entry says of why it failed, once the entry is shown."""
    console.goto(f"/#/timeline/{number}")
    expect(console.get_by_role("heading", name=f"#{number} ")).to_be_visible()
    expect(console.get_by_role("tab", name="Why")).to_have_attribute("aria-selected", "true")
    return console.get_by_role("article").locator(".problem > strong").first


def assert_shown(console: Page, zone: Zone, number: int) -> str:
    """Assert that the list, the entry and the terminal print the reason of an entry, and return it in English."""
    entry = zone.client.entry(number)
    english, chinese = entry["reason"]
    shown = english.replace("\x1b", r"\u001b").replace("\u202e", r"\u202e")
    expect(heading(console, number)).to_have_text(shown)
    listed = console.get_by_role("treeitem", selected=True)
    expect(listed.locator(".problems")).to_have_text(shown)
    expect(listed.locator(".end")).to_have_text("failed")
    console.get_by_role("button", name="中文").click()
    expect(console.get_by_role("article").locator(".problem > strong").first).to_have_text(
        chinese.replace("\x1b", r"\u001b").replace("\u202e", r"\u202e")
    )
    console.get_by_role("button", name="English").click()
    assert f"failed: {printable(english)}  " in printed(zone, "zone", "show", str(number)).splitlines()[0]
    return str(english)


def test_page_terminal_and_log_say_why_in_one_text(console: Page, zone: Zone) -> None:
    for case in REASONS:
        wait_logged(zone, assert_shown(console, zone, fail(zone, case)))


def wait_logged(zone: Zone, reason: str) -> None:
    """Wait until a line of the program's log ends with a reason."""
    wait_until(lambda: any(line.endswith(f"  {printable(reason)}") for line in zone.program_log().splitlines()))


def failed_callback(zone: Zone, url: str) -> int:
    """Let a callback to a URL fail; return the number of its entry."""
    before = zone.client.last_number()
    zone.client.set_callback(url, TOKEN, AES_KEY)
    zone.fire("conversation_new_message")
    wait_until(lambda: zone.client.traffic(before, "callback", failed=True, wait=False))
    return int(zone.client.traffic(before, "callback", failed=True, wait=False)[0]["number"])


def test_a_callback_that_the_app_refuses_says_so_and_who_was_asked(console: Page, zone: Zone, stack: ExitStack) -> None:
    app = CallbackApp(stack, zone.client.info()["corpid"])
    app.answers.extend([403] * 3)
    app.body = b"forbidden by gateway"
    number = failed_callback(zone, app.url)
    assert assert_shown(console, zone, number) == "403 by the app: forbidden by gateway"
    why = console.get_by_role("tabpanel", name="Why")
    for said in (f"ToPOST {app.url}", "Answer403 forbidden by gateway", "Tries3, ", "wwspec zone verify-callback"):
        expect(why).to_contain_text(said)
    why.get_by_role("button", name="Verify again").click()
    expect(console.get_by_text("The URL is verified")).to_be_visible()


def test_the_command_url_is_verified_again_beside_a_command_that_was_refused(
    console: Page, zone: Zone, stack: ExitStack
) -> None:
    app, before = CommandUrl(stack), zone.client.last_number()
    app.answers.extend(["no"] * 3)
    zone.client.set_command_callback(app.url, *COMMAND_SETTINGS.values())
    zone.client.push_ticket()
    wait_until(lambda: zone.client.traffic(before, "callback", failed=True, wait=False))
    [refused] = zone.client.traffic(before, "callback", failed=True, wait=False)
    assert assert_shown(console, zone, refused["number"]) == "200 by the app: not the text success"
    verified = app.verified
    console.get_by_role("tabpanel", name="Why").get_by_role("button", name="Verify again").click()
    expect(console.get_by_text("The URL is verified")).to_be_visible()
    assert app.verified == verified + 1


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


@pytest.mark.parametrize("case", ["error of the code", "wrong output", "errcode of the SDK", "LinkError", "event code"])
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
    person.click(line(person, "stuck"))
    assert_reason(person, entry["reason"][0])
    expect(why(person)).to_contain_text("never.wait(1)")


def test_why_the_callback_url_is_not_verified(person: Actions, zone: Zone, stack: ExitStack) -> None:
    answer: Response = (403, {}, b"who are you")
    number = failed_callback(zone, stack.enter_context(http_server(lambda headers, body: answer, lambda path: answer)))
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
    person.page.set_viewport_size({"width": 1280, "height": 800})
    assert assert_shown(person.page, zone, number) == "callback URL not verified: 403"
    expect(why(person)).to_contain_text("The URL is not verified, so nothing was posted")
    why(person).get_by_role("button", name="Verify again").click()
    expect(person.page.get_by_text(re.compile("^Failed: .*403"))).to_be_visible()


def test_a_flow_says_once_that_an_errcode_of_the_sdk_is_passed_on(person: Actions, zone: Zone) -> None:
    _, reason = REASONS["errcode that is passed on"]
    fail(zone, "errcode that is passed on")
    expect(line(person, "passed").locator(".problems .chip.bad")).to_have_text([reason])
