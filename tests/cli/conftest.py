"""The command line as a person uses it: a process, its output, its exit code."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.apps import ROOT
from wwspec_router.testing.zone import Zone

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def run() -> Run:
    """Run `wwspec` with arguments, in the repository's folder."""

    def run(
        *arguments: str, cwd: Path = ROOT, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "wwspec_router", *arguments],
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture(scope="module")
def zone() -> Iterator[Zone]:
    """A zone for the verbs that talk to an emulator."""
    with Zone.serve(ROOT) as zone:
        yield zone
