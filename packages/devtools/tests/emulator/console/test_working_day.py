"""Nine tasks of a working day in the console, from the timeline, each within so many clicks, keys and filled fields.

And why a call, an event or a job of the same program failed: the error, its lines, what was logged, the time.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.emulator.console.conftest import opened_console, watched
from tests.support.failing_app import failing_app
from tests.support.working_day import CRASHED, NETWORK, WEEK, fail, make_calls, run_written_test
from tests.support.zones import serve_zone
from wwspec_devtools.testing.zone import Zone

pytestmark = pytest.mark.slow  # in a browser; test_page is quick

ERROR = "JSONDecodeError Expecting value: line 1 column 1 (char 0)"


class Actions:
    """A person at the page; `count` is how often it was clicked, typed into, or a key was pressed."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.count = 0

    def click(self, target: Locator) -> None:
        self.count += 1
        target.click()

    def press(self, key: str) -> None:
        self.count += 1
        self.page.keyboard.press(key)

    def fill(self, target: Locator, text: str) -> None:
        self.count += 1
        target.fill(text)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return failing_app(tmp_path_factory.mktemp("app"))


@pytest.fixture(scope="module")
def zone(folder: Path) -> Iterator[Zone]:
    with serve_zone(folder, serve=("--retry-pause", "0.5")) as zone:
        yield zone


@pytest.fixture(scope="module")
def window(browser: Browser, zone: Zone) -> Iterator[Page]:
    with browser.new_context(base_url=zone.client.url, locale="en-US", reduced_motion="reduce") as context:
        yield context.new_page()


@pytest.fixture
def person(window: Page, zone: Zone) -> Iterator[Actions]:
    """A person who looks at the timeline of a zone where nothing has happened yet."""
    zone.client.reset()
    window.goto("about:blank")
    with watched(window):
        window.goto("/")
        yield Actions(window)


def line(person: Actions, text: str) -> Locator:
    """Return the oldest line of the timeline with a text."""
    return person.page.get_by_role("treeitem", level=1).filter(has_text=text).first


def test_why_a_call_failed(person: Actions, zone: Zone) -> None:
    fail(zone)
    person.click(line(person, "total"))
    why = person.page.get_by_role("tabpanel", name="Why")
    expect(person.page.get_by_role("article").locator(".problem")).to_contain_text("JSONDecodeError Expecting value")
    expect(why.get_by_role("region", name="Where it was raised")).to_contain_text("return int(json.loads(text))")
    assert person.count <= 2


def test_what_caused_an_event(person: Actions, zone: Zone) -> None:
    zone.client.say("lina", "the blue umbrella", to=["mahui"])
    person.click(line(person, "conversation_new_message"))
    expect(person.page.get_by_role("article")).to_contain_text(re.compile("李娜.*the blue umbrella"))
    assert person.count <= 2


def test_a_call_is_repeated_with_another_value_and_becomes_a_test(person: Actions, zone: Zone, tmp_path: Path) -> None:
    fail(zone)
    person.click(line(person, "total"))
    expect(person.page.get_by_role("tabpanel", name="Why")).to_be_visible()
    person.press("r")
    person.fill(person.page.get_by_label("Request (JSON)"), '{"text": "7"}')
    person.press("Control+Enter")
    person.click(person.page.get_by_role("region", name="Results").get_by_role("link"))
    expect(person.page.get_by_label("Facts")).to_contain_text("Replay of")
    person.press("c")
    written = person.page.get_by_role("region", name="pytest test").locator("pre").inner_text()
    assert '"text": "7"' in written
    assert '"sum": 7' in written
    run_written_test(written, tmp_path, zone)
    assert person.count <= 6


def test_what_the_app_got(person: Actions, zone: Zone) -> None:
    fail(zone)
    person.click(line(person, "total"))
    person.click(person.page.get_by_role("tab", name="Text"))
    reply = person.page.get_by_role("region", name="Reply", exact=True)
    expect(reply).to_contain_text(f"{CRASHED}")
    expect(reply).to_contain_text("internal error ")
    assert person.count <= 2


