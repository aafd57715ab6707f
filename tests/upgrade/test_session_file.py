"""The console opens session files of earlier releases."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.emulator.console.conftest import SharedBrowser, watched
from tests.upgrade.releases import Release
from wwspec_router.testing.zone import Zone

pytestmark = pytest.mark.slow  # in a browser


@pytest.fixture
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with closing(SharedBrowser()) as shared:
        yield shared.browser()


def test_a_session_that_an_older_release_has_saved_is_opened(
    release: Release, emulator: Zone, browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "session.json"
    release.code.run(release.data / "save_session.py", release.app, file, cwd=tmp_path, UPGRADE_FOLDER=str(tmp_path))
    with browser.new_context(base_url=emulator.client.url, locale="en-US", reduced_motion="reduce") as context:
        with watched(context.new_page()) as page:
            page.goto("/#/session", wait_until="networkidle")
            page.get_by_label("Session file", exact=True).set_input_files(file)
            expect(page.get_by_role("link", name=f"Imported file: {file.name}")).to_be_visible()
            page.get_by_role("link", name="Faults & clock", exact=True).click()
            expect(page.get_by_role("row").filter(has_text="sync_msg")).to_be_visible()
            page.get_by_role("link", name="Timeline", exact=True).click()
            for name in ("chat_digest", "auth_knowledge_base", "group"):
                expect(page.get_by_role("treeitem").filter(has_text=name).first).to_be_visible()
