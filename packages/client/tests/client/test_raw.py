"""Responses as they came: status, headers and request_id, beside what the client reads in them."""

import httpx
import pytest

from tests.client.scripted import Script, answer, async_client_of, client_of, reply
from tests.support.waiting import DEADLINE
from wwspec_client import AsyncTask, NotSentError, PlatformError, ReplyTypeError, SdkApiError, Task, ZoneClient
from wwspec_client.models import AuthUsers
from wwspec_contracts import get_group_chat, sync_msg


def test_a_response_of_any_api_has_status_headers_body_and_the_reply(app: ZoneClient) -> None:
    response = app.with_raw_response.call(sync_msg.Request(limit=3))
    assert (response.status, response.request_id) == (200, "")
    assert response.headers["Content-Type"] == response.headers["content-type"] == "application/json"
    assert b"response_data" in response.body
    assert len(response.parse().msg_list) == 3
    assert repr(response) == "<RawResponse of status 200>", "the body may be private"
    task = app.with_raw_response.submit(sync_msg.Request(limit=2))
    assert isinstance(task.parse(), Task)
    assert len(task.parse().result(DEADLINE).msg_list) == 2
    users = app.with_raw_response.get_auth_user_list(limit=3)
    assert isinstance(users.parse(), AuthUsers)
    assert b"auth_user_list" in users.body
    assert app.with_raw_response.set_log_level(2).parse() is None


async def test_responses_on_an_event_loop() -> None:
    async with async_client_of(answer(jobid="j-1", log_level=2, response_data='{"messages": 5}')) as client:
        raw = client.with_options(timeout=5).with_raw_response
        assert (await raw.call("chat_digest")).parse() == {"messages": 5}
        assert (await raw.get_log_level()).parse() == 2
        task = (await raw.submit("chat_digest")).parse()
        assert isinstance(task, AsyncTask)
        assert await task.result() == {"messages": 5}


def test_what_is_refused_or_of_another_type_has_a_response_and_its_error_comes_from_parse(app: ZoneClient) -> None:
    response = app.with_raw_response.call(get_group_chat.Request(chatid="nobody's"))
    assert response.status == 200
    with pytest.raises(SdkApiError, match="the SDK API answers errcode 710624") as caught:
        response.parse()
    assert response.request_id == caught.value.request_id != ""
    with client_of(reply(has_more="perhaps")) as client:
        misfit = client.with_raw_response.call(sync_msg.Request())
    assert b"perhaps" in misfit.body
    with pytest.raises(ReplyTypeError):
        misfit.parse()


def test_what_wecom_refuses_and_what_is_not_sent_is_raised_at_once() -> None:
    with client_of(answer(48002, "api forbidden, hint: [1700000000_7_abc], from ip: 1.2.3.4")) as client:
        for call in (client.with_raw_response.get_log_level, client.get_log_level):
            with pytest.raises(PlatformError) as caught:
                call()
            assert caught.value.request_id == "1700000000_7_abc"
    with client_of(httpx.ConnectError("down")) as client, pytest.raises(NotSentError):
        client.with_raw_response.get_log_level()


def test_a_response_is_that_of_the_last_attempt_and_never_that_of_a_token() -> None:
    script = Script([answer(42001), answer(-1), httpx.Response(200, headers={"X-No": "3"}, json={"log_level": 1})])
    with client_of(transport=script) as client:
        response = client.with_raw_response.get_log_level()
    assert len(script.tokens) == 2
    assert (response.headers["x-no"], response.body, response.parse()) == ("3", b'{"log_level":1}', 1)
