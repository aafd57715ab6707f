import json
import logging
from collections.abc import Iterator
from typing import Annotated, Any, cast

import msgspec
import pytest
from hypothesis import given, strategies as st
from msgspec import Meta

from tests.support.tables import for_each
from wwspec_contracts.base import UNSET, Contract, Flag, Output, UnsetType
from wwspec_contracts.errors import OutputError
from wwspec_contracts.examples import console_example
from wwspec_contracts.matching import matches
from wwspec_router.codecs.codec import OutputCodec, OutputPolicy

BooleanFlag = Annotated[bool, Meta(extra={"also": "int"})]


class Sender(Contract):
    id: str
    kind: int = 0
    is_robot: BooleanFlag = False


class Message(Contract):
    msgid: str = ""
    sender: Sender | UnsetType = UNSET
    hidden: Flag = 0
    receivers: list[Sender] = []
    text: Annotated[str, Meta(extra={"aliases": ["content", "Text"]})] = ""


class Page(Output):
    has_more: Flag = 0
    msg_list: list[Message] = []
    extra: Message | UnsetType = UNSET
    ids: list[str] = []
    grid: list[list[int]] = []


EXAMPLE = console_example(Page)
SENDER = {"id": "a", "kind": 2**63 - 1}


class Pruned:
    def __init__(self) -> None:
        self.paths: list[str] = []
        self.codec = OutputCodec(Page, OutputPolicy.PRUNE, self.paths.append)

    def fit(self, value: Any) -> Any:
        text = self.codec.fit(json.dumps(value))
        fitted = json.loads(text)
        assert matches(EXAMPLE, fitted)
        return fitted


senders = st.fixed_dictionaries(
    {"id": st.text(max_size=3)}, optional={"kind": st.integers(-(2**63), 2**63 - 1), "is_robot": st.booleans()}
)
messages = st.fixed_dictionaries(
    {},
    optional={
        "msgid": st.text(max_size=3),
        "sender": senders,
        "hidden": st.integers(0, 1),
        "receivers": st.lists(senders, max_size=3),
        "text": st.text(max_size=3),
    },
)
pages = st.fixed_dictionaries(
    {},
    optional={
        "errcode": st.integers(-(2**63), 2**63 - 1),
        "errmsg": st.text(max_size=3),
        "has_more": st.integers(0, 1),
        "msg_list": st.lists(messages, max_size=3),
        "extra": messages,
        "ids": st.lists(st.text(max_size=3), max_size=3),
        "grid": st.lists(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=2), max_size=2),
    },
)
NEW_KEYS = ("colour", "msg", "Sender", "新", "a.b")
strangers = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


NESTED: dict[tuple[type, str], type] = {
    (Page, "msg_list"): Message,
    (Page, "extra"): Message,
    (Message, "sender"): Sender,
    (Message, "receivers"): Sender,
}


@st.composite
def sprinkled(draw: st.DrawFn, value: Any, type_: type | None) -> Any:
    """Add unlisted keys, and nulls for absent optional keys, to a fitting value at any depth."""
    if isinstance(value, list):
        return [draw(sprinkled(item, type_)) for item in value]
    if type_ is None:
        return value
    found = {key: draw(sprinkled(item, NESTED.get((type_, key)))) for key, item in value.items()}
    optional = [field.name for field in msgspec.structs.fields(type_) if not field.required and field.name not in value]
    found |= dict.fromkeys(draw(st.sets(st.sampled_from(optional))) if optional else ())
    found |= {key: draw(strangers) for key in draw(st.sets(st.sampled_from(NEW_KEYS), max_size=2))}
    return dict(draw(st.permutations(list(found.items()))))


@given(pages, st.data())
def test_pruning_takes_out_what_is_not_listed_and_touches_nothing_else(page: Any, data: st.DataObject) -> None:
    assert Pruned().fit(data.draw(sprinkled(page, Page))) == page


