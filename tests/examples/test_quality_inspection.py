"""examples/quality_inspection: its own tests and its types."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.apps import ROOT
from tests.support.command import wwspec
from tests.support.processes import finished

EXAMPLE = ROOT / "examples" / "quality_inspection"


def run(*words: str) -> str:
    done = finished(sys.executable, "-m", *words, cwd=EXAMPLE)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_its_registry_file_and_settings_have_no_fault() -> None:
    done = wwspec(EXAMPLE, "check")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow  # it starts pytest and a zone for each test, and with `served` the processes of one
@pytest.mark.parametrize("zone", ["in-process", pytest.param("served", marks=pytest.mark.nightly)])
def test_its_own_tests_pass(zone: str) -> None:
    assert re.search(r"^5 passed in", run("pytest", "-q", "-p", "no:cacheprovider", "--zone", zone), re.MULTILINE)


@pytest.mark.nightly  # each reads all of the package
@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_type_checkers_find_no_fault_in_it(checker: str, tmp_path: Path) -> None:
    folders = ["program.py", "app", "tests"]
    if checker == "mypy":
        run("mypy", "--strict", "--explicit-package-bases", "--cache-dir", str(tmp_path), *folders)
    else:
        run("basedpyright", "--pythonpath", sys.executable, "--level", "error", *folders)


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_the_readme_names_the_abilities(readme: str) -> None:
    text = (EXAMPLE / readme).read_text("utf-8")
    rows = tomllib.loads((EXAMPLE / "abilities" / "registry.toml").read_text("utf-8"))["abilities"]
    marked = re.findall(r"^@ability.*\ndef (\w+)", (EXAMPLE / "program.py").read_text("utf-8"), re.MULTILINE)
    assert len(marked) == 2
    for ability_id in (*rows, *marked):
        assert f"`{ability_id}`" in text
