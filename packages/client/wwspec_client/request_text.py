"""The JSON text of a request: whole numbers in fields of floats have a fraction, and a key recognises a repeated call.

The platform tells `1` from `1.0`, and refuses the one where the console's example has the other [100019]. For Python's
type checkers an `int` is a `float`, so apps write `price=1`.

WeCom passes nothing beside the request's data, so the key by which a program recognises a repeated call goes into the
field that the program's registry file names.
"""

import copy
from collections.abc import Collection, Mapping
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from wwspec_contracts.decoding import decode_json
from wwspec_contracts.errors import ConfigurationError, JsonError

Types = tuple[Any, ...]
"""What a value is declared as: one type, or those of a union; empty where nothing is declared."""

_WHOLE = "*"
"""The whole request is the key."""
_LARGEST = 2**1023
"""A larger whole number may be no float, and stays as it is."""


def encode_request(value: object) -> str:
    """Return a request as JSON text.

    Args:
        value: A struct, whose fields say what is a float; or plain values, which may hold structs.

    Raises:
        TypeError: A part of it is of a type that has no JSON.
    """
    return msgspec.json.encode(_with_fractions(value, ())).decode()


def _with_fractions(value: Any, types: Types) -> Any:
    match value:
        case int() if type(value) is int and float in types and int not in types and -_LARGEST < value < _LARGEST:
            return float(value)
        case msgspec.Struct():
            return _struct(value)
        case dict():
            inner = _parts(_arguments(types, Mapping)[-1])
            return {key: _with_fractions(each, inner) for key, each in value.items()}
        case list() | tuple() | set() | frozenset():
            items = [_parts(each) for each in _arguments(types, Collection)]
            return [_with_fractions(each, items[min(number, len(items) - 1)]) for number, each in enumerate(value)]
    return value


def _struct(value: msgspec.Struct) -> msgspec.Struct:
    """Return a struct, or a copy of it that has the fractions."""
    sent = value
    for name, types in _fields(type(value)):
        given = getattr(value, name)
        if (each := _with_fractions(given, types)) is not given:
            sent = copy.copy(value) if sent is value else sent
            msgspec.structs.force_setattr(sent, name, each)
    return sent


@cache
def _fields(type_: type[msgspec.Struct]) -> list[tuple[str, Types]]:
    return [(field.name, _parts(field.type)) for field in msgspec.structs.fields(type_)]


def _parts(type_: Any) -> Types:
    """Return the types of a union, without annotations, and of a type with a name the type itself."""
    if get_origin(type_) is Annotated:
        return _parts(get_args(type_)[0])
    if get_origin(type_) in (Union, UnionType):
        return tuple(part for each in get_args(type_) for part in _parts(each))
    named = getattr(type_, "__supertype__", getattr(type_, "__value__", None))  # NewType, and `type Name = float`
    return (type_,) if named is None else _parts(named)


def _arguments(types: Types, kind: type) -> list[Any]:
    """Return what a container is declared to hold: one type for all items, or one for each of them."""
    for each in types:
        origin: Any = get_origin(each)
        if isinstance(origin, type) and issubclass(origin, kind):
            return [inner for inner in get_args(each) if inner is not Ellipsis]
    return [Any]


def with_key(ability_id: str, api: str, request: str, path: str, key: str) -> str:
    """Return a request with an idempotency key in it.

    Args:
        ability_id: What is called.
        api: The SDK API behind it, where that is known.
        request: JSON text.
        path: The field, such as `order.id`; empty when it is not known, `*` for the whole request.
        key: The key.

    Raises:
        ConfigurationError: The field is not known or can't take the key; the text says how to fix it.
    """
    if not path:
        raise _refused(ability_id, *_UNKNOWN_OF_API if api else _UNKNOWN)
    if path == _WHOLE:
        raise _refused(
            ability_id, "recognises a repeated call by its whole request", "give it retry_unsafe=True instead"
        )
    try:
        whole = decode_json(request, dict[str, Any])
    except JsonError:
        raise _refused(ability_id, "has a request that is no JSON object", "give it one") from None
    *outer, name = path.split(".")
    inside: Any = whole
    for each in outer:
        inside = inside.get(each) if isinstance(inside, dict) else None
    if not isinstance(inside, dict):
        raise _refused(ability_id, f"has a request without the object that has the field $.{path}", "give it one")
    if inside.get(name) not in (None, "", key):
        raise _refused(ability_id, f"has a request with another value at $.{path}", "leave one of the two out")
    inside[name] = key
    return msgspec.json.encode(whole).decode()


_UNKNOWN = (
    "has no field that is known to hold the key",
    "call it by its request in the module that `wwspec contracts --client` writes, or name the once.key of its row in "
    'the registry: with_options(idempotency_key=..., idempotency_field="order.id"). An ability without `once` '
    "recognises no repeated call",
)
_UNKNOWN_OF_API = (
    "is an SDK API, which recognises no repeated call",
    "write an ability with `once` that calls the API; or, as it only reads, give it retry_unsafe=True instead",
)


def _refused(ability_id: str, reason: str, fix: str) -> ConfigurationError:
    return ConfigurationError(f"idempotency_key: {ability_id} {reason}: {fix}")
