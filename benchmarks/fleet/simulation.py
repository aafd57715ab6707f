"""Simulates many instances of a program on one Redis server: a discrete-event simulation, with measured times.

Simulated are the server's queue, the ticks that claim jobs, leases, renewals and deaths. What happens inside of a step
is one number, its measured time (`Costs`). So the result says what many instances add up to, and not what a network
between the machines costs, nor what a slower machine takes. The same seed gives the same run.
"""

import heapq
import random
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable
from itertools import accumulate, count

from benchmarks.fleet.parts import CLAIM, Costs, Load, Outcome, Step, zipf
from benchmarks.fleet.process import Job, Process
from benchmarks.fleet.server import Redis, Then
from wwspec_router.jobs.runner import LEASE
from wwspec_router.stores.base import StoreLimits

__all__ = ["Fleet"]

JOB_THREADS = 8
"""As `--job-threads` is by default."""
LIMITS = StoreLimits()


class Fleet:
    """Instances of a program, each with one worker process, and their Redis server.

    Args:
        costs: Measured times.
        load: What arrives.
        instances: How many there are.
        lease: Seconds of a job's lease without a renewal.
        job_threads: Jobs that a process runs at once.
        ttl: Seconds for which an event is kept.
        max_events: Events that the store takes.
        seed: Of all random choices.
    """

    def __init__(
        self,
        costs: Costs,
        load: Load,
        *,
        instances: int = 100,
        lease: float = LEASE,
        job_threads: int = JOB_THREADS,
        ttl: float = 1200.0,
        max_events: int = LIMITS.max_rows,
        seed: int = 1,
    ) -> None:
        self.costs, self.load = costs, load
        self.lease, self.job_threads, self._ttl, self._max_events = lease, job_threads, ttl, max_events
        self.random = random.Random(seed)  # noqa: S311 - a simulation
        self.now = 0.0
        self._instances = instances
        self._heap: list[tuple[float, int, Then]] = []
        self._numbers = count()
        self.outcome = Outcome(seconds=0.0, by_corp=[0] * load.corps)
        self.redis = Redis(self)
        self._due: deque[Job] = deque()
        self._left_behind: list[Job] = []
        self._kept: deque[float] = deque()
        self._shares = list(accumulate(zipf(load.corps, load.skew)))
        self._processes = [Process(self) for _ in range(instances)]

    def at(self, delay: float, what: Then) -> None:
        """Do something later."""
        heapq.heappush(self._heap, (self.now + delay, next(self._numbers), what))

    def play(self, seconds: float) -> Outcome:
        """Simulate so many seconds, and return what they came to."""
        load = self.load
        self._arrive(load.events, self._event)
        self._arrive(load.jobs, self._job)
        self._arrive(load.deaths, self._death)
        for _ in range(load.burst):
            self.at(load.burst_at + self.random.random(), lambda: self._event(corp=0))
        if load.death_at is not None:
            self.at(load.death_at, lambda: self._kill(back=False))
        while self._heap and self._heap[0][0] <= seconds:
            self.now, _, what = heapq.heappop(self._heap)
            what()
        self.outcome.seconds = seconds
        self.outcome.redis_seconds += self.costs.server_idle * seconds
        self.outcome.program_seconds += self.costs.program["idle"] * self._instances * seconds
        return self.outcome

    def claim(self, room: int, found: list[Job]) -> Step:
        """Put up to `room` jobs into `found`, of which one may have been begun before; return what the server does."""
        self.outcome.claims += 1
        left = [job for job in self._left_behind if job.lease_ends <= self.now]
        for job in sorted(left, key=lambda each: each.lease_ends):
            if len(found) < room and not (job.begun and any(each.begun for each in found)):
                found.append(job)
                self._left_behind.remove(job)
        while self._due and len(found) < room:
            found.append(self._due.popleft())
        for job in found:
            job.lease_ends = self.now + self.lease
        base, each = self.costs.redis[CLAIM], self.costs.claimed
        return Step(
            base.seconds + each.seconds * len(found), base.run + each.run * len(found), base.writes or bool(found)
        )

    def leave_behind(self, jobs: Iterable[Job]) -> None:
        """Note that the owner of these jobs died. They are free when their leases end."""
        for job in jobs:
            job.died = self.now
            self._left_behind.append(job)

    def finish(self, job: Job) -> None:
        """Take a job out of the journal."""
        if job in self._left_behind:  # its owner died before the answer
            self._left_behind.remove(job)
        self.outcome.jobs.append(self.now - job.accepted)

    def _arrive(self, rate: float, what: Then) -> None:
        if rate > 0:

            def one() -> None:
                what()
                self.at(self.random.expovariate(rate), one)

            self.at(self.random.expovariate(rate), one)

    def _any_process(self) -> Process | None:
        return self.random.choice(self._processes) if self._processes else None

    def _event(self, corp: int | None = None) -> None:
        out, begun, process = self.outcome, self.now, self._any_process()
        if process is None:
            return
        if corp is None:
            corp = min(bisect_left(self._shares, self.random.random()), self.load.corps - 1)
        out.by_corp[corp] += 1

        def put() -> None:
            while self._kept and self._kept[0] <= self.now:
                self._kept.popleft()
            if len(self._kept) >= self._max_events:
                out.refused += 1
                out.full_at = self.now if out.full_at is None else out.full_at
                return
            self._kept.append(self.now + self._ttl)
            out.stored = max(out.stored, len(self._kept))
            if not process.alive:
                out.cut_off += 1
                return
            out.events.append(self.now - begun)
            if self.load.fetch_after >= 0:
                self.at(self.random.uniform(0, 2 * self.load.fetch_after), self._fetch)

        process.work(self.costs.program["event"], lambda: process.send("put", put), self._cut_off)

    def _cut_off(self) -> None:
        self.outcome.cut_off += 1

    def _fetch(self) -> None:
        begun, process = self.now, self._any_process()
        if process is not None:
            read = lambda: self.outcome.fetches.append(self.now - begun)  # noqa: E731
            process.work(self.costs.program["fetch"], lambda: process.send("get", read))

    def _job(self) -> None:
        process = self._any_process()
        if process is None:
            return

        def added() -> None:
            self._due.append(Job(self.now))
            self.outcome.jobs_accepted += 1
            if process.alive:
                process.wake()
            else:
                self.outcome.cut_off += 1

        process.work(self.costs.program["job"] / 2, lambda: process.send("add", added), self._cut_off)

    def _death(self) -> None:
        self._kill(back=True)

    def _kill(self, *, back: bool) -> None:
        process = self._any_process()
        if process is None:
            return
        process.die()
        self._processes.remove(process)
        if back:
            self.at(self.load.down, lambda: self._processes.append(Process(self)))
