"""Requests are sent as the platform wants them: a number of a float field has a fraction."""

import json
from typing import Annotated, Any, NewType

import msgspec
from hypothesis import given, strategies as st
from msgspec import Meta

from tests.support.tables import for_each
from wwspec_client.request_text import encode_request
from wwspec_contracts.base import UNSET, Contract, UnsetType
from wwspec_contracts.examples import console_example
from wwspec_contracts.matching import mismatches

Yuan = NewType("Yuan", float)


class Item(Contract, frozen=True):  # type: ignore[misc]  # a request may be
    price: float
    pieces: int = 1


class Order(Contract):
    total: float = 0.5
    tip: Annotated[float, Meta(ge=0)] | UnsetType = UNSET
    paid: Yuan = Yuan(0.5)
    items: list[Item] = []
    rates: list[float] = []
    place: tuple[float, float] = (0.5, 0.5)
    sizes: tuple[float, ...] = ()
    best: Item | UnsetType = UNSET
    key: float = msgspec.field(default=0.5, name="from")
    number: int = 1
    is_open: bool = True


class Loose(msgspec.Struct):
    """What no contract may have, and a request of an app's own may."""

    by_day: dict[str, float] = {}
    either: int | float = 1
    anything: Any = 1
    pair: tuple[int, float] = (1, 1)


@for_each(
    [
        (Order(total=1), '"total":1.0'),
        (Order(tip=2), '"tip":2.0'),
        (Order(paid=Yuan(3)), '"paid":3.0'),
        (Order(items=[Item(price=4)]), '"items":[{"price":4.0,"pieces":1}]'),
        (Order(rates=[5, 0.5]), '"rates":[5.0,0.5]'),
        (Order(place=(6, 7)), '"place":[6.0,7.0]'),
        (Order(sizes=(8, 9)), '"sizes":[8.0,9.0]'),
        (Order(best=Item(price=-1)), '"best":{"price":-1.0,"pieces":1}'),
        (Order(key=10), '"from":10.0'),
        (Order(number=1, is_open=True), '"number":1,"is_open":true'),
        (Order(total=10**400), f'"total":{10**400}'),
        (Loose(by_day={"today": 1}), '"by_day":{"today":1.0}'),
        (Loose(either=1), '"either":1'),
        (Loose(anything=1), '"anything":1'),
        (Loose(pair=(1, 1)), '"pair":[1,1.0]'),
        ({"order": [Item(price=1)]}, '{"order":[{"price":1.0,"pieces":1}]}'),
        ({"price": 1}, '{"price":1}'),
    ]
)
def test_a_whole_number_has_a_fraction_where_a_float_is_declared(request: object, text: str) -> None:
    assert text in encode_request(request)


def test_a_request_is_not_changed() -> None:
    order = Order(total=1, items=[Item(price=4)])
    encode_request(order)
    assert (type(order.total), type(order.items[0].price)) == (int, int)


numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
items = st.builds(Item, price=numbers, pieces=st.integers(0, 9))


orders = st.builds(
    Order,
    total=numbers,
    tip=st.just(UNSET) | numbers,
    items=st.lists(items, max_size=3),
    rates=st.lists(numbers, max_size=3),
    place=st.tuples(numbers, numbers),
    best=st.just(UNSET) | items,
)


@given(orders)
def test_each_typed_request_fits_the_consoles_example_and_says_the_same(order: Order) -> None:
    text = encode_request(order)
    assert list(mismatches(console_example(Order), json.loads(text))) == []
    assert json.loads(text) == json.loads(msgspec.json.encode(order))
