"""Requests made from a contract: those that fit it, and those that almost fit.

It reads the JSON Schema of a type, so it knows of a contract only what is published.
"""

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import UTC, timedelta
from functools import reduce
from operator import getitem
from typing import Any

import msgspec
from hypothesis import strategies as st

from wwspec_devtools.console_contracts.schema import contract_schema

Schema = Mapping[str, Any]
Path = tuple[str | int, ...]

LONGEST_LIST = 5
"""The most elements of a generated list, where the contract allows more."""
DEPTH = 6
"""The deepest nesting of objects, where a contract contains itself."""

_TEXTS = st.one_of(
    st.sampled_from(
        ["", " ", "0", "null", "张三", "报价单", "\U0001f600", "a\u0000b", "\u202e", "'; --", "../..", "%s{}"]
    ),
    st.text(st.characters(codec="utf-8"), max_size=40),
)
_NUMBERS = st.one_of(
    st.sampled_from([0, 1, -1, 2**31 - 1, 2**31, 2**63 - 1, -(2**63)]), st.integers(-(2**63), 2**63 - 1)
)
_FORMATS: dict[str, st.SearchStrategy[str]] = {
    "date": st.dates().map(str),
    "date-time": st.datetimes(timezones=st.just(UTC)).map(msgspec.to_builtins),
    "partial-time": st.times().map(str),
    "time": st.times(timezones=st.just(UTC)).map(msgspec.to_builtins),
    "duration": st.timedeltas(timedelta(-1000), timedelta(1000)).map(msgspec.to_builtins),
    "decimal": st.decimals(-1000, 1000, places=2).map(str),
    "uuid": st.uuids().map(str),
}
"""Strategies for texts that are another type in Python, by their format in JSON Schema."""
_OTHERS = st.sampled_from([None, True, 0, -1, 1.5, 2**63, "", "x", [], {}, [None], {"unlisted": 1}, "x" * 5000])
"""Values that replace a value in a request that almost fits."""


def fitting(type_: Any, known: Mapping[str, Sequence[Any]] | None = None) -> st.SearchStrategy[Any]:
    """Return a strategy for values that fit a type.

    Args:
        type_: A msgspec type.
        known: Values of the emulated world, by the name of their key, such as `chatid`. About half of the
            generated values of these keys are known ones.
    """
    schema = contract_schema([type_])
    return _Maker(schema.get("$defs", {}), known or {}).make(schema, "", DEPTH)


def almost_fitting(type_: Any, known: Mapping[str, Sequence[Any]] | None = None) -> st.SearchStrategy[Any]:
    """Return a strategy for values that fit a type, except that one part may be missing, wrong or superfluous."""
    return fitting(type_, known).flatmap(_with_one_change)


class _Maker:
    def __init__(self, definitions: Mapping[str, Schema], known: Mapping[str, Sequence[Any]]) -> None:
        self._definitions = definitions
        self._known = known

    def make(self, schema: Schema, key: str, depth: int) -> st.SearchStrategy[Any]:
        if "$ref" in schema:
            return self.make(self._definitions[schema["$ref"].rpartition("/")[2]], key, depth)
        if "anyOf" in schema:
            return st.one_of([self.make(each, key, depth) for each in schema["anyOf"]])
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        if "const" in schema:
            return st.just(schema["const"])
        made = self._of_type(schema, key, depth)
        known = self._known.get(key)
        return st.one_of(st.sampled_from(known), made) if known else made

    def _of_type(self, schema: Schema, key: str, depth: int) -> st.SearchStrategy[Any]:
        match schema.get("type"):
            case "object":
                return self._object(schema, depth)
            case "array" if "prefixItems" in schema:
                return st.tuples(*(self.make(each, key, depth) for each in schema["prefixItems"])).map(list)
            case "array":
                least, most = schema.get("minItems", 0), schema.get("maxItems", LONGEST_LIST)
                most = 0 if depth == 0 else min(most, max(least, LONGEST_LIST))
                return st.lists(
                    self.make(schema.get("items", {}), key, depth), min_size=min(least, most), max_size=most
                )
            case "string":
                return _text(schema)
            case "integer":
                return _number(schema)
            case "number":
                return st.one_of(st.integers(-1000, 1000), st.floats(-1e6, 1e6, allow_nan=False))
            case "boolean":
                return st.booleans()
            case "null":
                return st.none()
            case _:
                return _OTHERS

    def _object(self, schema: Schema, depth: int) -> st.SearchStrategy[Any]:
        if isinstance(more := schema.get("additionalProperties"), dict):
            return st.dictionaries(st.text(max_size=8), self.make(more, "", max(0, depth - 1)), max_size=3)
        required = set(schema.get("required", ()))
        fields = {
            name: self.make(each, name, depth - 1)
            for name, each in schema.get("properties", {}).items()
            if depth > 0 or name in required
        }
        return st.fixed_dictionaries(
            {name: each for name, each in fields.items() if name in required},
            optional={name: each for name, each in fields.items() if name not in required},
        )


def _text(schema: Schema) -> st.SearchStrategy[str]:
    if (made := _FORMATS.get(schema.get("format", ""))) is not None:
        return made
    if schema.get("contentEncoding") == "base64":
        least, most = schema.get("minLength", 0) * 3 // 4, schema.get("maxLength", 160) * 3 // 4
        return st.binary(min_size=least, max_size=most).map(lambda data: msgspec.to_builtins(data))
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    if "pattern" in schema:
        return st.from_regex(re.compile(str(schema["pattern"])), fullmatch=True)
    if least == 0 and most is None:
        return _TEXTS
    letters = st.characters(codec="utf-8")
    edge = st.text(letters, min_size=most, max_size=most) if most is not None and most <= 256 else st.nothing()
    return edge | st.text(letters, min_size=least, max_size=max(least, min(most or 40, 40)))


def _number(schema: Schema) -> st.SearchStrategy[int]:
    least = schema.get("minimum", schema.get("exclusiveMinimum", -(2**63) - 1) + 1)
    most = schema.get("maximum", schema.get("exclusiveMaximum", 2**63) - 1)
    if (least, most) == (-(2**63), 2**63 - 1):
        return _NUMBERS
    return st.integers(least, most) | st.sampled_from([least, most])


def _with_one_change(value: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for a value with one change, or with none."""
    places = list(_places(value, ()))
    replaced = st.builds(lambda place, other: _with(value, place, other), st.sampled_from(places), _OTHERS)
    return st.one_of(st.just(value), replaced, _without_one_part(value, places), _with_one_key_more(value))


def _without_one_part(value: Any, places: list[Path]) -> st.SearchStrategy[Any]:
    inner = [place for place in places if place]
    return st.sampled_from(inner).map(lambda place: _without(value, place)) if inner else st.nothing()


def _with_one_key_more(value: Any) -> st.SearchStrategy[Any]:
    return st.just({**value, "unlisted": 1}) if isinstance(value, dict) else st.nothing()


def _places(value: Any, path: Path) -> "list[Path]":
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in children for place in _places(each, (*path, key)))]


def _with(value: Any, path: Path, other: Any) -> Any:
    if not path:
        return other
    copied = deepcopy(value)
    reduce(getitem, path[:-1], copied)[path[-1]] = other
    return copied


def _without(value: Any, path: Path) -> Any:
    copied = deepcopy(value)
    del reduce(getitem, path[:-1], copied)[path[-1]]
    return copied
