"""The timeline as a person uses it: reading it, opening flows, its query, following what comes, by mouse and keys."""

import json
import re
import shlex
from collections.abc import Sequence

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.apps import ROOT
from tests.support.command import wwspec
from wwspec_devtools.testing.zone import Zone

pytestmark = pytest.mark.nightly  # in a browser; test_page and test_working_day hold the page as a whole


def lines(page: Page, text: str = "") -> Locator:
    """Lines of the list that are in sight and hold a text."""
    return page.get_by_role("treeitem").filter(has_text=text)


def search(page: Page) -> Locator:
    return page.get_by_role("searchbox", name="Search names and bodies")


def expect_nested(entries: Locator, names: Sequence[str]) -> None:
    """The first entries of a flow: each below the one that caused it."""
    for index, name in enumerate(names):
        expect(entries.nth(index)).to_contain_text(name)
        expect(entries.nth(index)).to_have_attribute("aria-level", str(index + 2))


def be_busy(zone: Zone, count: int) -> None:
    """Let the app make calls that cost next to nothing, each a flow of its own."""
    with httpx.Client(base_url=zone.client.url) as http:
        for _ in range(count):
            http.get("/cgi-bin/gettoken", params={"corpid": "nobody", "corpsecret": "none"})


def test_an_event_its_notification_and_the_pages_that_are_fetched_are_one_flow_that_opens_in_place(
    page: Page, served: Zone
) -> None:
    served.fire("conversation_new_message")
    event = served.call("get_callback_data", {}, notify_id=served.notified()).reply
    token = event["conversation_new_message"]["token"]
    first = served.call("invoke_sync_msg", {"token": token, "limit": 2}).reply
    served.call("invoke_sync_msg", {"token": token, "limit": 2, "cursor": first["next_cursor"]})
    flow = lines(page, "conversation_new_message")
    expect(flow).to_have_count(1)
    expect(flow).to_contain_text("event")
    flow.click()
    names = ("conversation_new_message", "spec_notify_app", "program_notify", "get_callback_data", "get_callback_data")
    opened = page.locator("[role=treeitem]:not([aria-level='1'])")
    expect_nested(opened, names)
    expect(opened.filter(has_text="sync_msg").filter(has_text="app")).to_have_count(2)
    opened.nth(1).click()
    expect(page.get_by_role("complementary", name="Entry")).to_contain_text("spec_notify_app")
    expect(page).to_have_url(re.compile(r"#/timeline/\d+$"))
    address = page.url
    page.keyboard.press("Escape")
    expect(page.get_by_role("complementary", name="Entry")).to_be_hidden()
    page.goto("about:blank")
    page.goto(address)
    expect(page.get_by_role("complementary", name="Entry")).to_contain_text("spec_notify_app")
    expect(page.get_by_role("treeitem", selected=True)).to_contain_text("spec_notify_app")
    expect_nested(opened, names)


def test_failures_misfits_faults_and_moves_of_the_clock_are_seen_without_a_click(page: Page, served: Zone) -> None:
    served.client.add_fault("sdk", "errcode", "sync_msg", 45009, 1)
    assert served.call("chat_digest", '{"limit": 10}').refused_by
    failed = lines(page, "chat_digest").first
    for text in ("errcode 45009 of sync_msg", "fault_", "failed"):
        expect(failed).to_contain_text(text)
    assert served.call("chat_digest", '{"limit": "ten"}').refused_by
    expect(lines(page, "input $.limit: an integer expected, a string found")).to_contain_text("failed")
    served.advance(600)
    expect(lines(page, "+10 min")).to_contain_text("virtual clock is now")
    served.advance(3 * 86_400 + 7200)
    expect(lines(page, "+3 d 2 h")).to_be_visible()
    served.client.fire("hit_keyword")
    expect(lines(page, "hit_keyword").locator(".when")).to_have_text(re.compile(r"^\d\d-\d\d \d\d:\d\d$"))
    expect(lines(page, "hit_keyword")).not_to_contain_text("failed")


