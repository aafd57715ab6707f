"""SDK APIs that a test answers by hand, in each form of a zone that it starts."""

import re
from typing import Any

import pytest

from wwspec_contracts import sync_msg
from wwspec_devtools.testing.zone import Zone

EMPTY = {"errcode": 0, "errmsg": "ok", "msg_list": [], "has_more": 0}
BUSY = {"errcode": 45009, "errmsg": "api freq out of limit"}


def digest(zone: Zone) -> tuple[int, int | None]:
    """Return the errcode of the reference program's digest, and how many messages it has read."""
    answer = zone.call("chat_digest", {"limit": 5})
    return answer.errcode, None if answer.errcode else answer.reply["messages"]


def test_answers_come_in_their_order_and_work_until_they_are_cleared(zone: Zone) -> None:
    zone.answer("sync_msg", EMPTY)
    zone.answer("sync_msg", BUSY, times=1)
    zone.answer("sync_msg", {**BUSY, "errcode": 45011}, times=1)
    assert [digest(zone) for _ in range(3)] == [(45009, None), (45011, None), (0, 0)]
    zone.answer("sync_msg", EMPTY)
    assert [digest(zone), digest(zone)] == [(0, 0), (0, 0)]
    assert zone.client.clear_answers("get_group_chat") == 0
    assert zone.client.clear_answers("sync_msg") == 1
    assert digest(zone) == (0, 5)


def test_an_answer_may_be_a_contract_and_replaces_the_one_before(zone: Zone) -> None:
    zone.answer("sync_msg", sync_msg.Response(errcode=45009, errmsg="busy"), times=1)
    assert digest(zone) == (45009, None)
    zone.answer("sync_msg", BUSY)
    zone.answer("sync_msg", EMPTY)
    assert digest(zone) == (0, 0)
    assert [each["id"] for each in zone.client.faults()] == ["answer_3"]


def test_a_function_gets_each_request_and_returns_the_reply(zone: Zone) -> None:
    asked = []

    def busy_once(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request["limit"])
        return BUSY if len(asked) == 1 else EMPTY

    zone.answer("sync_msg", busy_once)
    assert [digest(zone), digest(zone)] == [(45009, None), (0, 0)]
    assert asked == [5, 5]


@pytest.mark.parametrize("wrong", [ZeroDivisionError("boom"), "a text"], ids=["raises", "returns a text"])
def test_a_function_that_fails_is_a_failure_of_the_sdk_and_of_the_test(zone: Zone, wrong: object) -> None:
    def function(request: dict[str, Any]) -> object:
        if isinstance(wrong, Exception):
            raise wrong
        return wrong

    zone.answer("sync_msg", function)
    assert "-10001" in zone.call("chat_digest").errmsg
    [said] = zone.unseen_refusals()
    assert said.startswith("the function that answers sync_msg failed: ")
    assert ("boom" if isinstance(wrong, Exception) else "not str") in said
    assert isinstance(wrong, str) or re.search(r"ZeroDivisionError at test_answers\.py:\d+ function", said)


def test_the_record_says_that_a_call_was_answered_by_hand_and_a_recorded_test_answers_so(zone: Zone) -> None:
    answer_id = zone.answer("sync_msg", BUSY, times=1)
    assert [digest(zone)[0], digest(zone)[0]] == [45009, 0]
    by_hand, usual = zone.client.traffic(kind="sdk")
    assert (by_hand["faults"], by_hand["reason"][0], usual["faults"]) == ([answer_id], "errcode 45009 of sync_msg", [])
    [hit] = zone.client.entry(by_hand["number"])["hits"]
    assert hit == {"id": answer_id, "on": "sdk", "effect": "answer", "api": "sync_msg", "value": 0, "reply": BUSY}
    busy, _ = zone.client.traffic(kind="call")
    written = zone.client.test_of(busy["number"])
    assert written is not None
    source = "".join(written["source"].split())
    assert 'zone.answer("sync_msg",{"errcode":45009,"errmsg":"apifreqoutoflimit"},times=1' in source
    assert "assertanswer.errcode==45009" in source


def test_a_fault_that_ends_a_call_uses_up_no_answer(zone: Zone) -> None:
    zone.answer("sync_msg", EMPTY, times=1)
    zone.client.add_fault("sdk", "errcode", "sync_msg", 45009, count=1)
    assert [digest(zone), digest(zone), digest(zone)] == [(45009, None), (0, 0), (0, 5)]


def test_a_name_that_is_almost_that_of_an_api_gets_a_warning(zone: Zone) -> None:
    with pytest.warns(UserWarning, match="the emulator has no SDK API sync_mgs: did you mean sync_msg?"):
        zone.answer("sync_mgs", EMPTY)
