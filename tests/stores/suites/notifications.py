"""The contract of notifications, jobs that last until the app fetches their data, as tests that every backend runs."""

from contextlib import closing

import msgspec
import pytest
from hypothesis import given, strategies as st

from tests.stores.suites.job_samples import LEASE, SLACK, claim_new, ids, job, job_bytes
from tests.stores.suites.kept_values import running
from tests.stores.suites.rig import SETTINGS, ManualClock, StoreFactory, StoreFixtures, in_threads, refused
from tests.support.waiting import wait_until
from wwspec_contracts.errors import StoreFullError
from wwspec_router.stores.base import Demand, Store
from wwspec_router.stores.capacity import JobFigures, StoreFigures, StoreLimits
from wwspec_router.stores.failed import Failure
from wwspec_router.stores.job import NOTIFY_JOB, Job

TTL = 1200.0
AGENT = 1000002


def notification(name: str = "a", **changes: object) -> Job:
    made: dict[str, object] = {
        "ability_id": "",
        "job_info": "",
        "unfetched": "digest",
        "scene": 7,
        "notify_id": f"notify {name}",
        "data": '{"a":"\u4e8b"}',
    }
    return job(name, **(made | changes))


def fetch(store: Store, notify_id: str = "notify a", corpid: str = "corp", agentid: int = AGENT) -> str | None:
    return store.fetch(corpid, agentid, notify_id, TTL)


def wait_fetched(store: Store, left: int = 0) -> None:
    """Wait until so many notifications are left: what was fetched need not be noted at once."""
    wait_until(lambda: store.job_figures().unfetched == left)


