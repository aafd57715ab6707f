"""Faults, the clock and the reset, as a person sets them."""

import time

import pytest
from playwright.sync_api import Page, expect

from tests.emulator.console.conftest import run_shown_command
from wwspec_devtools.testing.zone import Zone

pytestmark = pytest.mark.nightly  # in a browser; test_page and test_working_day hold the page as a whole


def test_a_fault_of_the_form_hits_and_its_rest_is_shown(page: Page, served: Zone) -> None:
    page.goto("/#/faults?on=sdk&effect=errcode&api=sync_msg&value=45009&count=2")
    run_shown_command(page, "wwspec zone fault sdk errcode 45009 --api sync_msg --count 2")
    run_shown_command(page, "wwspec zone clear")
    # Or the form moves under the click.
    expect(page.get_by_text("Calls, events and callbacks go through.")).to_be_visible()
    page.get_by_role("button", name="Set fault").click()
    row = page.get_by_role("row").filter(has_text="sync_msg")
    expect(row).to_contain_text("2 of 2")
    assert served.call("invoke_sync_msg", '{"limit": 1}').errcode == 45009
    expect(row).to_contain_text("1 of 2")
    page.get_by_role("button", name="Clear fault_2").click()
    expect(page.get_by_text("Calls, events and callbacks go through.")).to_be_visible()
    assert served.call("invoke_sync_msg", '{"limit": 1}').errcode == 0


def test_what_the_emulator_refuses_is_said_beside_the_form(page: Page) -> None:
    page.get_by_role("link", name="Faults").click()
    page.get_by_label("On", exact=True).select_option("program")
    page.get_by_label("errcode").fill("1")
    page.get_by_role("button", name="Set fault").click()
    expect(page.get_by_role("region", name="New fault").get_by_role("alert")).to_contain_text(
        "on program an errcode is one of 710674"
    )


def test_the_clock_goes_to_a_date_by_weeks_and_back_by_itself_or_a_reset(page: Page, served: Zone) -> None:
    page.get_by_role("link", name="Faults").click()
    back = page.get_by_role("button", name="Back to now")
    expect(back).to_be_disabled()
    length = page.get_by_label("By (s, min, h, d, w)")
    length.fill("3 months")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Write a number with its unit s, min, h, d or w, such as 7d.")).to_be_visible()
    length.fill("2w")
    page.keyboard.press("Enter")
    expect(page.get_by_text("It is 14 d ahead.")).to_be_visible()
    page.get_by_role("button", name="Reset the emulator").click()
    page.get_by_role("dialog").get_by_role("button", name="Reset the emulator").click()
    expect(page.get_by_text("as it was at its start")).to_be_visible()
    expect(back).to_be_disabled()
    page.get_by_label("To a date").fill("2020-01-01T00:00:00")
    page.keyboard.press("Enter")
    expect(page.get_by_text("2020-01-01 00:00:00 has passed on this clock.")).to_be_visible()
    page.get_by_label("To a date").fill("2099-01-01T00:00:00")
    page.keyboard.press("Enter")
    expect(page.get_by_text("the clock is put forward by 0 to")).to_be_visible()
    page.get_by_label("To a date").fill("2030-01-01T12:00:00")
    page.keyboard.press("Enter")
    expect(page.get_by_text("2030-01-01 12:00:0").first).to_be_visible()
    expect(page.get_by_text("wwspec zone advance 2030-01-01T12:00")).to_be_visible()
    real = time.time()
    back.click()
    expect(back).to_be_disabled()
    assert abs(served.client.info()["now"] - real) < 3600
    run_shown_command(page, "wwspec zone advance now")
    page.get_by_role("link", name="Timeline").click()
    expect(page.get_by_role("treeitem").filter(has_text="−")).to_contain_text("virtual clock is now")
