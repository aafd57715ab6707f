"""The program's figures, as a person watches them: while it works, hangs, restarts, is down, or tells none."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.emulator.console.conftest import watched
from tests.support.apps import write_files
from tests.support.zones import serve_zone
from wwspec_devtools.testing.zone import ServedZone

pytestmark = pytest.mark.nightly  # in a browser; test_page, test_walk and test_working_day hold the page as a whole

HANDLERS = """
import threading
from pathlib import Path

from wwspec_router import AbilityError, Contract, Output, ability

GO = Path(__file__).parent.parent / "go"


class Asked(Contract):
    fails: bool = False


@ability
def greet(request: Asked) -> Output:
    if request.fails:
        raise AbilityError("not today", errcode=7001)
    return Output()


@ability
def wait(request: Asked) -> Output:
    while not GO.exists():
        threading.Event().wait(0.02)
    return Output()
"""
REGISTRY = """
[abilities.greet]
handler = "abilities.handlers:greet"
[abilities.wait]
handler = "abilities.handlers:wait"
[abilities.figures]
kind = "status"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("program")
    write_files(folder, {"abilities/handlers.py": HANDLERS, "abilities/registry.toml": REGISTRY})
    return folder


@pytest.fixture(scope="module")
def zone(folder: Path) -> Iterator[ServedZone]:
    with serve_zone(folder) as zone:
        yield zone


@pytest.fixture
def shown(browser: Browser, zone: ServedZone) -> Iterator[Page]:
    """The view of that program, in English."""
    context = browser.new_context(
        base_url=zone.client.url, locale="en-US", viewport={"width": 1280, "height": 900}, reduced_motion="reduce"
    )
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    with context, watched(context.new_page()) as page:
        page.goto("/#/program?ability=figures")
        yield page


def row(page: Page, table: str, name: str) -> Locator:
    return page.get_by_role("table", name=table).get_by_role("row").filter(has=page.get_by_role("rowheader", name=name))


def test_figures_come_in_by_themselves_and_leave_no_trace_in_the_record(
    shown: Page, zone: ServedZone, axe: str
) -> None:
    expect(shown.get_by_text("None since the program started.")).to_be_visible()
    zone.call("greet", "{}")
    assert zone.call("greet", '{"fails": true}').refused_by
    newest = zone.client.last_number()
    expect(row(shown, "Abilities", "greet")).to_contain_text("21")  # calls, errors
    expect(row(shown, "Errors by errcode", "7001")).to_contain_text("1")
    expect(shown.get_by_role("img", name="Calls a second: now")).to_be_visible()
    expect(shown.get_by_text("PID ")).to_contain_text(str(zone.client.traffic(kind="call")[-1]["pid"]))
    shown.evaluate(axe)
    found = shown.evaluate("axe.run({resultTypes: ['violations']})")
    assert found["passes"]
    assert [each["id"] for each in found["violations"] if each["impact"] in ("serious", "critical")] == []
    asked = int(row(shown, "Abilities", "figures").get_by_role("cell").first.inner_text())
    expect(row(shown, "Abilities", "figures").get_by_role("cell").first).not_to_have_text(str(asked))
    assert zone.client.last_number() == newest, "polls are recorded"
    shown.get_by_role("button", name="中文").click()
    expect(row(shown, "能力", "greet")).to_be_visible()
    expect(shown.get_by_role("heading", name="专区程序")).to_be_visible()


def test_nothing_is_asked_once_the_view_is_left(shown: Page, zone: ServedZone) -> None:
    expect(row(shown, "Abilities", "figures")).to_be_visible()
    asked: list[str] = []
    shown.on("request", lambda request: asked.append(request.url))
    shown.clock.install()
    with shown.expect_request("**/emulator/figures"):
        shown.clock.run_for(2000)
    shown.get_by_role("link", name="Share").click()
    expect(shown.get_by_role("heading", name="Save the session")).to_be_visible()
    assert any(each.endswith("/figures") for each in asked)
    asked.clear()
    shown.clock.run_for(60_000)
    assert [each for each in asked if each.endswith("/figures")] == []


def test_what_does_not_end_is_shown_jobs_with_attempt_lease_and_age(
    shown: Page, zone: ServedZone, folder: Path
) -> None:
    submitted = zone.submit("wait", {})
    call = threading.Thread(target=zone.call, args=("wait", "{}"))
    call.start()
    job = row(shown, "Oldest jobs", "wait")
    expect(job).to_contain_text("running1")  # its first attempt
    expect(job.get_by_role("cell").nth(2)).to_contain_text(" s")  # of its lease
    hanging = shown.get_by_role("listitem").filter(has_text="call without a reply so far")
    expect(hanging.get_by_role("link", name="wait")).to_have_attribute("href", re.compile(r"#/timeline/\d+"))
    (folder / "go").touch()
    call.join()
    expect(hanging).to_have_count(0)
    expect(shown.get_by_text("No asynchronous call and no event's own code is under way.")).to_be_visible()
    expect(shown.get_by_text("1 ended, 0 failed")).to_be_visible()
    assert submitted.result().errcode == 0
    (folder / "go").unlink()


def test_a_program_that_restarts_is_no_negative_step_and_one_that_is_down_says_since_when(
    shown: Page, zone: ServedZone
) -> None:
    expect(row(shown, "Abilities", "figures")).to_be_visible()
    zone.kill_program()
    expect(shown.get_by_role("heading", name="The program is down since")).to_be_visible()
    port = zone.program_url.rpartition(":")[2]
    line = f"WWSPEC_EMULATOR_URL={zone.client.url} wwspec serve --sdk emulator --port {port}"
    expect(shown.get_by_text(line)).to_be_visible()
    expect(shown.get_by_text("down", exact=True)).to_be_visible()
    zone.start_program()
    expect(row(shown, "Abilities", "figures")).to_be_visible()
    expect(shown.locator("svg path.mark"), "each plot marks the restart").to_have_count(4)
    expect(shown.locator("svg path.line.main").first).to_have_attribute("d", re.compile("."))


def test_without_the_row_the_view_says_what_to_add(shown: Page) -> None:
    shown.get_by_text("Figures come from the ability").click()
    shown.get_by_label("Ability ID").fill("status")
    shown.get_by_role("button", name="Use", exact=True).click()
    expect(shown.get_by_text("It answers a call of status with")).to_be_visible()
    shown.get_by_role("button", name="Copy").click()
    expect(shown.get_by_text("Copied")).to_be_visible()
    assert shown.evaluate("navigator.clipboard.readText()") == '[abilities.status]\nkind = "status"\n'
    shown.goto("/#/program?ability=greet")
    expect(shown.get_by_role("alert")).to_contain_text("The ability greet answers, but not with figures")
