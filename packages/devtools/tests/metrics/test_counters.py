"""Counters of programs that start again, or that answer by turns: never less than before, never counted twice."""

from dataclasses import dataclass

import pytest
from hypothesis import given, strategies as st

from wwspec_devtools.metrics.counters import MOST_PROGRAMS, MOST_SERIES, SLACK, Counters

CALLS = ("calls", "")


def test_what_was_counted_before_the_first_poll_is_left_out() -> None:
    counters = Counters()
    counters.add({CALLS: 500}, 100, 1000.0, 1000.1)
    counters.add({CALLS: 507}, 130, 1030.0, 1030.1)
    assert (counters.totals, counters.restarts) == ({CALLS: 7}, 0)


def test_a_restart_adds_what_the_new_program_counted_and_takes_nothing_away() -> None:
    counters = Counters()
    counters.add({CALLS: 500}, 100, 1000.0, 1000.1)
    counters.add({CALLS: 510}, 130, 1030.0, 1030.1)
    counters.add({CALLS: 3}, 10, 1060.0, 1060.1)
    counters.add({CALLS: 5}, 40, 1090.0, 1090.1)
    assert (counters.totals, counters.restarts) == ({CALLS: 15}, 1)


def test_a_program_that_has_more_calls_than_before_its_restart_is_noticed_by_its_start() -> None:
    counters = Counters()
    counters.add({CALLS: 5}, 100, 1000.0, 1000.1)
    counters.add({CALLS: 90}, 20, 1030.0, 1030.1)
    assert counters.totals == {CALLS: 90}


def test_the_first_call_of_a_program_that_had_none_is_counted() -> None:
    counters = Counters()
    for count in (0, 1, 2):
        counters.add({CALLS: count}, 100, 1000.0, 1000.1)
    assert counters.totals == {CALLS: 2}


@pytest.mark.parametrize("off", [1 + SLACK, -1 - SLACK])
def test_starts_that_clocks_may_have_put_apart_are_one_program(off: float) -> None:
    counters = Counters()
    counters.add({CALLS: 500}, 100, 1000.0, 1000.0)  # it started between 899 and 900
    counters.add({CALLS: 507}, 130, 1030.0 + off, 1030.0 + off)
    assert (counters.totals, counters.restarts) == ({CALLS: 7}, 0)


def test_a_program_that_started_later_than_clocks_drift_is_another_one() -> None:
    counters = Counters()
    counters.add({CALLS: 500}, 0, 1000.0, 1000.0)
    later = 1001.0 + 1.5 * SLACK
    counters.add({CALLS: 507}, 0, later, later)
    assert (counters.totals, counters.restarts) == ({CALLS: 507}, 1)


@pytest.mark.parametrize(("off", "calls"), [(-SLACK, 0), (-SLACK / 2, 507), (0.5, 507)])
def test_the_calls_of_a_program_count_if_it_may_have_started_after_the_answer_before(off: float, calls: int) -> None:
    counters = Counters()
    counters.add({CALLS: 500}, 100, 1000.0, 1000.0)
    received = 1030.0 + off
    counters.add({CALLS: 507}, 30, received, received)
    assert (counters.totals, counters.restarts) == ({CALLS: calls}, int(calls > 0))


@pytest.mark.parametrize(("programs", "calls"), [(MOST_PROGRAMS, 10), (MOST_PROGRAMS + 1, 0)])
def test_of_more_programs_than_are_kept_the_one_that_answered_first_is_forgotten(programs: int, calls: int) -> None:
    counters = Counters()
    for number in range(programs):
        counters.add({CALLS: 100}, 1000 + 10 * number, 5000.0, 5000.0)
    counters.add({CALLS: 110}, 1000, 5000.0, 5000.0)
    assert (counters.totals, counters.restarts) == ({CALLS: calls}, 0)


def test_a_count_that_a_crashed_worker_took_away_is_not_counted_again() -> None:
    counters = Counters()
    for count in (500, 510, 508, 512):
        counters.add({CALLS: count}, 100, 1000.0, 1000.1)
    assert (counters.totals, counters.restarts) == ({CALLS: 12}, 0)


def test_the_clock_of_a_slow_machine_is_no_restart() -> None:
    counters = Counters()
    for poll in range(10_000):
        counters.add({CALLS: poll}, int(poll * 30 * 0.9995), poll * 30.0, poll * 30.0 + 0.1)
    assert (counters.totals, counters.restarts) == ({CALLS: 9999}, 0)


def test_counts_that_no_program_tells_any_more_are_forgotten_when_there_are_too_many() -> None:
    """Row 12: abilities come and go with each release of a program."""
    counters = Counters()
    for start in range(30):
        counts = {CALLS: start} | {("calls", f"ability_{start}_{number}"): 1 for number in range(100)}
        counters.add(counts, 10, 1000.0 + 100 * start, 1000.1 + 100 * start)

    assert len(counters.totals) == MOST_SERIES
    assert counters.forgotten == 30 * 100 + 1 - MOST_SERIES
    assert counters.totals[CALLS] == sum(range(1, 30))
    assert all(("calls", f"ability_29_{number}") in counters.totals for number in range(100))


def test_a_program_with_more_counts_than_are_kept_has_all_of_them() -> None:
    counters = Counters()
    for poll in range(3):
        counters.add({("calls", str(number)): poll for number in range(2 * MOST_SERIES)}, 10, 1000.0, 1000.1)

    assert set(counters.totals.values()) == {2}
    assert (len(counters.totals), counters.forgotten) == (2 * MOST_SERIES, 0)


def test_a_count_that_was_forgotten_begins_again() -> None:
    counters = Counters()
    early = ("calls", "early")
    counters.add({early: 5}, 10, 1000.0, 1000.1)
    for wave in range(2):
        counters.add({("calls", f"{wave} {number}"): 1 for number in range(MOST_SERIES)}, 10, 1000.0, 1000.1)
    assert early not in counters.totals
    counters.add({early: 7}, 10, 1000.0, 1000.1)
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
        counters.add({CALLS: one.calls}, int(now - one.started), now, now + slow)
        assert before <= counters.totals[CALLS] == expected
