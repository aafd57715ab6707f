"""The pipeline of program/testing.md: a new program passes it."""

import re
from pathlib import Path

import pytest

from tests.support.apps import ROOT
from tests.support.command import wwspec
from wwspec_devtools.scaffold.project import make_project, project_files

STEPS = [
    re.findall(r"^ +- run: (.+)$", (ROOT / f"docs/{language}/program/testing.md").read_text("utf-8"), re.MULTILINE)
    for language in ("en", "zh")
]
ELSEWHERE = ("pytest", "pytest --zone served")
"""Steps that tests/packaging/test_new_project.py runs in a new program."""


def test_the_pipeline_has_the_same_steps_in_both_languages() -> None:
    english, chinese = STEPS
    assert english == chinese
    assert len(english) > 5


@pytest.mark.nightly  # a program of its own and a fuzzer; test_new_project.py and test_fuzz.py prove nearly the same
def test_a_new_program_passes_the_pipeline(tmp_path: Path) -> None:
    app = tmp_path / "shop"
    make_project(app, project_files("shop"))
    _, *checks = STEPS[0]  # without pip: what it installs is installed here
    assert {*ELSEWHERE} < {*checks}
    for command in ("wwspec contracts --out console", "wwspec contracts --client client", *checks):
        if command not in ELSEWHERE:
            fewer = command.replace("--examples 50", "--examples 10")  # 50 take six seconds more of a processor
            done = wwspec(app, *fewer.removeprefix("wwspec ").split())
            assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
