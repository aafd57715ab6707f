"""The pause between attempts: it grows to a limit, and is never more than that."""

from dataclasses import replace
from itertools import islice

import pytest
from hypothesis import given, strategies as st

from tests.support.tables import for_each
from wwspec_contracts.backoff import Backoff

firsts = st.floats(0.001, 10)
numbers = st.tuples(firsts, st.floats(0, 1000), st.floats(1, 10), st.floats(0, 1))
backoffs = numbers.map(lambda each: Backoff(each[0], each[0] + each[1], each[2], each[3]))
attempts = st.integers(1, 10**9)


def test_each_pause_is_twice_the_one_before_up_to_the_longest() -> None:
    backoff = Backoff(first=0.5, longest=3.0)
    assert list(islice(backoff, 5)) == [0.5, 1.0, 2.0, 3.0, 3.0]
    assert [backoff.pause(attempt) for attempt in range(1, 6)] == list(islice(backoff, 5))


@for_each([1.5, 4.0, 1000.0])
def test_each_pause_grows_by_what_is_asked_for(growth: float) -> None:
    assert list(islice(Backoff(0.1, 1e9, growth), 3)) == pytest.approx([0.1, 0.1 * growth, 0.1 * growth**2])
    assert Backoff(0.1, 1e9, growth).pause(10**9) == 1e9


@given(backoffs, attempts, attempts)
def test_without_jitter_a_later_pause_is_never_shorter(backoff: Backoff, one: int, other: int) -> None:
    plain = replace(backoff, jitter=0.0)
    assert backoff.first <= plain.pause(min(one, other)) <= plain.pause(max(one, other)) <= backoff.longest


@given(backoffs, attempts)
def test_jitter_leaves_out_no_more_than_its_part(backoff: Backoff, attempt: int) -> None:
    whole = replace(backoff, jitter=0.0).pause(attempt)
    assert whole * (1 - backoff.jitter) * 0.999 <= backoff.pause(attempt) <= whole


def test_jitter_makes_pauses_differ() -> None:
    assert len({Backoff(1.0, 8.0, jitter=0.5).pause(3) for _ in range(20)}) > 1


@given(firsts, attempts)
def test_the_longest_pause_may_be_shorter_than_the_first(first: float, attempt: int) -> None:
    assert Backoff(first, first / 2).pause(attempt) == first / 2
