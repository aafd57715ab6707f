"""One exchange in the console: what is shown of it, its copies, its replays, and how replies are compared."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.apps import ROOT, write_files
from tests.support.waiting import DEADLINE
from wwspec_devtools.testing.zone import CallRefusedError, Zone

pytestmark = pytest.mark.nightly  # in a browser; test_page and test_working_day hold the page as a whole

WORDS = {"input": {"func": "word_count", "func_req": {"word": "退款", "texts": ['it is "退款"', "发票"]}}}
MIB = 1024 * 1024 - 4096


def last(zone: Zone, kind: str) -> int:
    """Return the number of the latest entry of a kind."""
    return int(zone.client.traffic(kind=kind)[-1]["number"])


def pane(page: Page) -> Locator:
    return page.get_by_role("complementary")


def opened(page: Page, number: int, tab: str = "") -> Locator:
    page.goto(f"/#/timeline/{number}{f'?tab={tab}' if tab else ''}")
    shown = page.get_by_role("article").filter(has=page.get_by_role("heading", name=f"#{number} "))
    expect(shown).to_be_visible()
    return shown


def copied(page: Page, number: int, kind: str) -> str:
    """Return what the button copies."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    card = opened(page, number, "copy").get_by_role("region", name=kind)
    card.get_by_role("button", name="Copy").click()
    expect(page.get_by_text("Copied", exact=True).last).to_be_visible()
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_an_entry_shows_both_bodies_what_it_caused_and_what_misses_the_contract(page: Page, served: Zone) -> None:
    served.call("chat_history", {"limit": 3}).raise_for_error()
    app, call, sdk = (last(served, kind) for kind in ("app", "call", "sdk"))
    assert served.call("chat_history", {"limit": 3, "limitx": 1}).errcode == 790016

    entry = opened(page, app)
    expect(entry.get_by_role("region", name="Request", exact=True)).to_contain_text("request_data: {1}JSON in a string")
    expect(entry.get_by_role("region", name="Reply", exact=True)).to_contain_text("msg_list: [3]")
    caused = entry.get_by_role("list", name="What it caused").get_by_role("listitem")
    expect(caused).to_have_count(2)
    expect(caused.first).to_contain_text("Call of the program")
    caused.nth(1).get_by_role("link", name=f"#{sdk} sync_msg").click()
    expect(pane(page).get_by_label("Facts")).to_contain_text(f"Caused by#{call} chat_history")
    pane(page).get_by_label("Facts").get_by_role("link", name=f"#{call} chat_history").click()
    expect(pane(page).get_by_label("Facts")).to_contain_text("request_id")

    page.get_by_role("tab", name="Tree").focus()
    for name in ("Text", "As sent", "HTTP"):
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", name=name)).to_be_focused()
    expect(page).to_have_url(f"{served.client.url}/#/timeline/{call}?tab=http")
    expect(page.get_by_role("tabpanel")).to_contain_text("ww-signature")
    page.get_by_role("tab", name="As sent").click()
    expect(page.get_by_role("tabpanel")).to_contain_text("Sealed")
    page.get_by_role("tab", name="Text").click()
    expect(page.get_by_role("tabpanel")).to_contain_text('"limit": 3')

    misfit = opened(page, last(served, "app"))
    expect(misfit.locator(".problem").first).to_contain_text("input $.limitx: this key is not in the contract")
    expect(misfit.get_by_role("tabpanel", name="Why")).to_contain_text("Send what fits the input contract that wwspec")
    misfit.get_by_role("tab", name="Tree").click()
    expect(misfit.locator('[data-path="$.request_data().limitx"]')).to_contain_text("this key is not in the contract")
    misfit.get_by_role("link", name="Let this fail next time").click()
    expect(page).to_have_url(f"{served.client.url}/#/faults?on=app&api=sync_call_program&count=1")