def test_the_query_is_in_the_url_and_a_text_is_found_in_bodies_that_come_later(page: Page, served: Zone) -> None:
    served.call("chat_digest", '{"limit": 3}')
    assert served.call("no_such_ability", "{}").refused_by
    served.client.fire("hit_keyword")
    page.get_by_role("checkbox", name="Failures only").check()
    expect(lines(page)).to_have_count(1)
    expect(lines(page, "no_such_ability")).to_be_visible()
    expect(search(page)).to_have_value("is:failed")
    search(page).fill("is:failed errcode:800003 kind:call")
    expect(page.get_by_text("No flow fits these filters.")).to_be_visible()
    search(page).fill("is:failed errcode:800003")
    expect(lines(page)).to_have_count(1)
    expect(page).to_have_url(re.compile(r"q=is%3Afailed\+errcode%3A800003$"))
    page.reload()
    expect(page.get_by_role("checkbox", name="Failures only")).to_be_checked()
    expect(lines(page)).to_have_count(1)
    page.get_by_role("button", name="Clear filters").click()
    expect(lines(page, "hit_keyword")).to_be_visible()
    search(page).click()
    page.keyboard.type("a needle in a body")
    expect(page.get_by_text("No flow fits these filters.")).to_be_visible()
    assert served.call("no_such_ability", json.dumps({"hay": "a needle in a body"})).refused_by
    expect(lines(page)).to_have_count(1)
    expect(page.get_by_role("status").filter(has_text="flows")).to_contain_text("1 of")


def test_all_of_it_goes_by_keys(page: Page, served: Zone) -> None:
    served.call("chat_digest", '{"limit": 3}')
    served.client.fire("hit_keyword")
    expect(lines(page, "hit_keyword")).to_be_visible()
    selected = page.get_by_role("treeitem", selected=True)
    detail = page.get_by_role("complementary", name="Entry")
    page.keyboard.press("G")
    expect(selected).to_contain_text("hit_keyword")
    page.keyboard.press("k")
    expect(selected).to_contain_text("chat_digest")
    expect(detail).to_be_hidden()
    page.keyboard.press("Enter")
    expect(selected).to_have_attribute("aria-expanded", "true")
    expect(detail).to_contain_text("sync_call_program")
    for name in ("gettoken", "sync_call_program", "chat_digest", "sync_msg"):
        page.keyboard.press("j")
        expect(selected).to_contain_text(name)
        expect(detail).to_contain_text(name)
    page.keyboard.press("Escape")
    expect(detail).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator(".entry")).to_have_count(0)
    expect(selected).to_contain_text("chat_digest")
    page.keyboard.press("g")
    expect(selected).to_have_attribute("aria-posinset", "1")
    page.keyboard.press("/")
    expect(search(page)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("tree")).to_be_focused()


def test_the_list_follows_its_end_until_the_reader_leaves_it_and_stands_while_it_is_paused(
    page: Page, served: Zone
) -> None:
    be_busy(served, 60)
    assert served.call("no_such_ability", "{}").refused_by
    expect(lines(page, "no_such_ability")).to_be_in_viewport()
    page.keyboard.press("g")
    first = page.locator("[role=treeitem][aria-posinset='1']")
    expect(first).to_be_in_viewport()
    be_busy(served, 5)
    newest = page.get_by_role("button", name="5 new")
    expect(newest).to_be_visible()
    expect(first).to_be_in_viewport()
    newest.click()
    expect(newest).to_be_hidden()
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Paused")).to_be_visible()
    assert served.call("another_ability", "{}").refused_by
    served.client.reset()
    be_busy(served, 1)
    page.keyboard.press("p")
    expect(lines(page, "another_ability")).to_have_count(0)
    expect(lines(page, "gettoken")).to_have_count(1)


def test_an_empty_timeline_says_what_to_do_and_the_commands_do_it(page: Page, served: Zone) -> None:
    expect(page.get_by_role("heading", name="Nothing has happened yet")).to_be_visible()
    commands = page.locator("code").all_inner_texts()
    assert [command.split()[1] for command in commands] == ["call", "fire"]
    for command in commands:
        first, *words = shlex.split(command)
        assert first == "wwspec"
        wwspec(ROOT, *words).check_returncode()
    expect(lines(page, "sync_call_program")).to_be_visible()
    expect(lines(page, "conversation_new_message")).to_be_visible()


def test_ten_thousand_entries_cost_a_screenful_of_lines(page: Page, served: Zone) -> None:
    served.call("chat_digest", {"limit": 3}).raise_for_error()
    row = served.client.traffic(kind="sdk")[0]
    rows = [
        {**row, "number": number, "flow": number, "parent": None, "name": f"api_{number}", "offset_ms": number}
        for number in range(1001, 11_001)
    ]
    entries = json.dumps({"rows": rows, "first": 1001, "missed": 0, "more": False})
    body = f"retry: 600000\nevent: entries\ndata: {entries}\n\n"
    page.route("**/emulator/stream", lambda route: route.fulfill(body=body, content_type="text/event-stream"))
    page.reload()
    expect(lines(page, "api_11000")).to_be_in_viewport()
    expect(page.get_by_text("1000 dropped")).to_be_visible()
    assert lines(page).count() < 60
    search(page).fill("name:api_1234")
    expect(lines(page)).to_have_count(1)
    expect(lines(page, "api_1234")).to_be_visible()


