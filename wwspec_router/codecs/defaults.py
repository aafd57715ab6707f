"""Checks the defaults of fields: msgspec takes any, and then code gets a text for an int, or every reply is refused.

A default is written as JSON and read back as the value of a call is, so it keeps to the same types and limits.
"""

import reprlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, get_origin

import msgspec
from msgspec import NODEFAULT, UNSET, UnsetType

from wwspec_contracts.base import Output
from wwspec_contracts.errors import InputError
from wwspec_contracts.shape import inner_types, structs_inside
from wwspec_contracts.support.printable import error_text, printable
from wwspec_router.codecs.codec import InputCodec

_OF_OUTPUT = msgspec.structs.fields(Output)
_FIX = "write a default that fits the type, or a type that takes it"


def default_faults(type_: type[msgspec.Struct]) -> Iterator[tuple[type, msgspec.structs.FieldInfo, str]]:
    """Yield each struct of a contract with a field whose default does not fit, and why.

    Structs of WeCom's contracts are passed by.
    """
    for struct, fields in structs_inside(type_).items():
        if struct.__module__.startswith("wwspec_contracts."):
            continue
        for field in fields:
            if not (field.required or _fits_surely(field)):
                _, fault = default_of(field, partial(_reread, field.type))
                if fault:
                    yield get_origin(struct) or struct, field, fault


def default_of(field: msgspec.structs.FieldInfo, read: Callable[[Any], Any]) -> tuple[Any, str]:
    """Return the default of a field, and what is wrong with it; an empty text if nothing is.

    Args:
        field: A field that has one.
        read: Returns a value as if it had been given for the field, or raises an error that says what is wrong.
    """
    try:
        value = field.default_factory() if field.default is NODEFAULT else field.default
    except (Exception, SystemExit) as error:  # it is anybody's code
        return None, f"its default_factory ends with {_error_line(error)}"
    if value is UNSET:
        is_listed = _has_unset(field.type)
        return value, "" if is_listed else "its default is UNSET: add UnsetType to its type, such as int | UnsetType"
    try:
        wanted = read(value)
    except InputError as error:
        place = "" if error.path == "$" else f" at {error.path.removeprefix('$')}"
        return value, f"its default {_shown(value)} does not fit{place}: {error.reason}; {_FIX}"
    except UnicodeEncodeError:
        return value, f"its default {_shown(value)} is no Unicode text: take the lone surrogate out"
    except Exception as error:  # of a hook, or of the `__post_init__` of a struct
        return value, f"its default {_shown(value)} does not fit: {_error_line(error)}; {_FIX}"
    if (misfit := _misfit(value, wanted)) is not None:
        given, other = (type(each).__name__ for each in misfit)
        return value, f"its default {_shown(value)} holds a {given} in place of a {other}; {_FIX}"
    return value, ""


def _fits_surely(field: msgspec.structs.FieldInfo) -> bool:
    """Tell whether a default is the empty value of a type without limits, as most are, so that no codec is made."""
    if field.default is NODEFAULT:
        return field.default_factory is get_origin(field.type)
    return (type(field.default) is field.type and not field.default) or field in _OF_OUTPUT


def _reread(type_: Any, value: Any) -> Any:
    return InputCodec(type_).decode(msgspec.json.encode(value).decode())


def _has_unset(type_: Any) -> bool:
    return type_ is UnsetType or any(map(_has_unset, inner_types(type_)))


def _misfit(value: Any, wanted: Any) -> tuple[Any, Any] | None:
    """Return the first part of a value that has another type than the same part of one that was read, and that part.

    A text in place of a date, a dict in place of a struct: JSON can't tell them apart.
    """
    if not isinstance(value, type(wanted)) and not (isinstance(wanted, float) and isinstance(value, int)):
        return value, wanted
    match wanted:
        case msgspec.Struct():
            names = wanted.__struct_fields__
            pairs = [(getattr(value, name), getattr(wanted, name)) for name in names]
        case list() | tuple():
            pairs = list(zip(value, wanted, strict=True))
        case dict():
            pairs = [(value[key], each) for key, each in wanted.items() if key in value]
        case _:
            pairs = []
    return next((found for pair in pairs if (found := _misfit(*pair)) is not None), None)


def _shown(value: Any) -> str:
    try:
        return printable(reprlib.repr(value))
    except ValueError:  # an int of too many digits
        return f"of type {type(value).__name__}"


def _error_line(error: BaseException) -> str:
    return printable(f"{type(error).__name__}: {error_text(error, 200)}")
