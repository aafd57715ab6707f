"""A real browser on the console of a real emulator with a real program."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, expect, sync_playwright

from tests.support.apps import ROOT
from tests.support.tools import node_package, tool
from tests.support.waiting import DEADLINE
from wwspec_router.cli.main import main
from wwspec_router.testing.zone import Zone

OPTIONS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. It ends with the module, since playwright's event loop keeps others from theirs."""
    chromium = tool("chromium")
    expect.set_options(timeout=DEADLINE * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The script that finds what is not usable by everybody."""
    return (node_package(Path(__file__).parent, "axe-core") / "axe.min.js").read_text("utf-8")


@pytest.fixture(scope="session")
def served() -> Iterator[Zone]:
    """The reference program and an emulator, each on a socket; each test of a page resets the emulator."""
    with Zone.serve(ROOT) as zone:
        yield zone


@contextmanager
def watched(page: Page) -> Iterator[Page]:
    """Yield a page whose errors fail the test."""
    faults: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            faults.append(message.text)

    def note_error(error: Error) -> None:
        faults.append(str(error))

    page.on("console", note)
    page.on("pageerror", note_error)
    yield page
    page.remove_listener("console", note)
    page.remove_listener("pageerror", note_error)
    assert faults == []


@pytest.fixture(scope="module")
def window(browser: Browser, served: Zone) -> Iterator[Page]:
    """One window for a module: to open a window takes the browser longer than to load the page."""
    context = browser.new_context(base_url=served.client.url, locale="en-US", reduced_motion="reduce")
    context.set_default_timeout(DEADLINE * 1000)
    with context:
        yield context.new_page()


@pytest.fixture
def page(window: Page, served: Zone) -> Iterator[Page]:
    """The console in English, in a window of 1,280 pixels; relative addresses are those of the emulator.

    The page is loaded anew, and nothing is left of the test before: no choice that it stored, no route, no permission.
    """
    served.client.reset()
    window.unroute_all(behavior="ignoreErrors")
    window.context.clear_permissions()
    window.set_viewport_size({"width": 1280, "height": 800})
    window.goto("about:blank")
    storage = window.context.new_cdp_session(window)
    storage.send("Storage.clearDataForOrigin", {"origin": served.client.url, "storageTypes": "all"})
    storage.detach()
    with watched(window):
        window.goto("/")
        yield window


def run_shown_command(page: Page, start: str) -> str:
    """Run the line that the page shows, and return what it prints."""
    line = page.locator(".command code", has_text=start).inner_text()
    program, *arguments = shlex.split(line)
    assert program == "wwspec"
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    return result.output