class NotificationsSuite(StoreFixtures):
    """What every store must do that keeps notifications. Subclass it and override `store_factory`."""

    def test_of_one_name_a_job_adds_one_notification_also_when_it_was_fetched(self, store: Store) -> None:
        running(store, "event")
        assert store.add_once("one", "event", "alert", notification("a"), delay=10) == "notify a"
        assert store.add_once("one", "event", "alert", notification("b")) == "notify a"
        assert store.add_once("one", "event", "another", notification("c")) == "notify c"
        assert (store.has_job("b"), store.job_figures().unfetched) == (False, 2)
        assert store.steps("event") == {"alert": "notify a", "another": "notify c"}
        assert ids(store.claim("two", 9, LEASE)) == ["c"], "the other has its delay"
        assert fetch(store) is not None
        wait_fetched(store, left=1)
        assert store.add_once("one", "event", "alert", notification("d")) == "notify a"
        assert fetch(store, "notify d") is None

    def test_another_owner_or_no_room_adds_no_notification_and_no_name(self, store_factory: StoreFactory) -> None:
        with closing(store_factory(StoreLimits(max_jobs=1))) as store:
            running(store, "event")
            assert store.add_once("two", "event", "alert", notification()) is None
            assert store.add_once("one", "none", "alert", notification()) is None
            with pytest.raises(StoreFullError, match="journal of jobs is full"):
                store.add_once("one", "event", "alert", notification())
            with refused():
                store.add_once("one", "event", "secret\udc80", notification())
            assert (store.steps("event"), store.has_job("a")) == ({}, False)

    def test_many_that_add_one_name_at_once_add_one_notification(self, store: Store) -> None:
        running(store, "event")

        def add(number: int) -> str | None:
            return store.add_once("one", "event", "alert", notification(str(number)))

        assert len(set(in_threads(add))) == 1
        assert store.job_figures().unfetched == 1

    def test_a_notification_is_fetched_as_an_event_and_is_one_then(self, store: Store, clock: ManualClock) -> None:
        made = notification()
        store.add(made)
        clock.advance(1_000_000)
        assert fetch(store) == made.data
        wait_fetched(store)
        assert not store.has_job("a")
        assert store.job_figures().bytes == 0
        assert store.figures() == StoreFigures(rows=1, bytes=len(made.data.encode()))
        assert fetch(store) == store.get("corp", AGENT, "notify a") == made.data
        clock.advance(TTL)
        assert fetch(store) is None

    def test_an_event_is_fetched_and_stays(self, store: Store) -> None:
        store.put("corp", AGENT, "event", "text", TTL)
        assert [fetch(store, "event"), fetch(store, "event")] == ["text", "text"]
        assert fetch(store, "another") is None

    @SETTINGS
    @given(data=st.text(), notify_id=st.text(), corpid=st.text(), agentid=st.integers(-(2**63), 2**63 - 1))
    def test_any_text_comes_back(self, store: Store, data: str, notify_id: str, corpid: str, agentid: int) -> None:
        store.add(notification(data=data, notify_id=notify_id, corpid=corpid, agentid=agentid))
        assert fetch(store, notify_id, corpid, agentid) == data
        assert fetch(store, notify_id, corpid, agentid) == data
        store.forget(corpid)
        assert fetch(store, notify_id, corpid, agentid) is None

    def test_no_other_corp_or_app_fetches_it(self, store: Store) -> None:
        store.add(notification())
        assert fetch(store, corpid="other") is fetch(store, agentid=AGENT + 1) is fetch(store, "notify b") is None
        assert store.job_figures().unfetched == 1

    def test_other_jobs_are_not_fetched(self, store: Store) -> None:
        store.add(job("call", notify_id="one"))
        store.add(job("event", ability_id="", job_info="", event_type="hit_keyword", notify="after", notify_id="two"))
        assert fetch(store, "one") is fetch(store, "two") is None
        assert store.job_figures().waiting == 2

    def test_it_is_claimed_as_it_was_added_and_not_before_its_delay(self, store: Store, clock: ManualClock) -> None:
        for delay in (-1.0, float("inf")):
            with refused("delay must be"):
                store.add(notification(), delay=delay)
        store.add(notification(), delay=60)
        assert store.claim("one", 9, LEASE) == []
        clock.advance(60)
        assert store.claim("one", 9, LEASE, Demand(known=frozenset({"notify:digest"}))) == []
        [claimed] = store.claim("one", 9, LEASE, Demand(known=frozenset({NOTIFY_JOB})))
        assert msgspec.structs.replace(claimed, age=0.0) == notification(claims=1)
        assert 60 <= claimed.age < 60 + SLACK

    def test_who_has_it_finds_it_gone_when_it_was_fetched(self, store: Store) -> None:
        claim_new(store, notification())
        fetch(store)
        wait_fetched(store)
        assert not store.begin("one", "a")
        assert not store.postpone("one", "a", 60)
        assert not store.set_aside("one", "a", Failure(error="late"))
        assert not store.replace_notify_id("one", notification())
        assert store.claim("two", 9, LEASE) == []

    def test_another_notify_id_takes_the_place_of_the_first(self, store: Store, clock: ManualClock) -> None:
        made = notification()
        store.add(made)
        changed = msgspec.structs.replace(made, notify_id="fresh", id_made=600)
        assert not store.replace_notify_id("one", changed)
        store.claim("one", 1, LEASE)
        assert not store.replace_notify_id("another", changed)
        assert fetch(store, "fresh") is None
        assert store.replace_notify_id("one", changed)
        assert fetch(store) is None
        clock.advance(LEASE)
        [claimed] = store.claim("two", 1, LEASE)
        assert (claimed.notify_id, claimed.id_made, claimed.scene, claimed.data) == ("fresh", 600, 7, made.data)
        assert fetch(store, "fresh") == made.data
        wait_fetched(store)

    def test_one_that_failed_is_not_fetched_until_it_is_retried(self, store: Store) -> None:
        claim_new(store, notification())
        assert store.set_aside("one", "a", Failure(error="not fetched"))
        assert fetch(store) is None
        assert store.job_figures() == JobFigures(waiting=0, claimed=0, bytes=0, oldest_age=0.0, failed=1)
        [failed] = store.failed_jobs("corp", AGENT, 9)
        assert (failed.job_id, failed.name, failed.failure.error) == ("a", "notify:digest", "not fetched")
        assert store.retry("corp", AGENT, "a")
        assert store.job_figures().unfetched == 1
        assert ids(store.claim("one", 9, LEASE)) == ["a"]
        assert fetch(store) == notification().data
        wait_fetched(store)
        assert store.job_figures().failed == 0

    def test_one_that_is_finished_is_gone(self, store: Store) -> None:
        claim_new(store, notification())
        assert store.finish("one", "a")
        assert fetch(store) is None
        assert store.job_figures().unfetched == 0

    def test_notifications_have_their_own_figure_and_are_no_old_jobs(self, store: Store, clock: ManualClock) -> None:
        store.add(notification("a"))
        store.add(notification("b"))
        clock.advance(6000)
        made = job("call")
        store.add(made)
        store.claim("one", 1, LEASE)
        figures = store.job_figures()
        assert (figures.waiting, figures.claimed, figures.unfetched) == (1, 0, 2)
        assert figures.bytes == job_bytes(notification("a"), notification("b"), made)
        assert figures.oldest_age < SLACK
        assert [each.name for each in store.oldest_jobs(9)] == ["ability"]

    def test_they_count_for_the_bounds_of_the_journal(self, store_factory: StoreFactory) -> None:
        with closing(store_factory(StoreLimits(max_jobs=2))) as store:
            store.add(notification("a"))
            store.add(job("call"))
            for refused in (notification("b"), job("b")):
                with pytest.raises(StoreFullError):
                    store.add(refused)
            assert fetch(store, "notify b") is None
            fetch(store)
            wait_fetched(store)
            store.add(notification("b"))

    def test_one_that_finds_no_room_as_an_event_is_fetched_and_stays(self, store_factory: StoreFactory) -> None:
        with closing(store_factory(StoreLimits(max_rows=1))) as store:
            store.put("corp", AGENT, "event", "text", TTL)
            store.add(notification())
            assert fetch(store) == notification().data
            store.check()
            assert store.forget("corp").events == 1
            assert fetch(store) is None

    def test_forgetting_a_corp_removes_its_notifications(self, store: Store) -> None:
        store.add(notification("a"))
        store.add(notification("b", corpid="other"))
        assert store.forget("corp").jobs == 1
        assert fetch(store) is None
        assert store.job_figures().unfetched == 1
        assert fetch(store, "notify b", "other") == notification().data

    def test_all_threads_that_fetch_at_once_get_it(self, store: Store) -> None:
        store.add(notification())
        assert set(in_threads(lambda number: fetch(store), 8)) == {notification().data}
        wait_fetched(store)
        assert store.figures().rows == 1
