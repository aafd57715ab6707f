"""Jobs that failed for good, in the view of the program: they are listed, run again, and dropped."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.apps import write_files
from tests.support.zones import serve_zone
from wwspec_devtools.testing.zone import ServedZone

pytestmark = pytest.mark.nightly  # the page asks the program every 2 seconds

CODE = """
from pathlib import Path

from wwspec_contracts.events import hit_keyword

IS_REPAIRED = Path(__file__).parent / "repaired"

def on_hit(event: hit_keyword.Event) -> None:
    if not IS_REPAIRED.exists():
        raise LookupError("a-secret")
"""
REGISTRY = """
[abilities.status]
kind = "status"
[abilities.failed]
kind = "jobs"
[events.hit_keyword]
handler = "abilities.hits:on_hit"
retries = 0
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_files(tmp_path, {"abilities/hits.py": CODE, "abilities/registry.toml": REGISTRY})


@pytest.fixture
def zone(folder: Path) -> Iterator[ServedZone]:
    with serve_zone(folder) as zone:
        yield zone


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
    (folder / "abilities" / "repaired").touch()
    jobs.get_by_role("button", name="Run again").click()
    expect(shown.get_by_role("heading", name="Failed for good")).to_be_hidden()
    (folder / "abilities" / "repaired").unlink()
    zone.fire("hit_keyword")
    expect(jobs).to_have_count(1)
    jobs.get_by_role("button", name="Drop").click()
    expect(shown.get_by_role("heading", name="Failed for good")).to_be_hidden()
    shown.reload()
    expect(shown.get_by_text("No job is under way")).to_be_visible()
    expect(shown.get_by_role("heading", name="Failed for good")).to_be_hidden()
