"""How the page is loaded: what the list waits for, and how the files are sent."""

import json
import re

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.emulator.console.test_timeline import lines
from wwspec_devtools.testing.zone import Zone

pytestmark = pytest.mark.nightly  # in a browser; test_page and test_working_day hold the page as a whole

ENTRIES_AT_ONCE = """async () => {
    const { TrafficRecord } = await import("/console/record.js");
    const record = new TrafficRecord();
    const shown = [];
    await new Promise((done) => {
        record.addEventListener("rows", ({ detail }) => {
            if (detail === null) return;
            shown.push([...detail]);
            done();
        });
        record.start();
    });
    return shown[0];
}"""
"""The flows of the first drawing."""


def test_the_list_needs_no_module_but_those_that_the_page_names(browser: Browser, served: Zone) -> None:
    shell = httpx.get(served.client.url).text
    named = set(re.findall(r'<link rel="modulepreload" href="console/([^"]+)">', shell))
    asked: list[str] = []

    def only_named(route: Route) -> None:
        name = route.request.url.partition("/console/")[2]
        asked.append(name)
        if name in named:
            route.continue_()
        else:
            route.abort()

    served.client.reset()
    served.call("chat_digest", {"limit": 3})
    with browser.new_context(base_url=served.client.url, locale="en-US") as context:
        page = context.new_page()
        page.route("**/console/**/*.js", only_named)
        page.goto("/")
        expect(lines(page, "chat_digest")).to_be_visible()
    assert named <= set(asked)
    assert not {
        name for name in named if name.startswith(("entry/", "schema/", "views/")) and name != "views/timeline.js"
    }


def test_the_record_is_read_before_the_rest_of_the_page_is_there(browser: Browser, served: Zone) -> None:
    with browser.new_context(base_url=served.client.url, locale="en-US") as context:
        page = context.new_page()
        page.route("**/console/app.js", lambda _: None)
        with page.expect_request("**/emulator/stream"):
            page.goto("/", wait_until="commit")
        page.unroute_all(behavior="ignoreErrors")


def test_an_entry_that_was_left_while_its_view_is_loaded_is_not_shown(page: Page, served: Zone) -> None:
    held: list[Route] = []
    served.call("chat_digest", {"limit": 3})
    page.goto("about:blank")  # the page that is open loads the view, too
    page.route("**/views/entry.js", lambda route: held.append(route))
    with page.expect_request("**/views/entry.js"):
        page.goto("/?#/timeline/1")
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile("#/timeline$"))
    held[0].continue_()
    page.evaluate("import('/console/views/entry.js')")
    expect(page.locator(".detail > div")).to_be_empty()
    page.evaluate("location.hash = '#/timeline/2'")
    expect(page.get_by_role("complementary", name="Entry").get_by_role("heading").first).to_be_visible()


def test_rows_that_come_in_several_batches_are_shown_together(page: Page, served: Zone) -> None:
    served.call("chat_digest", {"limit": 3})
    row = served.client.traffic()[0]
    batches = [
        {"rows": [{**row, "number": number, "flow": number}], "first": 1, "missed": 0, "more": number < 3}
        for number in (1, 2, 3)
    ]
    body = "".join(f"event: entries\ndata: {json.dumps(each)}\n\n" for each in batches)
    page.route("**/emulator/stream", lambda route: route.fulfill(body=body, content_type="text/event-stream"))
    assert page.evaluate(ENTRIES_AT_ONCE) == [1, 2, 3]


def test_a_file_that_the_browser_has_is_not_sent_again(served: Zone) -> None:
    url = f"{served.client.url}/console/app.js"
    first = httpx.get(url)
    assert (first.status_code, first.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    again = httpx.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert httpx.get(url, headers={"If-None-Match": '"another"'}).content == first.content


@pytest.mark.parametrize("name", ["nothing.js", "", "%2e%2e/page.py", "%2e%2e/shell.html", "views"])
def test_only_files_of_the_page_are_served(served: Zone, name: str) -> None:
    assert httpx.get(f"{served.client.url}/console/{name}").status_code == 404
