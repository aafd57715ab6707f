"""Each benchmark runs, and gives figures of one shape. How fast anything is, no test says."""

import os
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import msgspec
import pytest

from benchmarks.__main__ import load, names
from benchmarks.figures import Report
from benchmarks.targets import TARGETS, outcome
from tests.support.apps import ROOT
from tests.support.command import Done
from tests.support.processes import UNMEASURED, finished
from tests.support.tools import tool

pytestmark = pytest.mark.nightly  # scripts/bench --test


Runs = dict[str, Future[Done]]


def run_module(*arguments: str) -> Done:
    return finished(sys.executable, "-m", *arguments, cwd=ROOT, env={**os.environ, **UNMEASURED})


@pytest.fixture(scope="module")
def runs() -> Iterator[Runs]:
    """All benchmarks, three at a time: their speed does not matter here."""
    tool("wrk")
    with ThreadPoolExecutor(3) as executor:
        yield {name: executor.submit(run_module, "benchmarks", name, "--quick", "--json") for name in names()}


@pytest.mark.parametrize("name", names())
def test_benchmark_gives_figures_of_one_shape(name: str, runs: Runs) -> None:
    if name == "console":
        tool("chromium")
    done = runs[name].result()
    assert done.returncode == 0, done.stderr[-3000:]
    report = msgspec.json.decode(done.stdout, type=Report)
    assert (report.benchmark, report.question, report.quick) == (name, load(name).question, True)
    assert report.machine
    assert report.python
    assert report.rounds == 1
    assert report.figures
    for figure in report.figures:
        assert figure.low <= figure.median <= figure.high
        assert len(figure.samples) == report.rounds
        base = report.find(figure.case, figure.reference or "", figure.metric)
        assert (base is None) == (figure.reference is None) == (figure.difference is None)
        assert (figure.ratio is None) == (base is None or not any(base.samples)), "there is none to 0"
        assert figure.unit
    for case in {each.case for each in report.figures}:
        references = [each for each in report.figures if each.case == case and each.reference is None]
        assert references, f"{case} is compared with nothing"


def test_quick_runs_reach_the_figures_of_the_first_targets(runs: Runs) -> None:
    ended = {name: run.result() for name, run in runs.items() if name != "console" or shutil.which("chromium")}
    reports = {name: msgspec.json.decode(done.stdout, type=Report) for name, done in ended.items()}
    found = [each for each in TARGETS if each.benchmark in reports and outcome(each, reports[each.benchmark])]
    small = {"client", "console", "exchange", "latency", "network", "pool", "startup", "stores", "waiting"}
    assert {each.benchmark for each in found} == small & set(reports)
