"""A contract's type as a small tree, made once from msgspec's description of it.

Codecs, repairs, console examples and checks read this tree, so that only this module reads `msgspec.inspect`.
"""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, get_args, get_origin
from uuid import UUID

import msgspec
from msgspec import inspect as mi


class Scalar(msgspec.Struct, frozen=True):
    """A string, a number, a boolean, or any other value that is neither an object nor a list."""

    kind: str
    """`str`, `int`, `float`, `bool`, `null`, or `open` for a type that no console example can show."""
    example: Any
    """A value that fits the type and its bounds."""
    max_bytes: int | None = None
    """Limit in UTF-8 bytes, strings only."""
    unsigned: bool = False
    """Whether an integer is one of 64 bits without a sign."""
    also: str = ""
    """`bool` or `int`: the other spelling that WeCom is allowed."""
    fault: str = ""
    """Why the platform's rule can't express this type, else empty."""
    least: int | None = None
    """The smallest value of an integer, or the smallest number of characters of a string."""
    most: int | None = None
    """The largest of the same."""
    choices: tuple[str | int, ...] = ()
    """All allowed values except null, if the type lists them."""
    documented: bool = False
    """Whether WeCom's pages list them."""
    bounds: str = ""
    """Both bounds of a number in words, such as `from 1 to 1000`; empty unless it has both."""
    hidden: bool = False
    """Whether the type checks more than what is said here."""


class ListShape(msgspec.Struct, frozen=True):
    """An array whose elements share one shape."""

    item: "Shape"
    example: Any = None
    """The array given by the contract's author, if any."""
    nullable: bool = False
    """Whether an element may be null."""
    least: int = 0
    """The smallest number of elements."""
    most: int | None = None
    """The largest number of elements."""
    hidden: bool = False
    """Whether the type checks more than what is said here, as a set does."""


class Field(msgspec.Struct, frozen=True):
    """One key of an object."""

    name: str
    """The key in JSON."""
    attribute: str
    """The attribute in Python."""
    required: bool
    shape: "Shape"
    nullable: bool
    aliases: tuple[str, ...] = ()
    """Other spellings of the key that WeCom uses on some pages."""


class ObjectShape(msgspec.Struct):
    """An object with listed keys. Not frozen, since a type may contain itself."""

    name: str
    fields: dict[str, Field]
    """Maps the JSON key to its field."""
    renamed: dict[str, str]
    """Maps each alias to the JSON key."""
    hidden: bool = False
    """Whether the type checks more than what is said here: by a tag, as an array, or by code of its own."""


Shape = Scalar | ListShape | ObjectShape

_TEXT_EXAMPLE = "text"

_EXAMPLES: dict[type[mi.Type], Any] = {
    mi.DateType: date(2026, 1, 31),
    mi.DateTimeType: datetime(2026, 1, 31, 8, 30, tzinfo=UTC),
    mi.TimeDeltaType: timedelta(minutes=90),
    mi.DecimalType: Decimal("19.99"),
    mi.UUIDType: UUID("6f1c7f4e-3f0a-4c4b-9d5e-2b1a0c9d8e7f"),
}
"""Of the types that are texts in JSON; the console can't tell them from other texts."""


def shape_of(type_: Any) -> Shape:
    """Describe a msgspec type.

    Args:
        type_: Anything msgspec can decode into.

    Returns:
        Its tree. Types that the platform's matching rule can't express become a `Scalar` with a `fault`.
    """
    return _Reader().read(mi.type_info(type_))


@cache
def structs_inside(type_: Any) -> dict[Any, tuple[msgspec.structs.FieldInfo, ...]]:
    """Return all structs inside a type, itself too, each with its fields.

    Raises:
        TypeError: An alias contains itself; msgspec would look for its end for ever.
    """
    structs: dict[Any, tuple[msgspec.structs.FieldInfo, ...]] = {}
    _add_structs(type_, structs, ())
    return structs


def inner_types(type_: Any) -> tuple[Any, ...]:
    """Return the types that a type is made of; none for a struct."""
    named = getattr(type_, "__supertype__", getattr(type_, "__value__", None))  # NewType, and `type Name = int`
    return get_args(type_) if named is None else (named,)


def _add_structs(type_: Any, structs: dict[Any, Any], above: tuple[Any, ...]) -> None:
    if isinstance(get_origin(type_) or type_, msgspec.StructMeta):
        if type_ not in structs:
            structs[type_] = msgspec.structs.fields(type_)
            for field in structs[type_]:
                _add_structs(field.type, structs, ())
    elif any(type_ is each for each in above):
        raise TypeError(f"{type_} contains itself: write a Contract for what is inside")
    else:
        if hasattr(type_, "__value__"):
            above = (*above, type_)
        for each in inner_types(type_):
            _add_structs(each, structs, above)


