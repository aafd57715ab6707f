import json
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from types import GenericAlias
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given, strategies as st
from msgspec import Meta

from tests.contracts.test_matching import integers
from tests.support.tables import for_each
from wwspec_contracts.base import UNSET, Contract, Output, UnsetType, max_bytes
from wwspec_contracts.errors import LoaderError
from wwspec_contracts.examples import console_example, contract_faults
from wwspec_contracts.matching import matches
from wwspec_contracts.wrapping import merged_events
from wwspec_router.codecs.codec import InputCodec, OutputCodec, OutputPolicy


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Generated(msgspec.Struct, frozen=True):
    """A type made up by Hypothesis, and a strategy for JSON that fits it."""

    type: Any
    fitting: Any


SCALARS = [
    Generated(str, st.text(max_size=3)),
    Generated(int, integers),
    Generated(bool, st.booleans()),
    Generated(float, st.floats(allow_nan=False, allow_infinity=False)),
    Generated(Colour, st.sampled_from(["red", "blue"])),
    Generated(Level, st.sampled_from([1, 2])),
    Generated(Literal["a", "b"], st.sampled_from("ab")),
    Generated(Literal[3, 5], st.sampled_from([3, 5])),
    Generated(Annotated[str, max_bytes(8)], st.text(max_size=2)),
    Generated(Annotated[int, Meta(ge=-3, le=-1)], st.integers(-3, -1)),
    Generated(Annotated[list[int], Meta(examples=[[7]])], st.lists(integers, max_size=2)),
    Generated(tuple[int, int], st.lists(integers, min_size=2, max_size=2)),
    Generated(date, st.dates().map(str)),
    Generated(Decimal, st.integers().map(str)),
    Generated(bytes, st.just("dGV4dA==")),
]


@st.composite
def structs(draw: st.DrawFn, inner: Any) -> Generated:
    fields = draw(st.lists(inner, min_size=1, max_size=4))
    required = draw(st.lists(st.booleans(), min_size=len(fields), max_size=len(fields)))
    rows: list[Any] = []
    shapes: dict[bool, dict[str, Any]] = {True: {}, False: {}}
    for number, (field, needed) in enumerate(zip(fields, required, strict=True)):
        name = f"key_{number}"
        rows.append((name, field.type) if needed else (name, field.type | UnsetType, UNSET))
        shapes[needed][name] = field.fitting
    made = msgspec.defstruct("Made", rows, bases=(Contract,), kw_only=True)
    return Generated(made, st.fixed_dictionaries(shapes[True], optional=shapes[False]))


def _composite(inner: Any) -> Any:
    lists = inner.map(lambda each: Generated(GenericAlias(list, (each.type,)), st.lists(each.fitting, max_size=3)))
    return lists | structs(inner)


generated = structs(st.recursive(st.sampled_from(SCALARS), _composite, max_leaves=8))


@given(generated, st.data())
def test_whatever_fits_a_contract_fits_its_console_example(made: Generated, data: st.DataObject) -> None:
    value = data.draw(made.fitting)
    InputCodec(made.type).decode(json.dumps(value))
    assert matches(console_example(made.type), value)
    assert not list(contract_faults(made.type))


@given(generated)
def test_a_console_example_is_json_that_fits_its_own_contract(made: Generated) -> None:
    example = console_example(made.type)
    assert json.loads(json.dumps(example)) == example
    InputCodec(made.type).decode(json.dumps(example))


@given(st.none() | st.integers(-20, 20), st.none() | st.integers(-20, 20), st.booleans(), st.booleans())
def test_examples_of_numbers_keep_within_their_bounds(
    low: int | None, high: int | None, low_open: bool, high_open: bool
) -> None:
    if low is not None and high is not None:
        low, high = min(low, high), max(low, high) + 2
    lower: dict[str, Any] = {"gt" if low_open else "ge": low}
    upper: dict[str, Any] = {"lt" if high_open else "le": high}
    bounds = Meta(**lower, **upper)
    for type_ in (Annotated[int, bounds], Annotated[float, bounds]):
        msgspec.convert(console_example(type_), type_)


@for_each(
    [
        (Annotated[float, Meta(ge=0, le=0.25)], None),
        (Annotated[float, Meta(gt=0, lt=0.25)], None),
        (Annotated[float, Meta(ge=-0.25, le=0)], None),
        (Annotated[int, Meta(ge=10, multiple_of=4)], 12),
        (Annotated[int, Meta(le=10, multiple_of=4)], 4),
        (Annotated[int, Meta(le=4, multiple_of=4)], 4),
        (Annotated[int, Meta(le=3, multiple_of=4)], 0),
        (Annotated[int, Meta(lt=-4, multiple_of=4)], -8),
        (Annotated[int, Meta(gt=-10, lt=10, multiple_of=4)], 4),
        (Annotated[str, Meta(min_length=6)], "textxx"),
        (Annotated[str, max_bytes(2)], "te"),
        (Annotated[str, Meta(examples=["zhangsan"])], "zhangsan"),
        (Annotated[list[str], Meta(examples=[["a", "b"]])], ["a", "b"]),
        (list[list[int]], [[[1]][0]]),
        (tuple[int, ...], [1]),
        (set[str], ["text"]),
    ]
)
def test_examples_are_values_of_their_type(type_: Any, example: Any) -> None:
    found = console_example(type_)
    assert example is None or found == example
    msgspec.convert(found, type_)


