"""Python source of contracts: types, limits, defaults and docstrings as they were declared, formatted as by ruff.

It knows nothing of abilities. A part that can't be written is an error with its path in the contract.
"""

import sys
import types
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from wwspec_contracts.base import Flag, Output, Unsigned
from wwspec_contracts.source_text import (
    LINE,
    SourceError,
    attribute,
    attribute_doc,
    class_doc,
    docstring,
    field_docs,
    kept,
    literal,
    width,
)

_SCALARS = (str, int, float, bool, bytes)
_IMPORTED = (date, datetime, time, timedelta, Decimal, UUID)
"""Types of the standard library that are texts in JSON."""
_CONTAINERS = (list, tuple, set, frozenset)
_LIMITS = ("gt", "ge", "lt", "le", "multiple_of", "pattern", "min_length", "max_length", "tz")
_TEXTS = ("title", "description", "examples", "extra_json_schema", "extra")
_OWN_KEYS = ("errcode", "errmsg")
"""The keys of every reply."""
_RESERVED = frozenset(
    {
        *(each.__name__ for each in (*_SCALARS, *_CONTAINERS)),
        *("Annotated", "Any", "ClassVar", "Literal", "Meta", "UNSET", "UnsetType", "field", "max_bytes", "None"),
    }
)
"""Names that annotations use: a field of such a name would hide it from the fields below."""


class Imports:
    """What a module imports, collected while it is written."""

    def __init__(self) -> None:
        self._names: dict[str, set[str]] = {}

    def add(self, module: str, name: str, alias: str = "") -> str:
        """Import a name, and return its name in the module."""
        self._names.setdefault(module, set()).add(f"{name} as {alias}" if alias and alias != name else name)
        return alias or name

    def lines(self) -> list[str]:
        """Return the import statements, those of the standard library first."""
        found = {module: sorted(names, key=_isort_key) for module, names in sorted(self._names.items())}
        standard = [module for module in found if module in sys.stdlib_module_names]
        others = [module for module in found if module not in standard]
        blocks = [[line for module in block for line in _import(module, found[module])] for block in (standard, others)]
        return [line for number, block in enumerate(filter(None, blocks)) for line in ([""] if number else []) + block]


def _isort_key(name: str) -> tuple[bool, str]:
    """Constants first, then classes, then functions: capital letters come before small ones."""
    return not name.isupper(), name


def _import(module: str, names: list[str]) -> list[str]:
    line = f"from {module} import {', '.join(names)}"
    return [line] if width(line) <= LINE else [f"from {module} import (", *(f"    {each}," for each in names), ")"]


def nested(type_: Any, path: str = "$") -> Iterator[tuple[type, str]]:
    """Yield the contracts and enums inside a type with their paths, each after the types that it needs.

    Raises:
        SourceError: There is a type that has no source.
    """
    if isinstance(type_, type) and issubclass(type_, msgspec.Struct | Enum) and not get_origin(type_):
        if issubclass(type_, msgspec.Struct) and not is_shipped(type_):
            for each in msgspec.structs.fields(type_):
                yield from nested(each.type, f"{path}.{each.encode_name}")
        yield type_, path
    elif get_origin(type_) is not Literal:
        inside = "[]" if get_origin(type_) in _CONTAINERS else ""
        for each in get_args(type_):
            if not isinstance(each, Meta) and each is not Ellipsis:
                yield from nested(each, path + inside)


def is_shipped(type_: type) -> bool:
    """Return whether a type is of WeCom or of the framework, so that it is imported."""
    home = sys.modules.get(type_.__module__)
    return type_.__module__.startswith("wwspec_") and getattr(home, type_.__qualname__, None) is type_


def is_of_file(type_: type) -> bool:
    """Return whether a contract comes from a console example, so that its attributes are numbered."""
    return type_.__module__ == "wwspec_router.codecs.from_example"


