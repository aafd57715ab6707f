"""Each run of `scripts/torture` that asks for all that the machine can do, in its quick form."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.support.apps import ROOT
from tests.support.processes import processes_of
from tests.torture.quick_runs import assert_passes, torture
from torture.intruder import RATE
from torture.result import Result

FIGURES = {
    "overload": {"capacity_per_s", "before", "overload", "after", "rss_end_mib", "unanswered"},
    "intruder": {"turns", "calls_p99_ms", "rss_before_mib", "rss_most_mib", "rss_after_mib", "lines"},
    "soak": {"capacity_per_s", "parent", "worker_1", "worker_2", "bad_requests", "store_kib"},
}

pytestmark = pytest.mark.slow  # each measures the machine, for half a minute; scripts/test runs nothing beside them


@pytest.mark.parametrize("run", FIGURES)
def test_a_quick_run_passes_and_prints_one_line(run: str) -> None:
    assert_passes(run, FIGURES[run])


def test_a_run_lasts_as_long_as_its_option_says() -> None:
    done = torture("--quick", "--seconds", "2", "intruder")
    result = msgspec.json.decode(done.stdout, type=Result)
    assert (result.failures, result.figures["calls"]) == ([], 2 * RATE)


def test_a_run_that_is_ended_leaves_no_process_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "torture", "--quick", "soak"]
    with subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, env={**os.environ, "TMPDIR": str(tmp_path)}
    ) as run:
        assert run.stderr is not None
        assert any(b"calls/s at most" in line for line in run.stderr)  # by now everything runs
        started = processes_of(tmp_path)
        run.terminate()
        run.stderr.read()
    assert len(started) >= 5  # the run, the emulator, the program's parent and two workers
    assert processes_of(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
