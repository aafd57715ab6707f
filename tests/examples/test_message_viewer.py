"""examples/message_viewer: what a member reads in a browser with WeCom's own package."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import BrowserContext, FrameLocator, Page, expect, sync_playwright

from tests.support.apps import ROOT
from tests.support.tools import node_package, tool
from tests.support.waiting import DEADLINE, answers, wait_until
from tests.support.zones import serve_zone
from torture.archive import rotate_key
from wwspec_devtools.emulator.page.login import login_url
from wwspec_devtools.emulator.proxy.authority import Authority
from wwspec_devtools.emulator.proxy.proxy import page_browser
from wwspec_devtools.emulator.state.page_logins import LOGIN_SECONDS
from wwspec_devtools.testing.ports import held_ports
from wwspec_devtools.testing.zone import ServedZone

EXAMPLE = ROOT / "examples" / "message_viewer"
PACKAGE = ROOT / "packages/devtools/tests/emulator/page"
READER, STRANGER = "李娜 (lina)", "王芳 (wangfang)"


@pytest.fixture(scope="module")
def zone() -> Iterator[ServedZone]:
    with serve_zone(ROOT, emulate=["--messages", "0"]) as zone:
        zone.client.say("zhangwei", "您好，请问有货吗？", to=["lina"])
        zone.client.say("lina", "有货的。", to=["zhangwei"])
        chatid, group = next(iter(zone.client.info()["groups"].items()))
        zone.client.say(group["members"][0], "明天开会", group=chatid)
        yield zone


@pytest.fixture(scope="module")
def viewer(zone: ServedZone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the example, as its README starts it, which lina may read."""
    folder = tmp_path_factory.mktemp("viewer")
    jssdk = node_package(PACKAGE, "@wecom/jssdk") / "dist" / "wecom.global.prod.js"
    keys, info = folder / "keys", zone.client.info()
    keys.mkdir()
    rotate_key(zone, keys)
    with ExitStack() as stack:
        [port] = stack.enter_context(held_ports(1))
        url = f"http://127.0.0.1:{port}"
        environment = {
            "WWSPEC_BASE_URL": zone.client.url,
            "WWSPEC_CORPID": info["corpid"],
            "WWSPEC_CORPSECRET": info["secret"],
            "WWSPEC_AGENTID": str(info["agentid"]),
            "WWSPEC_PROGRAM_ID": info["program_id"],
            "WWSPEC_KEYS": str(keys),
            "VIEWER_URL": url,
            "VIEWER_JSSDK": str(jssdk),
            "VIEWERS": "lina",
        }
        command = [sys.executable, "-m", "uvicorn", "--factory", "--app-dir", str(EXAMPLE), "app:create_app"]
        process = stack.enter_context(
            subprocess.Popen([*command, "--port", str(port)], env=os.environ | environment, cwd=folder)
        )
        stack.callback(process.terminate)
        wait_until(lambda: process.poll() is not None or answers(f"{url}/jssdk.js"))
        yield url


@pytest.fixture(scope="module")
def context(zone: ServedZone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """A Chromium that meets the emulator in place of WeCom."""
    expect.set_options(timeout=DEADLINE * 1000)
    profile, authority = tmp_path_factory.mktemp("profile"), Authority(tmp_path_factory.mktemp("authority"))
    with page_browser(zone.client.url, authority, profile) as flags, sync_playwright() as playwright:
        launch = playwright.chromium.launch_persistent_context
        arguments = ["--no-sandbox", "--disable-gpu", *flags]
        with launch(profile, executable_path=tool("chromium"), args=arguments, locale="zh-CN") as context:
            yield context


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    context.clear_cookies()
    with context.new_page() as page:
        yield page


def opened(page: Page, viewer: str, person: str) -> FrameLocator:
    """Log in to WeCom as lina, open the page, and log in to the app as a person."""
    page.goto(login_url("lina", f"{viewer}/"))
    page.get_by_role("link", name=person).click()
    return page.frame_locator("main iframe")


@pytest.mark.slow  # in a browser, with an emulator, a program and the app: 8 s
def test_a_member_reads_the_conversations_of_the_corp(page: Page, viewer: str) -> None:
    frame = opened(page, viewer, READER)
    expect(frame.locator(".chat")).to_have_count(2)
    frame.locator(".chat", has_text="张伟").click()
    expect(frame.locator(".message")).to_have_text(
        [re.compile("张伟.*您好，请问有货吗？"), re.compile("李娜.*有货的。")]
    )
    frame.locator(".chat", has_not_text="张伟").click()
    expect(frame.locator(".message")).to_have_text([re.compile("明天开会")])
    expect(page.get_by_role("alert")).to_be_hidden()


@pytest.mark.nightly  # as the one before
@pytest.mark.parametrize("why", ["the browser has dropped it", "it has ended"])
def test_a_member_whose_login_is_gone_is_asked_to_log_in_again(
    page: Page, viewer: str, zone: ServedZone, why: str
) -> None:
    """[100076] `Missing open sid`, and 42003."""
    frame = opened(page, viewer, READER)
    expect(frame.locator(".chat")).to_have_count(2)
    if why == "it has ended":
        zone.advance(LOGIN_SECONDS)
    else:
        page.context.clear_cookies(domain="open.work.weixin.qq.com")
    frame.locator(".chat").last.click()
    expect(page.get_by_role("alert")).to_contain_text("not logged in to WeCom any more")
    zone.client.restore_clock()


@pytest.mark.nightly  # as the one before
def test_who_may_not_read_gets_neither_the_page_nor_the_messages(page: Page, viewer: str) -> None:
    opened(page, viewer, STRANGER)
    expect(page.get_by_text("You may not read messages here")).to_be_visible()
    for path in ("chats", "messages", "config"):
        assert page.request.get(f"{viewer}/{path}").status == 401