def shape_at(shape: Shape, path: str) -> Shape | None:
    """Return the part of a shape at a path of msgspec's, such as `$.items[0].price`; None when it has none."""
    rest = path.removeprefix("$")
    while rest:
        match shape:
            case ListShape(item=item) if rest[0] == "[":
                shape, rest = item, rest.partition("]")[2]
            case ObjectShape(fields=fields) if rest[0] == ".":
                inside = rest[1:]
                ends = ("", ".", "[")
                names = [name for name in fields if inside.startswith(name) and inside[len(name) :][:1] in ends]
                if not names:
                    return None
                name = max(names, key=len)
                shape, rest = fields[name].shape, inside[len(name) :]
            case _:
                return None
    return shape


class _Reader:
    """Turns one description into a tree; an object that contains itself is one node."""

    def __init__(self) -> None:
        self._objects: dict[type, ObjectShape] = {}

    def read(self, info: mi.Type, *, documented: bool = False) -> Shape:
        """Return the tree of a type; `documented` says whether the struct that has it is WeCom's."""
        extra: dict[str, Any] = {}
        examples: list[Any] = []
        while isinstance(info, mi.Metadata):
            extra |= info.extra or {}
            examples = (info.extra_json_schema or {}).get("examples", examples)
            info = info.type
        example = msgspec.to_builtins(examples[0]) if examples else None
        match info:
            case mi.StructType():
                return self._object(info)
            case mi.ListType() | mi.VarTupleType() | mi.SetType():
                if info.max_length == 0:
                    return ListShape(Scalar("open", None), [])
                return ListShape(
                    item=self.read(info.item_type, documented=documented),
                    example=example,
                    nullable=_nullable(info.item_type),
                    least=info.min_length or 0,
                    most=info.max_length,
                    hidden=isinstance(info, mi.SetType),
                )
            case mi.TupleType(item_types=items) if items and all(each == items[0] for each in items):
                item = self.read(items[0], documented=documented)
                return ListShape(item, example, _nullable(items[0]), len(items), len(items))
            case mi.UnionType():
                return self._union(info, documented)
            case _:
                return _scalar(info, extra, examples, documented)

    def _object(self, info: mi.StructType) -> ObjectShape:
        if info.cls in self._objects:
            return self._objects[info.cls]
        hidden = info.tag is not None or info.array_like or hasattr(info.cls, "__post_init__")
        shape = self._objects[info.cls] = ObjectShape(info.cls.__name__, {}, {}, hidden)
        if info.tag_field is not None:  # a key like any other, but for msgspec
            tag = Scalar(type(info.tag).__name__, info.tag, choices=() if info.tag is None else (info.tag,))
            shape.fields[info.tag_field] = Field(info.tag_field, info.tag_field, False, tag, False)
        documented = _is_of_wecom(info.cls)
        for field in info.fields:
            aliases = tuple(_extra(field.type).get("aliases", ()))
            shape.fields[field.encode_name] = Field(
                name=field.encode_name,
                attribute=field.name,
                required=field.required,
                shape=self.read(field.type, documented=documented),
                nullable=_nullable(field.type),
                aliases=aliases,
            )
            shape.renamed |= dict.fromkeys(aliases, field.encode_name)
        return shape

    def _union(self, info: mi.UnionType, documented: bool) -> Shape:
        members = [self.read(each, documented=documented) for each in info.types if not isinstance(each, mi.NoneType)]
        if len(members) == 1:
            return members[0]
        return Scalar("open", None, fault="a union: the console example can show only one type")


def _is_of_wecom(class_: type) -> bool:
    return class_.__module__.startswith("wwspec_contracts.")


def _extra(info: mi.Type) -> dict[str, Any]:
    if isinstance(info, mi.Metadata):
        return _extra(info.type) | (info.extra or {})
    return {}


def _nullable(info: mi.Type) -> bool:
    if isinstance(info, mi.Metadata):
        return _nullable(info.type)
    if isinstance(info, mi.UnionType):
        return any(_nullable(each) for each in info.types)
    return isinstance(info, mi.NoneType | mi.AnyType | mi.RawType)


