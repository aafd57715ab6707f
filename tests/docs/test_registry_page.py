"""The page of the registry file names every key that the file may have, with its default, in both languages."""

import re
from itertools import product
from typing import Any

import msgspec

from tests.support.apps import ROOT
from tests.support.tables import for_each
from wwspec_router.registry.file import (
    AbilityRow,
    EventRow,
    FuncTable,
    NotificationRow,
    OnceRow,
    Passthrough,
    Program,
)

SECTIONS: dict[str, type[msgspec.Struct]] = {
    "[program]": Program,
    "[passthrough]": Passthrough,
    "[func]": FuncTable,
    "[abilities.<": AbilityRow,
    "[events.<": EventRow,
    "[notifications.<": NotificationRow,
    "run-once": OnceRow,
}
"""What is in the heading of a section (`run-once`: its anchor) -> what its table of the file is read as."""

SAID_ELSEWHERE = {FuncTable: Passthrough.__struct_fields__, AbilityRow: ("once",)}
"""Keys that another section explains."""


def section_of(language: str, mark: str) -> str:
    page = (ROOT / f"docs/{language}/reference/registry.md").read_text("utf-8")
    sections = re.split(r"(?m)^(?=## )", page)
    [found] = (each for each in sections if mark in each.partition("\n")[0].lower().replace("run once", "run-once"))
    return found


@for_each(product(SECTIONS, ["en", "zh"]))
def test_a_section_names_each_key_of_its_table_with_its_default(mark: str, language: str) -> None:
    kind, text = SECTIONS[mark], section_of(language, mark)
    keys = set(kind.__struct_fields__) - set(SAID_ELSEWHERE.get(kind, ()))
    assert {key for key in keys if not re.search(rf"`{key}(?: = [^`]+)?`", text)} == set()
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    rows = re.findall(r"(?m)^\| `(\w+)` \| (.+?) \|", text)
    assert {key: default for key, default in rows if not says(default, fields[key])} == {}


def says(text: str, field: Any) -> bool:
    if field.required:
        return text in ("required", "必填")
    default = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    return default is None or text == f"`{msgspec.json.encode(default).decode()}`"
