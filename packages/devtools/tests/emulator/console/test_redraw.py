"""What a person has begun stays when the page draws itself anew: drafts, the focus, the place in the list."""

import pytest
from playwright.sync_api import Page, expect

from wwspec_devtools.testing.zone import Zone

pytestmark = pytest.mark.nightly  # in a browser; test_page, test_walk and test_working_day hold the page as a whole


def test_drafts_of_every_form_survive_a_change_of_view_and_of_language(page: Page, served: Zone) -> None:
    served.call("chat_history", {"limit": 2}).raise_for_error()
    number = served.client.traffic(kind="call")[-1]["number"]
    page.goto("/#/abilities/chat_history")
    page.locator("form textarea").fill('{"limit": 1.0}')
    page.get_by_label("notify_id").fill("n1")
    page.goto("/#/abilities/chat_history?tab=compare")
    page.locator("textarea").first.fill('{"a": 1}')
    page.goto("/#/events/hit_keyword")
    page.get_by_label("token").fill("a token")
    page.locator("[aria-labelledby=say-title] textarea").fill("not said yet")
    page.goto("/#/faults")
    page.get_by_label("API, ability ID or event type").fill("sync_msg")
    page.get_by_label("errcode").fill("45009")
    page.goto(f"/#/timeline/{number}/replay")
    page.get_by_label("Request (JSON)").fill('{"limit": 7}')
    page.get_by_label("Times").fill("3")

    page.get_by_role("button", name="中文: switch to Chinese").click()
    expect(page.get_by_label("请求（JSON）")).to_have_value('{"limit": 7}')
    expect(page.get_by_label("次数")).to_have_value("3")
    page.goto("/#/abilities/chat_history")
    expect(page.locator("form textarea")).to_have_value('{"limit": 1.0}')
    expect(page.locator(".schema-form input").first).to_be_visible()
    expect(page.get_by_label("notify_id")).to_have_value("n1")
    page.goto("/#/abilities/chat_history?tab=compare")
    expect(page.locator("textarea").first).to_have_value('{"a": 1}')
    page.goto("/#/events/hit_keyword")
    expect(page.get_by_label("token")).to_have_value("a token")
    expect(page.locator("[aria-labelledby=say-title] textarea")).to_have_value("not said yet")
    expect(page.get_by_text("wwspec fire hit_keyword --set 'token=a token'")).to_be_visible()
    page.goto("/#/faults")
    expect(page.get_by_text("wwspec zone fault sdk errcode 45009 --api sync_msg")).to_be_visible()
    page.goto("/#/faults?on=app&api=gettoken")
    expect(page.get_by_text("wwspec zone fault app errcode 45009 --api gettoken")).to_be_visible()
