"""The program, as a person watches it: while it works, hangs, is down, or tells nothing."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.apps import write_files
from tests.support.zones import serve_zone
from wwspec_devtools.testing.zone import ServedZone

pytestmark = pytest.mark.nightly  # in a browser; test_page, test_walk and test_working_day hold the page as a whole

HANDLERS = """
import threading
from pathlib import Path

from wwspec_router import Contract, Output, ability

GO = Path(__file__).parent.parent / "go"


class Asked(Contract):
    pass


@ability
def wait(request: Asked) -> Output:
    while not GO.exists():
        threading.Event().wait(0.02)
    return Output()
"""
REGISTRY = """
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
