"""A Chromium with an app's page that has WeCom's own package, unchanged, and an emulator that plays WeCom for it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from playwright.sync_api import FrameLocator, Page, expect, sync_playwright

from tests.support.emulator import Emulator, http_server
from tests.support.shared_by_folder import pytest_runtest_teardown as pytest_runtest_teardown, shared_by_folder
from tests.support.tools import node_package, tool
from tests.support.waiting import DEADLINE
from wwspec_devtools.emulator.page.login import login_url
from wwspec_devtools.emulator.proxy.authority import Authority
from wwspec_devtools.emulator.proxy.proxy import page_browser
from wwspec_devtools.emulator.settings import EmulatorSettings
from wwspec_devtools.emulator.state.conversations import Message

WITHOUT_SCREEN = ["--no-sandbox", "--disable-gpu"]
FRAME_HOST = "https://open.work.weixin.qq.com"
SEES = "zhangwei"
"""The member who looks at the page."""


class AppPage:
    """The page of an app in the browser of a member, and the emulator behind it."""

    def __init__(self, page: Page, url: str, emulator: Emulator) -> None:
        self.page = page
        self.url = url
        self.emulator = emulator
        self.world = emulator.platform.world
        self.corp = self.world.corp(self.world.app)

    @property
    def frame(self) -> FrameLocator:
        return self.page.frame_locator("#chat iframe")

    def open(self, userid: str | None = SEES, **registered: Any) -> None:
        """Open the page as a member who is logged in, or as nobody, and register the app."""
        self.page.context.clear_cookies()
        self.page.goto(self.url if userid is None else login_url(userid, self.url))
        expect(self.page).to_have_title("An app's page")
        self._register(**registered)

    def open_quickly(self) -> None:
        """Make the page that is open as good as new, and register the app: to load it takes a third of a test."""
        if self.page.url != self.url:
            return self.open()
        world = self.world
        sid = world.page_logins.log_in(world.app.corpid, SEES, world.clock.now())
        self.page.context.clear_cookies()
        self.log_in(sid)
        self.page.evaluate("() => { document.getElementById('chat').replaceChildren(); calls.length = 0; }")
        return self._register()

    def log_in(self, sid: str) -> None:
        """Give the browser the cookie of a login."""
        cookie = {"name": "open_sid", "value": sid, "url": FRAME_HOST, "secure": True, "sameSite": "None"}
        self.page.context.add_cookies([cookie])  # type: ignore[list-item]  # it is one

    def _register(self, **registered: Any) -> None:
        world = self.world
        ticket = self.emulator.app_get("ticket/get", type="agent_config")["ticket"]
        app = {"corpId": world.app.corpid, "agentId": world.app.agentid, "ticket": ticket}
        self.page.evaluate("given => register(given)", app | registered)

    def show(self, template: str, data: dict[str, Any] | None = None, **more: Any) -> None:
        """Show a template in a frame, and wait until it is mounted."""
        self.page.evaluate("given => show(given)", {"template": template, "data": data or {}, **more})
        self.page.wait_for_function("() => calls.some(([name]) => name === 'handleMounted')")

    def show_messages(self, *messages: Message, attributes: str = "", **more: Any) -> None:
        """Show messages, each with the key that the app opens with its private key."""
        template = (
            '<view wx:for="{{data.list}}" wx:key="msgid" class="row"><ww-open-message message-id="{{item.msgid}}" '
            f'secret-key="{{{{item.key}}}}" binderror="failed" {attributes} /></view>'
        )
        listed = [{"msgid": each.msgid, "key": self.key(each)} for each in messages]
        self.show(template, {"list": listed}, **more)

    def key(self, message: Message) -> str:
        return self.world.app.keys.secret_key(message.msgid)

    def said(self, text: str, msgtype: int = 1) -> Message:
        """Return a new message."""
        return self.corp.chats.say(self.world.clock.seconds(), text, msgtype=msgtype)

    def calls(self, name: str) -> list[Any]:
        """Return what the frame called a function of the page with."""
        return [given for called, given in self.page.evaluate("() => calls") if called == name]


@contextmanager
def served_site() -> Iterator[str]:
    """Serve the app's page, and yield its URL."""
    package = node_package(Path(__file__).parent, "@wecom/jssdk") / "dist" / "wecom.global.prod.js"
    script = 200, {"content-type": "text/javascript"}, package.read_bytes()
    page = 200, {"content-type": "text/html"}, Path(__file__).with_name("app.html").read_bytes()
    with http_server(lambda *_: (404, {}, b""), lambda path: script if path == "/jssdk.js" else page) as url:
        yield f"{url}/"


@contextmanager
def opened_window(url: str) -> Iterator[Page]:
    """Open a window of Debian's Chromium, with the flags and the profile of `wwspec zone page`."""
    chromium = tool("chromium")
    expect.set_options(timeout=DEADLINE * 1000)
    with TemporaryDirectory() as profile, TemporaryDirectory() as folder, ExitStack() as stack:
        flags = stack.enter_context(page_browser(url, Authority(Path(folder)), Path(profile)))
        launch = stack.enter_context(sync_playwright()).chromium.launch_persistent_context
        arguments = [*WITHOUT_SCREEN, *flags]
        yield stack.enter_context(launch(profile, executable_path=chromium, args=arguments)).new_page()


class Shared:
    """An emulator, an app's page and a window, for the modules of this folder that a process runs one after another.

    They end before other tests, since playwright's event loop keeps these from theirs.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._app: AppPage | None = None

    def app(self) -> AppPage:
        """Return the page of an emulator that is as just started."""
        if self._app is None:
            emulator = Emulator(EmulatorSettings(messages=60, clock_start=1_750_000_000), self._stack)
            url = self._stack.enter_context(served_site())
            self._app = AppPage(self._stack.enter_context(opened_window(emulator.url)), url, emulator)
        self._app.emulator.platform.reset()
        return AppPage(self._app.page, self._app.url, self._app.emulator)

    def close(self) -> None:
        """End all that was started."""
        self._app = None
        self._stack.close()


@pytest.fixture
def app(pytestconfig: pytest.Config) -> AppPage:
    return shared_by_folder(pytestconfig, Shared).app()


@pytest.fixture
def opened(app: AppPage) -> None:
    """The page is open, and the app is registered."""
    app.open_quickly()
