"""Counters of programs that start again, or that answer by turns: never less than before, never counted twice."""

from dataclasses import dataclass

from hypothesis import given, strategies as st

from wwspec_router.metrics.counters import Counters

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


@dataclass
class Instance:
    started: float
    calls: int = 0
    told: int | None = None
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
        if one.told is not None:
            expected += one.calls - one.told
        elif number and one.started > now - 30:  # else it ran before, and nobody can place its calls in time
            expected += one.calls
        one.told = one.calls
        before = counters.totals.get(CALLS, 0)
        counters.add({CALLS: one.calls}, int(now - one.started), now, now + slow)
        assert before <= counters.totals[CALLS] == expected
