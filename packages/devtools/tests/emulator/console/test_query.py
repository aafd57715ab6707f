"""The timeline's query: what it understands, and how flows are folded, sorted and measured."""

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.emulator.console.test_timeline import lines, search
from wwspec_devtools.testing.zone import Zone

pytestmark = pytest.mark.nightly  # in a browser; test_page, test_walk and test_working_day hold the page as a whole

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
