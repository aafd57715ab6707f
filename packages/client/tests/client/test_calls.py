"""Calls of abilities: what goes out and what the reply is read as, page after page, and tasks that are asked later."""

import msgspec
import pytest

from tests.client.scripted import async_client_of, client_of, reply, scripted
from tests.support.tables import for_each
from tests.support.waiting import DEADLINE, wait_until
from wwspec_client import ProgramError, RepeatedCursorError, ReplyTypeError, StillRunningError, ZoneClient
from wwspec_client.hooks import ClientHooks
from wwspec_contracts import sync_msg
from wwspec_contracts.base import AbilityRequest, ApiRequest, Contract, Output
from wwspec_devtools.testing.zone import Zone

NOTIFIED = {"program_id": "other", "notify_id": "n1"}


@for_each([({}, {"program_id": "p"}), (NOTIFIED, NOTIFIED)])
def test_what_a_call_sends_is_json_inside_json(options: dict[str, str], sent: dict[str, str]) -> None:
    with scripted(reply(errcode=0)) as (client, script):
        client.call("greet", {"name": "张伟"}, **options)  # type: ignore[call-overload]
    body = msgspec.json.decode(script.requests[0].content)
    assert msgspec.json.decode(body.pop("request_data")) == {"name": "张伟"}
    assert body == {"ability_id": "greet", **sent}


class Traced(AbilityRequest[Output]):
    ability_id = "order"
    trace_field = "meta.traceparent"
    meta: dict[str, str] | None = {}


class Tracing(ClientHooks):
    def __init__(self, present: str) -> None:
        self._present = present

    def traceparent(self) -> str:
        return self._present


OF_HOOK = {"traceparent": "of the hook"}
OWN = {"traceparent": "the app's own"}


@for_each([("of the hook", {}, OF_HOOK), ("of the hook", OWN, OWN), ("of the hook", None, None), ("", {}, {})])
def test_a_request_carries_the_trace_of_a_hook_unless_the_app_has_given_one(
    present: str, given: dict[str, str] | None, sent: dict[str, str] | None
) -> None:
    with scripted(reply(errcode=0), hooks=[Tracing(present)]) as (client, script):
        client.call(Traced(meta=given))
    data = msgspec.json.decode(msgspec.json.decode(script.requests[0].content)["request_data"])
    assert data == {"meta": sent}


class Item(Contract):
    name: str


class Items(Output):
    items: list[Item] = []


class ItemsRequest(ApiRequest[Items]):
    """Of an API."""


def test_keys_that_a_newer_program_adds_do_not_break_an_older_app() -> None:
    with client_of(reply(errcode=0, items=[{"name": "a", "colour": "red"}], total=1)) as client:
        assert client.call("items", reply=Items).items == [Item(name="a")]
        assert client.call("items", ItemsRequest()).items == [Item(name="a")]


def test_a_reply_of_another_type_is_an_error_that_keeps_the_reply() -> None:
    with client_of(reply(errcode=0, items=[{"name": 1}])) as client, pytest.raises(ReplyTypeError) as caught:
        client.call("items", reply=Items)
    assert "the reply is no Items" in str(caught.value)
    assert "$.items[0].name" in str(caught.value)
    assert msgspec.json.decode(caught.value.raw)["items"] == [{"name": 1}]
    assert caught.value.may_have_run


def test_a_page_is_asked_for_only_when_it_is_wanted() -> None:
    with scripted(reply(has_more=1, next_cursor="a"), reply(has_more=1, next_cursor="b"), reply()) as (client, script):
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


@pytest.mark.parametrize("errcode", [710642, 790023])
def test_a_task_without_a_result_is_running_and_can_be_asked_again(zone: Zone, app: ZoneClient, errcode: int) -> None:
    task = app.submit("chat_digest", {"limit": 4})
    fault = zone.client.add_fault("app", "errcode", "async_program_result", errcode)
    assert task.status() == "running"
    with pytest.raises(StillRunningError, match=r"has reported no result within 0\.15 seconds") as caught:
        task.result(0.15)
    assert (caught.value.retryable, caught.value.request_id) == (True, "")
    zone.client.clear_faults(fault)
    assert task.result(DEADLINE)["messages"] == 4


def test_a_task_that_failed_says_the_programs_errcode(app: ZoneClient) -> None:
    task = app.submit("chat_digest", {"cursor": "none of this API"})
    wait_until(lambda: task.status() == "failed")
    with pytest.raises(ProgramError) as caught:
        task.result(DEADLINE)
    assert caught.value.errcode != 0
    assert caught.value.raw