def test_the_copied_lines_do_the_same_when_they_are_pasted(page: Page, served: Zone) -> None:
    served.call("input_word_count", WORDS).raise_for_error()
    number = last(served, "app")
    for kind in ("wwspec", "curl, as an enterprise app"):
        line = copied(page, number, kind)
        path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
        done = subprocess.run(["/bin/bash", "-c", line], env={"PATH": path}, capture_output=True, text=True, check=True)
        answer = json.loads(done.stdout)
        assert json.loads(answer.get("response_data", done.stdout)) == {"errcode": 0, "errmsg": "ok", "count": 1}
        assert last(served, "app") > number


def test_calls_events_and_faults_copied_as_tests_run_green(page: Page, served: Zone, tmp_path: Path) -> None:
    numbers = dict(exchanges(served))
    files = {f"tests/test_{name}.py": copied(page, number, "pytest test") for name, number in numbers.items()}
    assert (
        'zone.client.add_fault("sdk", "errcode", api="sync_msg", value=45009, count=1)' in files["tests/test_fault.py"]
    )
    assert "***" not in files["tests/test_words.py"]
    fresh = "import pytest\n\n\n@pytest.fixture(autouse=True)\ndef fresh(zone):\n    zone.client.reset()\n"
    folder = write_files(tmp_path, {**files, "conftest.py": fresh, "pytest.ini": f"[pytest]\nwwspec_app = {ROOT}\n"})
    ran(["ruff", "format", "--isolated", "--check", "tests"], folder)
    ran(["ruff", "check", "--isolated", "--select", "E,F,I", "tests"], folder)
    assert f"{len(files)} passed" in ran(["pytest", "-q", "-p", "no:cacheprovider", "tests"], folder)


