"""`wwspec zone page` opens a page of the app in a Chromium whose WeCom is the emulator."""

import os
import re
import shlex
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.cli.conftest import Ports
from tests.support.apps import write_files
from tests.support.command import wwspec
from tests.support.emulator import Emulator, http_server
from tests.support.tools import tool
from tests.support.waiting import wait_until
from tests.support.zones import running_child

PAGE = "http://127.0.0.1:1/"
HEADLESS = "--headless=new --no-sandbox --disable-gpu --remote-debugging-port=0"
BROWSER = """#!{python}
import os, sys
open({record!r} + ".part", "w").write("\\n".join(sys.argv[1:]))
os.replace({record!r} + ".part", {record!r})
"""


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which a program with the name of a browser notes its flags."""
    record, browser = tmp_path / "flags", tmp_path / "bin" / "chromium"
    browser.parent.mkdir()
    browser.write_text(BROWSER.format(python=sys.executable, record=os.fspath(record)))
    browser.chmod(0o700)
    monkeypatch.setenv("PATH", f"{browser.parent}{os.pathsep}{os.environ['PATH']}")
    return record


@pytest.mark.slow  # a whole browser starts and ends: 5 s
def test_a_browser_opens_the_page_as_the_member_and_ends_with_the_command(emulator: Emulator, tmp_path: Path) -> None:
    browser = f"{tool('chromium')} {HEADLESS}"
    with http_server(lambda *_: (404, {}, b""), lambda _: (200, {}, b"<h1>An app's page</h1>")) as site:
        arguments = [f"{site}/chat", "--user", "lina", "--browser", browser, "--state", str(tmp_path / "state")]
        with (
            running_child(["zone", "page", *arguments, "--url", emulator.url], output=tmp_path / "printed") as child,
            sync_playwright() as playwright,
        ):
            devtools = child.wait_for(re.compile(r"DevTools listening on (ws://\S+)"))[1]
            context = playwright.chromium.connect_over_cdp(devtools).contexts[0]
            page = context.pages[0]
            expect(page).to_have_url(f"{site}/chat")
            expect(page.get_by_role("heading")).to_have_text("An app's page")
            assert [each["name"] for each in context.cookies("https://open.work.weixin.qq.com")] == ["open_sid"]
        assert child.process.returncode == 0


def test_the_first_chromium_in_the_path_gets_a_profile_and_only_the_hosts_of_wecom(
    emulator: Emulator, record: Path, tmp_path: Path
) -> None:
    done = wwspec(tmp_path, "zone", "page", PAGE, "--url", emulator.url, "--state", tmp_path / "state")
    assert (done.returncode, done.stderr) == (0, "")
    *flags, opened = record.read_text().splitlines()
    assert opened == "https://open.work.weixin.qq.com/wwopen/emulator/login?to=http%3A%2F%2F127.0.0.1%3A1%2F"
    assert "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost" in flags
    [profile] = [flag.partition("=")[2] for flag in flags if flag.startswith("--user-data-dir=")]
    assert not Path(profile).exists()


def test_a_machine_without_a_chromium_is_told_what_to_install(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    done = wwspec(tmp_path, "zone", "page", PAGE, "--url", emulator.url, "--state", tmp_path / "state")
    assert done.returncode != 0
    assert "no Chromium is found" in done.stderr
    assert "install one, such as Debian's package chromium" in done.stderr


@pytest.mark.parametrize("url", ["https://app.example/", "127.0.0.1:8000", "file:///etc/passwd", "http://[::1]/"])
def test_a_page_of_another_machine_is_refused(emulator: Emulator, record: Path, tmp_path: Path, url: str) -> None:
    done = wwspec(tmp_path, "zone", "page", url, "--url", emulator.url)
    assert done.returncode == 2
    assert "the browser reaches no other host" in done.stderr
    assert not record.exists()


def test_a_browser_that_fails_is_named(emulator: Emulator, tmp_path: Path) -> None:
    options = ("--url", emulator.url, "--state", tmp_path / "state")
    failing = shlex.join([sys.executable, "-c", "raise SystemExit(3)"])
    done = wwspec(tmp_path, "zone", "page", PAGE, *options, "--browser", failing)
    assert (done.returncode, "ended with exit code 3" in done.stderr) == (1, True)
    done = wwspec(tmp_path, "zone", "page", PAGE, *options, "--browser", "/no/browser")
    assert (done.returncode, "/no/browser can't be started" in done.stderr) == (1, True)


@pytest.mark.slow  # a program and an emulator start: 5 s
def test_dev_opens_the_page_beside_program_and_emulator(record: Path, tmp_path: Path, ports: Ports) -> None:
    folder = write_files(tmp_path / "app", {"abilities/registry.toml": '[program]\nname = "x"\n'})
    where = ["--app", str(folder), "--port", ports[0], "--emulator-port", ports[1], "--store", "memory:"]
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    with running_child(["dev", *where, "--page", PAGE], state, tmp_path / "printed") as dev:
        wait_until(record.exists)
        dev.wait_for(re.compile("Ctrl-C ends it"))
    assert record.read_text().endswith("/wwopen/emulator/login?to=http%3A%2F%2F127.0.0.1%3A1%2F")
    assert dev.process.returncode == 0
