"""The contract of events that are kept together with a job, as tests that every backend runs."""

from contextlib import closing

import pytest
from hypothesis import given, strategies as st

from tests.stores.suites.job_samples import LEASE, ageless, job, job_bytes
from tests.stores.suites.rig import SETTINGS, ManualClock, StoreFactory, StoreFixtures, accepted, in_threads
from wwspec_contracts.errors import StoreError, StoreFullError
from wwspec_router.stores.base import Demand, Store
from wwspec_router.stores.capacity import StoreFigures, StoreLimits
from wwspec_router.stores.job import Job

TTL = 1200.0


def event_job(name: str = "a", **changes: object) -> Job:
    made: dict[str, object] = {
        "ability_id": "",
        "job_info": "",
        "event_type": "hit_keyword",
        "notify": "now",
        "notify_id": f"notify {name}",
        "data": '{"a":"\u4e8b"}',
    }
    return job(name, **(made | changes))


class EventJobsSuite(StoreFixtures):
    """What every store must do that keeps an event and its job at once. Subclass it and override `store_factory`."""

    def test_an_event_and_its_job_are_both_kept_and_the_event_outlives_its_job(self, store: Store) -> None:
        made = event_job()
        store.put_with_job(made, TTL)
        assert store.get("corp", made.agentid, "notify a") == made.data
        assert store.figures() == StoreFigures(rows=1, bytes=len(made.data.encode()))
        assert store.job_figures().bytes == job_bytes(made)
        assert ageless(store.claim("one", 9, LEASE, Demand(known=frozenset({"event:hit_keyword"})))) == [
            event_job(claims=1)
        ]
        assert store.finish("one", "a")
        assert store.get("corp", made.agentid, "notify a") == made.data

    @SETTINGS
    @given(data=st.text(), notify_id=st.text(), corpid=st.text(), agentid=st.integers(-(2**63), 2**63 - 1))
    def test_both_come_back_as_put(self, store: Store, data: str, notify_id: str, corpid: str, agentid: int) -> None:
        store.put_with_job(event_job(data=data, notify_id=notify_id, corpid=corpid, agentid=agentid), TTL)
        assert store.get(corpid, agentid, notify_id) == data
        [claimed] = store.claim("one", 9, LEASE)
        assert (claimed.data, claimed.notify_id, claimed.corpid, claimed.agentid) == (data, notify_id, corpid, agentid)
        assert store.finish("one", "a")

    def test_the_event_expires_and_the_job_does_not(self, store: Store, clock: ManualClock) -> None:
        store.put_with_job(event_job(), 100)
        clock.advance(100)
        assert store.get("corp", event_job().agentid, "notify a") is None
        assert [each.job_id for each in store.claim("one", 9, LEASE)] == ["a"]

    @pytest.mark.parametrize(
        "limits",
        [StoreLimits(max_rows=1), StoreLimits(max_bytes=15), StoreLimits(max_jobs=1), StoreLimits(max_job_bytes=80)],
        ids=lambda limits: next(
            name for name in limits.__struct_fields__ if getattr(limits, name) != getattr(StoreLimits(), name)
        ),
    )
    def test_a_bound_on_either_refuses_both(self, store_factory: StoreFactory, limits: StoreLimits) -> None:
        first, second = event_job("a"), event_job("b")
        with closing(store_factory(limits)) as store:
            store.put_with_job(first, TTL)
            with pytest.raises(StoreFullError):
                store.put_with_job(second, TTL)
            assert store.get("corp", second.agentid, "notify b") is None
            assert not store.has_job("b")
            assert store.figures().rows == 1
            figures = store.job_figures()
            assert (figures.waiting, figures.bytes) == (1, job_bytes(first))

    def test_expired_events_make_room(self, store_factory: StoreFactory, clock: ManualClock) -> None:
        with closing(store_factory(StoreLimits(max_rows=200))) as store:
            for number in range(200):
                store.put("corp", 1, str(number), "text", 100)
            clock.advance(100)
            store.put_with_job(event_job(), TTL)
            assert store.figures().rows == 1
            assert store.has_job("a")

    def test_a_job_of_a_taken_id_keeps_no_event(self, store: Store) -> None:
        store.put_with_job(event_job(), TTL)
        with pytest.raises(StoreError, match="job_id already"):
            store.put_with_job(event_job(notify_id="another", data="secret"), TTL)
        assert store.get("corp", event_job().agentid, "another") is None
        assert store.figures().rows == 1

    def test_concurrent_threads_keep_as_many_events_as_jobs(self, store_factory: StoreFactory) -> None:
        with closing(store_factory(StoreLimits(max_rows=40, max_jobs=50))) as store:

            def work(number: int) -> int:
                names = [f"{number} {step}" for step in range(4)]
                return len(accepted(lambda name: store.put_with_job(event_job(name), TTL), names))

            assert sum(in_threads(work)) == 40
            assert store.figures().rows == store.job_figures().waiting == 40
