"""The session as a file."""

import json
import re
import stat
from functools import reduce
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, Page, expect

from tests.support.apps import ROOT
from tests.support.zones import serve_zone
from wwspec_devtools.testing.zone import Zone
from wwspec_router.cli.main import main

pytestmark = pytest.mark.nightly  # in a browser; test_page, test_walk and test_working_day hold the page as a whole

MODULES = [*(ROOT / "packages/devtools/wwspec_devtools/emulator/console/static").rglob("*.js")]
ARE_LOADED = """(modules) =>
    performance.getEntriesByType("resource").filter(({ name }) => name.endsWith(".js")).length >= modules"""


def test_a_session_is_saved_reset_opened_and_left_again(page: Page, served: Zone, tmp_path: Path) -> None:
    served.client.add_fault("sdk", "latency", "sync_msg", 0.01)
    served.call("chat_digest", {"limit": 3})
    number = served.client.traffic(kind="app")[-1]["number"]
    page.get_by_role("link", name="Share").click()
    with page.expect_download() as started:
        page.get_by_role("link", name="Save as a file").click()
    file = tmp_path / started.value.suggested_filename
    started.value.save_as(file)
    saved = json.loads(file.read_bytes())
    served.client.reset()
    page.get_by_label("Session file", exact=True).set_input_files(file)
    expect(page.get_by_role("link", name=f"Imported file: {file.name}")).to_be_visible()
    page.get_by_role("link", name="Faults").click()
    expect(page.get_by_role("row").filter(has_text="sync_msg")).to_be_visible()
    expect(page.get_by_role("button", name="Set fault")).to_be_disabled()
    page.goto(f"/#/timeline/{number}?tab=copy")
    expect(page.get_by_role("region", name="pytest test")).to_contain_text(
        'answer = zone.call("chat_digest", {"limit": 3})'
    )
    page.get_by_role("link", name="Share").click()
    expect(page.get_by_text(f"{len(saved['entries'])} exchanges, 1 to {len(saved['entries'])}")).to_be_visible()
    page.get_by_role("button", name="Back to the emulator").click()
    expect(page.get_by_role("button", name="Live")).to_be_visible()
    expect(page.get_by_text("Nothing is recorded yet.")).to_be_visible()


def test_a_session_is_read_when_the_emulator_has_ended(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "session.json"
    with serve_zone(ROOT) as zone:
        zone.call("chat_digest", {"limit": 3})
        file.write_bytes(msgspec.json.encode(zone.client.session()))
        context = browser.new_context(base_url=zone.client.url, locale="en-US", reduced_motion="reduce")
        page = context.new_page()
        page.goto("/#/session")
        page.wait_for_function(ARE_LOADED, arg=len(MODULES))
        page.get_by_label("Session file", exact=True).set_input_files(file)
        expect(page.get_by_role("treeitem").filter(has_text="chat_digest")).to_be_visible()
    with context:
        for view in ("Abilities", "Events", "Faults & clock", "Program", "Share", "Timeline"):
            page.get_by_role("link", name=view, exact=True).click()
            expect(page.get_by_role("heading").first).to_be_attached()
        page.get_by_role("treeitem").filter(has_text="chat_digest").first.click()
        page.keyboard.press("Enter")
        expect(page.get_by_role("complementary", name="Entry")).to_contain_text("sync_call_program")
        page.get_by_role("tab", name="Copy as").click()
        expect(page.get_by_role("region", name="wwspec")).to_contain_text("wwspec call chat_digest")
        expect(page.get_by_role("region", name="pytest test")).to_contain_text("the emulator does not answer")


def test_a_file_that_is_no_session_is_refused_with_the_reason(page: Page, tmp_path: Path) -> None:
    page.goto("/#/session")
    for name, text, reason in (
        ("notes.json", "not json", "it is not JSON"),
        (
            "other.json",
            "{}",
            "this page reads version 2 only: open it in the console of the wwspec-router that saved it",
        ),
        ("older.json", '{"wwspec_session": 1, "entries": []}', "it has version 1"),
        ("newer.json", '{"wwspec_session": 4, "entries": []}', "it has version 4"),
        ("half.json", '{"wwspec_session": 3}', "it has no entries"),
    ):
        (tmp_path / name).write_text(text, "utf-8")
        page.get_by_label("Session file", exact=True).set_input_files(tmp_path / name)
        expect(page.get_by_role("alert")).to_contain_text(f"{name} is not a session file: ")
        expect(page.get_by_role("alert")).to_contain_text(reason)


MALFORMED: list[tuple[str, object]] = [
    ("exported_ms", 1e300),
    ("clock", None),
    ("program.state", "?"),
    ("program.pids", None),
    ("faults", [{}]),
    ("contracts", {"a": None}),
    ("entries[0]", None),
    ("entries[1]", {}),
    ("entries[0].number", "1"),
    ("entries[0].kind", "constructor"),
    ("entries[0].name", None),
    ("entries[0].ability", "\ud800"),
    ("entries[0].faults", {}),
    ("entries[0].text.reply", 1),
    ("entries[0].time_ms", 1e300),
    ("entries[0].offset_ms", 1e300),
    ("entries[0].contract", []),
    ("entries[0].http.request_headers", [["a"]]),
    ("entries[1].parent", 2),
    ("entries[0].code", "?"),
    ("entries[0].cause", {"fired": False, "message": {"from": 1}}),
    ("entries[0].traces", None),
    ("entries[1].traces", [{"kind": "job"}]),
]
"""Places of a session file, and what is malformed there."""


def test_a_session_file_with_a_malformed_value_is_refused_with_its_place(
    page: Page, served: Zone, tmp_path: Path
) -> None:
    served.call("chat_digest", {"limit": 3})
    text = msgspec.json.encode(served.client.session())
    page.goto("/#/session")
    for number, (path, value) in enumerate(MALFORMED):
        session = json.loads(text)
        *way, last = re.findall(r"\w+", path)
        place = reduce(lambda at, name: at[int(name) if name.isdigit() else name], way, session)
        place[int(last) if last.isdigit() else last] = value
        file = tmp_path / f"{number}.json"
        file.write_text(json.dumps(session), "utf-8")
        page.get_by_label("Session file", exact=True).set_input_files(file)
        expect(page.get_by_role("alert")).to_contain_text(f"{file.name} is not a session file: {path}")
    (tmp_path / "whole.json").write_bytes(text)
    page.get_by_label("Session file", exact=True).set_input_files(tmp_path / "whole.json")
    expect(page.get_by_role("link", name="Imported file: whole.json")).to_be_visible()


def test_a_session_is_saved_by_a_command_as_well(served: Zone, tmp_path: Path) -> None:
    served.call("chat_digest", {"limit": 3})
    file = tmp_path / "session.json"
    result = CliRunner().invoke(main, ["zone", "export", str(file), "--url", served.client.url])
    assert result.exit_code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600, "it holds what people said"
    saved = json.loads(file.read_bytes())
    assert saved["wwspec_session"] == 3
    assert f"{len(saved['entries'])} exchanges" in result.output
    nowhere = tmp_path / "missing" / "session.json"
    result = CliRunner().invoke(main, ["zone", "export", str(nowhere), "--url", served.client.url])
    assert result.exit_code == 1
    assert "can't be written: No such file or directory" in result.output
