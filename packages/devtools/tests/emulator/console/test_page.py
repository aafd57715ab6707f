"""The page as a whole: what is in it, and who may use it."""

import re
from contextlib import AbstractContextManager
from typing import Literal

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.support.emulator import http_server
from wwspec_devtools.testing.zone import Zone

Theme = Literal["light", "dark"]
GROUNDS = {"light": "rgb(246, 247, 249)", "dark": "rgb(16, 20, 24)"}


def test_every_view_opens_by_its_link_and_by_its_number(page: Page) -> None:
    views = ["Timeline", "Abilities", "Events", "Faults & clock", "Program", "Machines", "Permissions"]
    for name in views:
        page.get_by_role("link", name=name, exact=True).click()
        expect(page).to_have_title(f"{name} · wwspec")
    for number, name in enumerate(views, start=1):
        page.keyboard.press(str(number))
        expect(page).to_have_title(f"{name} · wwspec")


@pytest.mark.slow  # test_every_view_opens is quick
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


@pytest.mark.nightly  # in a browser; test_every_view_opens is quick
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


@pytest.mark.slow  # opens three pages
@pytest.mark.parametrize(("system", "other"), [("light", "dark"), ("dark", "light")])
def test_the_theme_is_that_of_the_system_until_another_is_chosen(page: Page, system: Theme, other: Theme) -> None:
    body, switch = page.locator("body"), page.get_by_role("button", name="Switch between light and dark")
    page.emulate_media(color_scheme=system)
    expect(body).to_have_css("background-color", GROUNDS[system])
    switch.click()
    expect(body).to_have_css("background-color", GROUNDS[other])
    page.reload()
    expect(body).to_have_css("background-color", GROUNDS[other])
    switch.click()
    page.emulate_media(color_scheme=other)
    expect(body).to_have_css("background-color", GROUNDS[system])


def test_a_page_of_another_server_on_this_machine_changes_nothing(served: Zone) -> None:
    refused = httpx.post(f"{served.client.url}/emulator/reset", headers={"Origin": "http://localhost:3000"})
    assert refused.status_code == 403
    assert "not the console" in refused.json()["errmsg"]
    assert httpx.post(f"{served.client.url}/emulator/reset").status_code == 200


@pytest.mark.slow  # loads the page twice more; test_every_view_opens is quick
def test_nobody_types_into_a_view_that_was_left_while_the_next_one_is_loaded(page: Page) -> None:
    held: list[Route] = []
    page.goto("about:blank")  # the page that is open loads the view, too
    page.route("**/views/abilities.js", lambda route: held.append(route))
    with page.expect_request("**/views/abilities.js"):
        page.goto("/")
    expect(page.get_by_role("searchbox", name="Search names and bodies")).to_be_visible()
    page.get_by_role("link", name="Abilities").click()
    expect(page).to_have_title("Abilities · wwspec")
    expect(page.get_by_role("searchbox")).to_have_count(0)
    page.get_by_role("link", name="Events").click()
    page.get_by_role("link", name="Abilities").click()
    held[0].continue_()
    expect(page.get_by_role("searchbox")).to_have_count(1)
    expect(page.get_by_role("link", name="chat_digest").first).to_be_visible()


@pytest.mark.slow  # opens a page four times
def test_a_malformed_address_shows_a_message_and_the_next_one_its_view(page: Page) -> None:
    for place in ("#/timeline/%E0%A4%A", "#/%", "#/abilities/%ff/%"):
        page.goto(f"/{place}")
        expect(page.get_by_text("There is no such view.")).to_be_visible()
    page.reload()
    expect(page.get_by_text("There is no such view.")).to_be_visible()
    page.get_by_role("link", name="Events", exact=True).click()
    expect(page.get_by_role("button", name="Fire")).to_be_visible()


def other_site(page: str) -> AbstractContextManager[str]:
    """Serve a page of somebody else on this machine, and give its URL."""
    html = {"content-type": "text/html"}
    return http_server(lambda headers, body: (405, {}, b""), lambda path: (200, html, page.encode()))


@pytest.mark.slow  # a window more; test_the_page_may_not_be_in_a_frame is quick
def test_a_browser_shows_no_console_in_the_frame_of_another_site(browser: Browser, served: Zone) -> None:
    with other_site(f'<iframe src="{served.client.url}/"></iframe>') as url, browser.new_context() as context:
        page = context.new_page()
        with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
            page.goto(url)
        assert page.frames[1].locator("#main").count() == 0


@pytest.mark.slow  # a window more; http/test_guard.py is quick
def test_a_browser_lets_another_site_read_and_change_nothing(browser: Browser, served: Zone) -> None:
    fault = served.client.add_fault("sdk", "latency", "", 0)
    send = """async url => {
        const results = [];
        for (const [path, options] of [
            ["/emulator/reset", {method: "POST"}],
            ["/emulator/reset", {method: "POST", mode: "no-cors"}],
            ["/emulator/traffic", {}],
            ["/emulator/traffic", {mode: "no-cors"}],
        ]) {
            results.push(await fetch(url + path, options).then(answer => answer.type, () => "refused"));
        }
        return results;
    }"""
    with other_site("<p>here</p>") as url, browser.new_context() as context:
        page = context.new_page()
        page.goto(url)
        assert page.evaluate(send, served.client.url) == ["refused"] * 4
    assert [each["id"] for each in served.client.faults()] == [fault]


def test_the_page_may_not_be_in_a_frame_and_runs_no_script_but_its_own(served: Zone) -> None:
    for path in ("/", "/console/app.js", "/console/console.css"):
        answer = httpx.get(f"{served.client.url}{path}")
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "script-src 'self';" in policy
        assert answer.headers["x-frame-options"] == "DENY"
