"""Each run of `scripts/torture` that kills, or asks for all that the machine can do, in its quick form."""

from pathlib import Path

import msgspec
import pytest

from tests.support.tools import tool
from tests.torture.quick_runs import assert_passes, torture
from torture.result import Result

FIGURES = {
    "kills --store sqlite": {"sqlite"},
    "kills --store redis": {"redis"},
    "redis": {"outages", "recovery_longest_s", "events_fetched", "jobs_reported", "longest_s", "store"},
    "failover": {"failovers", "refused_longest_s"},
    "app": {"kills", "said", "archived", "caught_up_s", "hazards", "callbacks"}
    | {"notifications_handled", "notified_while_away"},
    "overload": {"capacity_per_s", "before", "overload", "after", "rss_end_mib", "unanswered"},
    "intruder": {"turns", "calls_p99_ms", "rss_before_mib", "rss_most_mib", "rss_after_mib", "lines"},
    "soak": {"capacity_per_s", "parent", "worker_1", "worker_2", "bad_requests", "store_kib"},
}

pytestmark = (
    pytest.mark.slow
)  # each takes half a minute; scripts/test runs nothing beside those that measure the machine


@pytest.mark.parametrize(
    "run", [run for run in FIGURES if run != "app"] + [pytest.param("app", marks=pytest.mark.nightly)]
)
def test_a_quick_run_passes_and_prints_one_line(run: str) -> None:
    if "redis" in run or run == "failover":
        tool("redis-server")
    assert_passes(run, FIGURES[run])


def test_a_run_that_breaks_down_is_told_as_failed_and_does_not_hide_the_next(tmp_path: Path) -> None:
    done = torture("--quick", "redis", "redis", PATH=str(tmp_path))
    results = [msgspec.json.decode(line, type=Result) for line in done.stdout.splitlines()]
    assert [result.passed for result in results] == [False, False]
    assert "redis-server is needed and not here" in results[0].failures[0]
    assert done.returncode == 1
