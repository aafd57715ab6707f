"""Why a call, an event or a job failed, as the console shows it: the error, its lines, what was logged, the time."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.emulator.console.conftest import opened_console
from tests.support.failing_app import failing_app
from tests.support.zones import serve_zone
from wwspec_devtools.testing.zone import Zone

pytestmark = pytest.mark.nightly  # in a browser; test_page, test_walk and test_working_day hold the page as a whole

CRASHED = 710660
ERROR = "JSONDecodeError Expecting value: line 1 column 1 (char 0)"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return failing_app(tmp_path_factory.mktemp("app"))


@pytest.fixture(scope="module")
def zone(folder: Path) -> Iterator[Zone]:
    with serve_zone(folder, serve=("--retry-pause", "0.2")) as zone:
        yield zone


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


def test_what_comes_after_the_exchange_is_shown_without_a_click(console: Page, zone: Zone) -> None:
    assert zone.call("later", {"text": "3"}).errcode == 0
    number = entry_of(zone, "call")
    console.goto(f"/#/timeline/{number}?tab=why")
    expect(console.get_by_role("tabpanel", name="Why")).to_contain_text("in a task")
    reference = zone.client.entry(number)["call"]["request_id"]
    run = {"reference": reference, "kind": "job", "outcome": "postponed", "milliseconds": {"total": 1}, "attempt": 7}
    console.request.post("/emulator/traces", data=[run])
    expect(console.get_by_role("tabpanel", name="Why")).to_contain_text("Attempt 7")


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
