"""README.md as a new user follows it, block after block: each command works, and prints what the page shows."""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from tests.docs.conftest import NOT_WITHIN, README
from tests.support.apps import ROOT
from tests.support.pages import Block, blocks_of_page
from tests.support.terminal import INSTALLED, terminals_in
from wwspec_devtools.scaffold.project import PACKAGES, project_files, pure_wheel

HERE = {**NOT_WITHIN, "scripts/demo --once": "wwspec demo --once", **INSTALLED}
"""What needs no network and changes nothing of this clone, with the environment of the tests -> in place of what."""


def blocks_of(section: str) -> Iterator[Block]:
    lines = README.read_text("utf-8").splitlines()
    first = lines.index(f"## {section}")
    last = next(number for number in range(first + 1, len(lines)) if lines[number].startswith("## "))
    return (block for block in blocks_of_page(README) if first < block.line <= last)


@pytest.mark.slow  # processes; test_verbs plays the demo, test_snippets runs the commands
@pytest.mark.parametrize(
    "sections", [("Two commands", "What the demo prints"), ("Start a program of your own",)], ids=lambda each: each[0]
)
def test_the_page_shows_what_its_commands_print(
    sections: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone, scratch = tmp_path / "clone", tmp_path / "scratch"
    for package in ("abilities", "schemas"):
        shutil.copytree(ROOT / package, clone / package, ignore=shutil.ignore_patterns("__pycache__"))
    (clone / "dist").mkdir()
    for package in PACKAGES:
        (clone / "dist" / pure_wheel(package)).touch()
    scratch.mkdir()
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    with terminals_in(clone, scratch) as terminals:
        terminals.follow_all(chain.from_iterable(map(blocks_of, sections)), HERE)


def test_the_second_command_is_what_ci_runs_with_all_tests() -> None:
    demo, tests = (block.text.strip() for block in blocks_of("Two commands"))
    assert demo.startswith("scripts/demo ")
    assert re.search(rf"^step {tests.removeprefix('scripts/')} --all\b", (ROOT / ".ci/run").read_text(), re.MULTILINE)


@pytest.mark.nightly  # two environments, of packages that pip downloads
def test_the_readme_works_word_for_word(followed_readme: Path) -> None:
    assert {*map(pure_wheel, PACKAGES)} <= {path.name for path in (followed_readme / "shop/wheels").iterdir()}


def test_all_pages_make_a_program_in_one_way() -> None:
    pages = [README, *(ROOT / "docs" / "en" / name for name in ("index.md", "tutorial/first-ability.md"))]
    shown = [[block.text for block in blocks_of_page(page) if "wwspec new" in block.text] for page in pages]
    assert shown[0] == shown[1] == shown[2]
    assert len(shown[0]) == 1


def test_the_program_of_the_page_is_the_one_that_is_made() -> None:
    [program] = [block.text for block in blocks_of_page(README) if block.is_file]
    assert program == f"# program.py\n{project_files('shop', minimal=True)['program.py']}"
