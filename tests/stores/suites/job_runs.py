"""The contract of a journal of jobs, as far as it knows which jobs run, and who can run which."""

from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st

from tests.stores.suites.job_samples import LEASE, SLACK, claim_new, ids, job, job_bytes
from tests.stores.suites.kept_values import running
from tests.stores.suites.rig import SETTINGS, ManualClock, StoreFixtures, in_threads
from wwspec_router.stores.base import Demand, JobJournal, Store
from wwspec_router.stores.failed import NO_ABILITY
from wwspec_router.stores.job import Job, Outcome

MANY = 10_000
"""Abilities that a program may know."""
MANY_JOBS = 1000
"""The number that a store looks at in one step."""
AGENT = 1000002
A, B, BOTH = frozenset({"a"}), frozenset({"b"}), frozenset({"a", "b"})


def of(ability_id: str, job_id: str) -> Job:
    return job(job_id, ability_id=ability_id)


def run_and_die(store: JobJournal, clock: ManualClock, *job_ids: str) -> None:
    """Begin these jobs, which are the first that are due, in a process that dies; their leases are over then."""
    assert ids(store.claim("a process that dies", len(job_ids), LEASE)) == list(job_ids)
    assert all(store.begin("a process that dies", each) for each in job_ids)
    clock.advance(LEASE)


