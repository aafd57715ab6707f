"""What a store promises.

A store keeps events until the enterprise app fetches them (`NotifyStore`), jobs until their outcome was reported
(`JobJournal`), those that failed for good (`FailedJobs`, in `failed`), the replies of calls that run once (`OnceStore`,
in `once`), and small values of the application (`KeptStore`, in `kept`). One object, over one file or one server,
serves all of them (`Store`).

The methods block and may be called from any thread; each either does its work durably or raises. Events belong to a
corp and an app, which are part of their key, so that no corp or app reads events of another. Only the program itself
reads the journal.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import msgspec

from wwspec_router.stores.capacity import JobFigures, StoreFigures
from wwspec_router.stores.failed import FailedJob, FailedJobs
from wwspec_router.stores.job import Job, OldJob, Outcome
from wwspec_router.stores.kept import KeptStore, KeptWrite
from wwspec_router.stores.once import OnceStore


class NotifyStore(Protocol):
    """Keeps the text of events by corpid, agentid and notify_id for a limited time.

    Every implementation also keeps these rules:

    - An entry is gone exactly at its expiry, `ttl` seconds after its put. Its data on a disk is removed soon after,
      even if no method is called.
    - A `ttl` that is not positive and finite, an `agentid` of more than 64 bits, and a lone surrogate in an id or a
      text are a StoreError that repeats none of them; any other string comes back as it was.
    - Closing twice is harmless.
    """

    shared: bool
    """Whether several worker processes see the same entries."""

    def put(self, corpid: str, agentid: int, notify_id: str, text: str, ttl: float) -> None:
        """Keep `text` for `ttl` seconds; durable when this returns. It replaces an entry of the same key.

        Raises:
            StoreFullError: A bound would be exceeded even after expired entries were removed.
            StoreError: It could not be stored.
        """

    def get(self, corpid: str, agentid: int, notify_id: str) -> str | None:
        """Return the text, or None when there is none, it has expired, or it belongs to another corp or app.

        Reading does not remove it: the app may fetch again, for example after a lost reply.

        Raises:
            StoreError: The store could not be read.
        """

    def figures(self) -> StoreFigures:
        """Return how many live entries there are and how many bytes they hold."""

    def close(self) -> None:
        """Release files and connections; further calls raise StoreError."""


class Demand(NamedTuple):
    """Which jobs an owner asks for; see `JobJournal.claim`."""

    known: frozenset[str] | None = None
    """The names of the jobs that the owner can run, up to some ten thousand, with `NOTIFY_JOB` for all notifications;
    None for all."""
    suspects: int | None = None
    """How many of them may be suspects; None for any number. Further suspects keep their place."""
    begins: bool = False
    """Whether the owner runs them at once. Then a journal may do what `begin` does for those that are no suspects and
    have no outcome, where that saves a transaction; these are `begun`."""


ANY_JOB = Demand()


class JobJournal(Protocol):
    """Keeps jobs until they are finished, and hands each to one owner at a time.

    A job is due as soon as it is added, or after its delay. The owner that claims it has it for the length of the
    lease. After that the next claim gets it, even one of the same owner. Until that claim a late owner still owns the
    job: it may begin, renew, keep an outcome, postpone and finish. Jobs never expire.

    The journal knows which jobs run: from `begin` until `keep_outcome`, `postpone`, `excuse` or `finish`. When the
    lease of such a job ends, it comes back as a suspect.

    Bad arguments are a StoreError, as with `NotifyStore`: a lone surrogate, an agentid or errcode of more than 64
    bits, a `lease` that is not positive and finite, a `delay` that is negative or not finite. No error repeats any
    text of a job.

    What `claim`, `renew`, `excuse` and `postpone` change outlives every process. A crash of the machine may undo their
    last changes; then a job is in the state that it had before. A claim that begins jobs is durable when it returns.
    """

    def add(self, job: Job, writes: Sequence[KeptWrite] = (), *, delay: float = 0.0) -> None:
        """Keep a new job, one without attempts, claims and outcome; durable when this returns.

        Args:
            job: The job.
            writes: Changes of kept values, which are made if and only if the job is added; see `KeptStore`.
            delay: Seconds from now until it is due.

        Raises:
            StoreFullError: A bound would be exceeded.
            StoreError: It could not be stored, or there is one of this job_id; with `writes` also as
                `KeptStore.write_kept`.
        """

    def claim(self, owner: str, limit: int, lease: float, demand: Demand = ANY_JOB) -> list[Job]:
        """Take up to `limit` jobs that are due, in the order in which they became due.

        Jobs that the owner does not ask for are left to others, however long they wait, and cost this owner nothing.

        Args:
            owner: The name of the owner; no other process uses it.
            limit: How many at most; none when it is not positive.
            lease: Seconds from now for which nobody else can take them.
            demand: Which jobs the owner asks for.

        Returns:
            The jobs, each with this claim counted, with its age, and with the outcome that an earlier owner kept.

        Raises:
            StoreError: The journal failed; jobs that it may have taken are free again when the lease is over.
        """

    def begin(self, owner: str, job_id: str) -> bool:
        """Note that the job's ability begins to run, and count this attempt; durable when this returns.

        Returns:
            False when `owner` does not own the job; nothing was changed then.

        Raises:
            StoreError: It could not be noted.
        """

    def renew(self, owner: str, job_ids: Sequence[str], lease: float) -> set[str]:
        """Let the leases end `lease` seconds from now; return the ids of those that `owner` still owns.

        Raises:
            StoreError: The journal failed.
        """

    def excuse(self, owner: str, job_ids: Sequence[str]) -> None:
        """Keep running jobs of `owner` from coming back as suspects.

        Their process is about to end for another reason.

        Raises:
            StoreError: The journal failed.
        """

    def keep_outcome(self, owner: str, job_id: str, outcome: Outcome, writes: Sequence[KeptWrite] = ()) -> bool:
        """Keep the answer of the ability, which has ended. Durable when this returns. A later outcome replaces it.

        Args:
            owner: See `claim`.
            job_id: The job.
            outcome: The answer.
            writes: Changes of kept values, which are made if and only if the answer is kept; see `KeptStore`.

        Returns:
            False when `owner` does not own the job; nothing was changed then.

        Raises:
            StoreError: It could not be stored; with `writes` also as `KeptStore.write_kept`.
        """

    def keep_step(self, owner: str, job_id: str, name: str, text: str) -> bool:
        """Keep the result of a part of the job for its later attempts. Durable when this returns.

        A step lasts as long as the job. Bounds do not matter to it: the caller limits number and length.

        Returns:
            False when `owner` does not own the job; nothing was changed then.

        Raises:
            StoreError: It could not be stored.
        """

    def add_once(self, owner: str, job_id: str, name: str, new: Job, *, delay: float = 0.0) -> str | None:
        """Keep a new job, and its notify_id as a step of another job: both or none. Durable when this returns.

        Args:
            owner: See `claim`.
            job_id: The other job.
            name: The step. If it is there already, nothing is changed.
            new: See `add`.
            delay: See `add`.

        Returns:
            What the step has: the notify_id of the first job of this name; None when `owner` does not own the other
            job, and nothing was changed.

        Raises:
            StoreFullError: A bound would be exceeded.
            StoreError: They could not be stored.
        """

    def steps(self, job_id: str) -> dict[str, str]:
        """Return the texts that were kept for a job, by name.

        Raises:
            StoreError: The journal failed.
        """

    def postpone(self, owner: str, job_id: str, delay: float, *, counted: bool = True) -> bool:
        """Give the job back: it does not run any more, and is due again `delay` seconds from now.

        Args:
            owner: See `claim`.
            job_id: The job.
            delay: In seconds.
            counted: False takes back that its last `begin` was counted as an attempt.

        Returns:
            False when `owner` does not own the job; nothing was changed then.

        Raises:
            StoreError: The journal failed.
        """

    def replace_notify_id(self, owner: str, job: Job) -> bool:
        """Keep the `notify_id` and `id_made` of a notification in place of earlier ones; durable when this returns.

        From then on its data are fetched under this notify_id, and no longer under the other.

        Returns:
            False when `owner` does not own the job; nothing was changed then.

        Raises:
            StoreError: It could not be stored.
        """

    def finish_soon(self, owner: str, job_id: str, failed: Callable[[Exception], None]) -> None:
        """Remove the job with its steps, if `owner` owns it; a journal need not wait until that is durable.

        Args:
            owner: See `claim`.
            job_id: The job.
            failed: Called with the error when that failed after this has returned, on any thread. It raises nothing.

        Raises:
            StoreError: The journal failed.
        """

    def finish(self, owner: str, job_id: str, writes: Sequence[KeptWrite] = ()) -> bool:
        """Remove the job with its steps; durable when this returns.

        Args:
            owner: See `claim`.
            job_id: The job.
            writes: Changes of kept values, which are made if and only if the job is removed; see `KeptStore`.

        Returns:
            False when `owner` does not own the job; nothing was changed then.

        Raises:
            StoreError: The journal failed; with `writes` also as `KeptStore.write_kept`.
        """

    def has_job(self, job_id: str) -> bool:
        """Return whether there is a job of this id, with any owner or none.

        Raises:
            StoreError: The journal failed.
        """

    def unknown_names(self, known: frozenset[str]) -> dict[str, int]:
        """Return the names, as `claim` knows them, that are not `known`, and how many jobs of each nobody has.

        Raises:
            StoreError: The journal failed.
        """

    def unknown_jobs(self, known: frozenset[str], corpid: str, agentid: int, limit: int) -> list[FailedJob]:
        """Return those jobs of a corp and an app, at most `limit`; their failure is `NO_ABILITY`.

        Raises:
            StoreError: The journal failed.
        """

    def drop_unknown(self, known: frozenset[str], corpid: str, agentid: int, job_id: str) -> bool:
        """Remove one of those jobs, with its steps; durable when this returns.

        Returns:
            False when there is no such job; one that somebody has is none.

        Raises:
            StoreError: The journal failed.
        """

    def job_figures(self) -> JobFigures:
        """Return how many jobs there are, in which state, and how old the oldest is."""

    def oldest_jobs(self, limit: int) -> list[OldJob]:
        """Return the state of the oldest jobs, at most `limit`, the oldest first. Their claims do not change.

        Notifications are left out: they are old when their app is down.

        Raises:
            StoreError: The journal failed.
        """


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """How much `Store.forget` has removed."""

    events: int
    jobs: int
    """Those of the journal and those that failed for good."""
    kept: int
    """Values that the application kept."""
    replies: int
    """Claims and replies of calls that run once."""


class Store(NotifyStore, JobJournal, FailedJobs, OnceStore, KeptStore, Protocol):
    """All of these in one object: what `open_store` returns."""

    def check(self) -> None:
        """Return when the store can serve now. Cheap: it is called once a second.

        Raises:
            StoreError: It can't; the text says why, and how to fix it.
        """

    def forget(self, corpid: str) -> Forgotten:
        """Remove all that is stored for a corp, whatever the app; durable when this returns.

        A job of it that runs belongs to nobody any more: what it keeps or finishes changes nothing. An error may leave
        a part; then it is called again.

        Raises:
            StoreError: The store failed.
        """

    def fetch(self, corpid: str, agentid: int, notify_id: str, ttl: float) -> str | None:
        """Return the text of an event or the data of a notification; None when there is none.

        A notification has then come to its end: its job leaves, and its data are an event for `ttl` seconds. That is
        one change, which need not be made when this returns, and may be lost with the process or for want of room:
        then the notification is as if it was not fetched.

        Raises:
            StoreError: The store could not be read.
        """

    def put_with_job(self, job: Job, ttl: float, writes: Sequence[KeptWrite] = ()) -> None:
        """Keep an event and a new job that is about it: both or none; durable when this returns.

        The event's text is the job's `data`, its key the job's `corpid`, `agentid` and `notify_id`.

        Args:
            job: See `JobJournal.add`.
            ttl: Seconds for which the event is kept; see `NotifyStore.put`.
            writes: Changes of kept values, which are made if and only if the others are; see `KeptStore`.

        Raises:
            StoreFullError: A bound on events or on jobs would be exceeded.
            StoreError: They could not be stored, or there is a job of this job_id; with `writes` also as
                `KeptStore.write_kept`.
        """
