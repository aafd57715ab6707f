"""A project of an earlier release works with this code."""

import json
import warnings
from pathlib import Path

import pytest

from tests.support.command import wwspec
from tests.upgrade.releases import NEW, Release

pytestmark = pytest.mark.slow  # runs code of two releases


def test_a_project_of_an_older_release_passes_check(release: Release) -> None:
    assert said(release.project, "check").endswith(": no fault\n")


@pytest.mark.filterwarnings("default::DeprecationWarning")  # of names that are about to leave: allowed, and shown
def test_the_tests_of_a_project_of_an_older_release_pass(release: Release) -> None:
    output = NEW.run("-m", "pytest", "-p", "no:cacheprovider", cwd=release.project)
    assert " passed" in output
    for line in output.splitlines():
        if "DeprecationWarning" in line:
            warnings.warn(line.strip(), DeprecationWarning, stacklevel=1)


def test_a_registry_file_with_every_key_of_an_older_release_loads_and_means_the_same(release: Release) -> None:
    with (release.app / ".dockerignore").open("a") as ignored:
        ignored.write("\n!examples\n")  # that release did not say that its image lacks them
    assert said(release.app, "check").endswith(": no fault\n")
    listed = said(release.app, "abilities", "--json")
    assert timeouts(listed) == timeouts(release.code.wwspec("abilities", "--json", cwd=release.app))


def said(folder: Path, *arguments: str) -> str:
    """Return what a verb of this code prints in a folder; it must succeed."""
    done = wwspec(folder, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def timeouts(listed: str) -> dict[str, float]:
    """Return the time-out of each ability ID that `wwspec abilities --json` lists."""
    return {row["ability_id"]: row["timeout"] for row in json.loads(listed)}
