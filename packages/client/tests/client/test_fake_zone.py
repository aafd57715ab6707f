"""`FakeZone`: an app's tests without a zone."""

from contextlib import ExitStack
from queue import Queue
from typing import Any

import msgspec
import pytest

from wwspec_client import NotifyEvent, NotifyReceiver, NotSentError, PlatformError, ProgramError, ZoneClient
from wwspec_client.testing import FakeCall, FakeZone
from wwspec_contracts import get_group_chat
from wwspec_contracts.events import conversation_new_message


@pytest.fixture
def zone() -> FakeZone:
    return FakeZone()


@pytest.fixture
def client(zone: FakeZone, stack: ExitStack) -> ZoneClient:
    return stack.enter_context(zone.client())


def test_a_call_gets_the_reply_of_the_test_and_is_noted(zone: FakeZone, client: ZoneClient) -> None:
    zone.answer("digest", lambda request: {"messages": request["limit"] + 1})
    zone.answer("invoke_get_group_chat", {"members": [], "chatid": "c"})
    assert client.call("digest", {"limit": 5}) == {"messages": 6}
    assert list(client.call(get_group_chat.Request(chatid="c")).members) == []
    assert client.submit("digest", {"limit": 1}).result() == {"messages": 2}
    calls = [(call.ability, call.is_async) for call in zone.calls]
    assert calls == [("digest", False), ("invoke_get_group_chat", False), ("digest", True)]
    assert zone.calls[0] == FakeCall("digest", {"limit": 5}, is_async=False)


async def test_a_client_of_an_event_loop_gets_the_same(zone: FakeZone) -> None:
    zone.answer("digest", {"messages": 1})
    async with zone.async_client() as client:
        assert await client.call("digest", {}) == {"messages": 1}


def test_answers_are_used_up_in_their_order_and_a_lasting_one_replaces_them(zone: FakeZone, client: ZoneClient) -> None:
    zone.answer("digest", {"n": 1}, times=2)
    zone.answer("digest", {"n": 2}, times=1)
    assert [client.call("digest")["n"] for _ in range(3)] == [1, 1, 2]
    with pytest.raises(LookupError, match=r"zone\.answer\('digest', \.\.\.\)"):
        client.call("digest")
    zone.answer("digest", {"n": 3}, times=5)
    zone.answer("digest", {"n": 4})
    assert [client.call("digest")["n"] for _ in range(2)] == [4, 4]


def test_a_call_ends_with_the_error_of_the_test(zone: FakeZone, client: ZoneClient) -> None:
    zone.answer("digest", PlatformError("x", 48004, "no permission"), times=1)
    with pytest.raises(PlatformError, match="48004"):
        client.call("digest")
    zone.answer("digest", ProgramError("x", 7, "no such group", ""), times=2)
    with pytest.raises(ProgramError, match="no such group"):
        client.call("digest")
    with pytest.raises(ProgramError, match="no such group"):
        client.submit("digest").result()
    zone.answer("digest", NotSentError("x", "nothing listens"))
    with pytest.raises(NotSentError):
        client.call("digest")


def test_other_apis_succeed_and_answer_what_the_test_says(zone: FakeZone, client: ZoneClient) -> None:
    client.set_receive_callback()
    zone.answer("chatdata/get_log_level", {"log_level": 2})
    assert client.get_log_level() == 2
    assert zone.calls == []


def test_a_callback_reaches_the_app_with_its_event(zone: FakeZone, client: ZoneClient) -> None:
    events: Queue[NotifyEvent] = Queue()
    raw = {"event_type": "conversation_new_message", "timestamp": 7, "conversation_new_message": {"token": "t"}}
    event = msgspec.convert(raw, conversation_new_message.Event)
    keys: Any = {"token": zone.token, "encoding_aes_key": zone.encoding_aes_key, "receive_id": zone.corpid}
    with NotifyReceiver(client, events.put, **keys) as receiver:
        for given, notify_id in ((event, "n1"), ({"event_type": "own", "x": 1}, "")):
            query, body = zone.callback(given, notify_id)
            assert receiver.handle_request("POST", query, body).status == 200
        both = {each.event_type: each for each in (events.get(timeout=30), events.get(timeout=30))}
    first, second = both["conversation_new_message"], both["own"]
    assert (first.notify_id, first.timestamp) == ("n1", 7)
    assert second.raw["x"] == 1
    assert zone.calls == []
