"""Each view in both languages and both themes, on a desk and on a phone: usable by everybody, nothing cut off."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.emulator.console.conftest import opened_console
from wwspec_devtools.testing.zone import Zone

VIEWS = ("timeline", "abilities", "events", "faults", "program", "machines", "authorisations")
THEMES = (
    ("en-US", "light", 1280),
    ("zh-CN", "dark", 420),
    pytest.param("zh-CN", "light", 1280, marks=pytest.mark.nightly),  # 5 s of a processor; seen above each by itself
    pytest.param("en-US", "dark", 420, marks=pytest.mark.nightly),  # as the one before
)

pytestmark = pytest.mark.slow  # in a browser; test_page is quick


@pytest.fixture(scope="module")
def busy(served: Zone) -> Zone:
    """Calls, an event, a fault that is left, one that hit, and a move of the clock."""
    client = served.client
    client.reset()
    served.call("chat_digest", {"limit": 5})
    client.fire("hit_keyword")
    client.add_fault("sdk", "errcode", "sync_msg", 45009, 1)
    assert served.call("invoke_sync_msg", '{"limit": 2}').refused_by
    assert served.call("invoke_sync_msg", '{"limit": "many"}').refused_by
    client.add_fault("program", "latency", "", 0.01)
    client.advance(600)
    return served


def expect_usable(page: Page, place: str) -> None:
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    assert found["passes"], place
    serious = [
        (each["id"], [node["target"] for node in each["nodes"]])
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
    ]
    assert serious == [], place


@pytest.mark.parametrize(("locale", "theme", "width"), THEMES)
def test_no_view_has_a_serious_fault_or_is_wider_than_its_window(
    browser: Browser, busy: Zone, axe: str, locale: str, theme: Any, width: int
) -> None:
    window = {"locale": locale, "color_scheme": theme, "viewport": {"width": width, "height": 800}}
    call = next(each["number"] for each in busy.client.traffic() if each["name"] == "chat_digest")
    entry = (
        f"timeline/{call}?q=kind:sdk",
        f"timeline/{call}",
        f"timeline/{call}?tab=http",
        f"timeline/{call}?tab=copy",
        f"timeline/{call}/replay",
    )
    with opened_console(browser, busy.client.url, **window) as page:
        page.evaluate(axe)
        for place in (*VIEWS, *entry, "abilities/chat_digest"):
            page.evaluate("hash => { location.hash = hash }", f"#/{place}")
            expect(page.locator(f"#main[data-view={place.partition('/')[0]}]")).to_be_visible()
            page.wait_for_function("document.querySelector('#main').childElementCount > 0")
            if "?q=" in place and width > 760:  # on a phone the entry is in front of the list
                expect(page.locator(".unwanted").first).to_be_visible()
            expect_usable(page, place)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, place
        page.keyboard.press("Control+k")
        expect(page.get_by_role("option").first).to_be_visible()
        expect_usable(page, "palette")
        page.keyboard.press("Escape")
        page.goto("/#/events")
        page.locator(".lists input[type=search]").fill("in no message")
        expect(page.locator(".lists [role=status]")).not_to_be_empty()
        expect_usable(page, "a list without a row, which is wider than a phone")
