"""What an image would lack: files that `.dockerignore` keeps out, and packages that `requirements.txt` lacks."""

from pathlib import Path

import pytest

from tests.support.apps import ROOT, write_files
from tests.support.tables import for_each
from wwspec_devtools.image.missing_files import Ignored, lacking
from wwspec_devtools.scaffold.project import make_project, project_files
from wwspec_router.registry.file import parse_registry

PRICE = """
from helpers.prices import price
from wwspec_router import Output, ability, Contract

class Price(Output):
    cents: int = 0

@ability
def ask(request: Contract) -> Price:
    return Price(cents=price())
"""
PRICES = """
from typing import TYPE_CHECKING

import multipart
from . import rates

if TYPE_CHECKING:
    import pandas

try:
    import ujson as json
except ImportError:
    import json

def price():
    import msgspec
    import wwspecapisdk
    import not_there.at_all
    return rates.RATE
"""
IGNORE = "# only these\n*\n!abilities\n!helpers\n!schemas\n"
FILES = {
    "abilities/registry.toml": '[abilities.ask]\nhandler = "abilities.price:ask"\n',
    "abilities/price.py": PRICE,
    "helpers/__init__.py": "",
    "helpers/prices.py": PRICES,
    "helpers/rates.py": "import os, sqlite3\nRATE = 1\n",
    ".dockerignore": IGNORE,
    "requirements.txt": "wwspec-router[zone]\npython-multipart>=0  # for helpers\nnot-there\n",
}


def found(folder: Path, **changes: str) -> list[str]:
    """Return what is found in the application with other files."""
    names = {"ignore": ".dockerignore", "requirements": "requirements.txt"}
    names |= {"registry": "abilities/registry.toml", "handler": "abilities/price.py"}
    write_files(folder, {**FILES, **{names[name]: text for name, text in changes.items()}})
    registry, faults = parse_registry(folder / "abilities" / "registry.toml")
    assert faults == []
    return lacking(folder, registry)


def test_nothing_is_found_in_folders_that_have_all_or_are_not_checked(tmp_path: Path) -> None:
    assert found(tmp_path, requirements=FILES["requirements.txt"].replace("not-there", "not_there")) == []
    write_files(
        tmp_path, {name: text for name, text in FILES.items() if name not in (".dockerignore", "requirements.txt")}
    )
    assert lacking(tmp_path, parse_registry(tmp_path / "abilities" / "registry.toml")[0]) == []


@for_each(
    [
        (IGNORE.replace("!helpers\n", ""), ":2: `*` keeps helpers/__init__.py", "abilities/price.py:2", "!helpers"),
        (f"{IGNORE}**/rates*\n", ":6: `**/rates*` keeps helpers/rates.py", "helpers/prices.py:5", "!helpers/rates.py"),
    ]
)
def test_a_module_that_is_kept_out_is_named_with_who_imports_it_and_the_line_to_add(
    ignore: str, kept_out: str, importer: str, line: str, tmp_path: Path
) -> None:
    [said] = found(tmp_path, ignore=ignore)
    assert said == f".dockerignore{kept_out} out of the image ({importer}); add a line {line} at its end"


def test_files_that_the_registry_names_are_needed_too(tmp_path: Path) -> None:
    row = 'input = "console/ask.json"\n'
    write_files(tmp_path, {"schemas/api/own.py": "", "console/ask.json": "{}"})
    place = f"{tmp_path / 'abilities' / 'registry.toml'}:1 [abilities.ask]"
    assert found(
        tmp_path, registry=FILES["abilities/registry.toml"] + row, ignore="*\n!abilities/*.py\n!helpers\n"
    ) == [
        ".dockerignore:1: `*` keeps abilities/registry.toml out of the image (the registry file); "
        "add a line !abilities at its end",
        f".dockerignore:1: `*` keeps console/ask.json out of the image ({place}); add a line !console at its end",
        ".dockerignore:1: `*` keeps schemas/api/own.py out of the image (a contract of its own); "
        "add a line !schemas at its end",
    ]