def test_a_narrow_window_and_chinese_show_the_same(page: Page, served: Zone) -> None:
    page.set_viewport_size({"width": 420, "height": 800})
    assert served.call("chat_digest", '{"limit": "ten"}').refused_by
    expect(lines(page, "input $.limit: an integer expected")).to_be_visible()
    page.get_by_role("button", name="中文: switch to Chinese").click()
    failed = lines(page, "输入 $.limit：应为整数")
    expect(failed).to_contain_text("失败")
    assert page.evaluate("document.documentElement.scrollWidth") == 420
    page.get_by_role("searchbox", name="搜索名称与正文").fill("kind:app")
    failed.click()
    expect(page.get_by_role("complementary", name="记录")).to_be_in_viewport()
    expect(page.get_by_role("tree")).to_be_hidden()
    page.get_by_role("button", name="关闭").click()
    expect(failed).to_be_visible()


ROWS = """async (queries) => {
    const {readQuery} = await import("/console/timeline/query.js");
    const row = (number, given) => ({
        number, kind: "app", name: "sync_call_program", ability: "", corpid: "", errcode: 0, program_errcode: null,
        failed: false, duration_ms: 1, replay_of: null, ...given});
    const rows = [
        row(1, {ability: "order", program_errcode: 45009, failed: true, duration_ms: 250}),
        row(2, {ability: "order_cancel", duration_ms: 200}),
        row(3, {name: "gettoken", corpid: "ww1"}),
        row(4, {kind: "sdk", name: "get_spam_result", errcode: -10002, failed: true}),
        row(5, {kind: "event", name: "hit_keyword", duration_ms: null}),
    ];
    const found = new Map([["a text", new Set([1, 2])], ["two words", new Set([2])]]);
    return queries.map((query) => {
        const {condition, problems} = readQuery(query);
        return [rows.filter(condition?.(found) ?? (() => true)).map((each) => each.number), problems];
    });
}"""


def test_each_word_of_a_query_narrows_it_and_a_minus_turns_it_round(page: Page) -> None:
    queries = {
        "ability:order": [1, 2],
        'ability:ORDER errcode:45009 -kind:token dur:>200ms is:failed "a text"': [1],
        "dur:>=0.2s": [1, 2],
        "dur:<200ms": [3, 4],
        "-kind:token -kind:poll": [1, 2, 5],
        "errcode:-10002": [4],
        "is:running": [5],
        "is:ok corp:ww": [3],
        "name:key": [5],
        '"a text" two words': [2],
        '-"a text"': [3, 4, 5],
        "ability:": [1, 2, 3, 4, 5],
        "": [1, 2, 3, 4, 5],
    }
    assert dict(zip(queries, page.evaluate(ROWS, list(queries)), strict=True)) == {
        query: [numbers, []] for query, numbers in queries.items()
    }


def test_what_is_not_understood_is_named_with_what_is_possible_and_left_out(page: Page, served: Zone) -> None:
    problems = [found[1] for found in page.evaluate(ROWS, ["user:bob", "is:bad", "errcode:x", "dur:>200", "kind:x"])]
    for problem, said in zip(
        problems,
        ("There is no filter user:. Filters are is: errcode:", "Write one of: failed", "is not a number", "ms, s, min"),
        strict=False,
    ):
        assert said in problem[0]
    served.client.fire("hit_keyword")
    search(page).fill("is:ok http://x")
    expect(page.get_by_role("alert")).to_contain_text('write "http://x" in quotes')
    expect(lines(page, "hit_keyword")).to_be_visible()
    search(page).fill("")
    expect(page.get_by_role("alert")).to_be_empty()


def test_a_token_is_folded_into_the_call_that_it_is_fetched_for(page: Page, served: Zone) -> None:
    info = served.client.info()
    served.client.reset()
    page.goto("/")
    credentials = {"corpid": info["corpid"], "corpsecret": info["secret"]}
    httpx.get(f"{served.client.url}/cgi-bin/gettoken", params=credentials)
    expect(lines(page)).to_have_count(1)
    served.call("chat_digest", {"limit": 3}).raise_for_error()  # it fetches a token of its own
    call = lines(page, "chat_digest").first
    expect(call).to_contain_text("gettoken › gettoken ›")
    expect(lines(page)).to_have_count(1)
    call.click()
    expect(page.get_by_role("complementary")).to_contain_text("sync_call_program")
    page.keyboard.press("j")
    expect(page.get_by_role("treeitem", selected=True)).to_contain_text("2 × gettoken")
    search(page).fill("kind:token")
    expect(lines(page)).to_have_count(2)
    expect(lines(page).first.locator(".name")).to_have_text("gettoken")
