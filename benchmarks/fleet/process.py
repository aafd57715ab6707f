"""A worker process of a simulated fleet: when it claims, renews and runs jobs, as `wwspec_router.jobs` does."""

from collections.abc import Iterable
from random import Random
from typing import Protocol

from benchmarks.fleet.parts import Costs, Load, Outcome, Step
from benchmarks.fleet.server import Redis, Then
from wwspec_router.jobs.runner import POLL, RENEW_EVERY
from wwspec_router.serving.readiness import ROUND

__all__ = ["Job", "Process", "Surroundings"]


class Job:
    """An asynchronous call in the journal."""

    __slots__ = ("accepted", "begun", "died", "lease_ends")

    def __init__(self, accepted: float) -> None:
        self.accepted = accepted
        self.begun = False
        self.lease_ends = 0.0
        self.died: float | None = None


class Surroundings(Protocol):
    """What a process needs of the simulation."""

    costs: Costs
    load: Load
    outcome: Outcome
    random: Random
    redis: Redis
    now: float
    lease: float
    job_threads: int
    """Of each process."""

    def at(self, delay: float, what: Then) -> None:
        """Do something later."""
        ...

    def claim(self, room: int, found: list[Job]) -> Step:
        """Put up to `room` jobs into `found`, of which one may have been begun before; return what the server does."""
        ...

    def leave_behind(self, jobs: Iterable[Job]) -> None:
        """Note that the owner of these jobs died."""
        ...

    def finish(self, job: Job) -> None:
        """Take a job out of the journal."""
        ...


class Process:
    """A worker process: one interpreter, threads for jobs, and a thread that claims."""

    def __init__(self, fleet: Surroundings) -> None:
        self._fleet = fleet
        self._free_at = 0.0
        self.alive = True
        self.jobs: list[Job] = []
        """Those that it has claimed and not finished."""
        self._alone: Job | None = None
        self._claims = False
        self._wanted = False
        self._ticks = 0
        self._renewed = fleet.now
        self._poll = min(POLL, fleet.lease / 30)
        self._poll_later(fleet.random.uniform(0, self._poll))
        fleet.at(fleet.random.uniform(0, ROUND), self._ping)

    def send(self, name: str, done: Then) -> None:
        """Let the server run a command. Its effect stays, also when this process dies before the answer."""
        step = self._fleet.costs.redis[name]
        self._fleet.redis.send(lambda: step, done)

    def work(self, seconds: float, then: Then, cut_off: Then = lambda: None) -> None:
        """Use the processor, after whatever came before; `cut_off` is called when the process died meanwhile."""
        fleet = self._fleet
        self._free_at = max(self._free_at, fleet.now) + seconds
        fleet.outcome.program_seconds += seconds
        fleet.at(self._free_at - fleet.now, lambda: then() if self.alive else cut_off())

    def wake(self) -> None:
        """Claim at once, or once more after the claim that is under way."""
        self._wanted = True
        if not self._claims and self.alive:
            self._tick()

    def _poll_later(self, delay: float) -> None:
        """Claim after that time, unless something else leads to a claim before."""
        ticks = self._ticks
        self._fleet.at(delay, lambda: self.wake() if self._ticks == ticks else None)

    def _ping(self) -> None:
        if self.alive:
            self.send("ping", lambda: None)
            self._fleet.at(ROUND, self._ping)

    def _tick(self) -> None:
        fleet = self._fleet
        self._claims, self._wanted = True, False
        self._ticks += 1
        self._poll_later(self._poll)
        if self.jobs and fleet.now - self._renewed > fleet.lease * RENEW_EVERY:
            self._renewed = fleet.now
            self.send("renew", self._renew)
        elif not self.jobs:
            self._renewed = fleet.now
        room = 0 if self._alone else fleet.job_threads - len(self.jobs)
        if room > 0:
            found: list[Job] = []
            fleet.redis.send(lambda: fleet.claim(room, found), lambda: self.on_claimed(found))
        else:
            self._claims = False

    def _renew(self) -> None:
        for job in self.jobs:
            job.lease_ends = self._fleet.now + self._fleet.lease

    def on_claimed(self, found: list[Job]) -> None:
        """Take the answer to a claim."""
        self._claims = False
        if not self.alive:
            self._fleet.leave_behind(found)
            return
        for job in found:
            self.jobs.append(job)
            if job.begun:
                self._alone = job
            else:
                self._begin(job)
        self._let_alone_begin()
        if self._wanted:
            self._tick()

    def _let_alone_begin(self) -> None:
        if self._alone is not None and self.jobs == [self._alone]:
            self._begin(self._alone)

    def _begin(self, job: Job) -> None:
        out, fleet = self._fleet.outcome, self._fleet
        if job.died is not None:
            out.taken_over.append(fleet.now - job.died)
            out.jobs_twice += job.begun
            job.died = None
        job.begun = True
        self.send("begin", lambda: fleet.at(fleet.load.job_seconds, lambda: self._end(job)) if self.alive else None)

    def _end(self, job: Job) -> None:
        if self.alive:
            share = self._fleet.costs.program["job"] / 2
            self.work(share, lambda: self.send("keep", lambda: self._finish(job)))

    def _finish(self, job: Job) -> None:
        if self.alive:  # else another process reports it again
            self.send("finish", lambda: self._on_finished(job))

    def _on_finished(self, job: Job) -> None:
        self._fleet.finish(job)
        self.jobs.remove(job)
        if self._alone is job:
            self._alone = None
        if self.alive:
            self._let_alone_begin()
            self.wake()

    def die(self) -> None:
        """End at once; jobs stay in the journal until their leases end."""
        self.alive = False
        self._fleet.leave_behind(self.jobs)
