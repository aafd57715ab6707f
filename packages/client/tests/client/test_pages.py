"""`client.pages`: one page after another, until the reply says that it was the last."""

import pytest

from tests.client.scripted import Script, async_client_of, client_of, reply
from wwspec_client import RepeatedCursorError, SdkApiError, ZoneClient
from wwspec_contracts import get_group_chat, get_rule_list, sync_msg
from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.testing.zone import Zone


def test_pages_follow_one_another_to_the_last_one(zone: Zone, app: ZoneClient) -> None:
    pages = list(app.pages(sync_msg.Request(limit=25)))
    assert [len(page.msg_list) for page in pages] == [25, 25, 10]
    assert len({message.msgid for page in pages for message in page.msg_list}) == 60
    again = app.pages("chat_history", sync_msg.Request(limit=25, cursor=pages[0].next_cursor))
    assert [page.msg_list[0].msgid for page in again] == [page.msg_list[0].msgid for page in pages[1:]]
    assert [page.rule_list for page in app.pages(get_rule_list.Request())] == [[]]


def test_a_page_is_asked_for_only_when_it_is_wanted() -> None:
    script = Script([reply(has_more=1, next_cursor="a"), reply(has_more=1, next_cursor="b"), reply()])
    with client_of(transport=script) as client:
        pages = client.pages(sync_msg.Request())
        assert not script.requests
        next(pages)
        assert len(script.requests) == 1
        assert len(list(pages)) == 2


@pytest.mark.parametrize("cursors", [["a", "a"], ["a", "b", "a"], ["a", "b", "c"], ["a", ""], [""]])
async def test_a_cursor_that_comes_twice_is_an_error_and_no_endless_loop(cursors: list[str]) -> None:
    replies = [reply(has_more=1, next_cursor=cursor) for cursor in cursors]
    request, error = sync_msg.Request(cursor="c"), "sync_call_program of invoke_sync_msg: .* its next_cursor leads no"
    with client_of(*replies) as client:
        pages = client.pages(request)
        assert [next(pages).next_cursor for _ in cursors[:-1]] == cursors[:-1]
        with pytest.raises(RepeatedCursorError, match=error):
            next(pages)
    async with async_client_of(*replies) as later:
        with pytest.raises(RepeatedCursorError):
            assert [page.next_cursor async for page in later.pages(request)] == []


def test_what_is_refused_ends_the_pages(zone: Zone, app: ZoneClient) -> None:
    with pytest.raises(SdkApiError, check=lambda error: error.errcode == 710611):
        next(app.pages(sync_msg.Request(cursor="made-up")))


def test_a_request_without_pages_is_refused_before_anything_is_sent(app: ZoneClient) -> None:
    for ability in (get_group_chat.Request(chatid="x"), "chat_history"):
        with pytest.raises(ConfigurationError, match="pages.. takes a request that has a cursor"):
            app.pages(ability)  # type: ignore[call-overload]


async def test_pages_are_iterated_on_an_event_loop_too() -> None:
    pages = (reply(has_more=1, next_cursor="a", msg_list=[{"msgid": "m1"}]), reply(msg_list=[{"msgid": "m2"}]))
    async with async_client_of(*pages) as client:
        found = [message.msgid async for page in client.pages(sync_msg.Request()) for message in page.msg_list]
    assert found == ["m1", "m2"]
