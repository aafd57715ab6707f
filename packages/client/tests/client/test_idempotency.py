"""Calls that may be sent twice, since the program recognises them by a key in the request."""

from collections.abc import Callable

import httpx
import msgspec
import pytest

from tests.client.conftest import QUICK, asked
from tests.client.scripted import Script, answer, client_of, reply, scripted
from tests.support.tables import for_each
from wwspec_client import ProgramErrcodes, ProgramRepeatError, ZoneClient
from wwspec_client.stores import FileCursor
from wwspec_contracts import sync_msg
from wwspec_contracts.base import UNSET, AbilityRequest, Contract, Output, UnsetType
from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.testing.zone import Zone


class Lossy(httpx.BaseTransport):
    """Loses the answers to the first calls, after the program has run."""

    def __init__(self, transport: httpx.BaseTransport, lost: int) -> None:
        self._transport = transport
        self.lost = lost

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._transport.handle_request(request)
        if request.url.path.endswith("_program") and self.lost:
            response.read()
            self.lost -= 1
            raise httpx.ReadTimeout("lost")
        return response


class OrderId(Contract):
    id: str = ""
    price: float | str = 0.5


class Order(AbilityRequest[Output]):
    """As `wwspec contracts --client` writes it."""

    ability_id = "order"
    idempotency_field = "order.id"
    order: OrderId | UnsetType = UNSET


class Whole(AbilityRequest[Output]):
    ability_id = "whole"
    idempotency_field = "*"


def data_of(request: httpx.Request) -> object:
    return msgspec.json.decode(msgspec.json.decode(request.content)["request_data"])


def test_a_call_with_a_key_runs_once_though_its_answers_get_lost(zone: Zone) -> None:
    assert zone.client.memory is not None
    lossy = Lossy(zone.client.memory, lost=2)
    with zone.app_client(transport=lossy, retries=QUICK) as client:
        once = client.with_options(idempotency_key="order-1", idempotency_field="request_id")
        made = once.call("watch_word", {"word": "合同"})
        assert made["rule_id"]
        assert once.call("watch_word", {"word": "合同"}) == made
    assert lossy.lost == 0
    assert len(asked(zone, "create_rule")) == 1
    assert len(asked(zone, "watch_word", kind="call")) == 4


def test_the_key_goes_into_the_field_that_the_request_knows_or_that_the_app_names() -> None:
    with scripted(reply(errcode=0), answer(jobid="j")) as (client, script):
        once = client.with_options(idempotency_key="k-1")
        once.call(Order(order=OrderId(price=2)))
        once.submit("other_name", Order(order=OrderId(id="k-1")))
        nothing = Order(order=OrderId(price=""))
        once.with_options(idempotency_field="order.price", idempotency_key="k-2").submit(nothing)
        once.with_options(idempotency_field="id").submit("order")
        once.with_options(idempotency_field="a.b.id").submit("order", '{"a": {"b": {"id": null}}}')
    assert [data_of(each) for each in script.requests] == [
        {"order": {"id": "k-1", "price": 2.0}},
        {"order": {"id": "k-1", "price": 0.5}},
        {"order": {"id": "", "price": "k-2"}},
        {"id": "k-1"},
        {"a": {"b": {"id": "k-1"}}},
    ]
    assert b"2.0" in script.requests[0].content


def test_a_repeat_is_sent_again_while_the_first_call_still_runs() -> None:
    running = reply(errcode=710661, errmsg="the first call still runs")
    with scripted(httpx.ReadTimeout(""), running, reply(errcode=0, rule_id="r")) as (client, script):
        assert client.with_options(idempotency_key="k").call(Order(order=OrderId()), timeout=5).errcode == 0
        assert len(script.requests) == 3
        script.outcomes = [running]
        with pytest.raises(ProgramRepeatError, match="the first call still runs") as caught:
            client.with_options(idempotency_key="k").call(Order(order=OrderId()))
        assert len(script.requests) == 7
        assert caught.value.may_have_run
        with pytest.raises(ProgramRepeatError):
            client.call(Order(order=OrderId()))
        assert "710661" in client.with_options(idempotency_key="k").call("o", Order(order=OrderId()), raw=True)
        assert len(script.requests) == 9


def test_a_repeat_is_known_by_the_errcode_of_the_program() -> None:
    script = Script([reply(errcode=9009), reply(errcode=0)])
    with client_of(transport=script, errcodes=ProgramErrcodes(once_errcode=9009)) as client:
        client.with_options(idempotency_key="k").call(Order(order=OrderId()))
    assert len(script.requests) == 2


OTHER = Order(order=OrderId(id="s3cret"))


@for_each(
    [
        (lambda client: client.call("order", {}), "order has no field that is known to hold the key: call it by its"),
        (lambda client: client.call(sync_msg.Request()), "invoke_sync_msg is an SDK API, which recognises no repeated"),
        (lambda client: list(client.pages(sync_msg.Request())), "invoke_sync_msg is an SDK API"),
        (lambda client: list(client.messages(FileCursor("x"))), "invoke_sync_msg is an SDK API"),
        (lambda client: client.submit(Whole()), "whole recognises a repeated call by its whole request: give it "),
        (lambda client: client.call(Order()), "order has a request without the object that has the field $.order.id"),
        (lambda client: client.call(OTHER), "order has a request with another value at $.order.id: leave one"),
        (lambda client: client.with_options(idempotency_field="id").call("order", "[]"), "order has a request that is"),
    ]
)
def test_a_key_that_can_go_nowhere_is_an_error_that_says_how_to_fix_it(
    call: Callable[[ZoneClient], object], said: str
) -> None:
    with scripted(reply(errcode=0)) as (client, script), pytest.raises(ConfigurationError) as caught:
        call(client.with_options(idempotency_key="s3cret-key"))
    assert str(caught.value).startswith(f"idempotency_key: {said}")
    assert "s3cret" not in str(caught.value)
    assert script.requests == []


def test_the_app_s_other_apis_and_the_result_of_a_task_need_no_key() -> None:
    with client_of(answer(log_level=2), answer(response_data="{}")) as client:
        once = client.with_options(idempotency_key="k")
        assert once.get_log_level() == 2
        assert once.task("jobid").result() == {}
