"""How replies are compared: lists by what they have in common, numbers as they were written."""

import json

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.nightly  # in a browser; test_page, test_walk and test_working_day hold the page as a whole

DIFFERENCES = """async (pairs) => {
    const {differences} = await import("/console/json/diff.js");
    const {readJson} = await import("/console/json/text.js");
    return pairs.map(([one, other]) => differences(readJson(one), readJson(other), 200).map(
        ({path, pathAfter, kind}) => [kind, path, pathAfter]));
}"""


def differences(page: Page, *pairs: tuple[str, str]) -> list[list[list[str]]]:
    found: list[list[list[str]]] = page.evaluate(DIFFERENCES, [list(pair) for pair in pairs])
    return found


def page_of_messages(first: int) -> str:
    return json.dumps(
        {"msg_list": [{"msgid": f"m{n}", "sender": {"id": f"u{n % 3}"}} for n in range(first, first + 75)]}
    )


def test_a_page_of_messages_that_moved_by_one_message_is_two_differences(page: Page) -> None:
    inner = [json.dumps({"response_data": page_of_messages(first)}) for first in (0, 1)]
    moved, in_a_string, both = differences(
        page,
        (page_of_messages(0), page_of_messages(1)),
        (inner[0], inner[1]),
        ('[1, {"a": 1}, 2, 3]', '[0, 1, {"a": 2}, 2, 3]'),
    )
    assert moved == [
        ["removed", "$.msg_list[0]", "$.msg_list[0]"],
        ["added", "$.msg_list[74]", "$.msg_list[74]"],
    ]
    assert [path for _, path, _ in in_a_string] == ["$.response_data().msg_list[0]", "$.response_data().msg_list[74]"]
    assert both == [["added", "$[0]", "$[0]"], ["changed", "$[1].a", "$[2].a"]]


def test_numbers_keep_their_spelling_and_the_order_of_keys_is_no_difference(page: Page) -> None:
    assert differences(
        page,
        ('{"n": 9007199254740993}', '{"n": 9007199254740992}'),
        ("[1.0, 2]", "[1, 2]"),
        ('[{"a": 1, "b": 2}, 3]', '[3, {"b": 2, "a": 1}]'),
        ("[" * 3000 + "1" + "]" * 3000, "[" * 3000 + "2" + "]" * 3000),
    ) == [
        [["changed", "$.n", "$.n"]],
        [["changed", "$[0]", "$[0]"]],
        [["removed", "$[0]", "$[0]"], ["added", "$[1]", "$[1]"]],
        [["changed", "$" + "[0]" * 200, "$" + "[0]" * 200]],
    ]
