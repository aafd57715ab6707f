"""JSON made to hurt, hostile ids, and calls of no known kind: each gets its documented answer."""

import json
import re
from typing import Any

import pytest

from tests.hostile.conftest import OK, Ask, Wire
from tests.support.tables import for_each

BOMBS = {
    "arrays 10 k deep": "[" * 10_000 + "]" * 10_000,
    "arrays 100 k deep": "[" * 100_000,
    "arrays 1 M deep": "[" * 1_000_000 + "]" * 1_000_000,
    "objects 10 k deep": '{"a":' * 10_000 + "1" + "}" * 10_000,
    "objects 1 M deep": '{"limit":' * 1_000_000,
    "known objects 100 k deep": '{"input":{"func_req":' * 100_000,
    "a megabyte of commas": "[" + "," * 1_000_000,
    "eight megabytes of text": '{"cursor":"' + "x" * 8_000_000 + '"}',
    "200 k keys": "{" + ",".join(f'"k{number}":1' for number in range(200_000)) + "}",
    "200 k times one key": '{"limit":1' + ',"limit":1' * 200_000 + ',"limit":"x"}',
    "a key of a megabyte": '{"' + "k" * 1_000_000 + '":1}',
    "an integer of 10 k digits": '{"limit":' + "9" * 10_000 + "}",
    "an integer of a million digits": '{"limit":' + "9" * 1_000_000 + "}",
    "a float out of range": '{"limit":1e400}',
    "a float with a million digits": '{"limit":0.' + "3" * 1_000_000 + "}",
    "an exponent of 10 k digits": '{"limit":1e' + "9" * 10_000 + "}",
    "NaN": '{"limit":NaN}',
    "Infinity": '{"limit":-Infinity}',
    "a lone surrogate": '{"cursor":"\\ud800"}',
    "two surrogates the wrong way round": '{"cursor":"\\udc00\\ud800"}',
    "a key that is a surrogate": '{"\\ud800":1}',
    "a byte order mark": "\ufeff{}",
    "UTF-16": "{}".encode("utf-16").decode("latin-1"),
    "NULs": "\x00" * 1000,
    "a comment": "{/* */}",
    "two documents": "{}{}",
    "nothing": "",
}
LARGE = 500_000
"""Characters from which a bomb is left to scripts/test --all: these take most of the time."""
CASES = [
    pytest.param(bomb, id=name, marks=[pytest.mark.slow] if len(bomb) > LARGE else []) for name, bomb in BOMBS.items()
]
ABILITIES = ["invoke_sync_msg", "chat_history", "chat_digest", "group_overview", "python_demo", "get_callback_data"]


@pytest.mark.parametrize("bomb", CASES)
def test_a_json_bomb_is_refused_by_every_kind_of_ability(ask: Ask, bomb: str) -> None:
    calls = [(ability_id, bomb, 1) for ability_id in ABILITIES]
    calls += [("python_demo", f'{{"input":{{"func":"sync_msg","func_req":{bomb}}}}}', 1), ("", bomb, 2)]
    for ability_id, data, call_type in calls:
        reply = ask(ability_id, data, call_type=call_type)
        assert reply["errcode"] == 710660
        assert reply["errmsg"].startswith("input contract: ")
        assert len(reply["errmsg"]) < 200


@pytest.mark.parametrize("bomb", CASES)
def test_an_event_with_a_json_bomb_inside_is_accepted_or_refused_and_fetched_in_a_form_that_fits(
    wire: Wire, bomb: str
) -> None:
    """What an event holds beside its type is WeCom's affair: it is read when the app fetches it."""
    before = len(wire.zone.client.notifications())
    reply = wire.event(f'{{"event_type":"hit_keyword","timestamp":5,"added":{bomb}}}').reply
    message = wire.zone.client.notifications()[before:]
    if reply == OK:
        fetched = wire.call("get_callback_data", "{}", notify_id=message[0]["notify_id"]).reply
        fits = fetched == {"event_type": "hit_keyword", "timestamp": 5}
        assert fits or (fetched["errcode"] == 710660 and fetched["errmsg"].startswith("output contract: "))
    else:
        assert reply["errmsg"].startswith(("input contract: ", "the event could not be stored"))
        assert message == []


