"""Each wheel alone, with what pip installs for it and no more: all of its modules are imported."""

import json
import re
from pathlib import Path

import pytest

from scripts.rooms import ROOMS
from tests.packaging.conftest import NEEDED, Archives, Bare, requirements_of, run
from tests.support.processes import finished
from wwspec_contracts.extras import MODULES

pytestmark = pytest.mark.slow  # makes virtual environments

IMPORT = """
import importlib, json, sys
from pathlib import Path

root = Path(importlib.import_module(sys.argv[1]).__file__).parent
names = [".".join(file.relative_to(root.parent).with_suffix("").parts) for file in root.rglob("*.py")]
failed = {}
for name in names:
    if not name.endswith("__main__") and ".standin." not in name and ".scaffold.files." not in name:
        try:
            importlib.import_module(name.removesuffix(".__init__"))
        except Exception as error:
            failed[name] = str(error)
print(json.dumps([len(names), failed]))
"""
"""Imports all but what other interpreters load, and what belongs to new programs."""
FOUND = "import json, sys; from importlib.util import find_spec; print(json.dumps([*filter(find_spec, sys.argv[1:])]))"


@pytest.mark.parametrize("room", ROOMS)
def test_every_module_of_a_room_is_imported_where_pip_has_installed_that_room(
    room: str, bare: Bare, clean_env: dict[str, str]
) -> None:
    """But those that say which extra they need, or have its module beside its code."""
    package = ROOMS[room][0].name
    extras = MODULES.get(f"wwspec-{room}", {})
    said = [f"pip install 'wwspec-{room}[{extra}]'" for extra in extras]
    said += [f"No module named '{module}'" for modules in extras.values() for module in modules]
    count, failed = json.loads(run(bare(room) / "python", "-c", IMPORT, package, cwd=Path("/"), env=clean_env))
    assert count > 50
    assert {name: error for name, error in failed.items() if not error.endswith(tuple(said))} == {}
    assert len(failed) < count / 4, failed


@pytest.mark.parametrize(
    ("room", "lacks"),
    [
        ("contracts", ["wwspec_router", "wwspec_client", "wwspec_devtools", "Crypto", "click", "httpx"]),
        ("router", ["wwspec_client", "wwspec_devtools", "Crypto", "httpx", "pathspec", "sse_starlette"]),
        ("client", ["wwspec_router", "wwspec_devtools", "starlette", "uvicorn", "uvloop", "httptools", "click"]),
    ],
)
def test_a_room_brings_none_of_what_other_rooms_need(
    room: str, lacks: list[str], bare: Bare, clean_env: dict[str, str]
) -> None:
    assert json.loads(run(bare(room) / "python", "-c", FOUND, *lacks, cwd=Path("/"), env=clean_env)) == []


def test_rooms_require_each_other_in_their_own_version_and_no_more_than_they_need(archives: Archives) -> None:
    for room in ROOMS:
        [wheel] = archives.of(room)
        _, version, *_ = wheel.name.split("-")
        ours = [each for each in requirements_of(wheel) if each.startswith("wwspec-") and "extra ==" not in each]
        assert {re.split(r"[\[=]", each)[0].removeprefix("wwspec-") for each in ours} == {*NEEDED[room]} - {room}
        assert all(each.endswith(f"=={version}") for each in ours)


def test_no_two_wheels_have_a_file_in_common(installed: Path, clean_env: dict[str, str]) -> None:
    code = (
        "import json, sys; from importlib.metadata import files\n"
        "print(json.dumps([[str(file) for file in files(name)] for name in sys.argv[1:]]))"
    )
    names = [f"wwspec-{room}" for room in ROOMS]
    listed = json.loads(run(installed / "python", "-c", code, *names, cwd=Path("/"), env=clean_env))
    together = [file for files in listed for file in files]
    assert len(together) > 500
    assert len(together) == len({*together})


def test_the_command_is_there_with_the_router_and_not_with_the_client(bare: Bare) -> None:
    assert (bare("router") / "wwspec").exists()
    assert not (bare("client") / "wwspec").exists()


def test_pip_finds_no_conflict_among_the_rooms(installed: Path, clean_env: dict[str, str]) -> None:
    done = finished(installed / "python", "-m", "pip", "check", env=clean_env)
    assert not [line for line in done.stdout.splitlines() if line.startswith("wwspec")]
