"""Reads the marks of the modules that `[program] modules` names: each is a row that a registry file could have.

A mark and a row for one ability ID, event or kind are a fault, and so are keywords on a mark beside a row: nothing is
merged, and neither goes before the other.
"""

import ast
import inspect
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from wwspec_contracts.errors import LoaderError
from wwspec_router.config import PROGRAM
from wwspec_router.handlers.marks import Mark, mark_of
from wwspec_router.registry.faults import place_of
from wwspec_router.registry.file import AbilityRow, EventRow, NotificationRow, Registry, read_row
from wwspec_router.registry.loader import Application

_ROWS: dict[str, tuple[type[Any], str]] = {
    "abilities": (AbilityRow, "handler"),
    "events": (EventRow, "handler"),
    "notifications": (NotificationRow, "contract"),
}
"""The type of each table's rows, and the key that names what is marked."""
_MARKS = {"ability", "on_event", "notification"}


def with_marks(registry: Registry, application: Application) -> tuple[Registry, list[str]]:
    """Return a registry with a row for each mark as well, and the faults of marks.

    Args:
        registry: The registry file.
        application: Has the modules; they are imported.
    """
    faults = list(_double_keywords(registry, application))
    tables: dict[str, dict[str, Any]] = {table: {**getattr(registry, table)} for table in _ROWS}
    places: dict[tuple[str, str], str] = {}
    for name in dict.fromkeys(registry.program.modules):
        try:
            module = application.module(name)
        except LoaderError as error:
            named = "" if registry.path.name == PROGRAM else f"{registry.place('program')}: modules: "
            faults.append(f"{named}{error}")
            continue
        for target, mark in _marks(module, faults, application):
            place = _place(mark, application)
            row = _row(place, target, mark, faults)
            for key in mark.keys:
                if key in tables[mark.table]:
                    other = places.get((mark.table, key)) or registry.place(mark.table, key)
                    faults.append(f"{place}: {key} is already declared at {other}; keep one of the two")
                elif row is not None:
                    tables[mark.table][key], places[mark.table, key] = row, place
    return msgspec.structs.replace(registry, **tables, marked=places), faults


def _marks(module: ModuleType, faults: list[str], application: Application) -> Iterator[tuple[str, Mark]]:
    """Yield the marks of a module's own functions and classes, with the name that each is there under."""
    with suppress(OSError):  # without its source
        faults.extend(_defined_twice(inspect.getsource(module), Path(str(module.__file__)).name))
    seen = set[int]()
    for name, thing in vars(module).items():
        mark = mark_of(thing)
        if mark is None or mark.marked.__module__ != module.__name__ or id(thing) in seen:
            continue
        seen.add(id(thing))
        if mark.marked is thing:
            yield f"{module.__name__}:{name}", mark
        elif mark.table != "notifications":  # those are inherited
            faults.append(f"{_place(mark, application)}: another decorator is above its mark; put the mark on top")


def _defined_twice(source: str, file: str) -> Iterator[str]:
    """Yield marked functions and classes whose name is taken again further down, so that the first would be lost."""
    lines: dict[str, int] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            marks = {
                getattr(each.func if isinstance(each, ast.Call) else each, "id", "") for each in node.decorator_list
            }
            if marks & _MARKS:
                line = node.decorator_list[0].lineno
                if node.name in lines:
                    taken = f"its name is already marked at {file}:{lines[node.name]}"
                    yield f"{file}:{line} {node.name}: {taken}; rename one of the two"
                lines[node.name] = line


def _row(place: str, target: str, mark: Mark, faults: list[str]) -> Any:
    """Return the row that a mark stands for; None when it has a fault."""
    type_, named_by = _ROWS[mark.table]
    if named_by in mark.keywords:
        faults.append(f"{place}: unknown key {named_by}; a mark is on what it names")
        return None
    return read_row(place, {**mark.keywords, named_by: target}, type_, faults, mark.keys[0])


def _double_keywords(registry: Registry, application: Application) -> Iterator[str]:
    """Yield the rows that name a function whose mark has keywords."""
    for target, place in registry.targets():
        with suppress(LoaderError):  # the table reports it
            thing = application.attribute(target)
            mark = mark_of(thing)
            if mark is not None and mark.marked is thing and mark.keywords:
                keywords = ", ".join(mark.keywords)
                yield f"{place}: {target} has {keywords} at {_place(mark, application)}, too; put them into the row"


def _place(mark: Mark, application: Application) -> str:
    return f"{place_of(mark.marked, application.folder)} {mark.marked.__name__}"
