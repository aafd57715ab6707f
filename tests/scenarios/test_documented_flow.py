"""What the enterprise app sees, from an event to the last message."""

from contextlib import suppress
from typing import Any

import msgspec
import pytest

from tests.registry.test_loader import SHIPPED_EVENTS
from tests.support.apps import ROOT
from tests.support.waiting import DEADLINE
from tests.support.zones import serve_zone
from wwspec_client import PlatformError
from wwspec_contracts import get_group_chat, sync_msg
from wwspec_contracts.errors import JsonError
from wwspec_devtools.testing.zone import CallRefusedError, Zone
from wwspec_router import Output


def test_each_event_reaches_the_app_through_its_notify_id_and_has_its_own_notify_scene(zone: Zone) -> None:
    scenes = set()
    for event_type in sorted(SHIPPED_EVENTS):
        fired = zone.fire(event_type)
        assert zone.call("get_callback_data", notify_id=zone.notified()).reply == fired["event"]
        scenes.add(zone.client.notifications()[-1]["notify_scene"])
    assert len(scenes) == len(SHIPPED_EVENTS) == 9


def test_all_messages_are_pulled_page_by_page_with_the_events_token(zone: Zone) -> None:
    zone.fire("conversation_new_message")
    event = zone.call("get_callback_data", notify_id=zone.notified()).reply
    token = event["conversation_new_message"]["token"]
    pages = list(_pages(zone, "invoke_sync_msg", {"token": token, "limit": 90}))
    msgids = [message["msgid"] for page in pages for message in page["msg_list"]]
    assert len(pages) > 5
    assert len(msgids) == len(set(msgids)) == zone.client.info()["messages"]


def test_the_platform_refuses_no_json_what_is_outside_the_contract_and_a_notify_id_that_was_never_given(
    zone: Zone,
) -> None:
    assert zone.call("invoke_sync_msg", "{").errcode == 790015
    result = zone.call("invoke_sync_msg", {"limit": "200"})
    assert result.errcode == 790016
    assert "$.limit" in result.errmsg
    assert zone.call("get_callback_data", notify_id="made-up").errcode == 710646


def test_an_asynchronous_call_is_reported_under_its_contract(zone: Zone) -> None:
    submitted = zone.submit("chat_digest", {"limit": 20, "token": _token(zone)})
    assert submitted.result().reply["messages"] == 20


def test_an_asynchronous_call_that_the_program_refuses_is_refused_as_a_synchronous_one(zone: Zone) -> None:
    request = {"chatid": "no such group"}
    sync, later = zone.call("group_overview", request), zone.submit("group_overview", request).result()
    assert (later.refused_by, later.errcode) == (sync.refused_by, sync.errcode) == ("program", 710624)
    assert later.errmsg.startswith("get_group_chat: invalid chatid")
    assert sync.errmsg.startswith("get_group_chat: ")


def test_an_asynchronous_call_that_the_platform_refuses_has_no_result_to_wait_for(zone: Zone) -> None:
    with pytest.raises(CallRefusedError, match="no_such: refused by the platform with errcode 800003") as raised:
        zone.submit("no_such")
    assert raised.value.answer.refused_by == "platform"


def test_a_request_of_an_sdk_api_calls_its_ability_and_gets_the_apis_response(zone: Zone) -> None:
    answer = zone.call(sync_msg.Request(limit=3, token=_token(zone)))
    assert (answer.call, answer.refused_by) == ("invoke_sync_msg", None)
    assert isinstance(answer.reply, sync_msg.Response)
    assert len(answer.reply.msg_list) == 3
    assert zone.submit(get_group_chat.Request(chatid="x")).result().errcode == 710624


def test_a_reply_is_decoded_to_the_type_that_is_asked_for(zone: Zone) -> None:
    answer = zone.call("chat_history", {"limit": 3, "token": _token(zone)}, reply=sync_msg.Response)
    assert len(answer.reply.msg_list) == 3
    with pytest.raises(JsonError, match=r"chat_history: the reply is no Output: .*unknown field"):
        _ = zone.call("chat_history", {"limit": 3, "token": _token(zone)}, reply=Output).reply


@pytest.mark.parametrize(
    ("ability_id", "request_data", "text"),
    [
        ("no_such", {}, "refused by the platform with errcode 800003: .*; check .*: `wwspec abilities` lists"),
        ("chat_digest", {"limit": 0}, r"refused by the program with errcode 710660: input .*at \$.limit"),
        ("invoke_sync_msg", {"limit": 5000}, r"refused by the program with errcode 710660: input .*at \$.limit"),
    ],
)
def test_the_reply_of_a_refused_call_is_an_error_that_says_who_refused(
    zone: Zone, ability_id: str, request_data: dict[str, Any], text: str
) -> None:
    answer = zone.call(ability_id, request_data)
    for ask in (lambda: answer.reply, answer.raise_for_error):
        with pytest.raises(CallRefusedError, match=f"{ability_id}: {text}"):
            ask()


@pytest.mark.never_lost
def test_an_asynchronous_call_survives_kill_9_of_the_program() -> None:
    request = '{"chatid": "no such group"}'
    with serve_zone(ROOT) as zone:
        submitted = [zone.submit("invoke_get_group_chat", request) for _ in range(20)]
        zone.kill_program()
        zone.start_program()
        assert {each.result(DEADLINE).errcode for each in submitted} == {710624}


def test_another_program_can_be_linked_with_the_app(zone: Zone) -> None:
    with zone.app_client(program_id="second") as client:
        with suppress(PlatformError):  # unless another form of the zone has linked it
            client.call("invoke_get_group_chat", {"chatid": "x"}, raw=True)
        zone.client.point_to(zone.client.info()["program_url"], "second")
        assert "710624" in client.call("invoke_get_group_chat", {"chatid": "x"}, raw=True)


@pytest.mark.never_lost
def test_an_event_survives_kill_9_of_the_program() -> None:
    with serve_zone(ROOT) as zone:
        fired = zone.fire("conversation_new_message")
        notify_id = zone.notified()
        zone.kill_program()
        assert zone.call("get_callback_data", notify_id=notify_id).errcode in (710674, 710675)  # gone, or just dying
        zone.start_program()
        assert zone.call("get_callback_data", notify_id=notify_id).reply == fired["event"]


def test_several_worker_processes_share_the_events() -> None:
    with serve_zone(ROOT, serve=["--workers", "2", "--threads", "8"]) as zone:
        for _ in range(10):
            fired = zone.fire("hit_keyword")
            assert zone.call("get_callback_data", notify_id=zone.notified()).reply == fired["event"]


def _token(zone: Zone) -> str:
    return str(zone.fire("conversation_new_message")["event"]["conversation_new_message"]["token"])


def _pages(zone: Zone, ability_id: str, request: dict[str, Any]) -> Any:
    has_more = True
    while has_more:
        reply = zone.call(ability_id, msgspec.json.encode(request).decode()).reply
        yield reply
        has_more = bool(reply["has_more"])
        request["cursor"] = reply["next_cursor"]


def test_after_a_reset_the_app_calls_with_a_new_token(zone: Zone) -> None:
    zone.call("chat_digest", {"limit": 1}).raise_for_error()
    zone.client.reset()
    zone.call("chat_digest", {"limit": 1}).raise_for_error()
    sent = [(entry["name"], entry["outcome"]) for entry in zone.client.traffic(kind="app")]
    assert sent == [("gettoken", "ok"), ("sync_call_program", "ok")]
