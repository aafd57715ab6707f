"""Decides which jobs may begin: how many of a name at once, and which run alone.

It knows neither threads nor the journal.
"""

from collections.abc import Callable, Iterable, Mapping
from time import monotonic

from wwspec_router.jobs.threads import Run
from wwspec_router.stores.job import Job


class Places:
    """The places of a process: how many events of one type it handles at once. Jobs without a limit need none.

    Further ones wait in the journal.

    Used by one thread.

    Args:
        names: The names of the jobs that the process takes; None for all.
        limits: How many jobs of a name run at once; each name is one of `names`.
    """

    def __init__(self, names: frozenset[str] | None, limits: Mapping[str, int]) -> None:
        self._unlimited = names if names is None else names.difference(limits)
        self._limits = limits
        self._occupied: dict[str, set[str]] = {name: set() for name in limits}
        self._turn = 0

    def demands(self, room: int) -> list[tuple[frozenset[str] | None, int]]:
        """Return what to claim: sets of names, each with the largest number of its jobs.

        They are claimed one set after the other, so that no job is claimed that would only wait. The first set may
        leave no room for the others, so the order changes with each call.

        Args:
            room: How many jobs can be claimed in all.
        """
        found: list[tuple[frozenset[str] | None, int]] = [(self._unlimited, room)]
        found += [
            (frozenset({name}), min(room, most - len(self._occupied[name]))) for name, most in self._limits.items()
        ]
        self._turn = (self._turn + 1) % len(found)
        return found[self._turn :] + found[: self._turn]

    def occupy(self, job: Job) -> None:
        """Give a job a place, if it needs one."""
        if job.name in self._occupied:
            self._occupied[job.name].add(job.job_id)

    def leave(self, job: Job) -> None:
        """Free the place of a job, if it has one."""
        if job.name in self._occupied:
            self._occupied[job.name].discard(job.job_id)


class Suspects:
    """Decides when suspects run again: jobs that may have ended their process. Used by one thread.

    A suspect runs alone in its process, so that no other job ends with it again and again. Other jobs do not wait for
    long: a suspect does not wait for jobs that hang, and they do not wait for a suspect that hangs. After each suspect
    the other jobs get as much time as it took.

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
