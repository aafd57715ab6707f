"""Reads how busy the parts of a program are, and how full its store is, for the monitor, which knows neither."""

from collections.abc import Collection

from wwspec_router.jobs.runner import Jobs
from wwspec_router.monitoring.figures import UNKNOWN, Gauges, Stored, StoredJob
from wwspec_router.serving.workers import WorkerPool
from wwspec_router.stores.base import Store

OLDEST_JOBS = 20
"""How many jobs are listed one by one."""


def read_gauges(workers: WorkerPool, jobs: Jobs | None) -> Gauges:
    """Return what the program is doing just now."""
    return Gauges(
        busy=workers.busy,
        threads=workers.threads,
        queued=workers.queued,
        jobs_running=jobs.running if jobs is not None else 0,
        hung=workers.replaced + (jobs.replaced if jobs is not None else 0),
    )


def read_stored(store: Store, names: Collection[str]) -> Stored:
    """Return how full the store is. Blocks.

    Args:
        store: Which one.
        names: The names of this program's jobs. Other names are not shown: another program or a caller chose them.

    Raises:
        StoreError: The store can't be read.
    """
    events, jobs = store.figures(), store.job_figures()
    return Stored(
        rows=events.rows,
        bytes=events.bytes,
        jobs_waiting=jobs.waiting,
        jobs_claimed=jobs.claimed,
        unfetched=jobs.unfetched,
        jobs_set_aside=jobs.failed,
        jobs_forgotten=jobs.forgotten,
        oldest_job_age=jobs.oldest_age,
        oldest_jobs=[
            StoredJob(
                ability_id=each.name if each.name in names else UNKNOWN,
                state=each.state,
                attempt=each.attempt,
                left=each.left,
                age=each.age,
            )
            for each in store.oldest_jobs(OLDEST_JOBS)
        ],
    )
