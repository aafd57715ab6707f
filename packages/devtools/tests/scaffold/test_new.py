"""`wwspec new`: a new program's folder, made whole or not at all."""

import os
import re
from itertools import takewhile
from pathlib import Path

import pytest
from pathspec import PathSpec

from tests.scaffold.commands import refused
from tests.support.apps import ROOT, write_files
from tests.support.command import pytest_session, wwspec
from wwspec_router import __version__

PROGRAM = ("__init__", "chat_digest", "group_overview")
COPIES = {
    "run.sh": "run.sh",
    "sdk/README.md": "sdk/README.md",
    **{f"{folder}/{name}.py": f"{folder}/{name}.py" for folder in ("abilities", "schemas") for name in PROGRAM},
    **{f"tests/test_{name}.py": f"tests/abilities/test_{name}.py" for name in PROGRAM[1:]},
}
"""Files of a new program that this repository has, too: their path there, and here."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new program that nothing was changed of."""
    folder = tmp_path_factory.mktemp("new")
    done = wwspec(folder, "new", "shop")
    assert done.returncode == 0, done.stderr
    return folder / "shop"


@pytest.mark.parametrize(("copy", "original"), COPIES.items())
def test_what_this_repository_has_too_is_the_same(shop: Path, copy: str, original: str) -> None:
    ours, theirs = ROOT / original, shop / copy
    assert theirs.read_bytes() == ours.read_bytes(), (
        f"cp {original} packages/devtools/wwspec_devtools/scaffold/files/{copy}"
    )
    assert os.access(theirs, os.X_OK) == os.access(ours, os.X_OK)


def test_the_tests_of_a_new_program_pass(shop: Path) -> None:
    done = pytest_session(shop, "-q")
    assert done.returncode == 0, done.stdout
    assert "5 passed" in done.stdout


def test_a_new_program_has_its_name_and_the_version_it_is_made_with(shop: Path) -> None:
    assert 'name = "shop"' in (shop / "abilities" / "registry.toml").read_text("utf-8")
    for name, package in (("requirements.txt", "wwspec_router"), ("requirements-dev.txt", "wwspec_devtools")):
        assert f"{package}-{__version__}-" in (shop / name).read_text("utf-8")
    for readme in ("README.md", "README.zh-CN.md"):
        assert (shop / readme).read_text("utf-8").startswith("# shop\n")
    texts = [path for path in shop.rglob("*.*") if path.is_file() and path.suffix != ".pyc"]
    assert [path for path in texts if re.search("__[A-Z]+(__|\\[)", path.read_text("utf-8"))] == []


def test_every_file_that_the_image_is_made_of_gets_to_its_builder(shop: Path) -> None:
    allowed = (shop / ".dockerignore").read_text("utf-8").splitlines()
    for needed in ("abilities", "schemas", "sdk", "run.sh", "requirements.txt"):
        assert f"!{needed}" in allowed
        assert (shop / needed).exists()


def test_what_serves_development_only_stays_out_of_the_image(shop: Path) -> None:
    ignored = PathSpec.from_lines("gitignore", (shop / ".dockerignore").read_text("utf-8").splitlines())
    for path in ("requests/chat_digest.saved.json", "tests/test_chat_digest.py", ".env", ".vscode/launch.json"):
        assert ignored.match_file(path), path
    assert not ignored.match_file("abilities/chat_digest.py")


def test_what_is_secret_stays_out_of_the_repository(shop: Path) -> None:
    ignored = PathSpec.from_lines("gitignore", (shop / ".gitignore").read_text("utf-8").splitlines())
    for path in (".env", ".env.local", "key-1.pem", "app/keys/key-1.pem", "shapes.json", "tests/shapes-2026.json"):
        assert ignored.match_file(path), path
    assert not ignored.match_file("schemas/chat_digest.input.json")
    assert not ignored.match_file("examples/shop/shop.db"), "no line is of another repository"