class JobRunsSuite(StoreFixtures):
    """What every journal of jobs must know of runs and abilities. Subclass it and override `store_factory`."""

    def test_a_job_that_is_finished_soon_is_gone_if_its_owner_says_so(self, store: JobJournal) -> None:
        errors: list[Exception] = []
        claim_new(store, "a")
        store.finish_soon("two", "a", errors.append)
        assert store.has_job("a")
        store.finish_soon("one", "a", errors.append)
        assert not store.has_job("a")
        assert errors == []

    def test_a_run_that_its_claim_began_is_an_attempt_and_its_job_a_suspect_unless_it_ended(
        self, store: JobJournal, clock: ManualClock
    ) -> None:
        for each in ("a", "b", "c"):
            store.add(job(each))
        claimed = store.claim("one", 3, LEASE, Demand(begins=True))
        assert all(each.begun or store.begin("one", each.job_id) for each in claimed)
        assert store.keep_outcome("one", "b", Outcome(errcode=0, result=""))
        assert store.postpone("one", "c", 0, counted=False)
        clock.advance(LEASE)
        again = store.claim("two", 3, LEASE, Demand(begins=True))
        found = {each.job_id: (each.attempt, each.suspect, each.begun and each.job_id != "c") for each in again}
        assert found == {"a": (1, True, False), "b": (1, False, False), "c": (0, False, False)}

    @pytest.mark.parametrize(
        "end",
        [
            lambda store: store.keep_outcome("one", "a", Outcome(errcode=0, result="")),
            lambda store: store.postpone("one", "a", LEASE),
            lambda store: store.excuse("one", ["a", "unknown"]),
        ],
        ids=["outcome", "postpone", "excuse"],
    )
    def test_a_run_that_ended_makes_no_suspect(
        self, store: Store, clock: ManualClock, end: Callable[[Store], object]
    ) -> None:
        running(store)
        end(store)
        clock.advance(LEASE)
        [claimed] = store.claim("two", 1, LEASE)
        assert (claimed.suspect, claimed.attempt, claimed.claims) == (False, 1, 2)

    def test_an_excused_job_keeps_its_owner(self, store: Store) -> None:
        running(store)
        store.excuse("one", ["a"])
        assert store.claim("two", 1, LEASE) == []
        assert store.keep_outcome("one", "a", Outcome(errcode=0, result=""))

    def test_only_the_owner_begins_and_excuses(self, store: JobJournal, clock: ManualClock) -> None:
        store.add(job("a"))
        assert not store.begin("one", "a")
        assert not store.begin("", "a")
        assert not store.begin("one", "unknown")
        store.claim("one", 1, LEASE)
        assert not store.begin("two", "a")
        assert store.begin("one", "a")
        store.excuse("two", ["a"])
        clock.advance(LEASE + 60)
        assert store.begin("one", "a"), "a late owner owns it until another claims it"
        [claimed] = store.claim("two", 1, LEASE)
        assert (claimed.suspect, claimed.attempt) == (True, 2)
        assert not store.begin("one", "a")

    def test_of_suspects_no_more_are_claimed_than_wanted_and_others_keep_their_place(
        self, store: JobJournal, clock: ManualClock
    ) -> None:
        for each in "abcd":
            store.add(job(each))
        run_and_die(store, clock, "a", "b", "c", "d")
        clock.advance(60)
        for each in "ef":
            store.add(job(each))
        assert ids(store.claim("none", 1, LEASE, Demand(suspects=0))) == ["e"]
        assert ids(store.claim("one", 3, LEASE, Demand(suspects=1))) == ["a", "f"]
        assert ids(store.claim("two", 9, LEASE, Demand(suspects=2))) == ["b", "c"]
        assert ids(store.claim("all", 9, LEASE)) == ["d"]

    def test_oldest_jobs_are_told_with_state_attempt_lease_and_age(self, store: JobJournal, clock: ManualClock) -> None:
        assert store.oldest_jobs(20) == []
        for each in ("left", "postponed", "claimed", "running", "reporting", "waiting", "one more"):
            store.add(of(f"能力 {each}", each))
            clock.advance(60)
        store.claim("one", 1, 60)
        for each in ("postponed", "claimed", "running", "reporting"):
            assert ids(store.claim("one", 1, LEASE)) == [each]
        for each in ("postponed", "running", "reporting"):
            store.begin("one", each)
        store.postpone("one", "postponed", 300)
        store.keep_outcome("one", "reporting", Outcome(errcode=0, result=""))
        clock.advance(60)
        oldest = store.oldest_jobs(6)
        names = ["left", "postponed", "claimed", "running", "reporting", "waiting"]
        assert [each.name for each in oldest] == [f"能力 {each}" for each in names]
        assert [each.state for each in oldest] == ["left behind", *names[1:]]
        assert [each.attempt for each in oldest] == [0, 1, 0, 1, 1, 0]
        lefts = [0.0, 240, LEASE - 60, LEASE - 60, LEASE - 60, 0.0]
        assert all(left - SLACK < each.left <= left + 0.001 for each, left in zip(oldest, lefts, strict=True))
        ages = [480, 420, 360, 300, 240, 180]
        assert all(age - 0.001 <= each.age < age + SLACK for each, age in zip(oldest, ages, strict=True))
        assert store.oldest_jobs(0) == []
        assert len(store.oldest_jobs(20)) == 7

    def test_jobs_of_several_abilities_come_as_they_became_due(self, store: JobJournal, clock: ManualClock) -> None:
        for ability_id, job_id in (("b", "1"), ("a", "2"), ("c", "3"), ("a", "4"), ("b", "5")):
            store.add(of(ability_id, job_id))
        assert ids(store.claim("one", 2, LEASE, Demand(known=BOTH))) == ["1", "2"]
        assert store.postpone("one", "1", 60)
        clock.advance(60)
        assert ids(store.claim("one", 9, LEASE, Demand(known=BOTH))) == ["4", "5", "1"]

    @SETTINGS
    @given(ability_id=st.text(), other=st.text())
    def test_an_ability_is_kept_apart_from_every_other(self, store: JobJournal, ability_id: str, other: str) -> None:
        store.add(of(ability_id, "a"))
        claimed = store.claim("one", 1, LEASE, Demand(known=frozenset({other})))
        assert [each.ability_id for each in claimed] == [ability_id] * (ability_id == other)
        owner = "one" if claimed else "two"
        assert claimed or store.claim("two", 1, LEASE, Demand(known=frozenset({ability_id, other})))
        assert store.finish(owner, "a")

    def test_ten_thousand_abilities_can_be_known(self, store: JobJournal) -> None:
        names = [f"ability_{number}" for number in range(MANY)]
        for number in range(0, MANY, 1000):
            store.add(of(names[number], str(number)))
        known = frozenset(names[1:])
        assert ids(store.claim("one", 99, LEASE, Demand(known=known))) == [
            str(number) for number in range(1000, MANY, 1000)
        ]
        assert store.claim("one", 99, LEASE, Demand(known=known)) == []

    def test_an_unknown_job_is_left_to_others_however_old_it_is(self, store: JobJournal, clock: ManualClock) -> None:
        store.add(of("b", "was begun"))
        run_and_die(store, clock, "was begun")
        for number in range(3):
            store.add(of("b", str(number)))
        store.add(of("a", "known"))
        clock.advance(86_400)
        assert ids(store.claim("old", 9, LEASE, Demand(known=A))) == ["known"]
        assert ids(store.claim("new", 9, LEASE, Demand(known=B))) == ["was begun", "0", "1", "2"]

    def test_jobs_that_nobody_has_are_counted_by_unknown_names(self, store: JobJournal, clock: ManualClock) -> None:
        assert store.unknown_names(A) == {}
        store.add(of("a", "known"))
        for number in range(3):
            store.add(of("能力 <b>", str(number)))
        store.add(of("c", "left behind"))
        store.claim("a process that dies", 9, LEASE, Demand(known=frozenset({"c"})))
        assert store.unknown_names(A) == {"能力 <b>": 3}, "another process has the fourth"
        assert store.unknown_names(frozenset()) == {"能力 <b>": 3, "a": 1}
        clock.advance(LEASE)
        assert store.unknown_names(A) == {"能力 <b>": 3, "c": 1}

    def test_unknown_jobs_are_shown_to_their_corp_and_app(self, store: JobJournal, clock: ManualClock) -> None:
        for job_id in ("waits", "known", "postponed", "left behind", "held"):
            store.add(of("a" if job_id == "known" else job_id, job_id))
        store.add(job("another", corpid="other"))
        clock.advance(60)
        for job_id, lease in (("left behind", 60), ("postponed", 60), ("held", LEASE)):
            assert store.claim("one", 1, lease, Demand(known=frozenset({job_id})))
            assert store.begin("one", job_id)
        store.postpone("one", "postponed", 6000)
        clock.advance(60)
        found = {each.job_id: each for each in store.unknown_jobs(A, "corp", AGENT, 9)}
        assert set(found) == {"waits", "postponed", "left behind"}
        assert {each.failure for each in found.values()} == {NO_ABILITY}
        assert {each.name: each.attempt for each in found.values()} == {"waits": 0, "postponed": 1, "left behind": 1}
        assert all(120 <= each.age < 120 + SLACK for each in found.values())
        assert [len(store.unknown_jobs(A, "corp", AGENT, limit)) for limit in (2, 0, -1)] == [2, 0, 0]
        assert store.unknown_jobs(A, "corp", AGENT + 1, 9) == []

    def test_jobs_that_are_not_known_are_found_among_many_of_others(self, store: JobJournal) -> None:
        for number in range(2 * MANY_JOBS):
            store.add(job(str(number), corpid="corp" if number == MANY_JOBS else "other"))
        assert [each.job_id for each in store.unknown_jobs(A, "corp", AGENT, 9)] == [str(MANY_JOBS)]

    def test_an_unknown_job_is_dropped_by_its_corp_and_app_unless_held(self, store: Store, clock: ManualClock) -> None:
        store.add(of("a", "known"))
        store.add(of("b", "waits"))
        store.add(of("c", "held"))
        store.claim("one", 1, LEASE, Demand(known=frozenset({"c"})))
        store.keep_step("one", "held", "step", "text")
        dropped = [(each, store.drop_unknown(A, "corp", AGENT, each)) for each in ("known", "held", "none", "waits")]
        assert dropped == [("known", False), ("held", False), ("none", False), ("waits", True)]
        clock.advance(LEASE)
        assert not store.drop_unknown(A, "corp", AGENT + 1, "held")
        assert not store.drop_unknown(A, "other", AGENT, "held")
        assert store.drop_unknown(A, "corp", AGENT, "held")
        assert store.unknown_names(frozenset()) == {"a": 1}
        assert store.steps("held") == {}
        assert not store.finish("one", "held")
        figures = store.job_figures()
        assert (figures.waiting, figures.claimed, figures.bytes) == (1, 0, job_bytes(of("a", "known")))
        assert ids(store.claim("two", 9, LEASE)) == ["known"]

    def test_programs_that_claim_at_once_get_what_they_know_and_each_job_once(self, store: Store) -> None:
        for number in range(400):
            store.add(of("ab"[number % 2], str(number)))

        def claim(number: int) -> list[Job]:
            got: list[Job] = []
            while claimed := store.claim(f"owner {number}", 3, LEASE, Demand(known=(A, B)[number % 2])):
                assert {each.ability_id for each in claimed} == {"ab"[number % 2]}
                assert all(store.begin(f"owner {number}", each.job_id) for each in claimed)
                got += claimed
            return got

        got = [each.job_id for part in in_threads(claim, 8) for each in part]
        assert sorted(map(int, got)) == list(range(400))