class Source:
    """Writes the classes of one module.

    Args:
        names: The names of contracts and enums in it. Those of WeCom and of the framework are imported.
        imports: Where imports are added.
    """

    def __init__(self, names: Mapping[type, str], imports: Imports) -> None:
        self._names = names
        self._imports = imports
        self._taken = _RESERVED | set(names.values())

    def enum(self, type_: type[Enum], path: str) -> list[str]:
        """Return the lines of an enum.

        Raises:
            SourceError: It has no source.
        """
        if type_._missing_.__func__ is not Enum._missing_.__func__:  # type: ignore[attr-defined]  # a classmethod
            raise SourceError(path, f"{type_.__qualname__}._missing_ can't be copied")
        if issubclass(type_, StrEnum | IntEnum):
            kinds: list[type] = [StrEnum if issubclass(type_, StrEnum) else IntEnum]
        else:
            kinds = [*(each for each in (str, int) if each in type_.__mro__), Enum]
        bases = [each.__name__ for each in kinds]
        self._imports.add("enum", bases[-1])
        docs = field_docs(type_)
        lines = [f"class {self._names[type_]}({', '.join(bases)}):", *class_doc(docstring(type_))]
        for name, member in type_.__members__.items():
            lines += [kept(f"    {name} = {literal(member.value, path)}"), *attribute_doc(docs.get(name))]
        return lines

    def contract(self, type_: type[msgspec.Struct], path: str) -> list[str]:
        """Return the lines of a contract inside another one; see `fields` for the errors."""
        base = "Output" if issubclass(type_, Output) else "Contract"
        body = self.fields(type_, path, is_reply=base == "Output")
        self._imports.add("wwspec_contracts.base", base)
        return self.class_(self._names[type_], base, docstring(type_), body, _config(type_))

    def class_(self, name: str, base: str, doc: str, body: list[str], config: str = "") -> list[str]:
        """Return the lines of a class whose body is written."""
        head = kept(f"class {name}({base}, kw_only=True{config}):")
        return [head, *(class_doc(doc) or ([] if body else ["    pass"])), *body]

    def fields(
        self, type_: type[msgspec.Struct], path: str, *, is_reply: bool = False, taken: Collection[str] = ()
    ) -> list[str]:
        """Return the lines of a contract's fields.

        Args:
            type_: The contract.
            path: Where it is, for errors.
            is_reply: Its class is an `Output`, which has errcode and errmsg.
            taken: Attributes that the class has already.

        Raises:
            SourceError: A type or a default has no source.
        """
        lines, docs, used = list[str](), field_docs(type_), {*self._taken, *taken, *(_OWN_KEYS if is_reply else ())}
        used |= {each.__name__ for field in msgspec.structs.fields(type_) for each in _imported(field.type)}
        for each in msgspec.structs.fields(type_):
            if is_reply and each.encode_name in _OWN_KEYS:
                continue
            own = f"{path}.{each.encode_name}"
            name = attribute(each.encode_name if is_of_file(type_) else each.name, used)
            used.add(name)
            default = self._default(each, own)
            if name != each.encode_name:
                key = f"name={literal(each.encode_name, own)}"
                inside = key if default is None else f"{_as_argument(default)}, {key}"
                default = f"field({inside})"
            if default is not None and default.startswith("field("):
                self._imports.add("msgspec", "field")
            lines.append(kept(f"    {name}: {self.annotation(each.type, own)}{f' = {default}' if default else ''}"))
            lines += attribute_doc(docs.get(each.name))
        return lines

    def annotation(self, type_: Any, path: str) -> str:
        """Return a type as it is written.

        Raises:
            SourceError: It has no source.
        """
        arguments = get_args(type_)
        match get_origin(type_):
            case None:
                return self._plain(type_, path)
            case origin if origin is Annotated:
                return self._annotated(type_, path)
            case origin if origin in (Union, types.UnionType):
                return " | ".join(self.annotation(each, path) for each in arguments)
            case origin if origin is Literal:
                values = ", ".join(literal(each, path) for each in arguments)
                return f"{self._imports.add('typing', 'Literal')}[{values}]"
            case origin if origin in _CONTAINERS:
                inside = ("..." if each is Ellipsis else self.annotation(each, f"{path}[]") for each in arguments)
                return f"{origin.__name__}[{', '.join(inside)}]"
        raise SourceError(path, f"{type_} has no form that the app could import")

    def _plain(self, type_: Any, path: str) -> str:
        if type_ in self._names:
            return self._names[type_]
        if type_ in (*_SCALARS, *_CONTAINERS):
            return str(type_.__name__)
        if type_ in _IMPORTED:
            return self._imports.add(type_.__module__, type_.__name__)
        if type_ in (None, types.NoneType):
            return "None"
        if type_ is Any:
            return self._imports.add("typing", "Any")
        if type_ is UnsetType:
            return self._imports.add("wwspec_contracts.base", "UnsetType")
        alias = getattr(type_, "__value__", None) or getattr(type_, "__supertype__", None)  # `type X = int`, NewType
        if alias is not None:
            return self.annotation(alias, path)
        raise SourceError(path, f"{getattr(type_, '__qualname__', type_)} has no form that the app could import")

    def _annotated(self, type_: Any, path: str) -> str:
        for name, known in (("Flag", Flag), ("Unsigned", Unsigned)):
            if type_ == known:
                return self._imports.add("wwspec_contracts.base", name)
        inner, *metas = get_args(type_)
        written = [self._meta(each, path) for each in metas if isinstance(each, Meta)]
        if not written:
            return self.annotation(inner, path)
        return f"{self._imports.add('typing', 'Annotated')}[{', '.join([self.annotation(inner, path), *written])}]"

    def _meta(self, meta: Meta, path: str) -> str:
        given = {name: value for name in (*_LIMITS, *_TEXTS) if (value := getattr(meta, name)) is not None}
        if given.keys() <= {"max_length", "min_length", "extra"} and given.get("extra") == {
            "max_bytes": given.get("max_length")
        }:
            least = f", min_length={given['min_length']}" if "min_length" in given else ""
            return f"{self._imports.add('wwspec_contracts.base', 'max_bytes')}({given['max_length']}{least})"
        plain = {name: msgspec.to_builtins(value) if name == "examples" else value for name, value in given.items()}
        arguments = ", ".join(f"{name}={literal(value, path)}" for name, value in plain.items())
        return f"{self._imports.add('msgspec', 'Meta')}({arguments})"

    def _default(self, each: msgspec.structs.FieldInfo, path: str) -> str | None:
        """Return a field's default as it is written; None for a required field."""
        if each.default is UNSET:
            return self._imports.add("wwspec_contracts.base", "UNSET")
        if each.default is not msgspec.NODEFAULT:
            return self._value(each.default, path)
        if each.default_factory is msgspec.NODEFAULT:
            only = get_args(each.type) if get_origin(each.type) is Literal else ()
            return literal(only[0], path) if len(only) == 1 else None
        factory: Any = each.default_factory
        if factory in (list, dict, set):
            return {list: "[]", dict: "{}", set: "field(default_factory=set)"}[factory]
        if factory in self._names:
            return f"field(default_factory={self._names[factory]})"
        raise SourceError(path, "its default is made by a function; give a value, or UNSET")

    def _value(self, value: Any, path: str) -> str:
        if isinstance(value, Enum) and type(value) in self._names:
            return f"{self._names[type(value)]}.{value.name}"
        if isinstance(value, msgspec.Struct) and type(value) in self._names:
            given = msgspec.structs.asdict(value).items()
            inside = ", ".join(f"{name}={self._value(each, f'{path}.{name}')}" for name, each in given)
            return f"{self._names[type(value)]}({inside})"
        if isinstance(value, bytes):
            return f"b{text}" if '"' in (text := repr(value)[1:]) else f'b"{text[1:-1]}"'
        if isinstance(value, _IMPORTED):
            return self._of_standard_library(value)
        if isinstance(value, frozenset):
            return f"frozenset({literal(sorted(value), path)})" if value else "frozenset()"
        return literal(value, path)

    def _of_standard_library(self, value: Any) -> str:
        kind = type(value)
        name = self._imports.add(kind.__module__, kind.__name__)
        match value:
            case timedelta():
                return repr(value).removeprefix("datetime.")
            case date() | time():
                return f"{name}.fromisoformat({literal(value.isoformat())})"
        return f"{name}({literal(str(value))})"


def _imported(type_: Any) -> Iterator[type]:
    """Yield the types inside a type whose names a field could hide."""
    if type_ in _IMPORTED:
        yield type_
    elif get_origin(type_) is not Literal:
        for each in get_args(type_):
            if not isinstance(each, Meta):
                yield from _imported(each)


def _as_argument(default: str) -> str:
    if default.startswith("field("):
        return default.removeprefix("field(").removesuffix(")")
    factory = {"[]": "list", "{}": "dict"}.get(default)
    return f"default_factory={factory}" if factory else f"default={default}"


def _config(type_: type[msgspec.Struct]) -> str:
    """Return the options that change the JSON of a contract, as arguments of its class."""
    config = type_.__struct_config__
    tag = "" if config.tag is None else f", tag_field={config.tag_field!r}, tag={config.tag!r}".replace("'", '"')
    return tag + ", array_like=True" * config.array_like + ", frozen=True" * config.frozen
