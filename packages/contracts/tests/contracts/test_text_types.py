"""Types that JSON has no form for are texts in it: what the program reads, writes and refuses."""

import json
from base64 import b64encode
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, strategies as st
from msgspec import Meta

from tests.support.tables import for_each
from wwspec_contracts.base import UNSET, Contract, Output, UnsetType
from wwspec_contracts.errors import InputError, OutputError
from wwspec_contracts.examples import console_example, contract_faults
from wwspec_contracts.matching import mismatches
from wwspec_devtools.console_contracts.schema import contract_schema
from wwspec_devtools.fuzz.requests import fitting as fitting_values
from wwspec_router.codecs.codec import InputCodec, OutputCodec


class Inner(Contract):
    price: Decimal
    at: datetime


class Everything(Contract):
    day: date | UnsetType = UNSET
    at: datetime | UnsetType = UNSET
    hour: time | UnsetType = UNSET
    lasts: timedelta | UnsetType = UNSET
    price: Decimal | UnsetType = UNSET
    number: UUID | UnsetType = UNSET
    data: bytes | UnsetType = UNSET
    place: tuple[float, float] | UnsetType = UNSET
    days: list[date] | UnsetType = UNSET
    prices: tuple[Decimal, ...] | UnsetType = UNSET
    inner: list[Inner] | UnsetType = UNSET


Reply: Any = msgspec.defstruct(
    "Reply",
    [(each.name, each.type, UNSET) for each in msgspec.structs.fields(Everything)],
    bases=(Output,),
    kw_only=True,
)
"""The same as a reply."""

read, written = InputCodec(Everything), OutputCodec(Reply)

zones = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(timezones=zones | st.just(UTC))
prices = st.decimals(allow_nan=False, allow_infinity=False, places=4) | st.decimals(
    allow_nan=False, allow_infinity=False
).filter(lambda each: abs(each.adjusted()) < 9000)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "day": st.dates(),
    "at": moments,
    "hour": st.times(),
    "lasts": st.timedeltas(),
    "price": prices,
    "number": st.uuids(),
    "data": st.binary(max_size=40),
    "place": st.tuples(st.floats(-180, 180), st.floats(-180, 180)),
    "days": st.lists(st.dates(), max_size=3),
    "prices": st.lists(prices, max_size=3).map(tuple),
    "inner": st.lists(st.builds(Inner, price=prices, at=moments), max_size=2),
}


@given(st.fixed_dictionaries({}, optional=VALUES))
def test_what_one_side_writes_the_other_reads_and_the_platform_lets_pass(values: dict[str, Any]) -> None:
    request = Everything(**values)
    text = msgspec.json.encode(request).decode()
    assert read.decode(text) == request
    assert list(mismatches(console_example(Everything), json.loads(text))) == []
    reply = json.loads(written.encode(Reply(**values)))
    assert {key: each for key, each in reply.items() if key in values} == json.loads(text)
    assert list(mismatches(console_example(Reply), reply)) == []


@given(fitting_values(Everything))
def test_a_search_for_bad_answers_makes_values_that_fit(value: Any) -> None:
    read.decode(json.dumps(value))


@given(st.sampled_from(["day", "at", "hour", "lasts", "price", "number", "data"]), st.text())
def test_a_text_is_read_or_refused_with_its_path_and_never_fails_otherwise(key: str, said: str) -> None:
    text = json.dumps({key: said})
    try:
        value = getattr(read.decode(text), key)
    except InputError as error:
        assert error.path == f"$.{key}"
    else:
        assert type(value) in (date, datetime, time, timedelta, Decimal, UUID, bytes)
        assert written.encode(Reply(**{key: value}))


NO_DECIMAL = 'expected a decimal number as a text, such as "19.99"'
NO_PRICES = (19.99, 19, "NaN", "Infinity", "1e999999", "１", "")


@for_each(
    [
        ("day", "1 March", "invalid RFC3339 encoded date at $.day"),
        ("day", "2026-02-30", "invalid RFC3339 encoded date at $.day"),
        ("day", 20260101, "expected date, got int at $.day"),
        ("at", "2026-01-31T08:30:00", "expected datetime with a timezone component at $.at"),
        ("at", "tomorrow", "invalid RFC3339 encoded datetime at $.at"),
        ("at", 1_700_000_000, "expected datetime, got int at $.at"),
        ("hour", "25:00:00", "invalid RFC3339 encoded time at $.hour"),
        ("lasts", "an hour", "invalid ISO8601 duration at $.lasts"),
        ("lasts", 3600, "expected duration, got int at $.lasts"),
        *(("price", said, f"{NO_DECIMAL} at $.price") for said in NO_PRICES),
        ("number", "no-uuid", "invalid UUID at $.number"),
        ("data", "?", "invalid base64 encoded string at $.data"),
        ("place", [1.5], "expected array of length 2 at $.place"),
        ("place", [1.5, 2.5, 3.5], "expected array of length 2 at $.place"),
        ("days", ["2026-01-31", "x"], "invalid RFC3339 encoded date at $.days[1]"),
        ("prices", ["1", 2], f"{NO_DECIMAL} at $.prices[1]"),
    ]
)
def test_what_a_type_does_not_mean_is_refused_in_words(key: str, said: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read.decode(json.dumps({key: said}))
    assert caught.value.message == f"input contract: {message}"


def test_a_naive_datetime_is_refused_in_a_reply_too() -> None:
    with pytest.raises(OutputError, match=r"expected datetime with a timezone component at \$\.at"):
        written.encode(Reply(at=datetime(2026, 1, 31, 8, 30)))
    assert '"at":"2026-01-31T08:30:00Z"' in written.encode(Reply(at=datetime(2026, 1, 31, 8, 30, tzinfo=UTC)))


@for_each(["NaN", "Infinity", "1E+99999"])
def test_a_decimal_that_no_app_could_read_is_refused_in_a_reply(number: str) -> None:
    with pytest.raises(OutputError, match=r"expected a decimal number as a text.* at \$\.price"):
        written.encode(Reply(price=Decimal(number)))


def test_a_class_that_checks_itself_sees_a_decimal() -> None:
    class Paid(Contract):
        price: Decimal

        def __post_init__(self) -> None:
            if self.price < 0:
                raise ValueError("a price is 0 or more")

    codec = InputCodec(Paid)
    assert codec.decode('{"price":"1.50"}').price == Decimal("1.50")
    with pytest.raises(InputError, match="a price is 0 or more"):
        codec.decode('{"price":"-1"}')


def test_the_console_example_of_each_type_is_a_text_that_the_type_reads() -> None:
    example = console_example(Everything)
    assert {type(example[key]) for key in ("day", "at", "hour", "lasts", "price", "number", "data")} == {str}
    assert example["place"] == [0.5, 0.5]
    assert list(contract_faults(Everything)) == []
    read.decode(json.dumps(example))


def test_an_example_of_the_author_may_be_a_value_of_python() -> None:
    class Given(Contract):
        day: Annotated[date, Meta(examples=[date(2026, 3, 1)])]
        price: Annotated[Decimal, Meta(examples=["1.50"])]
        days: Annotated[list[date], Meta(examples=[[date(2026, 3, 1)]])]
        key: Annotated[bytes, Meta(min_length=6)]

    shown = {"day": "2026-03-01", "price": "1.50", "days": ["2026-03-01"], "key": b64encode(b"textxx").decode()}
    assert console_example(Given) == shown
    assert contract_schema([Given])["$defs"]["Given"]["properties"]["day"]["format"] == "date"
