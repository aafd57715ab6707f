"""The contract of a store as tests that every backend runs.

A test class of a backend derives from `StoreSuite` and overrides the fixture `store_factory`:

    class TestSqliteStore(StoreSuite):
        @pytest.fixture
        def store_factory(self, clock: ManualClock, tmp_path: Path) -> StoreFactory:
            return lambda limits: SqliteStore(tmp_path / "notify.db", limits, clock=clock)

It is not aware of any backend.
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.stores.suites.event_jobs import EventJobsSuite, event_job
from tests.stores.suites.failed_jobs import FailedJobsSuite
from tests.stores.suites.job_journal import JobJournalSuite
from tests.stores.suites.job_runs import JobRunsSuite
from tests.stores.suites.job_samples import LEASE, job
from tests.stores.suites.kept_values import KEY, KeptValuesSuite, write
from tests.stores.suites.notifications import NotificationsSuite, notification
from tests.stores.suites.notify_store import NotifyStoreSuite
from tests.stores.suites.once import OnceSuite
from tests.stores.suites.rig import refused
from wwspec_contracts.errors import StoreError
from wwspec_router.stores.base import Store
from wwspec_router.stores.job import Outcome
from wwspec_router.stores.kept import KeptKey
from wwspec_router.stores.once import KeptReply, OnceClaim

UNFIT = "secret\ud800"
"""A text that is no Unicode."""
NEVER, MUCH = float("inf"), 2**63
REFUSED: list[tuple[Any, ...]] = [
    *[("put", UNFIT, 1, "id", "text", 60), ("put", "corp", 1, UNFIT, "text", 60), ("put", "corp", 1, "id", UNFIT, 60)],
    *(("put", "corp", agentid, "id", "secret", 60) for agentid in (MUCH, -MUCH - 1)),
    *(("put", "corp", 1, "id", "secret", ttl) for ttl in (0, -1.0, float("nan"), NEVER)),
    *[("put_with_job", event_job(UNFIT), 60), ("put_with_job", event_job(data=UNFIT), 60)],
    *[("put_with_job", event_job(notify_id=UNFIT), 60), ("put_with_job", event_job(agentid=MUCH), 60)],
    ("put_with_job", event_job(attempt=1, data="secret"), 60),
    *(("put_with_job", event_job(data="secret"), ttl) for ttl in (0, NEVER)),
    *(("add", job("c", **{name: UNFIT})) for name in "corpid ability_id job_info data notify_id".split()),
    *(("add", job("secret", **{name: 1})) for name in ("attempt", "claims")),
    *(("add", job("secret", agentid=agentid)) for agentid in (MUCH, -MUCH - 1)),
    *[("add", job("secret", suspect=True)), ("add", job("secret", outcome=Outcome(errcode=0, result="secret")))],
    *[("add", job(UNFIT)), ("add", notification(data=UNFIT)), ("add", notification(notify_id=UNFIT))],
    *(("claim", "one", 1, lease) for lease in (0, float("nan"), NEVER)),
    ("renew", "one", ["a"], -1),
    *(("postpone", "one", "a", delay) for delay in (-1, float("nan"), NEVER)),
    ("keep_step", "one", "a", "name", UNFIT),
    ("keep_outcome", "one", "a", Outcome(errcode=MUCH, result="secret")),
    ("keep_outcome", "one", "a", Outcome(errcode=0, result=UNFIT)),
    *((call, *owner, "a") for call in ("retry", "drop") for owner in ((UNFIT, 1), ("secret", MUCH))),
    *(("failed_jobs", *owner, 9) for owner in ((UNFIT, 1), ("secret", MUCH))),
    *(("write_kept", [write("secret", ttl=ttl)]) for ttl in (0, NEVER)),
    ("write_kept", [write(UNFIT)]),
    *(("write_kept", [write("1"), write("2", KeptKey(*of, "app", "n"))]) for of in ((UNFIT, 1), ("secret", MUCH))),
    ("fetch", "corp", 1, "id", 0.0),
]
"""Methods, each with arguments of which one is none that a store can take."""


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

    @pytest.mark.parametrize("call", REFUSED, ids=lambda call: call[0])
    def test_what_no_store_can_hold_is_refused_and_changes_nothing(self, store: Store, call: tuple[Any, ...]) -> None:
        for each in "ab":
            store.add(job(each))
        store.claim("one", 1, LEASE)
        method, *arguments = call
        with refused():
            getattr(store, method)(*arguments)
        figures = store.job_figures()
        assert (figures.waiting, figures.claimed, figures.unfetched) == (1, 1, 0)
        assert (store.figures().rows, store.read_kept(KEY), store.steps("a")) == (0, None, {})
        assert store.renew("one", ["a", "b"], LEASE) == {"a"}

    def test_a_store_that_is_closed_refuses_everything(self, store: Store) -> None:
        store.check()
        store.close()
        store.close()
        outcome, claim = Outcome(errcode=0, result=""), OnceClaim(key="a1", token="1", request="f00d")  # noqa: S106
        calls: list[Callable[[], object]] = [
            store.check,
            lambda: store.put("corp", 1, "id", "text", LEASE),
            lambda: store.get("corp", 1, "id"),
            store.figures,
            lambda: store.put_with_job(event_job(), LEASE),
            lambda: store.add(job("a")),
            lambda: store.claim("one", 1, LEASE),
            lambda: store.keep_outcome("one", "a", outcome),
            lambda: store.finish("one", "a"),
            lambda: store.claim_once(claim, LEASE),
            lambda: store.keep_once(claim, KeptReply(text=""), LEASE),
            lambda: store.write_kept([write("1")]),
            lambda: store.read_kept(KEY),
        ]
        for call in calls:
            with pytest.raises(StoreError, match="closed"):
                call()
