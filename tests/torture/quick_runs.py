"""A run of `scripts/torture` in its quick form, and what must come of it."""

import os
import sys
from collections.abc import Set as AbstractSet

import msgspec

from tests.support.apps import ROOT
from tests.support.command import Done
from tests.support.processes import finished
from torture.result import Result


def torture(*arguments: str, **environment: str) -> Done:
    return finished(sys.executable, "-m", "torture", *arguments, cwd=ROOT, env={**os.environ, **environment})


def assert_passes(run: str, figures: AbstractSet[str]) -> None:
    done = torture("--quick", "--seed", "3", *run.split())
    assert done.stdout.count("\n") == 1, done.stderr
    result = msgspec.json.decode(done.stdout, type=Result)
    assert (result.failures, result.passed, done.returncode) == ([], True, 0), f"{done.stdout}{done.stderr}"
    assert (result.run, result.seed) == (run.split()[0], 3)
    assert result.seconds > 0
    assert figures <= result.figures.keys()
