"""JSON Schemas of contracts, with the docstrings of fields and of values of enums.

msgspec gives types, bounds and defaults; the docstrings below fields are read from the source, where there is one.
"""

import enum
import inspect
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect as mi

from wwspec_contracts.source_text import field_docs

_REFERENCE = "#/$defs/{name}"


def contract_schema(types: Sequence[Any]) -> dict[str, Any]:
    """Return the JSON Schema of a value that is of one of several types.

    A field has its docstring as `description`; an enum has `enumNames` and `enumDescriptions`, in the order of `enum`.

    Args:
        types: What msgspec can decode into.
    """
    classes = list(dict.fromkeys(each for type_ in types for each in _classes(mi.type_info(type_), set())))
    schemas, definitions = msgspec.json.schema_components([*types, *classes], ref_template=_REFERENCE)
    for class_, reference in zip(classes, schemas[len(types) :], strict=True):
        definition = definitions[reference["$ref"].removeprefix(_REFERENCE.format(name=""))]
        if issubclass(class_, enum.Enum):
            _describe_values(class_, definition)
        else:
            _describe_fields(class_, definition)
    of_types = list(schemas[: len(types)])
    whole = of_types[0] if len(of_types) == 1 else {"anyOf": of_types}
    return {**whole, "$defs": definitions} if definitions else whole


def _classes(value: Any, seen: set[Any]) -> Iterator[type]:
    """Yield the structs and enums that a type of msgspec's description holds."""
    if isinstance(value, list | tuple):
        for each in value:
            yield from _classes(each, seen)
    elif isinstance(value, mi.Type | mi.Field):
        class_ = getattr(value, "cls", None)
        if class_ is not None:
            if class_ in seen:
                return
            seen.add(class_)
            yield class_
        for name in value.__struct_fields__:
            yield from _classes(getattr(value, name), seen)


def _describe_fields(class_: type, definition: dict[str, Any]) -> None:
    texts = _texts(class_)
    for field in msgspec.structs.fields(class_):
        _set_format(mi.type_info(field.type), definition["properties"][field.encode_name])
        if field.name in texts:
            definition["properties"][field.encode_name].setdefault("description", texts[field.name])


def _set_format(info: mi.Type, schema: dict[str, Any]) -> None:
    """Say of a text that it is a moment or a time of day, which msgspec leaves out where a time zone is optional."""
    match info:
        case mi.DateTimeType():
            schema.setdefault("format", "date-time")
        case mi.TimeType():
            schema.setdefault("format", "time" if info.tz else "partial-time")
        case mi.Metadata(type=inner):
            _set_format(inner, schema)
        case mi.ListType(item_type=item) | mi.VarTupleType(item_type=item):
            _set_format(item, schema.get("items", {}))


def _describe_values(class_: type[enum.Enum], definition: dict[str, Any]) -> None:
    texts, members = _texts(class_), {each.value: each.name for each in class_}
    names = [members.get(value, "") for value in definition["enum"]]
    definition["enumNames"] = names
    definition["enumDescriptions"] = [texts.get(name, "") for name in names]


@cache
def _texts(class_: type) -> dict[str, str]:
    """Return the docstrings below the attributes of a class and of its bases, by name, each as one line."""
    return {name: " ".join(inspect.cleandoc(text).split()) for name, text in field_docs(class_).items() if text}
