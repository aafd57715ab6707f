"""JSON Schemas of contracts, with the docstrings of fields and of values of enums.

msgspec gives types, bounds and defaults; the docstrings below fields are read from the source, where there is one.
"""

import ast
import enum
import inspect
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect as mi

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
    texts = {name: text for each in reversed(class_.__mro__) for name, text in _texts(each).items()}
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
    """Return the docstrings below the attributes of a class, by name."""
    node: ast.AST | None = _source(class_.__module__)
    for name in class_.__qualname__.split("."):
        node = next((each for each in ast.iter_child_nodes(node) if _is_class(each, name)), None) if node else None
    texts, above = {}, ""
    for each in ast.iter_child_nodes(node) if node else ():
        match each:
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                above = name
                continue
            case ast.Expr(value=ast.Constant(value=str(text))) if above:
                texts[above] = " ".join(inspect.cleandoc(text).split())
        above = ""
    return texts


def _is_class(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.ClassDef) and node.name == name


@cache
def _source(module: str) -> ast.Module | None:
    """Return the syntax tree of a module; None for one without a source."""
    try:
        return ast.parse(inspect.getsource(sys.modules[module]))
    except (KeyError, OSError, TypeError, SyntaxError):
        return None
