"""The program, as a person watches it: while it works, hangs, is down, tells nothing, or has failed jobs."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.emulator.console.conftest import opened_console
from tests.support.apps import write_files
from tests.support.waiting import wait_until
from tests.support.zones import serve_zone
from wwspec_devtools.testing.zone import ServedZone

pytestmark = pytest.mark.nightly  # in a browser; test_page and test_working_day hold the page as a whole

HANDLERS = """
import threading
from pathlib import Path

from wwspec_contracts.events import hit_keyword
from wwspec_router import Contract, Output, ability

GO = Path(__file__).parent.parent / "go"
IS_REPAIRED = Path(__file__).parent.parent / "repaired"


class Asked(Contract):
    pass


@ability
def wait(request: Asked) -> Output:
    while not GO.exists():
        threading.Event().wait(0.02)
    return Output()


def on_hit(event: hit_keyword.Event) -> None:
    if not IS_REPAIRED.exists():
        raise LookupError("a-secret")
"""
REGISTRY = """
[abilities.wait]
handler = "abilities.handlers:wait"
[abilities.figures]
kind = "status"
[abilities.failed]
kind = "jobs"
[events.hit_keyword]
handler = "abilities.handlers:on_hit"
retries = 0
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


def test_a_program_is_asked_under_the_name_of_its_own_status_and_leaves_no_trace_in_the_record(
    shown: Page, zone: ServedZone, axe: str
) -> None:
    expect(shown.get_by_text("No job is under way, and no call takes longer than a second.")).to_be_visible()
    newest = zone.client.last_number()
    with shown.expect_request("**/emulator/figures") as asked:
        pass
    assert asked.value.post_data_json == {"ability_id": "figures"}
    assert zone.client.last_number() == newest, "polls are recorded"
    shown.evaluate(axe)
    found = shown.evaluate("axe.run({resultTypes: ['violations']})")
    assert found["passes"]
    assert [each["id"] for each in found["violations"] if each["impact"] in ("serious", "critical")] == []
    shown.get_by_role("button", name="中文").click()
    expect(shown.get_by_text("没有进行中的异步任务，也没有超过一秒未结束的调用。")).to_be_visible()
    expect(shown.get_by_role("heading", name="专区程序")).to_be_visible()


def test_nothing_is_asked_once_the_view_is_left(shown: Page) -> None:
    expect(shown.get_by_text("No job is under way")).to_be_visible()
    asked: list[str] = []
    shown.on("request", lambda request: asked.append(request.url))
    shown.clock.install()
    with shown.expect_request("**/emulator/figures"):
        shown.clock.run_for(2000)
    shown.get_by_role("link", name="Faults").click()
    expect(shown.get_by_role("button", name="Set fault")).to_be_visible()
    assert any(each.endswith("/figures") for each in asked)
    asked.clear()
    shown.clock.run_for(60_000)
    assert [each for each in asked if each.endswith("/figures")] == []


def test_what_does_not_end_is_shown_and_jobs_with_their_attempt(shown: Page, zone: ServedZone, folder: Path) -> None:
    submitted = zone.submit("wait", {})
    call = threading.Thread(target=zone.call, args=("wait", "{}"))
    call.start()
    job = shown.get_by_role("list", name="Jobs").get_by_role("listitem")
    expect(job).to_have_text(re.compile(r"^running wait attempt 1, accepted \d+ s ago$"))
    hanging = shown.get_by_role("listitem").filter(has_text="call without a reply so far")
    expect(hanging.get_by_role("link", name="wait")).to_have_attribute("href", re.compile(r"#/timeline/\d+"))
    (folder / "go").touch()
    call.join()
    expect(hanging).to_have_count(0)
    expect(shown.get_by_text("No job is under way")).to_be_visible()
    assert submitted.result().errcode == 0
    (folder / "go").unlink()


def test_a_program_that_is_down_says_since_when_and_how_it_starts(shown: Page, zone: ServedZone) -> None:
    expect(shown.get_by_text("No job is under way")).to_be_visible()
    zone.kill_program()
    expect(shown.get_by_role("heading", name="The program is down since")).to_be_visible()
    port = zone.program_url.rpartition(":")[2]
    line = f"WWSPEC_EMULATOR_URL={zone.client.url} wwspec serve --sdk emulator --port {port}"
    expect(shown.get_by_text(line)).to_be_visible()
    expect(shown.get_by_text("down", exact=True)).to_be_visible()
    zone.start_program()
    expect(shown.get_by_role("heading", name="The program is down since")).to_have_count(0)
    expect(shown.get_by_text("up", exact=True)).to_be_visible()


def test_a_job_that_failed_is_run_again_and_another_is_dropped(shown: Page, zone: ServedZone, folder: Path) -> None:
    expect(shown.get_by_text("No job is under way")).to_be_visible()
    expect(shown.get_by_role("heading", name="Failed for good")).to_be_hidden()
    zone.fire("hit_keyword")
    jobs = shown.get_by_role("table", name="Failed for good").get_by_role("row")
    expect(jobs).to_have_count(1)
    expect(jobs).to_contain_text("event:hit_keyword")
    expect(jobs).to_contain_text("1 attempts, LookupError (710660)")
    assert "a-secret" not in shown.content()
    jobs.get_by_role("button", name="Run again").click()
    expect(jobs).to_have_count(0)
    expect(jobs).to_have_count(1)  # it has failed again
    (folder / "repaired").touch()
    jobs.get_by_role("button", name="Run again").click()
    expect(shown.get_by_role("heading", name="Failed for good")).to_be_hidden()
    (folder / "repaired").unlink()
    zone.fire("hit_keyword")
    expect(jobs).to_have_count(1)
    jobs.get_by_role("button", name="Drop").click()
    expect(shown.get_by_role("heading", name="Failed for good")).to_be_hidden()
    shown.reload()
    expect(shown.get_by_text("No job is under way")).to_be_visible()
    expect(shown.get_by_role("heading", name="Failed for good")).to_be_hidden()


def test_an_event_that_was_fired_is_not_ok_when_its_code_failed_for_good(shown: Page) -> None:
    shown.goto("/#/events/hit_keyword")
    shown.get_by_role("button", name="Fire", exact=True).click()
    result = shown.get_by_role("region", name="What the program did")
    expect(result.get_by_role("listitem").first).to_contain_text("event hit_keyword failed")
    expect(result.get_by_role("paragraph").first).to_have_text(re.compile(r"^Entry \d+ in the timeline$"))


def test_an_empty_reason_gets_the_cause_and_the_fix_of_the_table(shown: Page, zone: ServedZone) -> None:
    zone.kill_program()
    wait_until(lambda: zone.call("figures").errcode == 710674)  # a kept connection may end first: 710675
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
        sdk = page.locator(".facts div").filter(has=page.get_by_text("SDK", exact=True)).locator("dd")
        expect(sdk).to_have_text("not known until the program has answered")
        expect(page.get_by_text("No call takes longer than a second.")).to_be_visible()
        expect(page.get_by_text("No job is under way")).to_have_count(0)
        zone.call("figures")
        expect(page.get_by_text('it has no ability of kind = "status"')).to_be_visible()
