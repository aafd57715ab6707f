"""Limits how many events of one type a process handles at once, by its registry file. Further ones wait in the journal.

It knows neither threads nor the journal.
"""

from collections.abc import Mapping

from wwspec_router.stores.job import Job


class Places:
    """The places of a process. Jobs without a limit need none.

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
