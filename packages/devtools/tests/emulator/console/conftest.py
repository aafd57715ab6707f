"""A real browser on the console of a real emulator with a real program."""

import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, expect, sync_playwright

from tests.support.apps import ROOT
from tests.support.shared_by_folder import pytest_runtest_teardown as pytest_runtest_teardown, shared_by_folder
from tests.support.tools import node_package, tool
from tests.support.waiting import DEADLINE
from tests.support.zones import serve_zone
from wwspec_devtools.testing.zone import ServedZone, Zone
from wwspec_router.cli.main import main

OPTIONS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


class SharedBrowser:
    """Debian's Chromium and a window of it, for the modules of this folder that a process runs one after another.

    To start both takes as much of a processor as two tests. They end before other tests, since playwright's event loop
    keeps these from theirs.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._browser: Browser | None = None
        self._windows: dict[str, Page] = {}

    def browser(self) -> Browser:
        """Return the browser, which runs."""
        if self._browser is None or not self._browser.is_connected():
            self.close()
            chromium = tool("chromium")
            expect.set_options(timeout=DEADLINE * 1000)
            playwright = self._stack.enter_context(sync_playwright())
            self._browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
            self._stack.callback(self._browser.close)
        return self._browser

    def window(self, url: str) -> Page:
        """Return the window for an emulator."""
        browser = self.browser()
        if url not in self._windows:
            context = browser.new_context(base_url=url, locale="en-US", reduced_motion="reduce")
            context.set_default_timeout(DEADLINE * 1000)
            self._windows[url] = context.new_page()
        return self._windows[url]

    def close(self) -> None:
        """End all that was started."""
        self._browser = None
        self._windows.clear()
        self._stack.close()


@pytest.fixture(scope="module")
def shared(pytestconfig: pytest.Config) -> SharedBrowser:
    return shared_by_folder(pytestconfig, SharedBrowser)


@pytest.fixture(scope="module")
def browser(shared: SharedBrowser) -> Browser:
    """Debian's Chromium."""
    return shared.browser()


@pytest.fixture(scope="session")
def axe() -> str:
    """The script that finds what is not usable by everybody."""
    return (node_package(Path(__file__).parent, "axe-core") / "axe.min.js").read_text("utf-8")


@pytest.fixture(scope="session")
def served() -> Iterator[Zone]:
    """The reference program and an emulator, each on a socket; each test of a page resets the emulator."""
    with serve_zone(ROOT) as zone:
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
def window(shared: SharedBrowser, served: Zone) -> Iterator[Page]:
    """One window for all tests: to open a window takes the browser longer than to load the page."""
    window = shared.window(served.client.url)
    yield window
    window.goto("about:blank")  # and ask no emulator that may be ended


@pytest.fixture
def page(window: Page, served: Zone) -> Iterator[Page]:
    """The console in English, in a window of 1,280 pixels; relative addresses are those of the emulator.

    The page is loaded anew, and nothing is left of the test before: no choice that it stored, no route, no permission.
    """
    served.client.reset()
    window.unroute_all(behavior="ignoreErrors")
    window.context.clear_permissions()
    window.set_viewport_size({"width": 1280, "height": 800})
    window.emulate_media(color_scheme="light")
    window.goto("about:blank")
    storage = window.context.new_cdp_session(window)
    storage.send("Storage.clearDataForOrigin", {"origin": served.client.url, "storageTypes": "all"})
    storage.detach()
    with watched(window):
        window.goto("/")
        yield window


@contextmanager
def opened_console(browser: Browser, url: str, path: str = "/", **more: Any) -> Iterator[Page]:
    """Open the console of an emulator in a window of its own, whose errors fail the test."""
    with browser.new_context(base_url=url, **{"locale": "en-US", "reduced_motion": "reduce", **more}) as context:
        with watched(context.new_page()) as page:
            page.goto(path)
            yield page


@pytest.fixture
def shown(browser: Browser, zone: ServedZone) -> Iterator[Page]:
    """The view of the program of a module that serves a zone of its own."""
    with opened_console(browser, zone.client.url, "/#/program") as page:
        yield page


def run_shown_command(page: Page, start: str) -> str:
    """Run the line that the page shows, and return what it prints."""
    line = page.locator(".command code", has_text=start).inner_text()
    program, *arguments = shlex.split(line)
    assert program == "wwspec"
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    return result.output
