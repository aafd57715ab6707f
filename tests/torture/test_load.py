"""Each run of `scripts/torture` that asks for all that the machine can do, in its quick form."""

import pytest

from tests.torture.quick_runs import assert_passes

FIGURES = {
    "overload": {"capacity_per_s", "before", "overload", "after", "rss_end_mib", "unanswered"},
    "intruder": {"turns", "calls_p99_ms", "rss_before_mib", "rss_most_mib", "rss_after_mib", "lines"},
    "soak": {"capacity_per_s", "parent", "worker_1", "worker_2", "bad_requests", "store_kib"},
}

pytestmark = pytest.mark.slow  # each measures the machine, for half a minute; scripts/test runs nothing beside them


@pytest.mark.parametrize("run", FIGURES)
def test_a_quick_run_passes_and_prints_one_line(run: str) -> None:
    assert_passes(run, FIGURES[run])
