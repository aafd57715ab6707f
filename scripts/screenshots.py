#!/usr/bin/env python3
"""Takes pictures of the console in Debian's Chromium, with the reference program and an emulator at work.

usage: scripts/screenshots.py [FOLDER]    docs/pictures/console by default
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from wwspec_devtools.testing.zone import Zone

ROOT = Path(__file__).resolve().parents[1]
OPTIONS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
LANGUAGES = {"en": "en-US", "zh": "zh-CN"}
THEMES = ("light", "dark")
SIZE = {"width": 1280, "height": 800}


def play(zone: Zone) -> dict[str, str]:
    """Let something happen, and return the place of each picture: its name -> the hash of its URL."""
    client = zone.client
    client.receive_events()
    zone.call("chat_digest", {"limit": 200})
    zone.call("group_overview", {"chatid": next(iter(client.info()["groups"]))})
    client.fire("conversation_new_message")
    notified = client.notifications()
    if notified:
        zone.call("get_callback_data", notify_id=notified[-1]["notify_id"])
    client.advance(600)
    client.add_fault("sdk", "errcode", "sync_msg", 45009, 1)
    zone.call("invoke_sync_msg", '{"limit": 20}')
    zone.call("invoke_sync_msg", '{"limit": "many"}')
    zone.submit("chat_digest", {"limit": 50}).result()
    zone.call("invoke_sync_msg", '{"limit": 2}')
    calls = [entry for entry in client.traffic() if entry["kind"] == "call" and entry["name"] == "chat_digest"]
    number = calls[0]["number"]
    return {
        "timeline": "#/timeline",
        "entry": f"#/timeline/{number}",
        "replay": f"#/timeline/{number}/replay",
        "abilities": "#/abilities/chat_digest",
    }


def pictures(browser: Browser, url: str, places: dict[str, str]) -> Iterator[tuple[str, Page]]:
    """Yield the name of each picture and a page that shows it."""
    for language, locale in LANGUAGES.items():
        for theme in THEMES:
            context = browser.new_context(
                base_url=url,
                locale=locale,
                color_scheme=theme,  # type: ignore[arg-type]  # a literal
                viewport=SIZE,  # type: ignore[arg-type]  # a TypedDict
                reduced_motion="reduce",
            )
            with context:
                for name, place in places.items():
                    page = context.new_page()
                    page.goto(f"/{place}")
                    page.locator("#main[data-view]").wait_for()
                    page.wait_for_timeout(700)  # for the picture only: what streams in has no end to wait for
                    yield f"{name}-{language}-{theme}", page
                    page.close()


def main(folder: Path) -> None:
    """Take all pictures."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("scripts/screenshots: chromium is missing: see scripts/needs")
    folder.mkdir(parents=True, exist_ok=True)
    with Zone.serve(ROOT) as zone, sync_playwright() as playwright:
        places = play(zone)
        browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
        for name, page in pictures(browser, zone.client.url, places):
            page.screenshot(path=folder / f"{name}.png")
            print(folder / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures" / "console")
