"""The pipelines of program/test-in-ci.md: all run the same commands, which a new program passes."""

import re
import sys
from pathlib import Path

import pytest

from tests.support.apps import ROOT
from tests.support.processes import finished
from wwspec_devtools.scaffold.project import make_project, project_files

PAGES = [ROOT / "docs" / language / "program" / "test-in-ci.md" for language in ("en", "zh")]
COMMAND = re.compile(r"^(?: +- (?:run: )?)?((?:pip|wwspec|pytest)\b.*)$", re.MULTILINE)


def pipelines(page: Path) -> list[list[str]]:
    """Return the commands of each pipeline that a page shows, the one of a shell last."""
    text = page.read_text("utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    blocks += re.findall(r"^```text\n(#!/usr/bin/env bash\n.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [COMMAND.findall(block) for block in blocks]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parts[-3])
def test_every_pipeline_runs_the_same_commands(page: Path) -> None:
    actions, gitlab, shell = pipelines(page)
    assert actions == gitlab == shell
    assert len(shell) > 5


@pytest.mark.nightly  # a program of its own, its tests twice and a fuzzer: half a minute
def test_a_new_program_passes_the_pipeline(tmp_path: Path) -> None:
    app = tmp_path / "shop"
    make_project(app, project_files("shop"))
    _, *checks = pipelines(PAGES[0])[-1]  # without pip: what it installs is installed here
    for command in ("wwspec contracts --out console", "wwspec contracts --client client", *checks):
        name, *arguments = command.split()
        module = "wwspec_router" if name == "wwspec" else name
        done = finished(sys.executable, "-m", module, *arguments, cwd=app)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
