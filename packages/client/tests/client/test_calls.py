"""Calls of abilities: what goes out, and what the reply is read as."""

import msgspec
import pytest

from schemas.chat_digest import Request, Response
from tests.client.scripted import Script, client_of, reply
from wwspec_client import ReplyTypeError, ZoneClient
from wwspec_contracts import sync_msg
from wwspec_contracts.base import ApiRequest, Contract, Output
from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.testing.zone import Zone


def test_a_contract_comes_back_as_the_type_that_is_asked_for(app: ZoneClient) -> None:
    digest = app.call("chat_digest", Request(limit=5), reply=Response)
    assert isinstance(digest, Response)
    assert digest.messages == 5


def test_a_raw_reply_is_the_programs_json_text_even_when_it_refuses(app: ZoneClient) -> None:
    assert msgspec.json.decode(app.call("chat_digest", {"limit": 5}, raw=True))["messages"] == 5
    assert msgspec.json.decode(app.call("chat_digest", {"cursor": "x"}, raw=True))["errcode"] != 0


def test_a_notification_leads_to_its_event(zone: Zone, app: ZoneClient) -> None:
    app.set_receive_callback()
    zone.fire("hit_keyword")
    event = app.call("get_callback_data", notify_id=zone.notified())
    assert event["event_type"] == "hit_keyword"


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({}, {"program_id": "p"}),
        ({"program_id": "other", "notify_id": "n1"}, {"program_id": "other", "notify_id": "n1"}),
    ],
)
def test_what_a_call_sends_is_json_inside_json(options: dict[str, str], sent: dict[str, str]) -> None:
    script = Script([reply(errcode=0)])
    with client_of(transport=script) as client:
        client.call("greet", {"name": "张伟"}, **options)  # type: ignore[call-overload]
    body = msgspec.json.decode(script.requests[0].content)
    assert msgspec.json.decode(body.pop("request_data")) == {"name": "张伟"}
    assert body == {"ability_id": "greet", **sent}


def test_an_api_goes_behind_the_prefix_of_the_program() -> None:
    script = Script([reply(errcode=0)])
    with client_of(transport=script, prefix="ask_") as client:
        client.call(sync_msg.Request())
    assert msgspec.json.decode(script.requests[0].content)["ability_id"] == "ask_sync_msg"


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


def test_a_call_without_a_program_says_where_to_name_it() -> None:
    with client_of(program_id="") as client:
        with pytest.raises(ConfigurationError, match="program_id is missing: give it to the client, or to the call"):
            client.call("greet")
