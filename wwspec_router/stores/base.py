"""What a store promises.

A store keeps two things: events until the enterprise app fetches them (`NotifyStore`), and asynchronous jobs until
their outcome was reported (`JobJournal`). One object, over one file or one server, serves both (`Store`).

The methods block and may be called from any thread; each either does its work durably or raises. Events belong to a
corp and an app: the three together are the key, so that nobody reads what another corp or app owns. The journal is
the program's own: nobody outside reads it.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec


class StoreLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one store. What would pass one is refused; nothing live is ever dropped for it."""

    max_rows: int = 1_000_000
    """Live entries."""
    max_bytes: int = 1 << 30
    """Bytes of stored event text, keys not counted."""
    max_jobs: int = 100_000
    """Jobs in the journal, waiting or claimed."""
    max_job_bytes: int = 1 << 30
    """Bytes of the texts that jobs are added with; the outcomes kept beside them are not counted, never refused."""


class StoreFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How full a store is."""

    rows: int
    bytes: int


class NotifyStore(Protocol):
    """Keeps the text of events by corpid, agentid and notify_id for a limited time.

    Every implementation keeps to these as well:

    - An entry is gone exactly at its expiry, `ttl` seconds after its put, not some time later.
    - A `ttl` that is not positive and finite, an `agentid` of more than 64 bits, and a lone surrogate in an id or a
      text are a StoreError that repeats none of them; any other string comes back as it was.
    - Closing twice is harmless.
    """

    shared: bool
    """Whether several worker processes see the same entries."""

    def put(self, corpid: str, agentid: int, notify_id: str, text: str, ttl: float) -> None:
        """Keep `text` for `ttl` seconds; durable when this returns. An entry of the same key is replaced.

        Raises:
            StoreFullError: A bound would be passed even after expired entries were removed.
            StoreError: It could not be stored.
        """
        ...

    def get(self, corpid: str, agentid: int, notify_id: str) -> str | None:
        """Return the text, or None when there is none, it has expired, or it belongs to another corp or app.

        Reading does not remove it: the app may fetch again, for example after a lost reply.

        Raises:
            StoreError: The store could not be read.
        """
        ...

    def check(self) -> None:
        """Find out whether the store works; cheap enough for once a second.

        Raises:
            StoreError: It does not.
        """
        ...

    def figures(self) -> StoreFigures:
        """Return how many live entries there are and how many bytes they hold."""
        ...

    def close(self) -> None:
        """Release files and connections; further calls raise StoreError."""
        ...


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What an ability answered: all that its report to the platform needs."""

    errcode: int
    result: str


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One asynchronous call that was accepted and is not reported yet."""

    job_id: str
    """Ours, unique, made by the caller of `add`."""
    corpid: str
    agentid: int
    ability_id: str
    job_info: str
    data: str
    notify_id: str
    attempt: int = 0
    """How often it was claimed, this time included; 0 in a new job."""
    age: float = 0.0
    """Seconds from when it was added to when it was claimed, by the journal's clock; 0.0 in a new job."""
    outcome: Outcome | None = None
    """There is one when the ability has run and only the report is missing; None in a new job."""


class JobFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How full a journal is, and how far behind."""

    waiting: int
    """Jobs that nobody holds: due, postponed, or with a lease that is over."""
    claimed: int
    """Jobs under a lease."""
    bytes: int
    """Bytes of the texts that they were added with."""
    oldest_age: float
    """Seconds since the oldest job was added; 0.0 when there is none."""


class JobJournal(Protocol):
    """Keeps jobs until they are finished, and hands each to one owner at a time.

    A job is due as soon as it is added. Who claims it owns it: for the length of the lease nobody else gets it, and
    after that whoever claims next does, the same owner included. Until then a late owner is still the owner: it may
    renew, keep an outcome, postpone and finish. Jobs never expire.

    Bad arguments are a StoreError, as with `NotifyStore`: a lone surrogate, an agentid or errcode of more than 64
    bits, a `lease` that is not positive and finite, a `delay` that is negative or not finite. No error repeats
    any text of a job.
    """

    shared: bool
    """Whether several worker processes see the same jobs."""

    def add(self, job: Job) -> None:
        """Keep a new job, one without attempts and outcome; durable when this returns.

        Raises:
            StoreFullError: A bound would be passed.
            StoreError: It could not be stored, or there is one of this job_id.
        """
        ...

    def claim(self, owner: str, limit: int, lease: float) -> list[Job]:
        """Take up to `limit` jobs that are due, those first that became due first.

        Args:
            owner: Who takes them; a name that no other process has.
            limit: How many at most; none when it is not positive.
            lease: Seconds from now for which nobody else can take them.

        Returns:
            The jobs, each with this attempt counted, with its age, and with the outcome that an earlier owner kept.

        Raises:
            StoreError: The journal failed; what it may have taken is free again when the lease is over.
        """
        ...

    def renew(self, owner: str, job_ids: Sequence[str], lease: float) -> set[str]:
        """Let the leases end `lease` seconds from now; return the ids of those that `owner` still owns.

        Raises:
            StoreError: The journal failed.
        """
        ...

    def keep_outcome(self, owner: str, job_id: str, outcome: Outcome) -> bool:
        """Keep what the ability answered; durable when this returns. A later outcome replaces it.

        Returns:
            False when `owner` does not own the job; nothing was changed then.

        Raises:
            StoreError: It could not be stored.
        """
        ...

    def postpone(self, owner: str, job_id: str, delay: float) -> bool:
        """Give the job back; it is due again `delay` seconds from now.

        Returns:
            False when `owner` does not own the job; nothing was changed then.

        Raises:
            StoreError: The journal failed.
        """
        ...

    def finish(self, owner: str, job_id: str) -> bool:
        """Remove the job; durable when this returns.

        Returns:
            False when `owner` does not own the job; nothing was changed then.

        Raises:
            StoreError: The journal failed.
        """
        ...

    def job_figures(self) -> JobFigures:
        """Return how many jobs there are, in which state, and how old the oldest is."""
        ...


class Store(NotifyStore, JobJournal, Protocol):
    """Both in one: what `open_store` returns."""