class Image(Contract, tag="image", tag_field="type"):
    url: str = ""


class Post(Output, kw_only=True):
    image: Image


def test_an_example_has_the_tag_of_a_contract_and_what_almost_fits_keeps_it() -> None:
    """A reply with a key that the example lacks would be refused as a whole (790014)."""
    assert console_example(Post)["image"] == {"type": "image", "url": "text"}
    reply = '{"image":{"type":"image","url":"x","new":1}}'
    assert OutputCodec(Post, OutputPolicy.PRUNE).fit(reply) == '{"image":{"type":"image","url":"x"}}'


class Mapped(Contract):
    table: dict[str, int] = {}


class Node(Contract):
    children: "list[Node]" = []


class Loop(Contract):
    back: "Loop | UnsetType" = UNSET


class Alias:
    """An alias as `type Tree = list[Tree]` makes it on Python 3.12 and later."""

    __value__: Any

    def __repr__(self) -> str:
        return "Tree"


ENDLESS = Alias()
ENDLESS.__value__ = list[ENDLESS]  # type: ignore[valid-type]


def nested(levels: int) -> Any:
    type_: Any = int
    for _ in range(levels):
        type_ = list[type_]
    return type_


class Deep(Contract):
    inner: list[Mapped] = []
    fine: Level | UnsetType = UNSET


class Both(Contract):
    first: Mapped | UnsetType = UNSET
    second: Mapped | UnsetType = UNSET


def with_key(type_: Any) -> type[Any]:
    return msgspec.defstruct("Made", [("key", type_)], bases=(Contract,), kw_only=True)


@for_each(
    [
        (Mapped, [("$.table", "a mapping")]),
        (with_key(dict[str, date]), [("$.key", "a mapping")]),
        (with_key(int | str), [("$.key", "a union")]),
        (with_key(Literal[1, "a"]), [("$.key", "literals of several types")]),
        (with_key(Literal["a", None]), [("$.key", "null")]),
        *((with_key(nullable), [("$.key", "may be null")]) for nullable in (int | None, None)),
        *((with_key(untyped), [("$.key", "has no type")]) for untyped in (Any, msgspec.Raw)),
        (with_key(list), [("$.key[]", "has no type: name one, such as list[str]")]),
        (with_key(list[int | None]), [("$.key[]", "may be null")]),
        (with_key(list[list[Mapped | None]]), [("$.key[][]", "may be null")]),
        (with_key(tuple[int, str]), [("$.key", "a tuple of several types")]),
        (with_key(bytearray), [("$.key", "no JSON type of its own")]),
        (with_key(Annotated[datetime, Meta(tz=False)]), [("$.key", "a datetime without a time zone")]),
        (Node, [("$.children[]", "Node contains itself")]),
        (Loop, [("$.back", "Loop contains itself")]),
        (Deep, [("$.inner[].table", "a mapping")]),
        (Both, [("$.first.table", "a mapping"), ("$.second.table", "a mapping")]),
        (dict[str, int], [("$", "a mapping")]),
        (with_key(ENDLESS), [("$", "Tree contains itself: write a Contract for what is inside")]),
        (with_key(nested(2_000)), [("$", "it is nested too deeply, or contains itself")]),
        (Output, []),
    ]
)
def test_what_no_console_example_can_show_is_named_with_its_path(type_: Any, faults: list[tuple[str, str]]) -> None:
    found = list(contract_faults(type_))
    assert [path for path, _ in found] == [path for path, _ in faults]
    for (_, reason), (_, wanted) in zip(found, faults, strict=True):
        assert wanted in reason


class Learnt(Contract):
    event_type: Literal["learnt"]
    timestamp: int
    detail: Level | UnsetType = UNSET


class Forgotten(Contract):
    event_type: Literal["forgotten"]
    timestamp: int
    detail: str = ""


def test_merged_events_hold_the_keys_of_every_event_unless_they_disagree() -> None:
    keys = {"errcode": 0, "errmsg": "ok", "event_type": "text", "timestamp": 1, "detail": 1}
    assert console_example(merged_events({"learnt": Learnt}, {})) == keys
    with pytest.raises(LoaderError, match=r"schemas/events/forgotten\.py: detail has another type"):
        merged_events({"learnt": Learnt, "forgotten": Forgotten}, {})
