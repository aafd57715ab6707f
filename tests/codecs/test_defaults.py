"""Defaults of fields: one that does not fit its type is found before the first call."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta

from tests.support.tables import for_each
from wwspec_contracts.base import UNSET, Contract, Output, UnsetType, Unsigned, max_bytes
from wwspec_router.codecs.defaults import default_faults

T = TypeVar("T")
FIX = "; write a default that fits the type, or a type that takes it"


class Color(StrEnum):
    RED = "red"


class Item(Contract):
    price: int = 1
    on: date = date(2026, 1, 31)


class Pair(Contract, Generic[T]):
    one: T | UnsetType = UNSET


class Picky(Contract):
    price: int = 1

    def __post_init__(self) -> None:
        if self.price == 7:
            raise KeyError(self.price)


def broken() -> Any:
    raise KeyError("CORP")


def item(**fields: Any) -> Any:
    return Made(lambda: [Item(**fields)])


def picky() -> Picky:
    made = Picky()
    made.price = 7
    return made


class Made:
    """A default that a function makes."""

    def __init__(self, make: Any) -> None:
        self.field = msgspec.field(default_factory=make)


def contract(type_: Any, default: Any) -> type[Contract]:
    field = default.field if isinstance(default, Made) else default
    return msgspec.defstruct("Ask", [("value", type_, field)], bases=(Contract,), kw_only=True)  # type: ignore[return-value]


NO_INT = f"does not fit: expected int, got str{FIX}"


@for_each(
    [
        (int, "many", f"'many' {NO_INT}"),
        (int, None, f"None does not fit: expected int, got null{FIX}"),
        (int, 2**70, f"{2**70} does not fit: expected int <= {2**63 - 1}{FIX}"),
        (Unsigned, -1, f"-1 does not fit: expected int >= 0{FIX}"),
        (Annotated[int, Meta(ge=5)], 1, f"1 does not fit: expected int >= 5{FIX}"),
        (Literal["a", "b"], "c", f"'c' does not fit: not one of the allowed values (a, b){FIX}"),
        (str, "\ud800", r"'\ud800' is no Unicode text: take the lone surrogate out"),
        (str, UNSET, "is UNSET: add UnsetType to its type, such as int | UnsetType"),
        (float, float("nan"), f"nan does not fit: expected float, got null{FIX}"),
        (bool, 1, f"1 does not fit: expected bool, got int{FIX}"),
        (Annotated[list[int], Meta(min_length=1)], [], f"[] does not fit: expected array of length >= 1{FIX}"),
        (list[int], Made(lambda: [1, "a"]), f"[1, 'a'] does not fit at [1]: expected int, got str{FIX}"),
        (Annotated[str, max_bytes(4)], "中文", f"'中文' does not fit: longer than 4 bytes{FIX}"),
        (list[Item], item(price="1"), "[Item(price='1...(2026, 1, 31))] does not fit at [0].price: expected int"),
        (Pair[int], Made(lambda: Pair(one="1")), f"Pair(one='1') does not fit at .one: expected int, got str{FIX}"),
        (Picky, Made(picky), f"Picky(price=7) does not fit: KeyError: 7{FIX}"),
        (int, object, "<class 'object'> does not fit: TypeError: "),
        (date, "2026-01-31", f"'2026-01-31' holds a str in place of a date{FIX}"),
        (list[Item], item(on="2026-01-31"), f"[Item(price=1, on='2026-01-31')] holds a str in place of a date{FIX}"),
        (Color, "red", f"'red' holds a str in place of a Color{FIX}"),
        (Decimal, "1.5", f"'1.5' holds a str in place of a Decimal{FIX}"),
        (Item, Made(dict), f"{{}} holds a dict in place of a Item{FIX}"),
        (int, "\x1b[2J" + "x" * 10**6, r"'\x1b[2Jxxxxx...xxxxxxxxxxxxx' does not fit: "),
    ]
)
def test_a_default_that_does_not_fit_its_type_is_named_with_the_fix(type_: Any, default: Any, said: str) -> None:
    ((struct, field, why),) = default_faults(contract(type_, default))
    assert (struct.__name__, field.name) == ("Ask", "value")
    assert why.startswith(f"its default {said}")


def test_a_default_of_too_many_digits_is_not_shown() -> None:
    ((_, _, why),) = default_faults(contract(int, 10**5000))
    assert len(why) < 300
    assert "Exceeds the limit (4300 digits)" in why


def test_what_a_factory_raises_is_named() -> None:
    assert [why for *_, why in default_faults(contract(int, Made(broken)))] == [
        "its default_factory ends with KeyError: 'CORP'"
    ]


def test_defaults_are_looked_for_in_all_structs_of_a_contract() -> None:
    wrong = contract(int, "many")
    for type_ in (wrong, list[wrong], wrong | UnsetType, tuple[wrong, ...], Pair[wrong], Annotated[wrong, Meta()]):  # type: ignore[valid-type]
        outer = msgspec.defstruct("Outer", [("inner", type_)], bases=(Contract,), kw_only=True)
        assert [struct for struct, *_ in default_faults(outer)] == [wrong]


def test_defaults_that_fit_are_no_fault() -> None:
    class Fine(Output):
        number: int = -(2**63)
        unsigned: Unsigned = 2**64 - 1
        whole: float = 1
        optional: Annotated[str, max_bytes(4)] | UnsetType = UNSET
        bounded: Annotated[int, Meta(ge=5)] = 5
        text: Annotated[str, max_bytes(3)] = "中"
        names: list[str] = []
        several: set[str] = set()
        pair: tuple[int, ...] = (1, 2)
        items: list[Item] = msgspec.field(default_factory=lambda: [Item(price=2)])
        generic: Pair[int] = msgspec.field(default_factory=Pair)
        color: Color = Color.RED
        level: Literal[1, 2] = 2
        price: Decimal = Decimal("19.99")
        content: bytes = b"\xff"
        renamed: int = msgspec.field(default=1, name="Renamed")

    assert not list(default_faults(Fine))
