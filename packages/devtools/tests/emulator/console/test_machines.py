"""The machines of a program in the console, as its timeline marks them and its view shows them."""

import json
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.emulator.console.conftest import opened_console
from tests.support.emulator import Emulator, SealedProgram
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.settings import EmulatorSettings
from wwspec_devtools.testing.app import App

pytestmark = pytest.mark.nightly  # in a browser; test_page and test_working_day hold the page as a whole


@pytest.fixture
def client() -> Iterator[EmulatorClient]:
    """Of an emulator whose program runs on two machines."""
    with ExitStack() as stack:
        emulator = Emulator(EmulatorSettings(messages=0, machines=2), stack)
        client = stack.enter_context(EmulatorClient(emulator.url))
        for number in (1, 2):
            program = SealedProgram(stack)
            program.key = emulator.key
            program.reply = lambda call: json.dumps({"errcode": 0})
            client.point_to(program.url, machine=number)
        yield client


@pytest.fixture
def page(browser: Browser, client: EmulatorClient) -> Iterator[Page]:
    with opened_console(browser, client.url) as page:
        yield page


def test_lines_name_the_machine_and_the_program_shows_how_each_does(page: Page, client: EmulatorClient) -> None:
    for _ in range(2):
        assert App(client).call("greet").errcode == 0
    first, second = (page.get_by_role("treeitem").filter(has_text="greet").nth(each) for each in (0, 1))
    expect(first.locator(".machine")).to_have_text("M1")
    expect(second.locator(".machine")).to_have_text("M2")
    expect(second.locator(".machine")).to_have_attribute("title", "The program's machine: 2")
    client.machines.stop(1)
    page.get_by_role("link", name="Machines").click()
    page.get_by_role("button", name="Start M1").click()
    expect(page.get_by_role("button", name="Stop M1")).to_be_visible()
    expect(page.get_by_text("wwspec zone machine start 1")).to_be_visible()
    assert [each["state"] == "stopped" for each in client.machines.states()] == [False, False]
    page.set_viewport_size({"width": 420, "height": 800})
    expect(page.get_by_role("button", name="Stop M1")).to_be_in_viewport(ratio=1)
    page.get_by_role("button", name="Stop M1").click()
    expect(page.get_by_role("button", name="Start M1")).to_be_visible()
    page.goto("/#/program")
    expect(page.get_by_text("M1 stopped")).to_be_visible()
    expect(page.get_by_text("M2 up")).to_be_visible()
    expect(page.get_by_text("as M2 tells them")).to_be_visible()
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_text("M1 已停止")).to_be_visible()
