"""Reads how busy the parts of a program are, and how full its store is, for the monitor, which knows neither."""

from wwspec_router.jobs.runner import Jobs
from wwspec_router.monitoring.figures import Gauges, Stored
from wwspec_router.serving.workers import WorkerPool
from wwspec_router.stores.base import Store

__all__ = ["read_gauges", "read_stored"]


def read_gauges(workers: WorkerPool, jobs: Jobs | None) -> Gauges:
    """Return what the program is doing just now."""
    return Gauges(
        busy=workers.busy,
        threads=workers.threads,
        queued=workers.queued,
        jobs_running=jobs.running if jobs is not None else 0,
        hung=workers.replaced + (jobs.replaced if jobs is not None else 0),
    )


def read_stored(store: Store) -> Stored:
    """Return how full the store is. Blocks.

    Raises:
        StoreError: The store can't tell.
    """
    events, jobs = store.figures(), store.job_figures()
    return Stored(
        rows=events.rows,
        bytes=events.bytes,
        jobs_waiting=jobs.waiting,
        jobs_claimed=jobs.claimed,
        oldest_job_age=jobs.oldest_age,
    )