@given(pages)
def test_a_fitting_reply_is_passed_on_as_the_same_object(page: Any) -> None:
    pruned = Pruned()
    text = json.dumps(page, indent=1)
    for codec in (pruned.codec, OutputCodec(Page), OutputCodec(Page, OutputPolicy.OFF)):
        assert codec.fit(text) is text
    assert pruned.paths == []


def test_each_pruned_path_is_reported_once() -> None:
    pruned = Pruned()
    reply = {
        "new": 1,
        "msg_list": [
            {"colour": 1, "sender": {"id": "a", "x": 1}},
            {"colour": 2, "sender": {"id": "b", "x": 2}, "msgid": None},
        ],
    }
    for _ in range(2):
        assert pruned.fit(reply) == {"msg_list": [{"sender": {"id": "a"}}, {"sender": {"id": "b"}}]}
    assert pruned.paths == ["$.new", "$.msg_list[].colour", "$.msg_list[].sender.x", "$.msg_list[].msgid"]


def test_the_number_of_reported_paths_and_their_length_is_bounded() -> None:
    pruned = Pruned()
    assert pruned.fit({"k" * 10_000: 1, **{f"key{number}": 1 for number in range(5000)}}) == {}
    assert len(pruned.paths) == 1000
    assert pruned.paths[0] == "$." + "k" * 64


@for_each(
    [
        ({"has_more": True}, {"has_more": 1}),
        ({"msg_list": [{"hidden": True}]}, {"msg_list": [{"hidden": 1}]}),
        ({"extra": {"sender": {"id": "a", "is_robot": 1}}}, {"extra": {"sender": {"id": "a", "is_robot": True}}}),
        ({"msg_list": [{"content": "hi"}]}, {"msg_list": [{"text": "hi"}]}),
        ({"msg_list": [{"Text": "hi"}]}, {"msg_list": [{"text": "hi"}]}),
        ({"msg_list": [{"content": "old", "text": "new"}]}, {"msg_list": [{"text": "new"}]}),
        ({"msg_list": [{"content": None}]}, {"msg_list": [{}]}),
        ({"errcode": None, "errmsg": None}, {}),
        ({"x": 2**70, "extra": {"sender": SENDER}}, {"extra": {"sender": SENDER}}),
    ]
)
def test_the_other_spellings_of_wecom_s_pages_are_repaired(reply: Any, repaired: Any) -> None:
    assert Pruned().fit(reply) == repaired


@for_each(
    [
        ({"msg_list": [{"sender": {}}]}, "$.msg_list[...].sender.id"),
        ({"msg_list": [{"sender": {"id": None}}]}, "$.msg_list[...].sender.id"),
        ({"msg_list": [{"msgid": 5}], "x": 1}, "$.msg_list[...].msgid"),
        ({"has_more": 2}, "$.has_more"),
        ({"extra": {"sender": {"id": "a", "is_robot": 2}}}, "$.extra.sender.is_robot"),
        ({"extra": {"sender": {"id": "a", "kind": True}}}, "$.extra.sender.kind"),
        ({"ids": ["a", None]}, "$.ids[...]"),
        ({"errcode": "0"}, "$.errcode"),
        ([], "$"),
        (None, "$"),
    ]
)
def test_what_can_not_be_repaired_is_refused_with_its_path(reply: Any, path: str) -> None:
    with pytest.raises(OutputError) as caught:
        Pruned().codec.fit(json.dumps(reply))
    assert caught.value.path.replace("[0]", "[...]").replace("[1]", "[...]") == path


@for_each(["", "{", "OK", "\ud800", '{"errcode":NaN}', "[" * 100_000, '{"x":' * 100_000, '{"x":1,"errcode":1e999}'])
def test_a_reply_that_is_not_json_is_refused(text: str) -> None:
    for policy in (OutputPolicy.PRUNE, OutputPolicy.STRICT):
        with pytest.raises(OutputError) as caught:
            OutputCodec(Page, policy).fit(text)
        assert caught.value.path.startswith("$")


