"""`wwspec new --from`: abilities that the console has already, from their two examples."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.scaffold.commands import module, refused
from tests.support.command import pytest_session, wwspec
from wwspec_devtools.emulator.standin.wwspec_standin.names import SDK_APIS

OK = {"errcode": 0, "errmsg": "ok"}

ABILITIES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "price_check": ({"article": "tea", "tags": ["green"]}, {**OK, "offers": [{"shop": "北京", "of day": 1.5}]}),
    "chat.digest-2": ({}, OK),
    "class": ({"n": 1}, OK),
    "dict": ({}, OK),
    "ability": ({}, OK),
    '价格 "now"': ({"品名": "茶"}, OK),
    "价格 now": ({}, OK),
    "2fa": ({}, OK),
    "...+": ({}, OK),
}
"""IDs that are hard to make names of, among others."""
NEW_API = {"invoke_get_doc_content": ({"docid": "DOCID"}, {**OK, "content": "text"})}
"""An SDK API that this release does not know."""


def write(folder: Path, abilities: dict[str, tuple[dict[str, Any], dict[str, Any]]]) -> Path:
    """Write the console files of abilities."""
    folder.mkdir(exist_ok=True)
    for ability_id, sides in abilities.items():
        for side, example in zip(("input", "output"), sides, strict=True):
            (folder / f"{ability_id}.{side}.json").write_text(json.dumps(example, ensure_ascii=False), "utf-8")
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A new program with all of these abilities and that API, and what was printed."""
    folder = tmp_path_factory.mktemp("from")
    done = wwspec(folder, "new", "shop", "--from", write(folder / "console", ABILITIES | NEW_API))
    assert done.returncode == 0, done.stderr
    return folder / "shop", done.stdout


@pytest.fixture(scope="module")
def shop(made: tuple[Path, str]) -> Path:
    return made[0]


def test_check_finds_no_fault_and_the_contracts_are_those_of_the_console(shop: Path) -> None:
    done = wwspec(shop, "check")
    apis = len(SDK_APIS) + len(NEW_API)
    own = f"({len(NEW_API)} of these contracts of its own)"
    assert done.stdout.endswith(
        f"{len(SDK_APIS) + 4 + len(ABILITIES | NEW_API)} abilities, {apis} SDK APIs, 9 events {own}: no fault\n"
    ), done.stdout + done.stderr
    done = wwspec(shop, "contracts", "--diff", "../console", *ABILITIES)
    assert done.stdout == f"../console: no difference in {len(ABILITIES)} abilities\n"


@pytest.mark.slow  # a session of pytest; test_new has one
def test_each_ability_has_a_test_that_passes_until_its_handler_is_written(shop: Path) -> None:
    done = pytest_session(shop, "-q")
    assert f"{5 + len(ABILITIES | NEW_API)} passed" in done.stdout, done.stdout


def test_an_sdk_api_that_this_release_does_not_know_gets_a_row(made: tuple[Path, str]) -> None:
    assert (
        "\ninvoke_get_doc_content: the SDK API get_doc_content, which this release does not know: "
        "its examples are the contract\n"
    ) in made[1]
    assert (made[0] / "tests" / "test_invoke_get_doc_content.py").exists()


@pytest.mark.slow  # mypy: 3 s of a processor
def test_mypy_finds_no_fault(shop: Path) -> None:
    done = module(shop, "mypy", "--cache-dir", os.devnull)
    assert done.returncode == 0, done.stdout


def test_it_says_which_handlers_are_to_be_written_and_gives_abilities_of_the_python_demo_its_table(
    tmp_path: Path,
) -> None:
    console = write(
        tmp_path / "console",
        {"price.check": ({}, OK), "invoke_sync_msg": ({}, OK), "input_sync_msg": ({"input": {}}, OK)},
    )
    lines = wwspec(tmp_path, "new", "shop", "--from", console).stdout.splitlines()
    assert lines[2:4] == [
        "price.check: to be written in shop/abilities/price_check.py",
        "answered already: input_sync_msg, invoke_sync_msg",
    ]
    assert "input_sync_msg" in wwspec(tmp_path / "shop", "abilities").stdout


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("echo.output.json", "{", "echo.output.json: is not JSON: "),
        ("echo.output.json", "[]", "echo.output.json: a contract is a JSON object"),
        ("echo.input.json", '{"n": 36893488147419103232}', "echo.input.json: "),
        (
            "echo.output.json",
            '{"said": "hello"}',
            "add errcode (a number) and errmsg (a string), here and in the console",
        ),
        ("notes.json", "{}", "notes.json: name it <ability ID>.input.json or <ability ID>.output.json"),
        ("other.input.json", "{}", "other.output.json: is missing"),
    ],
)
def test_a_broken_example_is_named_in_one_line_and_nothing_is_written(
    tmp_path: Path, name: str, text: str, fault: str
) -> None:
    console = write(tmp_path / "console", {"echo": ({"say": "hello"}, OK)})
    (console / name).write_text(text)
    [line] = refused(tmp_path, "shop", "--from", console)
    assert line.startswith("Error: ")
    assert fault in line


def test_a_folder_without_examples_is_named(tmp_path: Path) -> None:
    (tmp_path / "console").mkdir()
    assert refused(tmp_path, "shop", "--from", "console") == ["Error: console: holds no <ability ID>.input.json"]
