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
    """The tests that every store must pass, for the author of a backend.

    They cover events, jobs, an event with its job, the replies of calls that run once, and whether the store is usable.

    Examples:
        Override the fixture `store_factory` in a test module; pytest collects the tests:

        >>> import pytest
        >>> from wwspec_router.stores.memory.events import MemoryStore
        >>> from wwspec_router.testing.store_suite import ManualClock, StoreFactory, StoreSuite
        >>> class TestMemoryStore(StoreSuite):
        ...     @pytest.fixture
        ...     def store_factory(self, clock: ManualClock) -> StoreFactory:
        ...         return lambda limits: MemoryStore(limits, clock=clock)
    """
