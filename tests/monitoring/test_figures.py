"""Counting calls: percentiles close to the exact ones, processes that add up, and memory that callers can't fill."""

import math
import threading
import tracemalloc
from collections.abc import Sequence
from time import monotonic
from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st

from wwspec_router.monitoring import figures as figures_module
from wwspec_router.monitoring.figures import (
    EVENT,
    OTHER_ERRCODE,
    UNDECODED,
    UNKNOWN,
    EventCounts,
    Figures,
    Gauges,
    JobCounts,
    Snapshot,
    Tally,
    merged,
    percentile,
)
from wwspec_router.monitoring.status import Status, Stored, status_of

NAMES = ["invoke_sync_msg", "digest", EVENT, UNDECODED, "nobody knows this one"]
TIMES = st.one_of(
    st.integers(1_000, 3_600 * 10**9 - 1),
    st.integers(0, 31).flatmap(lambda octave: st.integers(1_000 << octave, 2_000 << octave)),
).map(lambda nanoseconds: min(nanoseconds / 1e9, 3_599.0))
"""From a microsecond to an hour, in seconds, each octave as likely as another."""


@given(times=st.lists(TIMES, min_size=1, max_size=200), percent=st.sampled_from([1, 25, 50, 90, 99, 100]))
def test_percentiles_are_within_4_5_percent_of_the_exact_ones(times: list[float], percent: int) -> None:
    figures = Figures(["digest"])
    for time in times:
        figures.count("digest", 0, time, time)
    snapshot = figures.snapshot()
    exact = sorted(times)[math.ceil(percent * len(times) / 100) - 1]
    assert percentile(snapshot.tallies["digest"].recent, percent) == pytest.approx(exact, rel=0.045)
    assert percentile(snapshot.waited, percent) == pytest.approx(exact, rel=0.045)


CALLS = st.tuples(st.integers(0, 2), st.sampled_from(NAMES), st.sampled_from([0, 0, 710660, -7, 40058]), TIMES, TIMES)
"""Which of three processes, and what it counts."""
JOBS = st.tuples(st.integers(0, 2), st.builds(JobCounts, ended=st.integers(0, 1), given_up=st.integers(0, 1)))
"""Which process, and what became of a job of it."""
SCRIPTS = st.lists(st.one_of(CALLS, JOBS, st.just("turn")), max_size=60)


def played(script: Sequence[object], processes: int) -> list[Figures]:
    """Let processes count what a script says; they turn at once."""
    figures = [Figures(NAMES[:2]) for _ in range(processes)]
    for step in script:
        if isinstance(step, tuple):
            process, *counted = step
            counting = figures[process % processes]
            if isinstance(counted[0], JobCounts):
                counting.add(counted[0])
            else:
                counting.count(*counted)
        else:
            for each in figures:
                each.turn()
    return figures


def counted(snapshot: Snapshot) -> Snapshot:
    """Without what tells one process from three."""
    return msgspec.structs.replace(snapshot, started=0.0, processes=0)


@given(script=SCRIPTS)
def test_processes_add_up_to_one_that_counted_everything(script: list[object]) -> None:
    together = merged([figures.snapshot() for figures in played(script, 3)])
    [alone] = played(script, 1)
    assert counted(together) == counted(alone.snapshot())


def test_percentiles_forget_what_is_older_than_two_intervals_and_counts_do_not() -> None:
    figures = Figures(["digest"])
    figures.count("digest", 710660, 1.0, 1.0)
    figures.turn()
    figures.count("digest", 0, 0.001, 0.001)
    both = figures.snapshot()
    assert percentile(both.tallies["digest"].recent, 99) == pytest.approx(1.0, rel=0.045)
    figures.turn()
    later = figures.snapshot()
    assert percentile(later.tallies["digest"].recent, 99) == pytest.approx(0.001, rel=0.045)
    assert percentile(later.waited, 99) == pytest.approx(0.001, rel=0.045)
    figures.turn()
    assert figures.snapshot().tallies == {"digest": Tally(calls=2, errors=1, recent={})}
    assert figures.snapshot().errcodes == {710660: 1}


def test_unknown_ability_ids_are_counted_as_one_and_take_no_memory() -> None:
    figures = Figures(["digest"])
    figures.count("digest", 0, 0.001, 0.001)
    figures.count("x", 710660, 0.001, 0.001)
    tracemalloc.start()
    try:
        for number in range(20_000):
            figures.count(f"hostile {number}" * 20, 710660, 0.001, 0.001)
        taken = tracemalloc.take_snapshot()
    finally:
        tracemalloc.stop()
    # Names are made here and would be kept there; other threads of the test run take memory meanwhile.
    both = [tracemalloc.Filter(True, str(file)) for file in (__file__, figures_module.__file__)]
    assert sum(each.size for each in taken.filter_traces(both).traces) < 4096
    assert set(figures.snapshot().tallies) == {"digest", UNKNOWN}
    assert figures.snapshot().tallies[UNKNOWN].errors == 20_001


def test_errcodes_beyond_256_are_counted_as_one() -> None:
    figures = Figures(["digest"])
    for errcode in (2**63, -(2**200), *range(1, 1_001), 7):
        figures.count("digest", errcode, 0.0, 0.0)
    snapshot = figures.snapshot()
    assert len(snapshot.errcodes) == 256
    assert snapshot.errcodes[7] == 2
    assert snapshot.errcodes[OTHER_ERRCODE] == 1_003 - 256
    assert sum(snapshot.errcodes.values()) == snapshot.errors == 1_003
    msgspec.msgpack.encode(snapshot)


def filled(kind: type[Any]) -> Any:
    """Return a struct of a kind with a value other than its default in each field; of a new field, too."""
    values = {"started": 5.0, "tallies": {"digest": Tally(3, 1, {7: 3})}, "errcodes": {40058: 1}, "waited": {2: 3}}
    nested = {"gauges": Gauges, "jobs": JobCounts, "events": EventCounts}
    return kind(
        **{
            name: filled(nested[name]) if name in nested else values.get(name, number)
            for number, name in enumerate(kind.__struct_fields__, start=1)
        }
    )


def test_no_field_is_left_out_when_figures_are_added_up_or_sent() -> None:
    snapshot = filled(Snapshot)
    assert merged([snapshot, Snapshot()]) == snapshot
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(snapshot), type=Snapshot) == snapshot


def test_the_reply_of_a_status_ability_says_every_figure() -> None:
    snapshot = msgspec.structs.replace(filled(Snapshot), started=monotonic() - 60)
    status, nothing = status_of(snapshot, filled(Stored)), Status()
    silent = [name for name in Status.__struct_fields__ if getattr(status, name) == getattr(nothing, name)]
    assert silent == ["errcode", "errmsg", "store"]


def test_threads_that_count_at_once_lose_nothing() -> None:
    figures = Figures(["digest"])
    begin = threading.Barrier(9)
    done = threading.Event()

    def work() -> None:
        begin.wait()
        for number in range(2_000):
            figures.count("digest", number % 2, 0.001, 0.01)

    def turn() -> None:
        begin.wait()
        while not done.is_set():
            figures.snapshot()
            figures.turn()

    workers = [threading.Thread(target=work) for _ in range(8)]
    turner = threading.Thread(target=turn)
    for thread in (*workers, turner):
        thread.start()
    for thread in workers:
        thread.join()
    done.set()
    turner.join()
    snapshot = figures.snapshot()
    assert (snapshot.calls, snapshot.errors, snapshot.errcodes) == (16_000, 8_000, {1: 8_000})