def test_the_guide_for_assistants_is_short_and_each_verb_that_it_names_has_json(shop: Path) -> None:
    named = []
    for name in ("AGENTS.md", "AGENTS.zh-CN.md"):
        text = (shop / name).read_text("utf-8")
        assert len(text.splitlines()) <= 30
        named.append(re.findall(r"`wwspec ([^`]+)`", text))
    assert named[0] == named[1]
    assert len(named[0]) == 5
    for command in named[0]:
        verb = takewhile(re.compile("[a-z]+").fullmatch, command.split())
        assert "--json" in command
        assert "--json" in wwspec(shop, *verb, "--help").stdout, command


def test_three_lines_say_what_to_do_next(tmp_path: Path) -> None:
    headline, _, *steps = wwspec(tmp_path, "new", "shop").stdout.splitlines()
    assert headline.startswith("shop: ")
    assert [step.partition("#")[0].strip() for step in steps] == [
        "cd shop && pytest",
        "wwspec dev",
        "wwspec call chat_digest '{\"limit\": 10}'",
    ]


def test_a_minimal_program_is_one_file_with_its_test(tmp_path: Path) -> None:
    headline, _, *steps = wwspec(tmp_path, "new", "shop", "--minimal").stdout.splitlines()
    shop = tmp_path / "shop"
    made = {path.relative_to(shop).as_posix() for path in shop.rglob("*") if path.is_file()}
    image = {".dockerignore", "Dockerfile", "run.sh", "requirements.txt", "sdk/README.md"}
    assert made == {
        "AGENTS.md",
        "program.py",
        "tests/test_program.py",
        ".gitignore",
        "pyproject.toml",
        "requirements-dev.txt",
        *image,
    }
    assert headline == "shop: 11 files; shop/program.py is the program"
    assert steps[2].startswith("  wwspec call invoke_sync_msg '{\"limit\": 10}'  #")
    assert 'files = ["program.py", "tests"]' in (shop / "pyproject.toml").read_text("utf-8")
    done = pytest_session(shop, "-q")
    assert done.returncode == 0, done.stdout
    assert wwspec(shop, "check").stdout.endswith(" abilities, 43 SDK APIs, 9 events: no fault\n")


def test_examples_of_the_console_need_a_registry_file(tmp_path: Path) -> None:
    (tmp_path / "console").mkdir()
    done = wwspec(tmp_path, "new", "shop", "--minimal", "--from", "console")
    assert "--from writes a registry file: leave --minimal out" in done.stderr
    assert not (tmp_path / "shop").exists()


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    assert wwspec(tmp_path, "new", tmp_path / "shop").returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["shop"]
    assert (tmp_path / "shop" / "run.sh").exists()


@pytest.mark.parametrize("mine", ["shop", "shop/notes.txt"])
def test_a_file_or_a_folder_that_has_one_is_refused_and_left_alone(tmp_path: Path, mine: str) -> None:
    write_files(tmp_path, {mine: "mine"})
    assert refused(tmp_path, "shop") == ["Error: shop: exists already and is not an empty folder; choose another name"]


@pytest.mark.parametrize("name", ["Shop", "my shop", ".", "..", "", "店铺", "-shop", "shop_", "a..b", "s" * 65])
def test_a_name_that_can_not_be_that_of_an_image_is_refused(tmp_path: Path, name: str) -> None:
    [line] = refused(tmp_path, "--", name)
    assert line.startswith(f"Error: {name or '.'!r} can't name a folder and an image: use up to 64 lower-case letters")


def test_a_missing_parent_folder_is_named(tmp_path: Path) -> None:
    assert refused(tmp_path, "apps/shop") == ["Error: apps: there is no such folder to make shop in; make it first"]


def test_a_parent_folder_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    assert refused(tmp_path, "/proc/shop")[0].startswith("Error: /proc/shop: can't be made: ")
