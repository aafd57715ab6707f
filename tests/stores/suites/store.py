"""The contract of a store as tests that every backend runs.

A test class of a backend derives from `StoreSuite` and overrides the fixture `store_factory`:

    class TestSqliteStore(StoreSuite):
        @pytest.fixture
        def store_factory(self, clock: ManualClock, tmp_path: Path) -> StoreFactory:
            return lambda limits: SqliteStore(tmp_path / "notify.db", limits, clock=clock)

It is not aware of any backend.
"""

from tests.stores.suites.event_jobs import EventJobsSuite
from tests.stores.suites.failed_jobs import FailedJobsSuite
from tests.stores.suites.job_journal import JobJournalSuite
from tests.stores.suites.job_runs import JobRunsSuite
from tests.stores.suites.kept_values import KeptValuesSuite
from tests.stores.suites.notifications import NotificationsSuite
from tests.stores.suites.notify_store import NotifyStoreSuite
from tests.stores.suites.once import OnceSuite


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
