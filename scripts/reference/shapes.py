"""The fields of a contract as rows of a table, from msgspec's description of its type."""

import enum
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import msgspec
from msgspec import inspect as mi

from scripts.reference.text import Say, paragraphs, table
from wwspec_contracts.source_text import field_docs

__all__ = ["Enums", "fields_of", "fields_table", "values_of"]

Enums = dict[str, str]
"""From the name of an enum to the place where its values are listed."""


class _Description(NamedTuple):
    kind: str
    allowed: str
    inside: mi.StructType | None = None
    suffix: str = ""
    """Of the path of what is inside: `[]` for the elements of a list."""


def fields_table(type_: type[msgspec.Struct], say: Say, enums: Enums, *, request: bool) -> str:
    """Return the fields of a contract as a table, those of inner objects with their path."""
    rows = [row if request else (row[0], row[1], *row[3:]) for row in fields_of(type_, say, enums)]
    if not rows:
        return say("No fields.", "没有字段。") + "\n"
    heads = [say("field", "字段"), say("type", "类型"), say("allowed", "取值范围"), say("meaning", "说明")]
    if request:
        heads.insert(2, say("required", "必填"))
    return table(heads, rows)


def fields_of(type_: type[msgspec.Struct], say: Say, enums: Enums | None = None) -> Iterator[tuple[str, ...]]:
    """Yield name, type, whether it is required, limits and meaning of each field of a contract."""
    info = mi.type_info(type_)
    if isinstance(info, mi.StructType):
        yield from _rows(info, say, enums or {}, "", ())


def _rows(info: mi.StructType, say: Say, enums: Enums, path: str, above: tuple[type, ...]) -> Iterator[tuple[str, ...]]:
    docs = _docs(info.cls)
    for field in info.fields:
        name = f"{path}{field.encode_name}"
        described = _describe(field.type, say, enums)
        meaning = _linked(say.of_code(paragraphs(docs.get(field.name, ""))), enums)
        required = say("yes", "是") if field.required else say("no", "否")
        yield f"`{name}`", described.kind, required, described.allowed, meaning
        if described.inside is not None and described.inside.cls not in above:
            inner = f"{name}{described.suffix}."
            yield from _rows(described.inside, say, enums, inner, (*above, info.cls))


_docs = cache(field_docs)  # it parses the source of the whole module, and many APIs share their shapes


def _describe(info: mi.Type, say: Say, enums: Enums) -> _Description:
    extra: dict[str, Any] = {}
    while isinstance(info, mi.Metadata):
        extra |= info.extra or {}
        info = info.type
    match info:
        case mi.UnionType():
            members = [_describe(each, say, enums) for each in info.types if not isinstance(each, mi.NoneType)]
            inside = next((each for each in members if each.inside is not None), members[0])
            kinds = " or ".join(dict.fromkeys(each.kind for each in members))
            return inside._replace(kind=kinds, allowed=", ".join(filter(None, (each.allowed for each in members))))
        case mi.StructType():
            return _Description("object", "", info)
        case mi.ListType() | mi.SetType() | mi.VarTupleType():
            item = _describe(info.item_type, say, enums)
            allowed = _length(info.min_length, info.max_length, say(" items", " 项"), say)
            separator = say("; each ", "；每项 ") if allowed and item.allowed else ""
            return _Description(
                f"list of {item.kind}", f"{allowed}{separator}{item.allowed}", item.inside, f"[]{item.suffix}"
            )
        case mi.DictType():
            return _Description("object", say("any keys", "任意键"))
        case mi.EnumType():
            return _enum(info.cls, enums)
        case mi.LiteralType():
            return _Description(_literal_kind(info), ", ".join(f"`{each}`" for each in info.values))
        case _:
            return _scalar(info, extra, say)


def _scalar(info: mi.Type, extra: Mapping[str, Any], say: Say) -> _Description:
    match info:
        case mi.StrType():
            if "max_bytes" in extra:
                unit, most = say(" bytes of UTF-8", " 字节（UTF-8）"), extra["max_bytes"]
                return _Description("string", _length(info.min_length, most, unit, say))
            return _Description("string", _length(info.min_length, info.max_length, say(" characters", " 个字符"), say))
        case mi.IntType():
            allowed = say("unsigned, 64 bits", "无符号 64 位") if extra.get("unsigned") else _bounds(info, say)
            return _Description("int or bool" if extra.get("also") == "bool" else "int", allowed)
        case mi.FloatType():
            return _Description("float", _bounds(info, say))
        case mi.BoolType():
            return _Description("bool", "")
    return _Description("any", "")


def _enum(cls: type[enum.Enum], enums: Enums) -> _Description:
    values = [each.value for each in cls]
    kind = "int" if isinstance(values[0], int) else "string"
    shown = ", ".join(f"`{each}`" for each in values)
    return _Description(kind, f"{shown} ([{cls.__name__}]({enums[cls.__name__]}))" if cls.__name__ in enums else shown)


def _literal_kind(info: mi.LiteralType) -> str:
    return "int" if isinstance(info.values[0], int) else "string"


def _length(least: int | None, most: int | None, unit: str, say: Say) -> str:
    if least and most:
        return f"{least}{unit}" if least == most else say(f"{least} to {most}{unit}", f"{least} 至 {most}{unit}")
    if most is not None:
        return say(f"at most {most}{unit}", f"最多 {most}{unit}")
    return say(f"at least {least}{unit}", f"至少 {least}{unit}") if least else ""


def _bounds(info: mi.IntType | mi.FloatType, say: Say) -> str:
    if info.ge is not None and info.le is not None:
        return say(f"{info.ge} to {info.le}", f"{info.ge} 至 {info.le}")
    marks = (("≥", info.ge), (">", info.gt), ("≤", info.le), ("<", info.lt))
    return ", ".join(f"{mark} {value}" for mark, value in marks if value is not None)


def _linked(text: str, enums: Enums) -> str:
    """Lead names of enums in a text to their values."""
    return re.sub(r"`(\w+)`", lambda found: f"[{found[1]}]({enums[found[1]]})" if found[1] in enums else found[0], text)


def values_of(cls: type[enum.Enum], say: Say) -> str:
    """Return the values of an enum as a table."""
    docs = _docs(cls)
    rows = [(f"`{each.value}`", f"`{each.name}`", paragraphs(docs.get(each.name, ""))) for each in cls]
    return table((say("value", "值"), say("name", "名称"), say("meaning", "说明")), rows)
