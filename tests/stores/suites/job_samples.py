"""Jobs for the tests of journals, and what is said of them."""

from collections.abc import Sequence

import msgspec

from wwspec_router.stores.base import JobJournal
from wwspec_router.stores.job import Job, stored_texts

LEASE = 600.0
SLACK = 20.0
"""Seconds by which an age may be off where the backend's clock runs on by itself."""


def job(job_id: str, **changes: object) -> Job:
    made = Job(
        job_id=job_id,
        corpid="corp",
        agentid=1000002,
        ability_id="ability",
        job_info="info",
        data='{"func":"事件"}',
        notify_id="",
    )
    return msgspec.structs.replace(made, **changes)


def claim_new(store: JobJournal, *jobs: Job | str) -> list[Job]:
    """Add jobs, or some of these ids, and let the owner `one` claim as many."""
    for each in jobs:
        store.add(job(each) if isinstance(each, str) else each)
    return store.claim("one", len(jobs), LEASE)


def ageless(jobs: Sequence[Job]) -> list[Job]:
    """Return claimed jobs as if they had just been added."""
    return [msgspec.structs.replace(each, age=0.0) for each in jobs]


def job_bytes(*jobs: Job) -> int:
    return sum(len(text.encode()) for each in jobs for text in stored_texts(each).values())


def ids(jobs: Sequence[Job]) -> list[str]:
    return [each.job_id for each in jobs]
