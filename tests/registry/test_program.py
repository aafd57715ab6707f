"""The keys `lifespan`, `settings` and `around` of `[program]`: what they name, and whether own code fits them."""

import inspect
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.support import program_code
from tests.support.apps import ROOT
from tests.support.tables import for_each
from wwspec_contracts.errors import RegistryError
from wwspec_router.registry.table import AbilityTable, build_table

HERE = "tests.support.program_code"


def table_of(folder: Path, handler: str = "", **program: str) -> AbilityTable:
    rows = [f'{key} = "{HERE}:{name}"' for key, name in program.items()]
    row = '[events.hit_keyword]\nhandler = "{}"' if handler == "on_hit" else '[abilities.a]\nhandler = "{}"'
    text = "\n".join(["[program]", *rows, row.format(f"{HERE}:{handler}") if handler else ""])
    (folder / "registry.toml").write_text(text)
    return build_table(ROOT, folder / "registry.toml")


def faults(folder: Path, handler: str = "", **program: str) -> list[str]:
    with pytest.raises(RegistryError) as caught:
        table_of(folder, handler, **program)
    return [each.replace(f"{folder}/", "") for each in caught.value.faults]


def test_a_table_has_what_its_program_names(tmp_path: Path) -> None:
    table = table_of(tmp_path, "with_db", lifespan="takes_settings", settings="Settings", around="around")
    assert table.lifespan is not None
    assert table.settings is not None
    assert table.around is not None
    assert (table.lifespan.takes_settings, table.settings.type) == (True, program_code.Settings)
    assert table.around.name == f"{HERE}:around"
    bare = table_of(tmp_path, "without_state")
    assert (bare.lifespan, bare.settings, bare.around) == (None, None, None)


@for_each(
    [
        ("around", "arround", "module tests.support.program_code has no attribute arround; did you mean around?"),
        ("around", "around_returns", 'around_returns is no generator function; write "def around('),
        ("around", "around_decorated", "around_decorated has a decorator, and must be the generator itself; remove"),
        ("around", "around_takes_two", 'around_takes_two must take one parameter, the run; write "def around('),
        ("settings", "Other", 'Other is no Struct; write "class Settings(msgspec.Struct)" with a field for each'),
        ("settings", "Setings", "has no attribute Setings; did you mean Settings?"),
        ("lifespan", "NOTHING", "NOTHING is no function; mark a function with @contextlib.contextmanager or "),
        ("lifespan", "takes_two", "takes_two takes the settings at most, and has 2 parameters; mark a function with"),
        ("lifespan", "takes_settings", 'takes_settings takes the settings: write settings = "package.module:Settings"'),
    ]
)
def test_a_wrong_form_is_a_fault_with_the_fix(key: str, name: str, why: str, tmp_path: Path) -> None:
    [fault] = faults(tmp_path, **{key: name})
    assert fault.startswith(f"registry.toml:1 [program]: {key}: ")
    assert why in fault


def test_an_async_generator_around_def_code_is_a_fault_that_names_the_code(tmp_path: Path) -> None:
    assert table_of(tmp_path, "without_state_async", around="around_async").around is not None
    assert table_of(tmp_path, "without_state_async", around="around").around is not None
    [fault] = faults(tmp_path, "without_state", around="around_async")
    assert fault == (
        f"registry.toml:1 [program]: around: {HERE}:around_async is an async generator, which runs around async def "
        f"code only, and {HERE}:without_state ({place(program_code.without_state)}) is a def function: make it a def "
        "generator, which runs around both"
    )


def place(function: Any) -> str:
    return f"tests/support/program_code.py:{inspect.getsourcelines(function)[1]}"


FITTING = [
    *product(["with_db"], ["yields_db", "yields_sqlite", "yields_either", "yields_any", "unannotated"]),
    *product(["with_perhaps"], ["yields_db", "", "yields_nothing"]),
    *product(["with_anything", "without_state"], ["yields_other", ""]),
    *[("with_db_async", "yields_db"), ("on_hit", "yields_db")],
    *[("with_queries", "yields_other"), ("with_dict", "yields_dict")],
]


@for_each(FITTING)
def test_code_may_take_what_the_lifespan_yields_or_may_yield(handler: str, lifespan: str, tmp_path: Path) -> None:
    table_of(tmp_path, handler, **({"lifespan": lifespan} if lifespan else {}))


MISFITS = [
    ("with_db", "yields_other", "a state of Db, and the lifespan yields Other: annotate it with Other, or let the "),
    ("with_db_async", "returns_manager", "a state of Db, and the lifespan yields Other: annotate it with Other, or "),
    ("with_db", "yields_nothing", "a state of Db, and the lifespan yields None: annotate it with None, or let the "),
    ("with_db", "yields_dict", "a state of Db, and the lifespan yields dict: annotate it with dict, or let the "),
    ("with_dict", "yields_db", "a state of dict, and the lifespan yields Db: annotate it with Db, or let the "),
    ("with_perhaps", "yields_other", "the lifespan yields Other"),
    ("with_db", "", 'a state of Db, and there is no lifespan: write lifespan = "package.module:function" in [program]'),
    ("with_queries", "", "a state of Queries, and there is no lifespan: write lifespan = "),
    ("on_hit", "", "a state of Db, and there is no lifespan: write lifespan = "),
    ("on_hit", "yields_other", "a state of Db, and the lifespan yields Other"),
]


@for_each(MISFITS)
def test_code_that_takes_what_nothing_yields_is_a_fault(handler: str, lifespan: str, why: str, tmp_path: Path) -> None:
    [fault] = faults(tmp_path, handler, **({"lifespan": lifespan} if lifespan else {}))
    row = "events.hit_keyword" if handler == "on_hit" else "abilities.a"
    line = 3 if lifespan else 2
    where = place(getattr(program_code, handler))
    assert fault.startswith(f"registry.toml:{line} [{row}]: {HERE}:{handler} ({where}) takes ")
    assert why in fault


def test_a_lifespan_with_a_fault_of_its_own_hides_no_and_makes_no_other_fault(tmp_path: Path) -> None:
    [fault] = faults(tmp_path, "with_db", lifespan="missing")
    assert "lifespan: " in fault


def test_settings_are_typed_too(tmp_path: Path) -> None:
    table_of(tmp_path, "with_settings", settings="Settings")
    [fault] = faults(tmp_path, "with_settings")
    where = place(program_code.with_settings)
    assert f"with_settings ({where}) takes settings of Settings, and there are no settings: write settings = " in fault
    [fault] = faults(tmp_path, "with_settings", settings="Ask")
    assert fault.endswith("takes settings of Settings, and ctx.settings is Ask: annotate it with Ask")