def test_modules_of_the_table_program_are_needed_too(tmp_path: Path) -> None:
    write_files(tmp_path, {"shop.py": "", "rates.py": "", "audit.py": ""})
    place = f"{tmp_path / 'abilities' / 'registry.toml'}:1 [program]"
    row = "[program]\nmodules = ['shop']\nsettings = 'rates:Rates'\naround = 'audit:around'\n"
    assert found(tmp_path, registry=row) == [
        f".dockerignore:2: `*` keeps {name}.py out of the image ({place}); add a line !{name}.py at its end"
        for name in ("shop", "rates", "audit")
    ]


def test_an_import_that_no_requirement_brings_is_named_with_the_line_to_add(tmp_path: Path) -> None:
    lines = found(tmp_path, requirements="wwspec-router[zone]\nnot.there\n")
    assert len(lines) == 1
    assert lines[0].startswith(
        "helpers/prices.py:4: imports multipart, which no line of requirements.txt brings; add the line "
    )
    assert lines[0].lower().rpartition(" ")[2].startswith("python-multipart==")


@pytest.mark.parametrize(
    "requirements",
    [
        "-r base.txt\n",
        "python-multipart==1.0 \\\n    --hash=sha256:0\nnot-there; python_version > '3'\n",
        "./wheels/Python_Multipart-1.0-py3-none-any.whl\nnot-there @ https://example.com/x.zip\n",
        "./own-folder\n",
        "-e .\n",
    ],
)
def test_a_package_may_be_required_in_any_way(tmp_path: Path, requirements: str) -> None:
    write_files(tmp_path, {"base.txt": "Python_Multipart\nnot_there\n"})
    assert found(tmp_path, requirements=requirements) == []


def test_a_module_that_is_not_installed_here_may_be_in_a_package_that_is_not_either(tmp_path: Path) -> None:
    lines = found(tmp_path, requirements="wwspec-router[zone]\npython-multipart\n")
    assert lines == [
        "helpers/prices.py:18: imports not_there, which no line of requirements.txt brings; add the line not_there"
    ]
    assert found(tmp_path, requirements="wwspec-router[zone]\npython-multipart\nother-name\n") == []


def test_what_a_required_package_needs_is_brought_with_it(tmp_path: Path) -> None:
    handler = f"import httpcore, Crypto\n{PRICE}"
    others = "python-multipart\nnot-there\n"
    assert found(tmp_path, handler=handler, requirements=f"{others}wwspec-router[zone]\nhttpx\n") == []
    lines = found(tmp_path, handler=handler, requirements=f"{others}wwspec-router\n")
    assert [line.split(": imports ")[1].partition(",")[0] for line in lines] == ["httpcore", "Crypto"]


def test_nothing_is_found_in_the_reference_program_and_in_a_new_one(tmp_path: Path) -> None:
    make_project(tmp_path / "shop", project_files("shop"))
    for folder in (ROOT, tmp_path / "shop"):
        registry, faults = parse_registry(folder / "abilities" / "registry.toml")
        assert (faults, lacking(folder, registry)) == ([], [])


@pytest.mark.parametrize(
    ("lines", "path", "deciding"),
    [
        ("*", "a/b.py", "*"),
        ("*\n!a", "a/b.py", None),
        ("*\n!a\na/b.py", "a/b.py", "a/b.py"),
        ("!a\n*", "a/b.py", "*"),
        ("/a/", "a/b.py", "/a/"),
        ("a/*.py", "a/c/b.py", None),
        ("a/**/b.py", "a/b.py", "a/**/b.py"),
        ("a/**/b.py", "a/c/d/b.py", "a/**/b.py"),
        ("**/*.pyc", "b.pyc", "**/*.pyc"),
        ("b.py", "a/b.py", None),
        ("?.py", "b.py", "?.py"),
        ("[!b].py", "b.py", None),
        ("[ab].py", "b.py", "[ab].py"),
        ("# *\n\n \n!", "b.py", None),
        (r"\*", "b.py", None),
        (r"\*", "*", r"\*"),
    ],
)
def test_the_last_line_that_matches_a_path_or_a_folder_above_it_decides(
    tmp_path: Path, lines: str, path: str, deciding: str | None
) -> None:
    (tmp_path / ".dockerignore").write_text(lines)
    line = Ignored(tmp_path / ".dockerignore").keeps_out(path)
    assert (None if line is None else line.text) == deciding