def ran(tool: list[str], folder: Path) -> str:
    done = subprocess.run([sys.executable, "-m", *tool], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def exchanges(zone: Zone) -> list[tuple[str, int]]:
    """Let one exchange of each sort happen, and return the numbers of their entries."""
    found = []

    def note(name: str, kind: str = "app") -> None:
        found.append((name, last(zone, kind)))

    zone.call("input_word_count", WORDS).raise_for_error()
    note("words")
    zone.call("chat_history", {"limit": 3}).raise_for_error()
    note("shape", "sdk")
    assert zone.call("chat_history", {"limitx": 3}).errcode == 790016
    note("misfit")
    assert zone.call("chat_history", "{").errcode == 790015
    note("no_json")
    event = zone.fire("conversation_new_message")["event"]
    note("event", "event")
    zone.call("get_callback_data", {}, zone.notified()).raise_for_error()
    note("fetch")
    zone.call("chat_history", {"limit": 2, "token": event["conversation_new_message"]["token"]}).raise_for_error()
    note("token")
    zone.submit("chat_digest", {"limit": 5}).result(DEADLINE).raise_for_error()
    note("job", "call")
    with pytest.raises(CallRefusedError):
        zone.submit("chat_digest", {"limitx": 5})
    note("refused_job")
    assert zone.client.app_call("get_auth_user_list", {"limit": 1})["errcode"] == 0
    note("app_api")
    zone.call("daily_digest").raise_for_error()
    note("notifies")
    zone.client.add_fault("sdk", "errcode", "sync_msg", 45009, 1)
    assert zone.call("chat_history", {"limit": 4}).errcode == 45009
    note("fault")
    zone.client.add_fault("program", "errcode", value=710676, count=1)
    assert zone.call("chat_history", {"limit": 4}).errcode == 710676
    note("program_fault", "call")
    zone.client.replay(dict(found)["words"] + 1, data='{"input": 1}')
    note("replay", "call")
    return found


def test_a_call_is_edited_checked_while_typing_sent_and_compared(page: Page, served: Zone) -> None:
    served.call("chat_history", {"limit": 2}).raise_for_error()
    number = last(served, "call")
    opened(page, last(served, "app"))
    page.keyboard.press("r")
    expect(page.get_by_role("heading", name=f"Replay #{number}")).to_be_visible()
    request = page.get_by_label("Request (JSON)")
    expect(request).to_be_focused()
    expect(request).to_have_value('{\n  "limit": 2\n}')

    request.fill('{\n  "limit": 2\n  "limitx": 1\n}')
    check = pane(page).get_by_role("status").first
    expect(check).to_contain_text("Line 3, column 3: a comma or a closing bracket is missing")
    expect(check.locator("code")).to_have_text('"limitx": 1')
    request.fill('{\n  "limit": 2,\n  "limitx": 1\n}')
    expect(check).to_contain_text("Does not fit the console contract at $.limitx")
    expect(check.locator("code")).to_have_text('"limitx": 1')
    expect(request).to_have_attribute("aria-invalid", "true")
    pane(page).get_by_label("Ability").fill("chat_histry")
    expect(page.get_by_text("Not checked: did you mean chat_history?")).to_be_visible()
    pane(page).get_by_label("Ability").fill("chat_history")
    request.fill('{"limit":3}')
    page.get_by_role("button", name="Format").click()
    expect(request).to_have_value('{\n  "limit": 3\n}')
    expect(page.get_by_text("Fits the console contract")).to_be_visible()
    line = page.get_by_text(f"wwspec zone replay {number} --data").inner_text()

    request.press("Control+Enter")
    compared = page.get_by_role("region", name=f"Reply of #{number}")
    expect(compared.get_by_text("2 differences: 1 changed, 1 added, 0 removed")).to_be_visible()
    expect(compared.get_by_role("row").filter(has_text="$.msg_list[2]")).to_be_visible()

    page.get_by_label("Times").fill("3")
    page.get_by_role("button", name="Send").click()
    results = page.get_by_role("region", name="Results")
    expect(results.get_by_text("3 sent, 0 failed")).to_be_visible()
    results.get_by_role("link").last.click()
    expect(pane(page).get_by_label("Facts")).to_contain_text(f"Replay of#{number} chat_history")

    done = subprocess.run(
        ["/bin/bash", "-c", line], env={"PATH": f"{Path(sys.executable).parent}:/bin"}, capture_output=True, check=True
    )
    assert len(json.loads(done.stdout)["msg_list"]) == 3
    page.go_back()
    expect(request).to_have_value('{\n  "limit": 3\n}')  # the draft is kept
    page.get_by_role("button", name="Restore").click()
    expect(request).to_have_value('{\n  "limit": 2\n}')
    page.keyboard.press("Escape")
    expect(page).to_have_url(f"{served.client.url}/#/timeline/{number}")
    expect(page.get_by_role("heading", name=f"#{number} ")).to_be_focused()
    page.keyboard.press("c")
    expect(page.get_by_role("tab", name="Copy as")).to_have_attribute("aria-selected", "true")


def test_a_masked_secret_of_an_edited_request_is_put_back_and_an_event_has_no_contract(
    page: Page, served: Zone
) -> None:
    event = served.fire("conversation_new_message")["event"]
    served.call("chat_history", {"token": event["conversation_new_message"]["token"]}).raise_for_error()
    page.goto(f"/#/timeline/{last(served, 'call')}/replay")
    request = page.get_by_label("Request (JSON)")
    expect(request).to_have_value('{\n  "token": "***"\n}')
    request.fill('{"token": "***", "limit": 1}')
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("region", name="Results")).to_contain_text("ok")
    page.goto(f"/#/timeline/{last(served, 'event')}/replay")
    expect(page.get_by_text("An event: no console contract applies")).to_be_visible()
    expect(pane(page).get_by_label("Ability")).to_have_count(0)