def test_the_slowest_call_of_the_last_thousand(person: Actions, zone: Zone) -> None:
    make_calls(zone)
    person.click(person.page.get_by_role("button", name="Slowest first"))
    slowest = person.page.get_by_role("treeitem", level=1).first
    expect(slowest).to_contain_text("recent")
    person.click(slowest)
    expect(person.page.get_by_role("region", name="Request", exact=True)).to_contain_text("limit: 3")
    assert person.count <= 2


def test_a_job_is_watched_while_it_retries_and_fails_for_good(person: Actions, zone: Zone) -> None:
    zone.fire("hit_keyword")
    person.click(line(person, "hit_keyword"))
    attempts = person.page.get_by_role("tabpanel", name="Why").locator("details.attempt")
    expect(attempts.first.locator("summary").first).to_contain_text("2 × ValueErrorAttempt 2 of 2failed")
    expect(attempts.first.get_by_role("list", name="The same before")).to_contain_text("Attempt 1 of 2 postponed")
    expect(person.page.get_by_role("article").locator(".problem")).to_contain_text("ValueError no such group")
    assert person.count <= 1


def test_the_next_sync_msg_fails_in_the_network(person: Actions, zone: Zone) -> None:
    person.click(person.page.get_by_role("link", name="Faults"))
    person.click(person.page.get_by_role("button", name="SDK: network failure"))
    person.fill(person.page.get_by_label("API, ability ID or event type"), "sync_msg")
    person.click(person.page.get_by_role("button", name="Set fault"))
    expect(person.page.get_by_role("row").filter(has_text="sync_msg")).to_contain_text("1 of 1")
    assert person.count <= 4
    zone.call("recent").errcode  # noqa: B018 - it is refused; what the SDK said is looked at
    assert zone.client.traffic(kind="sdk")[-1]["errcode"] == NETWORK
    zone.call("recent").raise_for_error()


def test_a_week_later(person: Actions, zone: Zone) -> None:
    before = zone.client.info()["now"]
    person.click(person.page.get_by_role("link", name="Faults"))
    person.click(person.page.get_by_role("button", name="+ 7 d"))
    expect(person.page.get_by_text("It is 7 d ahead.")).to_be_visible()
    assert zone.client.info()["now"] >= before + WEEK
    assert person.count <= 2


def test_a_message_is_found_by_its_text(person: Actions, zone: Zone) -> None:
    msgid = zone.client.say("lina", "the blue umbrella", to=["mahui"])
    zone.client.say("lina", "the blue sky", to=["mahui"])
    search = person.page.get_by_role("searchbox", name="Search names and bodies")
    search.fill("BLUE")
    expect(person.page.get_by_role("link", name="2 messages have “BLUE”: in Events, Messages")).to_be_visible()
    person.fill(search, "UMBRELLA")
    person.click(person.page.get_by_role("link", name="1 message has “UMBRELLA”: in Events, Messages"))
    rows = person.page.get_by_role("row")
    expect(rows).to_have_count(2)
    expect(rows.last).to_contain_text("the blue umbrella")
    expect(rows.last).to_contain_text(msgid)
    assert person.count <= 2


@pytest.fixture
def console(browser: Browser, zone: Zone) -> Iterator[Page]:
    """The console of a zone where nothing has happened yet."""
    zone.client.reset()
    with opened_console(browser, zone.client.url) as page:
        yield page


def line_of(folder: Path, code: str) -> int:
    lines = (folder / "shop.py").read_text("utf-8").splitlines()
    return 1 + next(number for number, line in enumerate(lines) if code in line)


def entry_of(zone: Zone, kind: str) -> int:
    return int(zone.client.traffic(kind=kind)[-1]["number"])


def open_entry(page: Page, number: int) -> Locator:
    page.goto(f"/#/timeline/{number}")
    panel = page.get_by_role("tabpanel", name="Why")
    expect(panel).to_be_visible()
    return panel


