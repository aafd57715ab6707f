"""A project of an earlier release works with this code."""

import json
import sys

import pytest

from tests.support.command import wwspec
from tests.upgrade.releases import NEW, Release


def test_a_project_of_an_older_release_passes_check(release: Release) -> None:
    assert wwspec(release.project, "check").stdout.endswith(": no fault\n")


def test_the_tests_of_a_project_of_an_older_release_pass(release: Release, capsys: pytest.CaptureFixture[str]) -> None:
    """They were written by its `wwspec new`. Warnings of names that are about to leave are allowed, and shown."""
    warn = ("-W", "default::DeprecationWarning")
    said = NEW.run("-m", "pytest", "-p", "no:cacheprovider", *warn, cwd=release.project)
    assert " passed" in said
    with capsys.disabled():
        sys.stdout.writelines(f"{line}\n" for line in said.splitlines() if "DeprecationWarning" in line)


def test_a_registry_file_with_every_key_of_an_older_release_loads_and_means_the_same(release: Release) -> None:
    assert wwspec(release.app, "check").stdout.endswith(": no fault\n")
    listed = wwspec(release.app, "abilities", "--json").stdout
    assert timeouts(listed) == timeouts(release.code.wwspec("abilities", "--json", cwd=release.app))


def timeouts(listed: str) -> dict[str, float]:
    """Return the time-out of each ability ID that `wwspec abilities --json` lists."""
    return {row["ability_id"]: row["timeout"] for row in json.loads(listed)}
