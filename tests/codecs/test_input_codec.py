import json
from typing import Annotated, Any, Literal

import pytest
from hypothesis import example, given, strategies as st
from msgspec import Meta

from tests.support.tables import for_each
from wwspec_contracts.base import UNSET, Contract, Flag, UnsetType, max_bytes
from wwspec_contracts.errors import InputError
from wwspec_router.codecs.codec import InputCodec


class Place(Contract):
    name: Annotated[str, max_bytes(8, min_length=1)] | UnsetType = UNSET
    tags: list[Annotated[str, max_bytes(4)]] | UnsetType = UNSET


class Tree(Contract):
    label: Annotated[str, max_bytes(4)] | UnsetType = UNSET
    children: "list[Tree] | UnsetType" = UNSET


class Query(Contract):
    limit: Annotated[int, Meta(ge=1, le=1000)]
    mode: Literal["new", "old"] | UnsetType = UNSET
    flag: Flag | UnsetType = UNSET
    home: Place | UnsetType = UNSET
    work: Place | UnsetType = UNSET
    others: list[Place] | UnsetType = UNSET
    more: list[list[Place]] | UnsetType = UNSET
    ratio: float | UnsetType = UNSET
    tree: Tree | UnsetType = UNSET


class DroppableInner(Contract):
    needed: str
    text: str | UnsetType = UNSET


class Droppable(Contract):
    limit: int
    text: str | UnsetType = UNSET
    inner: DroppableInner | UnsetType = UNSET
    rows: list[DroppableInner] | UnsetType = UNSET
    words: list[str] | UnsetType = UNSET


codec = InputCodec(Query)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(Query.__struct_fields__), inner),
    max_leaves=15,
)


def refusal(text: str, of: InputCodec[Any] = codec) -> tuple[str, str]:
    with pytest.raises(InputError) as caught:
        of.decode(text)
    assert caught.value.message.startswith("input contract: ")
    assert caught.value.errcode is None
    return caught.value.path, caught.value.message.removeprefix("input contract: ")


@for_each(
    [
        ('{"limit":1,"colour":2}', "$.colour", "unknown key at $.colour"),
        ('{"limit":1,"home":{"x":2}}', "$.home.x", "unknown key at $.home.x"),
        ("{}", "$.limit", "missing key at $.limit"),
        ('{"limit":"1"}', "$.limit", "expected int, got str at $.limit"),
        ('{"limit":true}', "$.limit", "expected int, got bool at $.limit"),
        ('{"limit":null}', "$.limit", "expected int, got null at $.limit"),
        ('{"limit":1,"home":null}', "$.home", "expected object, got null at $.home"),
        ('{"limit":0}', "$.limit", "expected int from 1 to 1000 at $.limit"),
        ('{"limit":1,"flag":2}', "$.flag", "expected int from 0 to 1 at $.flag"),
        ('{"limit":1,"mode":"secret"}', "$.mode", "not one of the allowed values (new, old) at $.mode"),
        ('{"limit":1,"home":{"name":""}}', "$.home.name", "expected str of length >= 1 at $.home.name"),
        ("[]", "$", "expected object, got array at $"),
    ]
)
def test_what_does_not_fit_is_refused_with_its_path(text: str, path: str, message: str) -> None:
    assert refusal(text) == (path, message)


@for_each(
    [
        ('{"limit":1,"home":{"name":"中文中"}}', "$.home.name"),
        ('{"limit":1,"home":{"name":"\\u4e2d\\u4e2d\\u4e2d"}}', "$.home.name"),
        ('{"limit":1,"home":{"tags":["ok","é€"]}}', "$.home.tags[1]"),
        ('{"limit":1,"others":[{},{"name":"ok"},{"tags":["", "", "😀x"]}]}', "$.others[2].tags[2]"),
        ('{"limit":1,"more":[[],[{},{"name":"12345é€"}]]}', "$.more[1][1].name"),
        ('{"limit":1,"tree":{"children":[{"children":[{"label":"中中"}]}]}}', "$.tree.children[0].children[0].label"),
    ]
)
def test_limits_in_bytes_count_the_bytes_of_every_character(text: str, path: str) -> None:
    limit = 8 if path.endswith("name") else 4
    assert refusal(text) == (path, f"longer than {limit} bytes at {path}")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=10))
