"""`--open` of the verbs that start an emulator."""

import re
import signal
from pathlib import Path

import pytest

from tests.support.waiting import wait_until
from tests.support.zones import running_child

CONSOLE = re.compile(r"console: (http://127\.0\.0\.1:\d+/)\n")


@pytest.mark.parametrize("has_browser", [True, False])
def test_the_console_is_opened_in_the_browser_or_nothing_is_said(tmp_path: Path, has_browser: bool) -> None:
    opened, browser, output = tmp_path / "opened", tmp_path / "browser", tmp_path / "output"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}.part && mv {opened}.part {opened}\n')
    browser.chmod(0o700)
    environment = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "BROWSER": f"{browser} %s" if has_browser else ""}
    with running_child(["emulate", "--port", "0", "--open"], environment, output) as emulator:
        url = emulator.wait_for(CONSOLE).group(1)
        if has_browser:
            wait_until(opened.exists)
            assert opened.read_text() == url
        emulator.process.send_signal(signal.SIGINT)
    assert "rror" not in output.read_text()
    assert opened.exists() == has_browser
