"""What a person has begun stays when the page draws itself anew: drafts, the focus, the place in the list."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.emulator.console.test_timeline import be_busy, lines
from tests.support.waiting import DEADLINE
from wwspec_devtools.testing.zone import Zone

pytestmark = pytest.mark.nightly  # in a browser; test_page and test_working_day hold the page as a whole


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


def test_the_focus_stays_when_the_bar_a_list_or_a_command_is_drawn_anew(page: Page, served: Zone) -> None:
    language = page.get_by_role("button", name=re.compile("switch to Chinese|切换为英文"))
    language.focus()
    page.keyboard.press("Enter")
    expect(language).to_have_text("English")
    expect(language).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Paused")).to_be_visible()
    expect(language).to_be_focused()
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Live")).to_be_visible()

    events = page.get_by_role("link", name="Events", exact=True)
    events.focus()
    page.keyboard.press("Enter")
    expect(events).to_have_attribute("aria-current", "page")
    expect(events).to_be_focused()

    page.goto("/#/abilities/chat_digest")
    ability = page.get_by_role("link", name="chat_history")
    ability.focus()
    page.keyboard.press("Enter")
    expect(ability).to_have_attribute("aria-current", "page")
    expect(ability).to_be_focused()

    served.client.add_fault("sdk", "latency", "", 0, 5)
    page.goto("/#/faults")
    clear = page.get_by_role("button", name="Clear fault")
    clear.focus()
    served.call("chat_history", {"limit": 1}).raise_for_error()
    expect(page.get_by_role("row").filter(has_text="4 of 5")).to_be_visible()
    expect(clear).to_be_focused()


def test_the_button_of_the_newest_line_hides_none(page: Page, served: Zone) -> None:
    be_busy(served, 60)
    expect(page.locator("[aria-posinset='60']")).to_be_in_viewport()
    page.keyboard.press("g")
    newest = page.get_by_role("button", name="Newest")
    expect(newest).to_be_visible()
    page.mouse.move(300, 300)
    for _ in range(3):
        box, listed = newest.bounding_box(), page.get_by_role("tree").bounding_box()
        assert box is not None
        assert listed is not None
        assert box["y"] >= listed["y"] + listed["height"]
        page.mouse.wheel(0, 200)
    newest.click()
    expect(newest).to_be_hidden()
    expect(page.locator("[aria-posinset='60']")).to_be_in_viewport(ratio=1)


def test_an_address_of_an_entry_shows_the_head_of_its_flow_above_it(page: Page, served: Zone) -> None:
    served.submit("chat_digest", {"limit": 2}).result(DEADLINE).raise_for_error()
    number = served.client.traffic(kind="sdk")[-1]["number"]
    be_busy(served, 60)
    page.goto("about:blank")
    page.goto(f"/#/timeline/{number}")
    expect(page.get_by_role("treeitem", selected=True)).to_be_in_viewport(ratio=1)
    expect(lines(page, "chat_digest").first).to_be_in_viewport(ratio=1)
    expect(page.locator("[aria-level='1'][aria-expanded=true]")).to_be_in_viewport(ratio=1)


def test_the_lines_of_a_flow_are_named_by_what_they_are(page: Page, served: Zone) -> None:
    served.call("chat_history", {"limit": 2}).raise_for_error()
    head = lines(page, "chat_history")
    expect(head.locator(".name")).to_have_text("chat_history")
    head.click()
    names = page.locator(".entry .name")
    expect(names).to_have_text(["gettoken", "sync_call_program", "chat_history", "sync_msg"])
    expect(page.locator(".entry .via")).to_have_text([""] * 4)


def test_the_current_view_is_in_sight_on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto("/#/program")
    expect(page.get_by_role("link", name="Program", exact=True)).to_be_in_viewport(ratio=0.95)
    page.goto("/#/timeline")
    expect(page.get_by_role("link", name="Timeline", exact=True)).to_be_in_viewport(ratio=0.95)


def test_what_has_a_style_of_its_own_changes_in_place(page: Page) -> None:
    """The page's policy refuses a style as an attribute; the fixture of the page fails for what it refuses."""
    page.goto("/#/timeline")
    width = page.evaluate(
        """async () => {
            const { h, update } = await import("/console/dom.js");
            const bar = (width) => { const made = h("span"); made.style.width = width; return made; };
            const parent = h("div", {}, bar("10%"));
            const before = parent.firstChild;
            update(parent, bar("70%"));
            return [parent.firstChild.style.width, parent.firstChild === before];
        }"""
    )
    assert width == ["70%", True]
