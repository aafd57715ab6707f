"""The palette: everything is a few letters away."""

import re

import pytest
from playwright.sync_api import Page, expect

from wwspec_devtools.testing.zone import Zone

pytestmark = pytest.mark.nightly  # in a browser; test_page, test_walk and test_working_day hold the page as a whole


def test_views_actions_abilities_events_and_entries_are_found_by_a_few_letters(page: Page, served: Zone) -> None:
    assert served.call("chat_history", '{"limit": "x"}').refused_by
    number = served.client.traffic(kind="app")[-1]["number"]
    palette = page.get_by_role("dialog", name="Find and do")

    def choose(text: str) -> None:
        page.keyboard.press("Control+k")
        expect(palette.get_by_role("combobox")).to_be_focused()
        page.keyboard.type(text)
        expect(palette.get_by_role("option").first).to_have_attribute("aria-selected", "true")
        page.keyboard.press("Enter")
        expect(palette).to_have_count(0)

    choose("prog")
    expect(page).to_have_title("Program · wwspec")
    choose("chat_dig")
    expect(page).to_have_url(re.compile("#/abilities/chat_digest$"))
    choose("hit_key")
    expect(page).to_have_url(re.compile("#/events/hit_keyword$"))
    choose(f"#{number}")
    expect(page.get_by_role("heading", name=f"#{number} sync_call_program")).to_be_visible()
    choose("copy as")
    expect(page.get_by_role("tab", name="Copy as")).to_have_attribute("aria-selected", "true")
    choose("failures")
    expect(page).to_have_url(re.compile("q=is%3Afailed$"))
    choose("nobody has this name")
    expect(page.get_by_text("No flow fits these filters.")).to_be_visible()

    page.get_by_role("button", name="Find and do").click()
    expect(palette.get_by_role("option")).not_to_have_count(0)
    page.keyboard.press("ArrowDown")
    expect(palette.get_by_role("option", selected=True)).to_contain_text("Abilities")
    page.keyboard.press("Escape")
    expect(palette).to_have_count(0)
    page.keyboard.press("Control+k")
    palette.get_by_role("option", name="Program").click()
    expect(page).to_have_title("Program · wwspec")
