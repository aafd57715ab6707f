"""The contract of steps, of jobs that failed for good, and of forgetting a corp, as tests that every backend runs."""

from contextlib import closing

import pytest
from hypothesis import given, strategies as st

from tests.stores.suites.event_jobs import event_job
from tests.stores.suites.job_samples import LEASE, SLACK, job
from tests.stores.suites.kept_values import KEY, OUTCOME, running, text_of, write
from tests.stores.suites.rig import SETTINGS, ManualClock, StoreFactory, StoreFixtures
from wwspec_contracts.errors import StoreError, StoreFullError
from wwspec_router.stores.base import Forgotten, Store
from wwspec_router.stores.capacity import JobFigures, StoreLimits
from wwspec_router.stores.failed import Failure
from wwspec_router.stores.kept import KeptKey
from wwspec_router.stores.once import KeptReply, OnceClaim, corp_hash

FAILURE = Failure(error="KeyError", errcode=710660)
AGENT = 1000002


def failed(store: Store, job_id: str, **changes: object) -> None:
    store.add(job(job_id, **changes))
    store.claim("one", 1, LEASE)
    assert store.begin("one", job_id)
    assert store.set_aside("one", job_id, FAILURE)


def failed_ids(store: Store, corpid: str = "corp", agentid: int = AGENT, limit: int = 99) -> list[str]:
    return [each.job_id for each in store.failed_jobs(corpid, agentid, limit)]


def claim_of(key: str, token: str, corp: str = "0") -> OnceClaim:
    return OnceClaim(key=key, token=token, request="f00d", corp=corp)


