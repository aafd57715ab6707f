"""A field that a request may leave out: null, and each empty value of its contract, is the same as no field at all."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from tests.emulator.apis.conftest import EmulatedZone, Json
from tests.emulator.apis.test_contracts import caller_of, new_zone, request_of, schema
from tests.support.apps import ROOT
from wwspec_contracts.errors import InputError
from wwspec_contracts.shape import ListShape, ObjectShape, Shape, shape_of
from wwspec_devtools.emulator.standin.wwspec_standin.names import SDK_APIS
from wwspec_router.codecs.codec import InputCodec

PAYLOADS = ROOT / "tests" / "payloads" / "api"

EMPTY: tuple[Any, ...] = (0, "", [], {}, False)

CLEARS: list[tuple[str, tuple[str, ...], list[Any]]] = [("create_rule", ("keyword", "word_list"), [])]
"""An empty list is a keyword part without words, which a rule with behaviours may have; the list alone is missed."""


def optional_fields(shape: Shape, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of each field that a request may leave out, also inside of its objects."""
    match shape:
        case ObjectShape(fields=fields):
            for name, field in fields.items():
                if not field.required:
                    yield (*path, name)
                yield from optional_fields(field.shape, (*path, name))
        case ListShape(item=item):
            yield from optional_fields(item, (*path, 0))


FIELDS = [(api, path) for api in SDK_APIS for path in optional_fields(shape_of(schema(api).Request))]


def errcode(zone: EmulatedZone, api: str, request: Json) -> int:
    return int(json.loads(zone.text(api, request, caller_of(zone, api)))["errcode"])


@cache
def codec(api: str) -> InputCodec[Any]:
    return InputCodec(schema(api).Request)


def fits(api: str, request: Json) -> bool:
    try:
        codec(api).decode(json.dumps(request))
    except InputError:
        return False
    return True


def test_null_and_each_empty_value_of_the_contract_are_the_same_as_left_out() -> None:
    faults = []
    for api, path in FIELDS:
        request = json.loads((PAYLOADS / f"{api}.request.json").read_text("utf-8"))  # most of its ids exist nowhere
        place = request
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]
        without = errcode(EmulatedZone(messages=0), api, request)
        for value in (None, *EMPTY):
            place[path[-1]] = value
            if value is not None and (not fits(api, request) or (api, path, value) in CLEARS):
                continue
            if (code := errcode(EmulatedZone(messages=0), api, request)) != without:
                faults.append(f"{api} {path} {value!r}: {code} instead of {without}")
    assert not faults, "\n".join(faults)


TOP = [(api, str(path[0])) for api, path in FIELDS if len(path) == 1]
MEANT = {("program_async_job_call_back", "result")}
"""A success without a result is refused, since an output contract is an object."""


def test_a_good_request_stays_one_without_the_field_and_with_null_or_an_empty_value() -> None:
    faults = []
    for api, field in TOP:
        for value in (None, *EMPTY):
            zone = new_zone()
            request = {**request_of(zone, api), field: value}
            if (api, field) not in MEANT and (value is None or fits(api, request)):
                if code := errcode(zone, api, request):
                    faults.append(f"{api} {field} {value!r}: {code}")
    assert not faults, "\n".join(faults)


def test_a_null_for_a_needed_field_or_in_a_list_is_refused(zone: EmulatedZone) -> None:
    answer = zone("search_chat", query_word=None)
    assert (answer["errcode"], "query_word" in answer["errmsg"]) == (40063, True)
    answer = zone("knowledge_base_remove_doc", kb_id="kb", docid_list=[None])
    assert (answer["errcode"], "$.docid_list" in answer["errmsg"]) == (40058, True)


@pytest.mark.parametrize("rest", ["", ', "cursor": %s}' % ("[" * 500 + "]" * 500), ', "x": %s}' % ("[" * 100_000)])
def test_a_null_does_not_hide_what_else_is_wrong(zone: EmulatedZone, rest: str) -> None:
    body = f'{{"query_word": "词语", "limit": null{rest}'.encode()
    assert json.loads(zone.platform.sdk_call("search_chat", caller_of(zone, "search_chat"), body))["errcode"] == 40058


def test_a_limit_of_0_is_the_default(zone: EmulatedZone) -> None:
    for number in range(101):
        zone.ok("create_rule", name=f"规则{number}", keyword={"word_list": ["退款"]})
    for _ in range(201):
        zone.say("退款", parties=zone.employee_first)
    for api, items, default in (
        ("get_hit_msg_list", "msg_list", 200),
        ("get_rule_list", "rule_list", 100),
        ("search_msg", "msg_list", 50),
    ):
        request = {"query_word": "退款"} if api == "search_msg" else {}
        assert len(zone.ok(api, request, limit=0)[items]) == default, api
        assert zone.ok(api, request, limit=0)[items] == zone.ok(api, request)[items], api