def test_a_limit_in_bytes_lets_pass_exactly_what_is_short_enough(text: str) -> None:
    document = json.dumps({"limit": 1, "others": [{"tags": [text]}]})
    if len(text.encode()) <= 4:
        assert codec.forward(document) is document
    else:
        with pytest.raises(InputError):
            codec.forward(document)


@for_each(
    ["", " ", "{", '{"limit":1}x', "{'limit':1}", '{"limit":01}', '{"limit":1,}', "\ufeff{}", "\x00"]
    + [f'{{"limit":1,"ratio":{ratio}}}' for ratio in ("NaN", "Infinity", "-Infinity", "1e999")]
    + [f'{{"limit":{limit}}}' for limit in ("NaN", "1e400", "9" * 5000, "9" * 30)]
    + ['{"limit":1,"home":{"name":"\\ud800"}}', '{"limit":1,"home":{"name":"\ud800"}}']
    + ["[" * 100_000, "[" * 100_000 + "]" * 100_000, '{"home":' * 100_000]
    + ['{"limit":1,"tree":' + '{"children":[' * 50_000]
)
def test_what_is_not_json_or_beyond_any_bound_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        codec.decode(text)
    assert caught.value.path.startswith("$")


@for_each(['{"limit":5,"limit":"x"}', '{"limit":"x","limit":5}', '{"limit":5,"limit":0}'])
def test_each_of_a_duplicate_key_s_values_is_checked(text: str) -> None:
    assert refusal(text)[0] == "$.limit"


@for_each(["x" * 1_000_000, "a\\nb\\u0007", "` - at `$.limit", "钥匙", "\\ud83d\\ude00"])
def test_an_unknown_key_is_quoted_short_and_escaped(key: str) -> None:
    path, message = refusal(f'{{"limit":1,"{key}":1}}')
    assert path.isascii()
    assert path.isprintable()
    assert len(message) < 700


@given(st.text() | json_values.map(json.dumps))
@example("1" * 5000)
def test_arbitrary_text_and_json_is_decoded_or_refused_as_input(text: str) -> None:
    try:
        codec.decode(text)
    except InputError as error:
        assert error.path.startswith("$")
        assert "\n" not in error.message


@for_each(
    [
        ('{"limit": 1}', None),
        ('{"limit": 1, "words": [""]}', None),
        ('{"text": "", "limit": 1}', '{"limit":1}'),
        ('{"limit": 1, "inner": {"text": "", "needed": ""}}', '{"limit":1,"inner":{"needed":""}}'),
        ('{"limit": 1, "rows": [{"text": "", "needed": "x"}]}', '{"limit":1,"rows":[{"needed":"x"}]}'),
    ]
)
def test_dropping_empty_strings_leaves_all_else_as_it_is(text: str, sent: str | None) -> None:
    forwarded = InputCodec(Droppable, drop_empty=True).forward(text)
    assert forwarded is text if sent is None else forwarded == sent


class Tagged(Contract, tag="image", tag_field="type"):
    text: str = ""


class Holder(Contract):
    inner: Tagged


def test_dropping_empty_strings_leaves_the_tag_of_a_contract_inside() -> None:
    codec = InputCodec(Holder, drop_empty=True)
    assert codec.forward('{"inner": {"type": "image", "text": ""}}') == '{"inner":{"type":"image"}}'
    assert codec.forward('{"inner": {"text": ""}}') == '{"inner":{}}'


def test_empty_strings_are_dropped_only_when_asked_for_and_after_the_check() -> None:
    text = '{"limit":1,"text":""}'
    assert InputCodec(Droppable).forward(text) is text
    with pytest.raises(InputError):
        InputCodec(Droppable, drop_empty=True).forward('{"limit":"","text":""}')


def test_a_fraction_of_a_request_takes_whole_numbers() -> None:
    class Priced(Contract):
        price: float

    codec = InputCodec(Priced)
    for text in ('{"price":1}', '{"price":1.0}', '{"price":1e0}'):
        assert codec.decode(text).price == 1.0
        assert codec.forward(text) == text
