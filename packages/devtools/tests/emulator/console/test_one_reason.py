"""Why an exchange failed: one text on the page, in the terminal and in the program's log."""

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.emulator.conftest import AES_KEY, TOKEN, CallbackApp
from tests.emulator.console.conftest import opened_console
from tests.scenarios.test_reasons import REASONS, fail, printed, zone as zone
from tests.support.emulator import Response, http_server
from tests.support.provider import COMMAND_SETTINGS, CommandUrl
from tests.support.waiting import wait_until
from wwspec_contracts.support.printable import printable
from wwspec_devtools.testing.zone import Zone

pytestmark = pytest.mark.nightly  # in a browser; test_page, test_walk and test_working_day hold the page as a whole


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


def test_a_callback_url_that_is_not_verified_says_so(console: Page, zone: Zone, stack: ExitStack) -> None:
    answer: Response = (403, {}, b"who are you")
    number = failed_callback(zone, stack.enter_context(http_server(lambda headers, body: answer, lambda path: answer)))
    assert assert_shown(console, zone, number) == "callback URL not verified: 403"
    why = console.get_by_role("tabpanel", name="Why")
    expect(why).to_contain_text("The URL is not verified, so nothing was posted")
    expect(why).to_contain_text("Answer403 who are you")
    why.get_by_role("button", name="Verify again").click()
    expect(console.get_by_text(re.compile("^Failed: .*403"))).to_be_visible()


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
