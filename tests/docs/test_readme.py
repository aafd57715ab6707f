"""README.md as a new user follows it, block after block: each command works, and prints what the page shows."""

import os
import re
import shutil
import sys
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import pytest

from tests.packaging.conftest import Archives
from tests.support.apps import ROOT
from tests.support.pages import Block, blocks_of_page
from tests.support.terminal import INSTALLED, Terminals, variables_of_ports
from wwspec_devtools.scaffold.project import PACKAGES, project_files, pure_wheel
from wwspec_devtools.testing.ports import held_ports

README = ROOT / "README.md"
"""README.zh-CN.md has the same blocks: tests/docs/test_contributing.py."""

NOT_WITHIN = {"scripts/test": ""}
"""What runs this test."""

HERE = {**NOT_WITHIN, "scripts/demo --once": "wwspec demo --once", **INSTALLED}
"""What needs no network and changes nothing of this clone, with the environment of the tests -> in place of what."""


@contextmanager
def terminals_in(clone: Path, scratch: Path) -> Iterator[Terminals]:
    """Terminals of a person who has no more than a clone, with free ports in place of those of the page."""
    bare = {"PATH", "HOME", "TMPDIR", "PYENV_ROOT"}
    bare |= {"PIP_CONFIG_FILE", "PIP_CACHE_DIR", "PIP_INDEX_URL", "PIP_NO_COMPILE"}
    with held_ports(2) as held:
        ports = dict(zip(("8080", "8090"), map(str, held), strict=True))
        environment = {
            **{name: value for name, value in os.environ.items() if name in bare},
            **variables_of_ports(ports),
        }
        terminals = Terminals(clone, environment, ports, scratch)
        try:
            yield terminals
        finally:
            terminals.stop()


def blocks_of(section: str) -> Iterator[Block]:
    lines = README.read_text("utf-8").splitlines()
    first = lines.index(f"## {section}")
    last = next(number for number in range(first + 1, len(lines)) if lines[number].startswith("## "))
    return (block for block in blocks_of_page(README) if first < block.line <= last)


def follow(blocks: Iterable[Block], terminals: Terminals, instead: Mapping[str, str]) -> None:
    for block in blocks:
        terminals.follow(block, instead)
    terminals.check_success()


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
        follow(chain.from_iterable(map(blocks_of, sections)), terminals, HERE)


def test_the_second_command_is_what_ci_runs_with_all_tests() -> None:
    demo, tests = (block.text.strip() for block in blocks_of("Two commands"))
    assert demo.startswith("scripts/demo ")
    assert re.search(rf"^step {tests.removeprefix('scripts/')} --all\b", (ROOT / ".ci/run").read_text(), re.MULTILINE)


@pytest.fixture
def clone(archives: Archives, tmp_path: Path) -> Path:
    """The repository, as its source archive has it, in a folder that holds nothing else."""
    folder = tmp_path / "folder"
    with tarfile.open(archives.sdist) as archive:
        archive.extractall(folder, filter="data")
    return (folder / archives.sdist.name.removesuffix(".tar.gz")).rename(folder / "wwspec_router")


@pytest.mark.nightly  # two environments, of packages that pip downloads
def test_the_readme_works_word_for_word(clone: Path, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with terminals_in(clone, scratch) as terminals:
        follow(blocks_of_page(README), terminals, NOT_WITHIN)
    assert {*map(pure_wheel, PACKAGES)} <= {path.name for path in (clone.parent / "shop/wheels").iterdir()}


def test_all_pages_make_a_program_in_one_way() -> None:
    pages = [README, *(ROOT / "docs" / "en" / name for name in ("index.md", "tutorial/first-ability.md"))]
    shown = [[block.text for block in blocks_of_page(page) if "wwspec new" in block.text] for page in pages]
    assert shown[0] == shown[1] == shown[2]
    assert len(shown[0]) == 1


def test_the_program_of_the_page_is_the_one_that_is_made() -> None:
    [program] = [block.text for block in blocks_of_page(README) if block.is_file]
    assert program == f"# program.py\n{project_files('shop', minimal=True)['program.py']}"
