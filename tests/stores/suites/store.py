"""The contract of a store as tests that every backend runs.

A test class of a backend derives from `StoreSuite` and overrides the fixture `store_factory`:

    class TestSqliteStore(StoreSuite):
        @pytest.fixture
        def store_factory(self, clock: ManualClock, tmp_path: Path) -> StoreFactory:
            return lambda limits: SqliteStore(tmp_path / "notify.db", limits, clock=clock)

It is not aware of any backend.
"""

from collections.abc import Callable

import pytest

from tests.stores.suites.event_jobs import EventJobsSuite, event_job
from tests.stores.suites.failed_jobs import FailedJobsSuite
from tests.stores.suites.job_journal import JobJournalSuite
from tests.stores.suites.job_runs import JobRunsSuite
from tests.stores.suites.job_samples import LEASE, job
from tests.stores.suites.kept_values import KEY, KeptValuesSuite, write
from tests.stores.suites.notifications import NotificationsSuite
from tests.stores.suites.notify_store import NotifyStoreSuite
from tests.stores.suites.once import OnceSuite
from wwspec_contracts.errors import StoreError
from wwspec_router.stores.base import Store
from wwspec_router.stores.job import Outcome
from wwspec_router.stores.once import KeptReply, OnceClaim


class StoreSuite(
    NotifyStoreSuite,
    JobJournalSuite,
    JobRunsSuite,
    EventJobsSuite,
    NotificationsSuite,
    FailedJobsSuite,
    OnceSuite,
    KeptValuesSuite,
):
    """The tests of all that a store keeps, alone and together, and of whether the store can be used."""

    def test_a_store_that_is_closed_refuses_everything(self, store: Store) -> None:
        store.close()
        store.close()
        outcome, claim = Outcome(errcode=0, result=""), OnceClaim(key="a1", token="1", request="f00d")  # noqa: S106
        calls: list[Callable[[], object]] = [
            lambda: store.put("corp", 1, "id", "text", LEASE),
            lambda: store.get("corp", 1, "id"),
            store.figures,
            lambda: store.put_with_job(event_job(), LEASE),
            lambda: store.add(job("a")),
            lambda: store.claim("one", 1, LEASE),
            lambda: store.renew("one", ["a"], LEASE),
            lambda: store.keep_outcome("one", "a", outcome),
            lambda: store.postpone("one", "a", 0),
            lambda: store.finish("one", "a"),
            store.job_figures,
            lambda: store.claim_once(claim, LEASE),
            lambda: store.renew_once([claim], LEASE),
            lambda: store.keep_once(claim, KeptReply(text=""), LEASE),
            lambda: store.release_once("a1", "1"),
            lambda: store.write_kept([write("1")]),
            lambda: store.read_kept(KEY),
        ]
        for call in calls:
            with pytest.raises(StoreError, match="closed"):
                call()
