"""When jobs of a process begin: how many of one event at once, and those that may have ended their process."""

import pytest

from tests.stores.suites.job_samples import job
from tests.stores.suites.rig import ManualClock
from wwspec_router.jobs import runner as module
from wwspec_router.jobs.runner import Places, Suspects
from wwspec_router.jobs.threads import Run

ONE, TWO = "event:hit_keyword", "event:chat_archive"
HIT = [job(f"j{number}", ability_id="", event_type="hit_keyword") for number in range(3)]


@pytest.mark.parametrize(
    ("names", "others"), [(frozenset({ONE, TWO, "ask"}), frozenset({"ask"})), (None, None)], ids=["some", "all"]
)
def test_each_limited_name_is_asked_for_its_places(names: frozenset[str] | None, others: frozenset[str] | None) -> None:
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


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    clock = ManualClock()
    monkeypatch.setattr(module, "monotonic", clock)
    return clock


@pytest.mark.parametrize("hangs", [False, True])
def test_others_have_as_much_time_as_the_suspect_took(clock: ManualClock, *, hangs: bool) -> None:
    suspect, hanging = Run(job("suspect")), set[Run]()
    suspects = Suspects(hanging.__contains__)

    def after(seconds: float) -> tuple[bool, bool]:
        clock.advance(seconds)
        suspects.release_others()
        return suspects.holds_others, suspects.wanted

    suspects.hold(suspect)
    assert after(0.0) == (True, False), "it waits"
    assert suspects.ready([]) is suspect
    assert after(7.0) == (True, False), "it runs"
    if hangs:
        hanging.add(suspect)
    else:
        suspect.end()
    assert [after(seconds) for seconds in (0.0, 6.0, 1.0)] == [(False, False), (False, False), (False, True)]


def test_a_suspect_that_waits_is_withdrawn_and_one_that_runs_is_not() -> None:
    suspects, first, second = Suspects(lambda run: False), Run(job("first")), Run(job("second"))
    assert suspects.withdraw() is None
    suspects.hold(first)
    assert suspects.withdraw() is first
    assert suspects.ready([]) is None
    suspects.hold(second)
    assert suspects.ready([]) is second
    assert suspects.withdraw() is None