HOSTILE = {
    "markup": json.dumps(
        {"a": "</script><script>window.harm = 1</script>", "<img src=x onerror='window.harm = 1'>": 1}
    ),
    "directions": json.dumps({"\u202eevil": "\u200fabc\u202e"}, ensure_ascii=False),
    "nesting": "[" * (MIB // 2) + "]" * (MIB // 2),
    "one text": json.dumps("汉" * (MIB // 3), ensure_ascii=False),
    "long list": json.dumps(list(range(MIB // 9))),
    "no JSON": "<html>\x00",
}


def test_hostile_bodies_and_names_are_shown_as_text(page: Page, served: Zone) -> None:
    served.call("input_word_count", WORDS).raise_for_error()
    number = last(served, "call")
    shown: dict[str, Any] = {}
    for name, body in HOSTILE.items():
        served.client.replay(number, data=body, ability_id="<img src=x onerror='window.harm = 1'>")
        replayed = last(served, "call")
        served.call("input_word_count", body).raw  # noqa: B018 - the answer has been looked at
        for entry in (replayed, last(served, "app")):
            for tab in ("tree", "text", "sent", "copy"):
                panel = opened(page, entry, tab).get_by_role("tabpanel")
                expect(panel).not_to_be_empty()
                expect(panel).not_to_have_text("Loading…")
                shown[f"{name} {tab}"] = panel.inner_text()
        page.goto(f"/#/timeline/{replayed}/replay")
        expect(page.get_by_role("heading", name=f"Replay #{replayed}")).to_be_visible()
    assert "</script><script>window.harm = 1</script>" in shown["markup tree"]
    assert r"\u202eevil" in shown["directions tree"]
    assert page.evaluate("window.harm") is None


def test_json_is_read_and_written_without_loss(page: Page) -> None:
    texts = [
        '{"n":12345678901234567890,"f":1.0,"e":1E5,"z":-0,"__proto__":[{}],"s":"\\u202e\\"\\\\"}',
        "[ ]",
        '"a"',
        "1",
    ]
    script = """async (texts) => {
        const [{parseJson, indexOfPath}, {formatJson}] = await Promise.all(
            ["json/text", "json/format"].map((name) => import(`/console/${name}.js`)));
        const error = (text) => {
            try { parseJson(text); } catch ({line, column, reason}) { return [line, column, reason]; }
        };
        return {
            same: texts.map((text) => formatJson(formatJson(text), {isFlat: true})),
            errors: ['{"a": 1\\n "b": 2}', "{'a': 1}", '["a\\n"]', "[1,", '{"a":1,}', "[] 1", '"\\\\x"'].map(error),
            index: indexOfPath('{"a": [0, {"b": 1}]}', "$.a[1].b"),
        };
    }"""
    got = page.evaluate(script, texts)
    assert [json.loads(text) for text in got["same"]] == [json.loads(text) for text in texts]
    assert '"f": 1.0, "e": 1E5, "z": -0' in got["same"][0]
    assert got["errors"] == [
        [2, 2, "json.comma"],
        [1, 2, "json.key"],
        [1, 4, "json.control"],
        [1, 4, "json.end"],
        [1, 8, "json.key.next"],
        [1, 4, "json.rest"],
        [1, 2, "json.escape"],
    ]
    assert got["index"] == 16


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
        ('{"a": [1, 2, 3], "c": 0}', '{"a": [1, 3], "d": 0}'),
        ('[{"a": 1, "b": 2}, 3]', '[3, {"b": 2, "a": 1}]'),
        ("[" * 3000 + "1" + "]" * 3000, "[" * 3000 + "2" + "]" * 3000),
    ) == [
        [["changed", "$.n", "$.n"]],
        [["changed", "$[0]", "$[0]"]],
        [["removed", "$.a[1]", "$.a[1]"], ["removed", "$.c", "$.c"], ["added", "$.d", "$.d"]],
        [["removed", "$[0]", "$[0]"], ["added", "$[1]", "$[1]"]],
        [["changed", "$" + "[0]" * 200, "$" + "[0]" * 200]],
    ]
