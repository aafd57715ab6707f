"""How many jobs of one event are claimed at once."""

import pytest

from tests.stores.suites.job_samples import job
from wwspec_router.jobs.runner import Places

ONE, TWO = "event:hit_keyword", "event:chat_archive"
HIT = [job(f"j{number}", ability_id="", event_type="hit_keyword") for number in range(3)]


@pytest.mark.parametrize(
    ("names", "others"), [(frozenset({ONE, TWO, "ask"}), frozenset({"ask"})), (None, None)], ids=["some", "all"]
)
def test_each_name_with_a_limit_is_asked_for_apart_and_for_as_many_as_its_places(
    names: frozenset[str] | None, others: frozenset[str] | None
) -> None:
    places = Places(names, {ONE: 2, TWO: 9})
    assert dict(places.demands(5)) == {others: 5, frozenset({ONE}): 2, frozenset({TWO}): 5}


def test_a_place_is_taken_until_its_job_leaves() -> None:
    places = Places(None, {ONE: 2})

    def free() -> int:
        return dict(places.demands(5))[frozenset({ONE})]

    places.occupy(HIT[0])
    places.occupy(HIT[0])
    places.occupy(job("a-call"))
    assert free() == 1
    places.occupy(HIT[1])
    assert free() == 0
    places.leave(HIT[0])
    places.leave(HIT[0])
    places.leave(HIT[2])
    places.leave(job("a-call"))
    assert free() == 1


def test_each_name_is_asked_for_first_by_turns() -> None:
    places = Places(None, {ONE: 1, TWO: 1})
    firsts = [places.demands(5)[0][0] for _ in range(6)]
    assert firsts == [frozenset({ONE}), frozenset({TWO}), None] * 2