def _scalar(info: mi.Type, extra: dict[str, Any], examples: list[Any], documented: bool) -> Scalar:
    kind, example, fault = _default(info)
    return Scalar(
        kind=kind,
        example=msgspec.to_builtins(examples[0] if examples else example),
        max_bytes=extra.get("max_bytes"),
        unsigned=extra.get("unsigned", False),
        also=extra.get("also", ""),
        fault=fault,
        documented=_is_of_wecom(info.cls) if isinstance(info, mi.EnumType) else documented,
        bounds=_bounds(info) if isinstance(info, mi.IntType | mi.FloatType) else "",
        **_limits(info),
    )


def _bounds(info: mi.IntType | mi.FloatType) -> str:
    """Return both bounds of a number in words; empty unless it has both."""
    least = None if info.ge is info.gt is None else f"above {info.gt}" if info.ge is None else f"from {info.ge}"
    most = None if info.le is info.lt is None else f"below {info.lt}" if info.le is None else f"to {info.le}"
    return "" if least is None or most is None else f"{least} {most}"


def _limits(info: mi.Type) -> dict[str, Any]:
    """Return what a scalar type allows: the fields of `Scalar` for that."""
    match info:
        case mi.StrType():
            return {"least": info.min_length, "most": info.max_length, "hidden": info.pattern is not None}
        case mi.IntType():
            return {"least": _least(info), "most": _most(info), "hidden": info.multiple_of is not None}
        case mi.LiteralType():
            return {"choices": tuple(each for each in info.values if each is not None)}
        case mi.EnumType():
            return {"choices": tuple(each.value for each in info.cls)}
        case mi.BoolType():
            return {}
        case _:
            return {"hidden": True}


def _default(info: mi.Type) -> tuple[str, Any, str]:
    """Return the kind, a fitting value, and the fault of a scalar type."""
    match info:
        case mi.StrType():
            return "str", _text(info), ""
        case mi.BoolType():
            return "bool", True, ""
        case mi.IntType():
            return "int", _integer(info), ""
        case mi.FloatType():
            return "float", _number(info), ""
        case mi.LiteralType():
            return _literal(info)
        case mi.EnumType():
            value = next(iter(info.cls)).value
            return type(value).__name__, value, ""
        case _:
            return _default_of_others(info)


def _default_of_others(info: mi.Type) -> tuple[str, Any, str]:
    """Return the same of a type that JSON has no type for."""
    match info:
        case mi.NoneType():
            return "null", None, "null: the platform refuses it; leave the key out instead"
        case mi.DateTimeType(tz=False):
            return "open", None, "a datetime without a time zone: apps could not know which moment it is; use tz=True"
        case mi.TimeType():
            return "str", time(8, 30, tzinfo=UTC if info.tz else None), ""
        case mi.BytesType():
            return "str", _text(info).encode(), ""
        case mi.TupleType():
            return "open", None, "a tuple of several types: the console's array has one; use a Contract"
        case _ if type(info) in _EXAMPLES:
            return "str", _EXAMPLES[type(info)], ""
        case mi.DictType():
            return "open", None, "a mapping: the platform lets only listed keys pass; list them in a Contract"
        case mi.AnyType() | mi.RawType():
            return "open", None, "has no type: name one, such as list[str] for a list, or a Contract for an object"
        case _:
            return "open", None, "no JSON type of its own: the console example can't show it"


def _literal(info: mi.LiteralType) -> tuple[str, Any, str]:
    kinds = {type(value) for value in info.values}
    if kinds in ({int}, {str}):
        return type(info.values[0]).__name__, info.values[0], ""
    return "open", None, "literals of several types, or null: the console example can show only one type"


def _text(info: mi.StrType | mi.BytesType) -> str:
    length = max(info.min_length or 0, min(len(_TEXT_EXAMPLE), info.max_length or len(_TEXT_EXAMPLE)))
    return _TEXT_EXAMPLE[:length].ljust(length, "x")


def _least(info: mi.IntType) -> int | None:
    return info.ge if info.ge is not None else None if info.gt is None else info.gt + 1


def _most(info: mi.IntType) -> int | None:
    return info.le if info.le is not None else None if info.lt is None else info.lt - 1


def _integer(info: mi.IntType) -> int:
    low, high = _least(info), _most(info)
    value = 1 if low is None else max(1, low)
    value = value if high is None else min(value, high)
    step = info.multiple_of or 1
    above = -(-value // step) * step
    return int(above if high is None or above <= high else value // step * step)


def _number(info: mi.FloatType) -> float:
    low = info.ge if info.ge is not None else info.gt
    high = info.le if info.le is not None else info.lt
    if (low is None or low < 0.5) and (high is None or high > 0.5):
        return 0.5
    if low is not None and high is not None:
        return low / 2 + high / 2
    return float(high - 0.5 if low is None and high is not None else (low or 0) + 0.5)