@pytest.mark.nightly  # the tasks of the day are nearly as much
def test_one_click_leads_from_the_timeline_to_the_line_that_raised(console: Page, zone: Zone, folder: Path) -> None:
    assert zone.call("total", {"text": "no number"}).errcode == CRASHED
    console.get_by_role("treeitem").filter(has_text="total").first.click()

    panel = console.get_by_role("tabpanel", name="Why")
    expect(console.get_by_role("article").locator(".problem")).to_have_text(ERROR)
    expect(panel.get_by_role("link", name=f"What the program tells of #{entry_of(zone, 'call')}")).to_be_visible()
    raised = panel.get_by_role("region", name="Where it was raised")
    own = raised.locator(":scope > ol > li")
    expect(panel).to_contain_text("no number")
    expect(own).to_have_count(2)
    line = line_of(folder, "return int(json.loads(text))")
    expect(own.first).to_have_text(f"{folder.name}/shop.py:{line} parsedreturn int(json.loads(text))")
    expect(own.first.get_by_role("link")).to_have_attribute("href", f"vscode://file{folder}/shop.py:{line}")
    expect(raised.get_by_text("decoder.py").first).not_to_be_visible()
    raised.get_by_text("All 5 frames").click()
    expect(raised.get_by_text("decoder.py").first).to_be_visible()


@pytest.mark.nightly  # the tasks of the day are nearly as much
def test_what_was_logged_and_printed_is_beside_it_and_is_text(console: Page, zone: Zone) -> None:
    assert zone.call("total", {"text": "<b>bold</b>"}).errcode == CRASHED
    panel = open_entry(console, entry_of(zone, "call"))
    rows = panel.get_by_role("region", name="Log and output").get_by_role("row")
    expect(rows.nth(1)).to_contain_text("ms")
    expect(rows.nth(1)).to_contain_text("WARNINGabout to add <b>bold</b>")
    expect(rows.nth(2)).to_contain_text("stdoutprinted <img src=x onerror=alert(1)>")
    expect(panel.locator("img, script, b")).to_have_count(0)
    time = panel.get_by_role("region", name="Where the time went")
    for part in ("queue", "contract check", "SDK", "handler", "total"):
        expect(time.get_by_role("row", name=part)).to_contain_text("ms")


@pytest.mark.nightly  # the tasks of the day are nearly as much
def test_what_comes_after_the_exchange_is_shown_without_a_click(console: Page, zone: Zone) -> None:
    assert zone.call("later", {"text": "3"}).errcode == 0
    number = entry_of(zone, "call")
    console.goto(f"/#/timeline/{number}?tab=why")
    expect(console.get_by_role("tabpanel", name="Why")).to_contain_text("in a task")
    reference = zone.client.entry(number)["call"]["request_id"]
    run = {"reference": reference, "kind": "job", "outcome": "postponed", "milliseconds": {"total": 1}, "attempt": 7}
    console.request.post("/emulator/traces", data=[run])
    expect(console.get_by_role("tabpanel", name="Why")).to_contain_text("Attempt 7")


@pytest.mark.nightly  # the tasks of the day are nearly as much
def test_the_editor_is_chosen_once_and_no_link_runs_a_script(console: Page, zone: Zone, folder: Path) -> None:
    assert zone.call("total", {"text": "no number"}).errcode == CRASHED
    number = entry_of(zone, "call")
    link = open_entry(console, number).get_by_role("link", name="shop.py").first
    line, file = line_of(folder, "return int(json.loads(text))"), folder / "shop.py"
    choice = console.get_by_label("Open files in")
    choice.select_option("JetBrains IDE")
    expect(link).to_have_attribute("href", f"idea://open?file={file}&line={line}")
    choice.select_option("another editor")
    pattern = console.get_by_label("Link, with {path} and {line}")
    for refused in (
        "javascript:alert(1)//{path}",
        "java\tscript:alert(1)//{path}",
        " JavaScript:alert(1)//{path}",
        "data:text/html,{path}",
        "{path}",
        "vscodium://file:{line}",
    ):
        pattern.fill(refused)
        expect(console.get_by_role("alert").filter(has_text="Write a link of an editor")).to_be_visible()
        expect(link).to_have_attribute("href", f"idea://open?file={file}&line={line}")
    pattern.fill("vscodium://file{path}:{line}")
    expect(link).to_have_attribute("href", f"vscodium://file{file}:{line}")
    console.reload()
    expect(link).to_have_attribute("href", f"vscodium://file{file}:{line}")
    for stored in ("javascript:alert(1)//{path}", "none"):
        console.evaluate("text => localStorage.setItem('wwspec-editor', text)", stored)
        console.reload()
        expect(console.get_by_role("tabpanel", name="Why").get_by_text("shop.py").first).to_be_visible()
        expect(link).to_have_count(0)