def _refused(errmsg: str) -> dict[str, Any]:
    return {"errcode": 710660, "errmsg": errmsg}


HOSTILE_IDS = {
    "": "",
    "a\nb": "a\\nb",
    "a\r\n2026-01-01 ERROR all is lost": "a\\r\\n2026-01-01 ERROR all is lost",
    "\x1b[2J\x1b[31m": "\\x1b[2J\\x1b[31m",
    "a\x00b\x7f\x85\u2028": "a\\x00b\\x7f\\x85\\u2028",
    "\u202eevil": "\\u202eevil",
    "%s%n{0}{request}": "%s%n{0}{request}",
    "../../etc/passwd": "../../etc/passwd",
    "invoke_../sync_msg": "invoke_../sync_msg",
    "invoke___init__": "invoke___init__",
    '"},"errcode":0,"x":{"': '"},"errcode":0,"x":{"',
    "x" * 10_000: "x" * 64 + "…",
    "读" * 3_000: "\\u8bfb" * 64 + "…",
}


@for_each(HOSTILE_IDS.items())
def test_a_hostile_ability_id_is_unknown_and_shown_escaped(ability_id: str, message: str, ask: Ask) -> None:
    assert ask(ability_id) == _refused(f"unknown ability_id {message}")
    assert ask(ability_id, is_async=True) == _refused(f"unknown ability_id {message}")


@for_each([0, 3, -1, 2**31, 2**63, -(10**30)])
def test_an_unknown_call_type_is_refused(call_type: int, ask: Ask) -> None:
    assert ask("invoke_sync_msg", call_type=call_type) == _refused("call_type must be 1 or 2")


HOSTILE_NOTIFY_IDS = ["x", "notify-0", "\n", "a\x00b", "*", "%", "' OR 1=1 --", "../notify.db", "a" * 10_000]
HOSTILE_NOTIFY_IDS.append("读" * 5_000)


@for_each(HOSTILE_NOTIFY_IDS)
def test_a_hostile_notify_id_finds_nothing(notify_id: str, ask: Ask) -> None:
    ask("", '{"event_type":"hit_keyword","timestamp":5}', call_type=2, corpid="another corp")
    assert ask("get_callback_data", notify_id=notify_id) == _refused("no event waits under this notify_id")


@for_each(
    [{"corpid": "ww-other"}, {"agentid": 1}, {"corpid": ""}, {"agentid": 0}, {"agentid": -1}, {"agentid": 2**63 - 1}]
)
def test_the_notify_id_of_another_corp_or_app_finds_nothing(who: dict[str, Any], wire: Wire) -> None:
    assert wire.event('{"event_type":"hit_keyword","timestamp":5}').reply == OK
    notify_id = wire.zone.notified()
    answer = wire.call("get_callback_data", "{}", **{"notify_id": notify_id, **who})
    assert answer.reply == _refused("no event waits under this notify_id")
    assert wire.call("get_callback_data", "{}", notify_id=notify_id).reply["event_type"] == "hit_keyword"


@pytest.mark.parametrize("agentid", [2**63, -(2**63) - 1, 10**300])
def test_an_agentid_that_no_store_can_hold_is_answered(ask: Ask, agentid: int) -> None:
    message = ask("get_callback_data", agentid=agentid, notify_id="x")
    assert message["errmsg"] in ("the event could not be read", "no event waits under this notify_id")
    event = ask("", '{"event_type":"hit_keyword","timestamp":5}', call_type=2, agentid=agentid)
    assert event == _refused("the event could not be stored")


def test_nothing_hostile_made_a_line_of_its_own_in_the_log(wire: Wire) -> None:
    for ability_id in HOSTILE_IDS:
        wire.call(ability_id, "{}")
        wire.event(json.dumps({"event_type": ability_id, "timestamp": 5}))
        wire.call("invoke_sync_msg", json.dumps({ability_id: 1}))
        wire.call("get_callback_data", "{}", notify_id=ability_id)
    lines = wire.zone.program_log().split("\n")
    assert len(lines) > len(HOSTILE_IDS)
    ours = re.compile(r"(\d\d:\d\d:\d\d\.\d{3}  (DEBUG|INFO |WARN |ERROR)| {21})")
    foreign = [ascii(line[:80]) for line in lines if line and not (ours.match(line) and line.isprintable())]
    assert foreign == []
