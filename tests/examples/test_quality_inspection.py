"""examples/quality_inspection: its own tests, its types, and that its pages show it as it is."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.apps import ROOT
from tests.support.command import wwspec
from tests.support.pages import blocks_of_page

EXAMPLE = ROOT / "examples" / "quality_inspection"


def run(*words: str) -> str:
    command = [sys.executable, "-m", *words]
    done = subprocess.run(command, cwd=EXAMPLE, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_its_registry_file_and_settings_have_no_fault() -> None:
    done = wwspec(EXAMPLE, "check")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow  # it starts pytest and a zone for each test, and with `served` the processes of one
@pytest.mark.parametrize("zone", ["in-process", pytest.param("served", marks=pytest.mark.nightly)])
def test_its_own_tests_pass(zone: str) -> None:
    assert re.search(r"^4 passed in", run("pytest", "-q", "-p", "no:cacheprovider", "--zone", zone), re.MULTILINE)


@pytest.mark.nightly  # each reads all of the package
@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_type_checkers_find_no_fault_in_it(checker: str, tmp_path: Path) -> None:
    folders = ["abilities", "schemas", "app", "tests"]
    if checker == "mypy":
        run("mypy", "--strict", "--explicit-package-bases", "--cache-dir", str(tmp_path), *folders)
    else:
        run("basedpyright", "--pythonpath", sys.executable, "--level", "error", *folders)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_shows_the_files_as_they_are(language: str) -> None:
    page = ROOT / "docs" / language / "program" / "inspection.md"
    shown = dict(block.text.split("\n", 1) for block in blocks_of_page(page) if block.text.startswith("# "))
    names = {"abilities/inspection.py", "abilities/report.py", "abilities/audit.py", "abilities/registry.toml"}
    assert {name.removeprefix("# ") for name in shown} == names | {"app/inspector.py", "tests/test_inspection.py"}
    for name, text in shown.items():
        assert text == (EXAMPLE / name.removeprefix("# ")).read_text("utf-8"), name


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_the_readme_names_the_abilities(readme: str) -> None:
    text = (EXAMPLE / readme).read_text("utf-8")
    for ability_id in tomllib.loads((EXAMPLE / "abilities" / "registry.toml").read_text("utf-8"))["abilities"]:
        assert f"`{ability_id}`" in text