class FailedJobsSuite(StoreFixtures):
    """What every store must do with steps and failed jobs. Subclass it and override `store_factory`."""

    @SETTINGS
    @given(name=st.text(), text=st.text())
    def test_a_step_comes_back_as_it_was_kept(self, store: Store, name: str, text: str) -> None:
        running(store)
        assert store.keep_step("one", "a", name, text)
        assert store.steps("a") == {name: text}
        assert store.finish("one", "a")

    def test_steps_last_as_long_as_their_job(self, store: Store, clock: ManualClock) -> None:
        assert store.steps("a") == {}
        running(store)
        store.keep_step("one", "a", "fetch", "1")
        store.keep_step("one", "a", "count", "2")
        store.keep_step("one", "a", "count", "3")
        store.postpone("one", "a", 60)
        clock.advance(60)
        store.claim("two", 1, LEASE)
        assert store.steps("a") == {"fetch": "1", "count": "3"}
        store.finish("two", "a")
        assert store.steps("a") == {}
        running(store)
        assert store.steps("a") == {}

    def test_a_run_that_does_not_count_is_no_attempt(self, store: Store, clock: ManualClock) -> None:
        running(store)
        assert store.postpone("one", "a", 30, counted=False)
        clock.advance(30)
        [again] = store.claim("one", 1, LEASE)
        assert (again.attempt, again.suspect) == (0, False)
        assert store.begin("one", "a")
        assert store.postpone("one", "a", 30)
        clock.advance(30)
        [again] = store.claim("one", 1, LEASE)
        assert again.attempt == 1

    def test_a_job_that_its_owner_sets_aside_is_no_job_of_the_journal(self, store: Store, clock: ManualClock) -> None:
        running(store)
        assert not store.set_aside("two", "a", FAILURE)
        assert (store.has_job("a"), failed_ids(store)) == (True, [])
        assert store.set_aside("one", "a", FAILURE)
        clock.advance(86_400)
        assert store.claim("two", 9, LEASE) == []
        assert not store.has_job("a")
        assert store.oldest_jobs(9) == []
        assert store.job_figures() == JobFigures(waiting=0, claimed=0, bytes=0, oldest_age=0.0, failed=1)
        assert not store.finish("one", "a")
        assert not store.set_aside("one", "a", FAILURE)

    def test_a_failed_job_shows_what_failed_and_when(self, store: Store, clock: ManualClock) -> None:
        failed(store, "a")
        clock.advance(60)
        failed(store, "b", ability_id="other")
        newest, oldest = store.failed_jobs("corp", AGENT, 9)
        assert (newest.job_id, newest.name, newest.attempt, newest.failure) == ("b", "other", 1, FAILURE)
        assert (oldest.job_id, oldest.name, oldest.attempt, oldest.failure) == ("a", "ability", 1, FAILURE)
        assert oldest.age == pytest.approx(60, abs=SLACK)
        assert failed_ids(store, limit=1) == ["b"]
        assert failed_ids(store, limit=0) == []

    def test_a_failed_job_belongs_to_its_corp_and_app(self, store: Store) -> None:
        failed(store, "a")
        for corpid, agentid in (("other", AGENT), ("corp", AGENT + 1)):
            assert failed_ids(store, corpid, agentid) == []
            assert not store.retry(corpid, agentid, "a")
            assert not store.drop(corpid, agentid, "a")
        assert failed_ids(store) == ["a"]

    def test_a_failed_job_may_have_any_characters_in_its_names(self, store: Store) -> None:
        for corpid in ("\u516c\u53f8 :%\n", "\u516c"):
            failed(store, f"{corpid}:{{b}}\n", corpid=corpid)
        assert failed_ids(store, "\u516c") == ["\u516c:{b}\n"]
        assert store.retry("\u516c\u53f8 :%\n", AGENT, "\u516c\u53f8 :%\n:{b}\n")
        assert store.forget("\u516c") == Forgotten(events=0, jobs=1, kept=0, replies=0)
        assert store.forget("\u516c\u53f8 :%\n") == Forgotten(events=0, jobs=1, kept=0, replies=0)

    def test_a_job_that_is_run_again_is_as_it_was_with_its_steps(self, store: Store) -> None:
        made = event_job()
        store.put_with_job(made, 60)
        store.claim("one", 1, LEASE)
        store.begin("one", "a")
        store.keep_step("one", "a", "fetch", "1")
        store.set_aside("one", "a", FAILURE)
        assert store.retry("corp", AGENT, "a")
        assert failed_ids(store) == []
        assert store.job_figures().failed == 0
        [again] = store.claim("two", 9, LEASE)
        assert (again.data, again.notify_id, again.name) == (made.data, made.notify_id, made.name)
        assert (again.attempt, again.claims, again.suspect, again.outcome) == (0, 1, False, None)
        assert again.age < SLACK
        assert store.steps("a") == {"fetch": "1"}
        assert not store.retry("corp", AGENT, "a")
        assert store.finish("two", "a")

    def test_an_outcome_that_was_kept_is_there_when_a_job_is_run_again(self, store: Store) -> None:
        running(store)
        store.keep_outcome("one", "a", OUTCOME)
        store.set_aside("one", "a", FAILURE)
        store.retry("corp", AGENT, "a")
        [again] = store.claim("two", 9, LEASE)
        assert again.outcome == OUTCOME

    def test_a_dropped_job_is_gone(self, store: Store) -> None:
        failed(store, "a")
        assert store.drop("corp", AGENT, "a")
        assert not store.drop("corp", AGENT, "a")
        assert failed_ids(store) == []
        assert store.job_figures().failed == 0
        running(store)
        assert store.steps("a") == {}

    def test_the_id_of_a_failed_job_is_taken(self, store: Store) -> None:
        failed(store, "a")
        with pytest.raises(StoreError, match="there is a job of this job_id"):
            store.add(job("a"))

    def test_the_oldest_leaves_when_there_are_too_many(self, store_factory: StoreFactory, clock: ManualClock) -> None:
        with closing(store_factory(StoreLimits(max_failed=2))) as store:
            for job_id in "abcd":
                failed(store, job_id)
                clock.advance(30)
            assert failed_ids(store) == ["d", "c"]
            figures = store.job_figures()
            assert (figures.failed, figures.forgotten) == (2, 2)

    def test_a_job_that_finds_no_room_stays_set_aside(self, store_factory: StoreFactory) -> None:
        with closing(store_factory(StoreLimits(max_jobs=1))) as store:
            failed(store, "a")
            store.add(job("b"))
            with pytest.raises(StoreFullError):
                store.retry("corp", AGENT, "a")
            assert failed_ids(store) == ["a"]

    def test_what_is_stored_for_a_corp_is_forgotten_and_counted(self, store: Store) -> None:
        failed(store, "failed")
        for corpid in ("corp", "other"):
            store.put(corpid, 1, "n", "text", 60)
            store.put_with_job(event_job(f"event {corpid}", corpid=corpid), 60)
            store.add(job(f"job {corpid}", corpid=corpid))
            store.write_kept([write("1", KeptKey(corpid, agentid, "app", "n")) for agentid in (1, 2)])
            claim = claim_of(corp_hash(f"key {corpid}"), "1", corp_hash(corpid))
            assert store.claim_once(claim, 60) is None
            store.keep_once(claim, KeptReply(text="reply"), 60)
        store.claim("one", 9, LEASE)
        assert store.forget("corp") == Forgotten(events=2, jobs=3, kept=2, replies=1)
        assert store.forget("corp") == Forgotten(events=0, jobs=0, kept=0, replies=0)
        assert store.get("corp", 1, "n") is None
        assert store.get("other", 1, "n") == "text"
        assert not store.has_job("job corp")
        assert failed_ids(store) == []
        assert store.has_job("job other")
        assert all(store.read_kept(KeptKey("other", agentid, "app", "n")) for agentid in (1, 2))
        assert store.figures().rows == 2
        assert store.claim_once(claim_of(corp_hash("key other"), "2"), 60) is not None
        assert store.job_figures().claimed == 2
        assert store.claim_once(claim_of(corp_hash("key corp"), "2"), 60) is None

    def test_a_job_that_is_forgotten_while_it_runs_keeps_nothing(self, store: Store) -> None:
        running(store)
        store.forget("corp")
        assert not store.keep_outcome("one", "a", OUTCOME, [write("1")])
        assert not store.keep_step("one", "a", "fetch", "1")
        assert not store.finish("one", "a", [write("1")])
        assert not store.set_aside("one", "a", FAILURE)
        assert text_of(store, KEY) is None
