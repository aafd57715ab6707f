"""A real browser on the console of a real emulator with a real program."""

import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.support.apps import ROOT
from wwspec_router.cli.main import main
from wwspec_router.testing.zone import Zone

CHROMIUM = shutil.which("chromium") or ""
OPTIONS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. It ends with the module, since playwright's event loop keeps others from theirs."""
    assert CHROMIUM, "apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def served() -> Iterator[Zone]:
    """The reference program and an emulator, each on a socket; each test of a page resets the emulator."""
    with Zone.serve(ROOT) as zone:
        yield zone


@contextmanager
def watched(context: BrowserContext) -> Iterator[Page]:
    """Yield a page whose errors fail the test."""
    faults: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            faults.append(message.text)

    page = context.new_page()
    page.on("console", note)
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    assert faults == []


@pytest.fixture
def page(browser: Browser, served: Zone) -> Iterator[Page]:
    """The console in English, in a window of 1,280 pixels; relative addresses are those of the emulator."""
    served.client.reset()
    context = browser.new_context(
        base_url=served.client.url, locale="en-US", viewport={"width": 1280, "height": 800}, reduced_motion="reduce"
    )
    with context, watched(context) as page:
        page.goto("/")
        yield page


def run_shown_command(page: Page, start: str) -> str:
    """Run the line that the page shows, and return what it prints."""
    line = page.locator(".command code", has_text=start).inner_text()
    program, *arguments = shlex.split(line)
    assert program == "wwspec"
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    return result.output
