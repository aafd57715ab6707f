"""Integers of contracts fit 64 bits, in requests and replies, so that every reader of the JSON can hold them."""

import json
from typing import Annotated, Any, Generic, NewType, TypeVar

import pytest
from hypothesis import given, strategies as st
from msgspec import Meta

from tests.support.apps import ROOT
from tests.support.kernel import Kernel, app_call
from tests.support.tables import for_each
from wwspec_contracts.base import UNSET, Contract, Flag, UnsetType, Unsigned
from wwspec_contracts.errors import InputError, OutputError
from wwspec_router.codecs.codec import InputCodec, OutputCodec, OutputPolicy

HUGE = 10**400
"""401 digits."""
LEAST, MOST = -(2**63), 2**63 - 1

T = TypeVar("T")
UserNumber = NewType("UserNumber", int)


class Inner(Contract):
    count: int = 0
    level: Annotated[int, Meta(ge=1)] | UnsetType = UNSET


class Pair(Contract, Generic[T]):
    one: T
    other: T


class Numbers(Contract, rename="camel"):
    plain_number: int = 0
    optional: int | UnsetType = UNSET
    listed: list[int] = []
    nested: list[list[Inner]] = []
    inner: Inner | UnsetType = UNSET
    pair: Pair[int] | UnsetType = UNSET
    positive: Annotated[int, Meta(gt=0)] = 1
    small: Annotated[int, Meta(lt=5)] = 0
    user: UserNumber = UserNumber(0)
    unsigned: Unsigned = 0
    many_unsigned: list[Unsigned] = []
    flag: Flag = 0
    fixed: tuple[int, str] | UnsetType = UNSET


PLACES = {
    "$.plainNumber": '{"plainNumber":?}',
    "$.optional": '{"optional":?}',
    "$.listed[1]": '{"listed":[1,?]}',
    "$.nested[0][0].count": '{"nested":[[{"count":?}]]}',
    "$.inner.count": '{"inner":{"count":?}}',
    "$.inner.level": '{"inner":{"level":?}}',
    "$.pair.other": '{"pair":{"one":1,"other":?}}',
    "$.positive": '{"positive":?}',
    "$.user": '{"user":?}',
    "$.unsigned": '{"unsigned":?}',
    "$.manyUnsigned[0]": '{"manyUnsigned":[?]}',
    "$.fixed[0]": '{"fixed":[?,"x"]}',
}
"""JSON of `Numbers` with a number in one place, by the path of that place."""


def refusal(codec: InputCodec[Any] | OutputCodec, value: Any) -> str:
    text = json.dumps(value)
    with pytest.raises((InputError, OutputError)) as caught:
        codec.decode(text) if isinstance(codec, InputCodec) else codec.fit(text)
    assert isinstance(caught.value, InputError | OutputError)
    return caught.value.path


@for_each(PLACES.items())
def test_an_integer_beyond_64_bits_is_refused_with_its_path(path: str, text: str) -> None:
    for value in (json.loads(text.replace("?", f"{number}")) for number in (HUGE, 2**64)):
        assert refusal(InputCodec(Numbers), value) == path
        with pytest.raises(InputError):
            InputCodec(Numbers).forward(json.dumps(value))
        assert refusal(OutputCodec(Numbers, OutputPolicy.STRICT), value) == path
        assert refusal(OutputCodec(Numbers, OutputPolicy.PRUNE), value | {"surplus": 1}) == path


@given(st.integers(LEAST - 3, LEAST + 3) | st.integers(MOST - 3, MOST + 3) | st.integers(-5, 5))
def test_an_integer_fits_just_when_it_has_64_bits(number: int) -> None:
    text = json.dumps({"plainNumber": number, "listed": [number]})
    fits = LEAST <= number <= MOST
    if fits:
        assert InputCodec(Numbers).decode(text) == Numbers(plain_number=number, listed=[number])
        assert OutputCodec(Numbers).fit(text) is text
    else:
        assert refusal(InputCodec(Numbers), json.loads(text)) == "$.plainNumber"
        assert refusal(OutputCodec(Numbers), json.loads(text)) == "$.plainNumber"


@given(st.integers(-3, 3) | st.integers(2**64 - 3, 2**64 + 3) | st.integers(2**63 - 3, 2**63 + 3))
def test_an_unsigned_integer_fits_just_when_it_has_64_bits_without_a_sign(number: int) -> None:
    text = json.dumps({"unsigned": number})
    if 0 <= number < 2**64:
        assert InputCodec(Numbers).forward(text) is text
        assert OutputCodec(Numbers).fit(text) is text
    else:
        assert refusal(InputCodec(Numbers), {"unsigned": number}) == "$.unsigned"
        assert refusal(OutputCodec(Numbers), {"unsigned": number}) == "$.unsigned"


def test_the_bounds_of_a_contract_s_author_stay() -> None:
    codec = InputCodec(Numbers)
    for value, path in [
        ({"positive": 0}, "$.positive"),
        ({"small": 5}, "$.small"),
        ({"small": -HUGE}, "$.small"),
        ({"flag": 2}, "$.flag"),
        ({"inner": {"level": 0}}, "$.inner.level"),
        ({"unsigned": -1}, "$.unsigned"),
    ]:
        assert refusal(codec, value) == path


class Strict(Contract, tag="strict", tag_field="kind"):
    number: int

    def __post_init__(self) -> None:
        if self.number == 7:
            raise ValueError("seven")


def test_what_else_a_type_asks_for_stays() -> None:
    codec = InputCodec(Strict)
    assert codec.decode('{"kind":"strict","number":3}') == Strict(number=3)
    wrong = {"$.kind": {"kind": "other", "number": 3}, "$": {"number": 7}, "$.number": {"number": HUGE}}
    assert {path: refusal(codec, value) for path, value in wrong.items()} == {path: path for path in wrong}


def test_a_huge_errcode_of_the_platform_does_not_reach_the_app(kernel: Kernel) -> None:
    kernel.sdk.replies["spec_notify_app"] = f'{{"errcode":{HUGE},"errmsg":"x"}}'
    assert kernel.event('{"event_type":"hit_keyword"}')["errmsg"].endswith("the platform's reply is not readable")


def test_an_id_of_a_content_may_take_all_of_its_64_bits(kernel: Kernel) -> None:
    reply = f'{{"errcode":0,"doc_list":[{{"docid":{2**64 - 1}}}]}}'
    kernel.sdk.replies["knowledge_base_detail"] = reply
    assert kernel.dispatch(app_call("invoke_knowledge_base_detail", '{"kb_id":"k"}')).text == reply
    request = f'{{"kb_id":"k","docid_list":[{2**64 - 1}]}}'
    kernel.dispatch(app_call("invoke_knowledge_base_remove_doc", request))
    assert kernel.sdk.calls[-1].request == request
    event = (ROOT / "tests/payloads/events/knowledge_base_learn_done.json").read_text()
    decoded = json.loads(event)
    decoded["knowledge_base_learn_done"]["doc_id"] = 2**64 - 1
    assert kernel.event(json.dumps(decoded))["errcode"] == 0
