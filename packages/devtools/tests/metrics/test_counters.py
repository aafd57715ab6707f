"""Counters of programs that start again, or that answer by turns: never less than before, never counted twice."""

from dataclasses import dataclass

import pytest
from hypothesis import given, strategies as st

from wwspec_devtools.metrics.counters import MOST_PROGRAMS, MOST_SERIES, SLACK, Counters

CALLS = ("calls", "")


def counted(*polls: tuple[str, int, int, float]) -> tuple[int, int]:
    """Return what was counted of the calls of programs, and how often one started: from start, calls, uptime, time."""
    counters = Counters()
    for start, calls, uptime, at in polls:
        counters.add({CALLS: calls}, start, uptime, at)
    return counters.totals[CALLS], counters.restarts


@pytest.mark.parametrize(
    ("polls", "calls", "restarts"),
    [
        ([("a", 500, 100, 1000.0), ("a", 507, 130, 1030.0)], 7, 0),
        ([("a", 500, 100, 1000.0), ("a", 510, 130, 1030.0), ("b", 3, 10, 1060.0), ("b", 5, 40, 1090.0)], 15, 1),
        ([("a", 5, 100, 1000.0), ("b", 90, 20, 1030.0)], 90, 1),
        ([("a", 0, 100, 1000.0), ("a", 1, 100, 1000.0), ("a", 2, 100, 1000.0)], 2, 0),
        ([("a", 500, 100, 1000.0), ("a", 510, 100, 1000.0), ("a", 508, 100, 1000.0), ("a", 512, 100, 1000.0)], 12, 0),
        (
            [("a", 50, 9, 1000.0), ("b", 20, 9, 1000.0), ("a", 57, 39, 1030.0), ("b", 30, 39, 1030.0)],
            17,
            0,
        ),
        ([("a", 500, 100, 1000.0), ("b", 507, 30, 1030.0 - SLACK)], 0, 0),
        ([("a", 500, 100, 1000.0), ("b", 507, 30, 1030.0 - SLACK / 2)], 507, 1),
        ([("a", 500, 100, 1000.0), ("b", 507, 30, 1030.5)], 507, 1),
    ],
    ids=[
        "what was counted before the first poll is left out",
        "a restart takes nothing away",
        "a program with more calls than before its restart is noticed by its start",
        "the first call of a program that had none",
        "a count that a crashed worker took away is not counted again",
        "machines that started in the same second",
        "a program that started before the last answer has old counts",
        "one that may have started after it",
        "one that has",
    ],
)
def test_calls_are_counted_once_and_starts_noticed(
    polls: list[tuple[str, int, int, float]], calls: int, restarts: int
) -> None:
    assert counted(*polls) == (calls, restarts)


@pytest.mark.parametrize(("programs", "calls"), [(MOST_PROGRAMS, 10), (MOST_PROGRAMS + 1, 0)])
def test_of_more_programs_than_are_kept_the_one_that_answered_first_is_forgotten(programs: int, calls: int) -> None:
    counters = Counters()
    for number in range(programs):
        counters.add({CALLS: 100}, str(number), 1000, 5000.0)
    counters.add({CALLS: 110}, "0", 1000, 5000.0)
    assert (counters.totals, counters.restarts) == ({CALLS: calls}, 0)


def test_counts_that_no_program_tells_any_more_are_forgotten_when_there_are_too_many() -> None:
    """Row 12: abilities come and go with each release of a program."""
    counters = Counters()
    for start in range(30):
        counts = {CALLS: start} | {("calls", f"ability_{start}_{number}"): 1 for number in range(100)}
        counters.add(counts, str(start), 10, 1000.0 + 100 * start)

    assert len(counters.totals) == MOST_SERIES
    assert counters.forgotten == 30 * 100 + 1 - MOST_SERIES
    assert counters.totals[CALLS] == sum(range(1, 30))
    assert all(("calls", f"ability_29_{number}") in counters.totals for number in range(100))


def test_a_program_with_more_counts_than_are_kept_has_all_of_them() -> None:
    counters = Counters()
    for poll in range(3):
        counters.add({("calls", str(number)): poll for number in range(2 * MOST_SERIES)}, "a", 10, 1000.0)

    assert set(counters.totals.values()) == {2}
    assert (len(counters.totals), counters.forgotten) == (2 * MOST_SERIES, 0)


def test_a_count_that_was_forgotten_begins_again() -> None:
    counters = Counters()
    early = ("calls", "early")
    counters.add({early: 5}, "a", 10, 1000.0)
    for wave in range(2):
        counters.add({("calls", f"{wave} {number}"): 1 for number in range(MOST_SERIES)}, "a", 10, 1000.0)
    assert early not in counters.totals
    counters.add({early: 7}, "a", 10, 1000.0)
    assert counters.totals[early] == 7


@dataclass
class Instance:
    started: float
    calls: int = 0
    polled: int | None = None
    """Its calls at its last poll."""


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.integers(0, 50), st.floats(0, 2)), max_size=40))
def test_instances_that_answer_by_turns_and_restart_are_counted_once(
    polls: list[tuple[int, bool, int, float]],
) -> None:
    counters, now, expected = Counters(), 10_000.0, 0
    instances = [Instance(now - 1000 * (number + 1), 100) for number in range(3)]
    for number, (which, restarts, calls, slow) in enumerate(polls):
        if restarts:
            instances[which] = Instance(now + 5 + which * 8)  # each starts at a time of its own
        now += 30.0
        one = instances[which]
        one.calls += calls
        if one.polled is not None:
            expected += one.calls - one.polled
        elif number and one.started > now - 30:  # else it ran before, and nobody can place its calls in time
            expected += one.calls
        one.polled = one.calls
        before = counters.totals.get(CALLS, 0)
        counters.add({CALLS: one.calls}, str(one.started), int(now - one.started), now + slow)
        assert before <= counters.totals[CALLS] == expected
