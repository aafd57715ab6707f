"""Each run of `scripts/torture`, in its quick form."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.support.apps import ROOT
from tests.support.processes import processes_of
from tests.support.tools import tool
from torture.result import Result

LIMIT = 180
"""Seconds after which a run hangs; each takes less than 40 on a quiet machine."""
FIGURES = {
    "kills --store sqlite": ("sqlite",),
    "kills --store redis": ("redis",),
    "redis": ("outages", "recovery_longest_s", "events_fetched", "jobs_reported", "longest_s", "store"),
    "failover": ("sentinel", "cluster"),
    "app": ("kills", "said", "archived", "caught_up_s", "hazards", "callbacks", "notifications_handled"),
    "overload": ("capacity_per_s", "before", "overload", "after", "rss_end_mib", "unanswered"),
    "intruder": ("turns", "calls_p99_ms", "rss_before_mib", "rss_most_mib", "rss_after_mib", "lines"),
    "soak": ("capacity_per_s", "parent", "worker_1", "worker_2", "bad_requests", "store_kib"),
}

pytestmark = pytest.mark.slow


def torture(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "torture", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )


@pytest.mark.parametrize("run", FIGURES)
def test_a_quick_run_passes_and_prints_one_line(run: str, redis_or_skip: None) -> None:
    done = torture("--quick", "--seed", "3", *run.split())
    assert done.stdout.count("\n") == 1, done.stderr
    result = msgspec.json.decode(done.stdout, type=Result)
    assert (result.failures, result.passed, done.returncode) == ([], True, 0)
    assert (result.run, result.seed) == (run.split()[0], 3)
    assert result.seconds > 0
    assert set(FIGURES[run]) <= result.figures.keys()


def test_a_run_that_breaks_down_is_told_as_failed_and_does_not_hide_the_next(tmp_path: Path) -> None:
    done = torture("--quick", "redis", "redis", PATH=str(tmp_path))
    results = [msgspec.json.decode(line, type=Result) for line in done.stdout.splitlines()]
    assert [result.passed for result in results] == [False, False]
    assert "redis-server is needed and not here" in results[0].failures[0]
    assert done.returncode == 1


@pytest.fixture
def redis_or_skip(run: str) -> None:
    if "redis" in run or run == "failover":
        tool("redis-server")


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
