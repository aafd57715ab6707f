"""The contract of a store as tests that every backend runs.

A backend's author subclasses `StoreSuite` and overrides the fixture `store_factory`:

    class TestMemoryStore(StoreSuite):
        @pytest.fixture
        def store_factory(self, clock: ManualClock) -> StoreFactory:
            return lambda limits: MemoryStore(limits, clock=clock)

It is not aware of any backend. It needs the extra `testing`.
"""

from wwspec_router.testing.event_jobs_suite import EventJobsSuite
from wwspec_router.testing.job_journal_suite import JobJournalSuite
from wwspec_router.testing.job_runs_suite import JobRunsSuite
from wwspec_router.testing.notify_store_suite import NotifyStoreSuite
from wwspec_router.testing.once_suite import OnceSuite
from wwspec_router.testing.store_rig import THREADS, ManualClock, StoreFactory, in_threads

__all__ = [
    "THREADS",
    "EventJobsSuite",
    "JobJournalSuite",
    "JobRunsSuite",
    "ManualClock",
    "NotifyStoreSuite",
    "OnceSuite",
    "StoreFactory",
    "StoreSuite",
    "in_threads",
]


class StoreSuite(NotifyStoreSuite, JobJournalSuite, JobRunsSuite, EventJobsSuite, OnceSuite):
    """What every store must do.

    It keeps events, jobs, an event and its job at once, and the replies of calls that run once, and says whether it
    serves.
    """
