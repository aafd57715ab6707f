"""What a store promises about jobs that failed for good: they are set aside, and can be run again or dropped."""

from typing import Protocol

import msgspec


class Failure(msgspec.Struct, frozen=True):
    """Why a job is set aside."""

    error: str
    """The class of the error, or what did not work, such as `report refused`; never a text of the application."""
    errcode: int = 0
    """That of the reply which the error became."""


NO_ABILITY = Failure(error="no ability")
"""What is shown of a job that waits for a program that knows its name."""


class FailedJob(msgspec.Struct, frozen=True):
    """A job that is set aside, or that no program knows, without its data."""

    job_id: str
    name: str
    """See `Job.name`."""
    attempt: int
    """How often its ability began to run."""
    failure: Failure
    age: float
    """Seconds since it was set aside; with `NO_ABILITY` since it was added."""


class FailedJobs(Protocol):
    """Keeps the jobs that failed for good: at most `max_failed`, and then the oldest leaves for each new one.

    They do not count for the bounds and the figures of the journal, and no claim returns them. Each belongs to a corp
    and an app: under those of another it can't be seen.
    """

    def set_aside(self, owner: str, job_id: str, failure: Failure) -> bool:
        """Move a job of the journal to those that failed; durable when this returns. Its steps and outcome stay.

        Returns:
            False when `owner` does not own the job; nothing was changed then.

        Raises:
            StoreError: The store failed.
        """

    def failed_jobs(self, corpid: str, agentid: int, limit: int) -> list[FailedJob]:
        """Return the jobs of a corp and an app that failed last, at most `limit`, the latest first.

        Raises:
            StoreError: The store failed.
        """

    def retry(self, corpid: str, agentid: int, job_id: str) -> bool:
        """Move a job back to the journal, due now, with no attempts and claims; durable when this returns.

        Returns:
            False when there is no such job.

        Raises:
            StoreFullError: A bound of the journal would be exceeded; the job stays where it is.
            StoreError: The store failed.
        """

    def drop(self, corpid: str, agentid: int, job_id: str) -> bool:
        """Remove a job that failed, with its steps; durable when this returns.

        Returns:
            False when there is no such job.

        Raises:
            StoreError: The store failed.
        """
