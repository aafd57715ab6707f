"""The threads that calls and jobs have in common, led by the test. Its use for calls is in tests/serving/workers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.waiting import DEADLINE, wait_until
from wwspec_router.threads import Pace, ThreadPool


class Job:
    """A job that ends when it is let go."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.begun = threading.Event()
        self.ident = 0

    def run(self) -> int:
        self.ident = threading.get_ident()
        self.begun.set()
        assert self.go_on.wait(DEADLINE)
        return self.ident


@contextmanager
def a_pool(size: int) -> Iterator[ThreadPool[Job]]:
    pool = ThreadPool(size, "pool-under-test", Job.run, threading.Event().set, Pace())
    try:
        yield pool
    finally:
        pool.end(DEADLINE)
        assert not [each for each in threading.enumerate() if each.name.startswith("pool-under-test")]


def submit(pool: ThreadPool[Job], count: int) -> list[Job]:
    jobs = [Job() for _ in range(count)]
    pool.jobs.extend(jobs)
    pool.call_next()
    return jobs


def test_each_job_begins_at_once_on_a_thread_of_its_own_as_long_as_there_are_threads() -> None:
    with a_pool(3) as pool:
        jobs = submit(pool, 4)
        assert all(job.begun.wait(DEADLINE) for job in jobs[:3])
        assert {id(busy.job) for busy in pool.busy()} == {id(job) for job in jobs[:3]}
        assert not jobs[3].begun.is_set()
        jobs[0].go_on.set()
        assert jobs[3].begun.wait(DEADLINE)
        assert jobs[3].ident == jobs[0].ident
        for job in jobs:
            job.go_on.set()
        wait_until(lambda: len(pool.done) == 4)


def test_the_place_of_a_lost_thread_is_filled_once_and_it_ends_with_its_job() -> None:
    with a_pool(2) as pool:
        pool.start(2)
        hanging, other = submit(pool, 2)
        assert hanging.begun.wait(DEADLINE)
        assert other.begun.wait(DEADLINE)
        assert pool.lose(hanging.ident)
        assert not pool.lose(hanging.ident)
        for _ in range(2):
            pool.start(2)
        assert (len(pool.workers), len(pool.lost), pool.is_full) == (2, 1, False)
        (third,) = submit(pool, 1)
        assert third.begun.wait(DEADLINE)
        assert pool.lose(other.ident)
        pool.start(2)
        assert pool.is_full
        assert not pool.lose(third.ident), "as many are lost as there may be"
        hanging.go_on.set()
        wait_until(lambda: not pool.is_full)
        assert [outcome for _, outcome, _ in pool.done] == [hanging.ident], "its result counts"
        for job in (other, third):
            job.go_on.set()
        wait_until(lambda: not pool.lost and len(pool.done) == 3)


def test_the_threads_end_when_they_have_done_what_is_queued() -> None:
    with a_pool(1) as pool:
        jobs = submit(pool, 3)
        for job in jobs:
            job.go_on.set()
        pool.end(DEADLINE)
        assert [job for job, _, _ in pool.done] == jobs
