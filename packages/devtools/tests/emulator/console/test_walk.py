"""From one view to the next, as a developer goes who looks for what went wrong."""

import pytest
from playwright.sync_api import Page, expect

from wwspec_devtools.testing.zone import Zone


@pytest.mark.slow  # test_page opens each view
def test_an_entry_is_found_by_a_text_in_its_body_and_made_to_fail_the_next_time(page: Page, served: Zone) -> None:
    served.call("chat_digest", {"limit": 7})
    served.call("chat_history", {"limit": 2})
    lines = page.get_by_role("treeitem")
    expect(lines).to_have_count(2)  # the token is folded into the first call
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Search names and bodies")).to_be_focused()
    page.keyboard.type("senders")  # only a reply has it
    expect(lines).to_have_count(1)
    expect(lines.first).to_contain_text("chat_digest")
    page.keyboard.press("Enter")
    lines.first.click()
    detail = page.get_by_role("complementary", name="Entry")
    detail.get_by_role("link", name="sync_msg").click()
    detail.get_by_role("link", name="Let this fail next time").click()
    expect(page.get_by_label("API, ability ID or event type")).to_have_value("sync_msg")
    expect(page.get_by_label("errcode")).to_have_value("45009")  # one is suggested
    page.get_by_role("button", name="Set fault").click()
    expect(page.get_by_role("row").filter(has_text="sync_msg")).to_contain_text("1 of 1")
    assert served.call("chat_digest", '{"limit": 7}').errcode == 45009
    expect(page.get_by_text("Calls, events and callbacks go through.")).to_be_visible()
    page.get_by_role("link", name="Timeline").click()
    expect(lines.last).to_contain_text("errcode 45009 of sync_msg")
