"""Decides when suspects run again: jobs that may have ended their process.

A suspect runs alone in its process, so that no other job ends with it again and again. Other jobs do not wait for long:
a suspect does not wait for jobs that hang, and they do not wait for a suspect that hangs. After each suspect the other
jobs get as much time as it took.

It knows neither threads nor the journal.
"""

from collections.abc import Callable, Iterable
from time import monotonic

from wwspec_router.jobs.threads import Run


class Suspects:
    """Decides for one process; used by one thread.

    Args:
        hangs: Returns whether a run takes longer than it should.
    """

    def __init__(self, hangs: Callable[[Run], bool]) -> None:
        self._hangs = hangs
        self._run: Run | None = None
        self._begun = False
        self._held_since = self._next = monotonic()

    @property
    def holds_others(self) -> bool:
        """Whether no other job may begin: a suspect runs, or waits until no other job runs."""
        return self._run is not None

    @property
    def wanted(self) -> bool:
        """Whether it is a suspect's turn."""
        return self._run is None and monotonic() >= self._next

    def hold(self, run: Run) -> None:
        """Hold a suspect until no other job runs."""
        self._run = run
        self._begun = False
        self._held_since = monotonic()

    def ready(self, others: Iterable[Run]) -> Run | None:
        """Return the suspect when it can begin: once, when every other job has ended or hangs."""
        run = self._run
        if run is None or self._begun or not all(each.is_over or self._hangs(each) for each in others):
            return None
        self._begun = True
        return run

    def release_others(self) -> None:
        """Let other jobs begin again when the suspect has ended, or hangs."""
        if self._run is not None and self._begun and (self._run.is_over or self._hangs(self._run)):
            self._run = None
            now = monotonic()
            self._next = now + (now - self._held_since)

    def withdraw(self) -> Run | None:
        """Return the suspect that waits, if any; it does not begin any more."""
        run = None if self._begun else self._run
        self._begun = True
        return run
