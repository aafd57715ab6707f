"""One run of a job, as its code sees it beside the call: what it keeps, the leases that it holds, and its steps.

The executor of jobs makes one for each run, and stores what was written. A synchronous call has none.
"""

import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple, Protocol

from wwspec_contracts.backoff import Backoff
from wwspec_contracts.errors import CallError, PostponedError, StoreError
from wwspec_router.handlers.kept import KeptWrites
from wwspec_router.handlers.steps import Steps
from wwspec_router.stores.base import JobJournal
from wwspec_router.stores.kept import KeptWrite
from wwspec_router.stores.once import OnceClaim

AWAY = Backoff(first=0.5, longest=5.0, jitter=0.5)
"""The pauses of a job while the store can't keep its lease."""


class Leases(Protocol):
    """Holds keys that only one run has at a time, in all processes that share the store."""

    def acquire(self, claim: OnceClaim) -> bool:
        """Hold a key, and renew the claim until `release`; return False when another has it.

        Raises:
            StoreError: The store failed.
        """

    def release(self, claim: OnceClaim) -> None:
        """Free a key."""

    def is_lost(self, claim: OnceClaim) -> bool:
        """Return whether another claim has taken the key meanwhile."""


class Postponement(NamedTuple):
    """Why a job can't run now, and how long it waits."""

    reason: str
    pauses: Backoff


class JobRun:
    """One run of a job.

    Args:
        journal: Has the job.
        owner: The name under which it was claimed.
        job_id: The job.
        age: Seconds since its acceptance.
        leases: Where the run's leases come from.
    """

    def __init__(self, journal: JobJournal, owner: str, job_id: str, age: float, leases: Leases) -> None:
        self.age = age
        self.kept: KeptWrites | None = None
        """What it reads and writes; None until its code does so."""
        self.postponed: Postponement | None = None
        """Set when the job is to run later; then the result of this run does not count."""
        self._job = journal, owner, job_id
        self._leases = leases
        self._claims: dict[str, OnceClaim] = {}
        self._on_end: list[Callable[[bool], None]] = []
        self._lock = threading.Lock()
        self._is_over = False

    @cached_property
    def steps(self) -> Steps:
        """The parts whose results are kept."""
        return Steps(*self._job)

    def postpone(self, reason: str, pauses: Backoff) -> PostponedError:
        """Let the job run later; return the error that ends this run."""
        self.postponed = Postponement(reason, pauses)
        return PostponedError(f"the job runs later: {reason}")

    def lease(self, claim: OnceClaim, reason: str, pauses: Backoff) -> None:
        """Hold a key until the end of the run.

        Raises:
            PostponedError: Another run holds it, or the store failed, which is no failure of the handler.
            CallError: The run is over.
        """
        with self._lock:
            if self._is_over:
                raise CallError("the call is over")
            if claim.key in self._claims:
                return
            try:
                is_taken = self._leases.acquire(claim)
            except StoreError as error:
                raise self.postpone(f"a lease could not be stored: {error}", AWAY) from error
            if not is_taken:
                raise self.postpone(reason, pauses)
            self._claims[claim.key] = claim

    def end_writes(self) -> Sequence[KeptWrite]:
        """Return the changes of kept values. None can be noted after that."""
        return () if self.kept is None else self.kept.end()

    @property
    def has_lost_lease(self) -> bool:
        """Whether another run has taken a key that this one holds."""
        return any(self._leases.is_lost(claim) for claim in self._claims.values())

    def on_end(self, function: Callable[[bool], None]) -> None:
        """Call a function at the end of the run, or at once after it, with whether what it wrote is stored."""
        with self._lock:
            if not self._is_over:
                self._on_end.append(function)
                return
        function(False)

    def end(self, *, stored: bool) -> None:
        """End the run; a second time does nothing."""
        with self._lock:
            if self._is_over:
                return
            self._is_over = True
        for function in self._on_end:
            function(stored)
        for claim in self._claims.values():
            self._leases.release(claim)
