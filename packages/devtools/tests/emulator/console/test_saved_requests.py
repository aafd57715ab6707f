"""Requests that are saved from the form of an ability, as files that `wwspec call` sends, too."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.emulator.console.conftest import run_shown_command
from tests.support.apps import ROOT
from tests.support.waiting import wait_until
from tests.support.zones import serve_zone
from wwspec_devtools.testing.zone import Zone

pytestmark = pytest.mark.nightly  # in a browser; test_page, test_walk and test_working_day hold the page as a whole


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="module")
def served(app: Path) -> Iterator[Zone]:
    """A zone whose emulator knows the application's folder."""
    with serve_zone(ROOT, emulate=["--requests", str(app / "requests")]) as zone:
        yield zone


@pytest.fixture(autouse=True)
def _nothing_saved(app: Path) -> Iterator[None]:
    yield
    for path in (app / "requests").glob("*"):
        path.unlink()


def save(page: Page, request: str, name: str) -> None:
    page.get_by_label("The same as JSON").fill(request)
    page.get_by_label("Name to save it by").fill(name)
    page.get_by_role("button", name="Save", exact=True).click()


def test_a_request_is_saved_filled_in_again_and_sent_by_its_name(
    page: Page, app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.goto("/#/abilities/chat_digest")
    save(page, '{"limit": 3}', "three")
    saved = page.get_by_role("group", name="Saved requests")
    expect(saved.get_by_role("button", name="three")).to_be_visible()
    assert (app / "requests/chat_digest.three.json").read_text() == '{"limit": 3}\n'
    page.get_by_role("button", name="Clear").click()
    saved.get_by_role("button", name="three").click()
    expect(page.get_by_label("limit", exact=True)).to_have_value("3")
    expect(page.get_by_label("The same as JSON")).to_have_value('{"limit": 3}')
    monkeypatch.chdir(app)
    assert json.loads(run_shown_command(page, "wwspec call chat_digest @three"))["messages"] == 3
    page.goto("/#/abilities/group_overview")
    expect(page.get_by_label("Name to save it by")).to_be_visible()
    expect(page.get_by_role("button", name="three")).to_have_count(0)


def test_a_saved_request_is_replaced_only_after_a_question(page: Page, app: Path) -> None:
    file = app / "requests/chat_digest.three.json"
    page.goto("/#/abilities/chat_digest")
    save(page, '{"limit": 3}', "three")
    expect(page.get_by_role("button", name="three")).to_be_visible()
    save(page, '{"limit": 4}', "three")
    expect(page.get_by_role("alert").filter(has_text="is there already")).to_contain_text(
        "requests/chat_digest.three.json is there already."
    )
    assert file.read_text() == '{"limit": 3}\n'
    page.get_by_role("button", name="Replace it").click()
    wait_until(lambda: file.read_text() == '{"limit": 4}\n')
    expect(page.get_by_text("is there already")).to_have_count(0)


def test_what_cannot_be_saved_or_read_is_named(page: Page, app: Path) -> None:
    page.goto("/#/abilities/chat_digest")
    save(page, "{}", "../outside")
    expect(page.get_by_text("A name has 1 to 64 of A-Z, a-z, 0-9, _ and -")).to_be_visible()
    save(page, '{"limit": ', "half")
    expect(page.get_by_text("chat_digest.half.json: is not JSON: line 1, column 11")).to_be_visible()
    assert list(app.rglob("*.json")) == []
    (app / "requests").mkdir(exist_ok=True)
    (app / "requests/chat_digest.broken.json").write_text("{")
    page.goto("/#/abilities/group_overview")
    page.goto("/#/abilities/chat_digest")
    page.get_by_role("button", name="broken").click()
    expect(page.get_by_text("chat_digest.broken.json: is not JSON: line 1, column 2")).to_be_visible()
