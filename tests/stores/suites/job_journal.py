"""The contract of a journal of jobs as tests that every backend runs."""

from collections import Counter
from contextlib import closing

import msgspec
import pytest
from hypothesis import given, strategies as st

from tests.stores.suites.job_machine import JournalMachine
from tests.stores.suites.job_samples import LEASE, ageless, claim_new, ids, job, job_bytes
from tests.stores.suites.rig import SETTINGS, ManualClock, StoreFactory, StoreFixtures, accepted, in_threads
from wwspec_contracts.errors import StoreError, StoreFullError
from wwspec_router.stores.base import JobJournal
from wwspec_router.stores.capacity import JobFigures, StoreLimits
from wwspec_router.stores.job import Outcome

MANY = 1000
CLAIMERS = 16


class JobJournalSuite(StoreFixtures):
    """What every journal of jobs must do. Subclass it and override `store_factory`."""

    @SETTINGS
    @given(
        texts=st.tuples(*[st.text()] * 6),
        agentid=st.integers(-(2**63), 2**63 - 1),
        errcode=st.integers(-(2**63), 2**63 - 1),
        result=st.text(),
        owner=st.text(),
    )
    def test_a_job_and_its_outcome_come_back_as_they_were(
        self, store: JobJournal, texts: tuple[str, ...], agentid: int, errcode: int, result: str, owner: str
    ) -> None:
        job_id, corpid, ability_id, job_info, data, notify_id = texts
        new = job(
            job_id,
            corpid=corpid,
            agentid=agentid,
            ability_id=ability_id,
            job_info=job_info,
            data=data,
            notify_id=notify_id,
        )
        store.add(new)
        assert ageless(store.claim(owner, 10, LEASE)) == [msgspec.structs.replace(new, claims=1)]
        outcome = Outcome(errcode=errcode, result=result)
        assert store.keep_outcome(owner, job_id, outcome)
        assert store.postpone(owner, job_id, 0)
        assert ageless(store.claim(owner, 10, LEASE)) == [msgspec.structs.replace(new, claims=2, outcome=outcome)]
        assert store.renew(owner, [job_id], LEASE) == {job_id}
        assert store.finish(owner, job_id)
        assert store.job_figures() == JobFigures(waiting=0, claimed=0, bytes=0, oldest_age=0)

    @pytest.mark.parametrize("data", ["", "😀 群聊", "a\x00b", "x" * 300_000])
    def test_unusual_data_come_back_as_they_were(self, store: JobJournal, data: str) -> None:
        store.add(job("a", data=data))
        assert [each.data for each in store.claim("one", 1, LEASE)] == [data]

    def test_jobs_are_claimed_once_and_the_first_come_first(self, store: JobJournal) -> None:
        for number in range(10):
            store.add(job(f"job {9 - number}"))
        assert store.claim("one", 0, LEASE) == store.claim("one", -1, LEASE) == []
        assert ids(store.claim("one", 4, LEASE)) == ["job 9", "job 8", "job 7", "job 6"]
        assert ids(store.claim("two", 4, LEASE)) == ["job 5", "job 4", "job 3", "job 2"]
        assert ids(store.claim("one", 4, LEASE)) == ["job 1", "job 0"]
        assert store.claim("two", 4, LEASE) == []

    def test_who_lost_a_job_can_do_nothing_to_it(self, store: JobJournal, clock: ManualClock) -> None:
        claim_new(store, "a")
        clock.advance(LEASE)
        store.claim("two", 1, LEASE)
        assert store.renew("one", ["a"], 10 * LEASE) == set()
        assert not store.keep_outcome("one", "a", Outcome(errcode=1, result="of one"))
        assert not store.postpone("one", "a", 0)
        assert not store.finish("one", "a")
        assert store.job_figures().claimed == 1
        clock.advance(LEASE)
        assert ageless(store.claim("three", 1, LEASE)) == [job("a", claims=3)]

    def test_a_late_owner_owns_the_job_until_another_claims_it(self, store: JobJournal, clock: ManualClock) -> None:
        claim_new(store, "renewed", "kept", "postponed", "finished")
        clock.advance(LEASE + 60)
        assert store.renew("one", ["renewed"], LEASE) == {"renewed"}
        assert store.keep_outcome("one", "kept", Outcome(errcode=0, result="result"))
        assert store.postpone("one", "postponed", 600)
        assert store.finish("one", "finished")
        assert [(each.job_id, each.outcome) for each in store.claim("two", 4, LEASE)] == [
            ("kept", Outcome(errcode=0, result="result"))
        ]

    def test_renewing_can_shorten_a_lease(self, store: JobJournal, clock: ManualClock) -> None:
        claim_new(store, "a")
        assert store.renew("one", ["a"], 60) == {"a"}
        clock.advance(60)
        assert ids(store.claim("two", 1, LEASE)) == ["a"]

    def test_the_latest_outcome_is_kept_across_claims(self, store: JobJournal, clock: ManualClock) -> None:
        claim_new(store, "a")
        for outcome in (Outcome(errcode=7, result="first"), Outcome(errcode=0, result='{"errcode":0}')):
            assert store.keep_outcome("one", "a", outcome)
        for attempt in (2, 3):
            clock.advance(LEASE)
            [claimed] = ageless(store.claim("two", 1, LEASE))
            assert claimed == job("a", claims=attempt, outcome=Outcome(errcode=0, result='{"errcode":0}'))

    def test_what_is_postponed_comes_when_it_is_due_in_that_order(self, store: JobJournal, clock: ManualClock) -> None:
        claim_new(store, *"abc")
        assert store.postpone("one", "a", 200)
        assert store.postpone("one", "b", 100)
        assert store.postpone("one", "c", 0)
        assert store.job_figures().waiting == 3
        assert ids(store.claim("two", 3, LEASE)) == ["c"]
        clock.advance(100)
        assert ids(store.claim("two", 3, LEASE)) == ["b"]
        assert store.postpone("two", "b", 200)
        clock.advance(150)
        store.add(job("d"))
        clock.advance(150)
        assert ids(store.claim("two", 3, LEASE)) == ["a", "d", "b"]

    def test_the_bound_on_bytes_refuses_new_jobs_but_no_outcome(self, store_factory: StoreFactory) -> None:
        with closing(store_factory(StoreLimits(max_job_bytes=job_bytes(job("a"), job("b"))))) as store:
            store.add(job("a"))
            with pytest.raises(StoreFullError):
                store.add(job("b", data=job("b").data + "x"))
            store.add(job("b"))
            with pytest.raises(StoreFullError):
                store.add(job("c", data=""))
            store.claim("one", 1, LEASE)
            assert store.keep_outcome("one", "a", Outcome(errcode=0, result="x" * 10_000))
            assert store.finish("one", "a")
            store.add(job("d"))
            assert ids(store.claim("one", 3, LEASE)) == ["b", "d"]

    def test_nobody_owns_what_waits_or_what_is_unknown(self, store: JobJournal) -> None:
        store.add(job("a"))
        for owner in ("one", ""):
            for job_id in ("a", "unknown"):
                assert store.renew(owner, [job_id], LEASE) == set()
                assert not store.keep_outcome(owner, job_id, Outcome(errcode=0, result=""))
                assert not store.postpone(owner, job_id, 0)
                assert not store.finish(owner, job_id)
        assert ageless(store.claim("one", 2, LEASE)) == [job("a", claims=1)]

    def test_a_job_of_a_taken_id_is_refused(self, store: JobJournal) -> None:
        store.add(job("secret"))
        for _ in range(2):
            with pytest.raises(StoreError, match="job_id already") as caught:
                store.add(job("secret", data="secret 2"))
            assert "secret" not in str(caught.value)
            assert not isinstance(caught.value, StoreFullError)
            assert ageless(store.claim("one", 2, LEASE)) in ([job("secret", claims=1)], [])
        assert store.job_figures().claimed == 1

    def test_events_and_jobs_have_bounds_of_their_own(self, store_factory: StoreFactory) -> None:
        with closing(store_factory(StoreLimits(max_rows=1, max_jobs=1))) as store:
            store.put("corp", 1, "id", "text", LEASE)
            store.add(job("id"))
            with pytest.raises(StoreFullError):
                store.put("corp", 1, "id 2", "text", LEASE)
            with pytest.raises(StoreFullError):
                store.add(job("id 2"))
            assert store.figures().rows == store.job_figures().waiting == 1

    def test_threads_that_claim_at_once_get_each_job_exactly_once(self, store: JobJournal) -> None:
        def add(number: int) -> None:
            for step in range(number, MANY, CLAIMERS):
                store.add(job(str(step)))

        def claim(number: int) -> list[str]:
            got: list[str] = []
            while claimed := store.claim(f"owner {number}", 1 + number % 7, LEASE):
                assert all(each.claims == 1 for each in claimed)
                got += ids(claimed)
                assert all(store.finish(f"owner {number}", each) for each in ids(claimed) if int(each) % 2)
            return got

        in_threads(add, CLAIMERS)
        got = Counter(each for part in in_threads(claim, CLAIMERS) for each in part)
        assert got == Counter(str(number) for number in range(MANY))
        assert store.job_figures().claimed == MANY / 2

    def test_threads_that_add_at_once_never_pass_a_bound(self, store_factory: StoreFactory) -> None:
        with closing(store_factory(StoreLimits(max_jobs=CLAIMERS))) as store:

            def add(number: int) -> list[str]:
                return accepted(lambda name: store.add(job(name)), [f"{number} {step}" for step in range(3)])

            added = sorted(each for part in in_threads(add, CLAIMERS) for each in part)
            assert len(added) == CLAIMERS
            assert sorted(ids(store.claim("one", 100, LEASE))) == added

    def test_of_threads_that_add_one_id_at_once_one_succeeds(self, store: JobJournal) -> None:
        def add(number: int) -> bool:
            try:
                store.add(job("same", data=str(number)))
            except StoreError:
                return False
            return True

        [winner] = [number for number, added in enumerate(in_threads(add, CLAIMERS)) if added]
        assert ageless(store.claim("one", 2, LEASE)) == [job("same", data=str(winner), claims=1)]

    def test_it_behaves_as_a_model_of_it(self, store_factory: StoreFactory, clock: ManualClock) -> None:
        self.run_machine(lambda: JournalMachine(store_factory, clock))
