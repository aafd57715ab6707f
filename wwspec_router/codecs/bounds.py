"""Bounds that every contract has even if its author wrote none, and bounds that msgspec does not know.

Python's integers have no limit and msgspec takes up to 4,300 digits, but the programs that read our JSON do not: an
integer of a contract fits 64 bits, signed unless it is declared as `Unsigned`. Strings may be limited in UTF-8 bytes.
A `datetime` has its time zone. A `Decimal` is a text: msgspec reads numbers, too, but the console's example is a text.
"""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import partial
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from msgspec import Meta

from wwspec_contracts.errors import InputError, OutputError
from wwspec_contracts.shape import ListShape, ObjectShape, Scalar, Shape

LEAST, MOST = -(2**63), 2**63 - 1
"""Bounds of an integer with a sign."""
MOST_UNSIGNED = 2**64 - 1

_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
"""A finite number whose digits fit into memory when it is written out."""

Check = Callable[[Any, str], None]


class DecimalText(Decimal):
    """What `bounded` has in place of `Decimal`; `read_text` makes it."""


def read_text(type_: type, value: object) -> DecimalText:
    """Return a number that came as text: the `dec_hook` of a bounded type.

    Raises:
        ValueError: It is none.
    """
    if type_ is DecimalText and isinstance(value, str) and _DECIMAL.fullmatch(value):
        return DecimalText(value)
    raise ValueError('Expected a decimal number as a text, such as "19.99"')


def bounded(type_: Any) -> Any:
    """Return a type that takes the same JSON except what breaks a bound: msgspec checks that while it decodes.

    Those are integers beyond 64 bits, datetimes without a time zone, and decimals that are no text, for `read_text`.

    Objects become subclasses of their types. The type itself is returned when each of its integers is bounded already,
    and inside a type that contains itself, which no ability can have.
    """
    return _Bounder().bounded(type_)


class _Bounder:
    def __init__(self) -> None:
        self._structs: dict[Any, Any] = {}

    def bounded(self, type_: Any) -> Any:
        origin, arguments = get_origin(type_), get_args(type_)
        if type_ is int:
            return Annotated[int, Meta(ge=LEAST, le=MOST)]
        if type_ is datetime:
            return Annotated[datetime, Meta(tz=True)]
        if type_ is Decimal:
            return DecimalText
        if _is_struct(type_) or _is_struct(origin):
            return self._struct(type_, origin or type_)
        if origin is Annotated:
            return _annotate(self.bounded(arguments[0]), type_)
        if origin in (Union, UnionType):
            return Union[tuple(map(self.bounded, arguments))]  # noqa: UP007 - made of a tuple
        if origin in (list, tuple, set, frozenset, dict):
            return origin[tuple(map(self.bounded, arguments))]
        named = getattr(type_, "__supertype__", getattr(type_, "__value__", None))  # NewType, and `type Name = int`
        return type_ if named is None else self.bounded(named)

    def _struct(self, type_: Any, base: type[msgspec.Struct]) -> Any:
        """Return a subclass of a struct, or of its origin when it is generic, whose fields are bounded."""
        if type_ in self._structs or base.__struct_config__.array_like:
            return self._structs.get(type_, type_)
        self._structs[type_] = type_
        fields = msgspec.structs.fields(type_)
        inner = [self.bounded(field.type) for field in fields]
        if inner != [field.type for field in fields]:
            # All fields are defined again, since those that are not would come before the others.
            again = [(field.name, each, _default(field)) for field, each in zip(fields, inner, strict=True)]
            self._structs[type_] = msgspec.defstruct(
                base.__name__, again, bases=(base,), kw_only=True, module=base.__module__
            )
        return self._structs[type_]


def _is_struct(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, msgspec.Struct)


def _annotate(inner: Any, type_: Any) -> Any:
    """Return an annotated type around another inner one; the bounds of its author go before ours."""
    metas = type_.__metadata__
    if get_origin(inner) is not Annotated or get_args(inner)[0] is not int:
        return Annotated[inner, *metas]
    limits = [each for each in metas if isinstance(each, Meta)]
    has_least = any(each.ge is not None or each.gt is not None for each in limits)
    has_most = any(each.le is not None or each.lt is not None or (each.extra or {}).get("unsigned") for each in limits)
    bounds = Meta(ge=None if has_least else LEAST, le=None if has_most else MOST)
    return type_ if has_least and has_most else Annotated[int, bounds, *metas]


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default is not msgspec.NODEFAULT:
        return msgspec.field(name=field.encode_name, default=field.default)
    if field.default_factory is not msgspec.NODEFAULT:
        return msgspec.field(name=field.encode_name, default_factory=field.default_factory)
    return msgspec.field(name=field.encode_name)


def extra_check(shape: Shape, *, is_request: bool) -> Check | None:
    """Compile the check of those limits that msgspec does not know; None when there is none.

    Args:
        shape: The contract's type.
        is_request: Whether strings have the limits of WeCom in bytes; those of a reply may be longer.
    """
    return _compile(shape, partial(_scalar_check, is_request=is_request), {})


def _scalar_check(scalar: Scalar, *, is_request: bool) -> Check | None:
    if scalar.unsigned:
        return partial(_check_unsigned, error=InputError if is_request else OutputError)
    return partial(_check_text, limit=scalar.max_bytes) if is_request and scalar.max_bytes is not None else None


def _compile(shape: Shape, leaf: Callable[[Scalar], Check | None], known: dict[int, Check | None]) -> Check | None:
    match shape:
        case Scalar():
            return leaf(shape)
        case ListShape(item=item):
            check = _compile(item, leaf, known)
            return None if check is None else partial(_check_list, check=check)
        case ObjectShape():
            if id(shape) not in known:
                checks: list[tuple[str, str, Check]] = []
                known[id(shape)] = partial(_check_object, checks=checks)  # for a type that contains itself
                checks += [
                    (field.attribute, field.name, check)
                    for field in shape.fields.values()
                    if (check := _compile(field.shape, leaf, known)) is not None
                ]
                if not checks:
                    known[id(shape)] = None
            return known[id(shape)]


def _check_text(value: Any, path: str, limit: int) -> None:
    if isinstance(value, str) and len(value) * 4 > limit and len(value.encode()) > limit:
        raise InputError(path, f"longer than {limit} bytes")


def _check_unsigned(value: Any, path: str, error: type[InputError] | type[OutputError]) -> None:
    if isinstance(value, int) and value > MOST_UNSIGNED:
        raise error(path, f"expected int <= {MOST_UNSIGNED}")


def _check_list(value: Any, path: str, check: Check) -> None:
    if isinstance(value, list | tuple):
        for index, item in enumerate(value):
            check(item, f"{path}[{index}]")


def _check_object(value: Any, path: str, checks: list[tuple[str, str, Check]]) -> None:
    for attribute, name, check in checks:
        check(getattr(value, attribute, None), f"{path}.{name}")