def test_the_strict_policy_refuses_what_pruning_would_repair() -> None:
    codec = OutputCodec(Page, OutputPolicy.STRICT)
    for text, path in [('{"x":1}', "$.x"), ('{"has_more":true}', "$.has_more"), ('{"errmsg":null}', "$.errmsg")]:
        with pytest.raises(OutputError) as caught:
            codec.fit(text)
        assert caught.value.path == path


@for_each(["", "not JSON", '{"x":1}', "\ud800"])
def test_the_policy_off_passes_anything_on(text: str) -> None:
    assert OutputCodec(Page, OutputPolicy.OFF).fit(text) is text


def test_a_refusal_never_quotes_a_value() -> None:
    with pytest.raises(OutputError) as caught:
        OutputCodec(Page, OutputPolicy.PRUNE).fit('{"has_more":"a-secret","msg_list":"a-secret"}')
    assert "$.has_more" in str(caught.value)
    assert "a-secret" not in str(caught.value)


def wrong(value: object) -> Any:
    """Return a value of a type that the contract does not have, as untyped code may."""
    return cast(Any, value)


def _itself() -> Any:
    value: list[Any] = []
    value.append(value)
    return value


@for_each(
    [
        (Page(errcode=wrong("0")), "$.errcode"),
        (Page(has_more=wrong(True)), "$.has_more"),
        (Page(has_more=2), "$.has_more"),
        (Page(msg_list=[Message(sender=Sender(id=wrong(None)))]), "$.msg_list[0].sender.id"),
        (Page(ids=wrong("abc")), "$.ids"),
        (Page(extra=wrong(None)), "$.extra"),
        (Page(ids=wrong(object())), "$"),
        (Page(ids=["\ud800"]), "$"),
        (Page(ids=wrong(_itself())), "$"),
        (Page(grid=[[wrong(1.5)]]), "$.grid[0][0]"),
        (Page(grid=[[2**63]]), "$.grid[0][0]"),
        (Page(grid=[[10**400]]), "$.grid[0][0]"),
        (Page(grid=[[wrong(float("nan"))]]), "$.grid[0][0]"),
        ({"errcode": 0, "other": 1}, "$.other"),
        (Message(), "$.msgid"),
        (object(), "$"),
    ]
)
def test_a_handler_s_result_of_a_wrong_type_is_refused_with_its_path(value: object, path: str) -> None:
    with pytest.raises(OutputError) as caught:
        OutputCodec(Page).encode(value)
    assert caught.value.path.replace("[...]", "[0]") == path


class Shares(Output):
    share: float = 0.0
    shares: list[float] = []
    nested: "list[Shares]" = []


def test_a_whole_number_in_a_handler_s_fraction_is_written_as_a_fraction() -> None:
    text = OutputCodec(Shares).encode(Shares(share=1, shares=[2, 0.5], nested=[Shares(share=3)]))
    value = json.loads(text)
    assert matches(0.5, value["share"])
    assert matches([0.5], value["shares"])
    assert matches(0.5, value["nested"][0]["share"])
    assert value["shares"] == [2, 0.5]


@pytest.mark.parametrize("policy", [OutputPolicy.PRUNE, OutputPolicy.STRICT])
def test_a_whole_number_in_the_platform_s_fraction_is_passed_on_as_a_fraction(policy: OutputPolicy) -> None:
    codec = OutputCodec(Shares, policy)
    assert codec.fit('{"share": 1, "shares": [2, 0.5]}') == '{"share":1.0,"shares":[2.0,0.5]}'
    for text in ('{"share": 1.0, "errcode": 3}', '{ "shares": [] }'):
        assert codec.fit(text) is text


@given(pages)
def test_a_handler_s_result_is_encoded_whole(page: Any) -> None:
    value = msgspec.convert(page, Page)
    assert msgspec.json.decode(OutputCodec(Page).encode(value), type=Page) == value


def test_the_policy_off_encodes_a_handler_s_result_unchecked() -> None:
    assert OutputCodec(Page, OutputPolicy.OFF).encode({"any": "thing"}) == '{"any":"thing"}'


@pytest.fixture(autouse=True)
def _nothing_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.DEBUG, "wwspec_router"):
        yield
    assert caplog.records == []
