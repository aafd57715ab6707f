"""Jobs: asynchronous calls and events that were accepted, claimed from the journal, run, and reported.

Each job is run at least once: if its process dies, another process begins the job again, alone, and the handler sees in
`ctx.attempt` that it is not the first time. The result is kept before it is reported. So, if the platform does not
accept the report, the report is sent again, for a day, and the ability does not run again. A result that can't be kept
is reported anyway, unless the run has changed kept values: these are stored with the result, or the job runs again.

The process that claimed a job renews its lease while the job runs. A renewal that fails is tried again with each tick,
so that a living process keeps its jobs. After an outage of the journal a process claims no job until the others have
had time to renew their leases.

This module knows which jobs this process has, and decides which may begin: how many of a name at once, and which run
alone. `executor` runs a job, and `threads` has the threads for it. `kernel.intake` accepts jobs.
"""

import logging
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from math import inf
from time import monotonic

from wwspec_contracts.errors import StoreError
from wwspec_contracts.support.rare_lines import LineLimiter
from wwspec_contracts.support.stacks import FramesOf, describe, thread_frames
from wwspec_router.jobs.executor import JobExecutor
from wwspec_router.jobs.retry import RUNS, Later
from wwspec_router.jobs.threads import JobThreads, Run
from wwspec_router.kernel.call_log import CallLog
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.logs.lines import about
from wwspec_router.monitoring.figures import Figures
from wwspec_router.sdk.base import Sdk
from wwspec_router.stores.base import Demand, Store
from wwspec_router.stores.job import Job

log = logging.getLogger(__name__)

LEASE = 30.0
"""Seconds for which a claimed job belongs to its process without a renewal."""
RENEW_EVERY = 1 / 3
"""Share of a lease after which it is renewed. After a failure each tick tries again, for which the rest is left."""
LOST_AFTER = 0.4
"""Share of a lease. When the journal was unreachable for longer, living processes may have lost their jobs."""
HOLD = 0.5
"""Share of a lease for which nothing is claimed after that, so that those processes can renew their leases first."""
POLL = 1.0
"""Longest time between two ticks, in seconds. A tick claims what other processes left behind, and renews leases."""
REPORT_WITHIN = 30.0
"""Seconds that a report may take. After that its thread is replaced, and another thread sends it again."""

_MARGIN = 0.01
"""Seconds; the clocks of stores are no more exact."""
_NO_LIMITS: Mapping[str, int] = {}

_STOP_WAIT = 0.5
"""Seconds that a stop waits for the journal to note which jobs it cuts off."""


class Jobs:
    """The jobs of one process.

    Args:
        journal: Keeps them; may be shared with other processes.
        sdk: Reports them.
        dispatcher: Runs their abilities.
        figures: Where they are counted.
        wake: Set by others when there may be a job to claim.
        threads: Jobs that run at once, apart from synchronous calls.
        hang_after: Seconds after which a job that still runs is logged, and its thread replaced.
        lease: Seconds for which a claimed job belongs to its process without a renewal.
        abilities: The names of the jobs that this process takes; None for all.
        limits: How many jobs of an event run at once, by name; each name is one of `abilities`.
        report_within: Seconds that a report may take.
        call_log: Where a line is written for each job that ends; None for none.
        retry_pause: Longest pause before an event's handler runs again after its first error, in seconds.
        frames_of: Returns where the code is that a thread runs or waits for, given its ident.
    """

    def __init__(
        self,
        journal: Store,
        sdk: Sdk,
        dispatcher: Dispatcher,
        figures: Figures,
        wake: threading.Event,
        threads: int,
        hang_after: float = 60.0,
        lease: float = LEASE,
        *,
        abilities: frozenset[str] | None = None,
        limits: Mapping[str, int] = _NO_LIMITS,
        report_within: float = REPORT_WITHIN,
        call_log: CallLog | None = None,
        retry_pause: float = RUNS.first,
        frames_of: FramesOf = thread_frames,
    ) -> None:
        self._journal = journal
        self._owner = secrets.token_hex(8)
        self._lease = lease
        self._poll = min(POLL, lease / 30)
        self._abilities = abilities
        self._places = Places(abilities, limits)
        runs = replace(RUNS, first=retry_pause)
        self._given_back = Later(journal, self._owner, figures, self._submit_later, self._wake_in, call_log, runs)
        self._executor = JobExecutor(sdk, dispatcher, self._given_back)
        number_of = (lambda reference: 0) if call_log is None else call_log.sdk.number_of
        execute = self._executor.execute
        self.threads = JobThreads(threads, hang_after, report_within, execute, wake.set, number_of, frames_of)
        """Those that the jobs run on."""
        self._suspects = Suspects(self.threads.hangs)
        self._running: dict[str, Run] = {}  # by job_id
        self._later: list[tuple[float, Run]] = []  # runs of jobs that the journal has lost, and when each is due
        self._later_lock = threading.Lock()
        self._next_due = inf  # of the jobs that were postponed here
        self._wake = wake
        self._wake.set()  # for jobs that an earlier process left behind
        self._stopping = False
        self._grace_over = False
        self._excused = threading.Event()
        self._worker: threading.Thread | None = None
        self._renewed = monotonic()
        self._failing = False
        self._limiter = LineLimiter()
        self._claim_from = self._renewed

    def start(self) -> None:
        """Start to claim and run jobs, also those that an earlier process left behind.

        Raises:
            RuntimeError: The system starts no thread.
        """
        self.threads.start()
        self._worker = threading.Thread(target=self._work, name="wwspec-jobs", daemon=True)
        self._worker.start()

    def stop(self, grace: float) -> int:
        """Begin no further job, wait up to `grace` seconds for those that run, and return how many are left.

        They stay in the journal; another process, or the next start, claims them when their leases are over.
        """
        self._stopping = self._given_back.is_stopping = True
        self._executor.stop()
        self._wake.set()
        if self._worker is not None:
            self._worker.join(grace)
        left = len(self._running)
        if left:
            self._grace_over = True
            self._wake.set()
            self._excused.wait(_STOP_WAIT)
        return left

    @property
    def running(self) -> int:
        """Jobs that this process has claimed and not finished."""
        return len(self._running)

    def _work(self) -> None:
        """Run tick after tick, on a thread of its own: the only one that claims."""
        while not self._stopping:
            self._tick(
                self._end_runs,
                self._log_late,
                self._replace_hanging,
                self._renew,
                self._let_suspect_begin,
                self._submit_due_reports,
                self._claim,
            )
        if (suspect := self._suspects.withdraw()) is not None:
            self.threads.submit(suspect)  # the executor gives it back
        self._submit_due_reports()
        self._wake.set()  # the grace may be over already
        while self._running:
            self._tick(self._end_runs, self._log_late, self._renew, self._excuse)
        self.threads.end()

    def _tick(self, *steps: Callable[[], None]) -> None:
        self._wake.wait(min(self._poll, max(0.0, self._next_due - monotonic()), self.threads.until_late()))
        self._wake.clear()
        if monotonic() >= self._next_due:
            self._next_due = inf
        for step in steps:
            try:
                step()
            except StoreError as error:
                self._fail("the journal of jobs failed: %s", str(error))
            except Exception as error:  # the next tick may succeed, and jobs must go on
                self._fail("a tick of the jobs failed: %s", describe(error))

    def _fail(self, message: str, what: str) -> None:
        """Note that a tick failed; each tick fails while the journal is away."""
        self._failing = True
        self._limiter.log(log, logging.ERROR, message, what)

    def _renew(self) -> None:
        """Renew the leases when it is time, and after a failure with every tick, until the journal answers again."""
        now = monotonic()  # before the renewal, so that no lease ends earlier than is counted from here
        if self._failing or (self._running and now - self._renewed > self._lease * RENEW_EVERY):
            self._journal.renew(self._owner, list(self._running), self._lease)
            back = monotonic()
            # The leases of other processes may have ended, too, while they could not renew them. The first that
            # claims would run their jobs a second time, so each waits until they have had time to renew.
            if self._failing and back - self._renewed > self._lease * LOST_AFTER:
                log.warning("the journal of jobs was out of reach; none is claimed for %.0f s", self._lease * HOLD)
                self._claim_from = back + self._lease * HOLD
        elif self._running:
            return
        self._renewed = now
        self._failing = False

    def _claim(self) -> None:
        if self._stopping or self._failing or monotonic() < self._claim_from:
            return
        room = 0 if self._suspects.holds_others else max(0, self.threads.free)
        if room:
            wanted = self._suspects.wanted
            if not self._claim_up_to(room, wanted) and not wanted and not self.threads.runs():
                self._claim_up_to(room, True)  # no other job needs its time first

    def _claim_up_to(self, limit: int, with_suspect: bool) -> int:
        """Claim jobs, of which one may be a suspect; return how many there were."""
        room = limit
        for names, most in self._places.demands(limit):
            if min(most, room) > 0:
                room -= self._claim_named(names, min(most, room), with_suspect and not self._suspects.holds_others)
        return limit - room

    def _claim_named(self, names: frozenset[str] | None, limit: int, with_suspect: bool) -> int:
        """Claim jobs of these names; return how many there were."""
        demand = Demand(known=names, suspects=int(with_suspect), begins=True)
        jobs = self._journal.claim(self._owner, limit, self._lease, demand)
        self._end_runs()  # one that ended meanwhile may be claimed again
        for job in jobs:
            before = self._running.get(job.job_id)
            if before is not None and not before.is_given_back:  # its lease ended while it ran here: it runs on
                continue
            run = self._running[job.job_id] = Run(job)
            self._places.occupy(job)
            if job.suspect and not job.unfetched and job.attempt < self._executor.most_runs(job):
                self._suspects.hold(run)
            else:
                self.threads.submit(run)
        return len(jobs)

    def _let_suspect_begin(self) -> None:
        self._suspects.release_others()
        if (run := self._suspects.ready(self.threads.runs())) is not None:
            self.threads.submit(run)

    def _log_late(self) -> None:
        """Log where the code of each job is whose time is over."""
        for run in self.threads.late():
            with about(self.threads.request(run.job)):
                self._executor.log_late(run)

    def _replace_hanging(self) -> None:
        """Replace threads that hang; give jobs whose time is over to other threads, which report them."""
        for run in self.threads.replace_hanging():
            if run.is_reporting and run.give_away(reporting=True):
                self._leave(run)
                self._given_back.report_again(run)
            elif not run.is_reporting and run.deadline.remaining == 0 and run.give_away(reporting=False):
                report = self._running[run.job.job_id] = self._executor.time_out(run)
                self.threads.submit(report)

    def _excuse(self) -> None:
        """Keep jobs that run longer than the grace from becoming suspects: it is not they that end the process."""
        if self._grace_over and not self._excused.is_set():
            try:
                self._journal.excuse(self._owner, list(self._running))
            finally:
                self._excused.set()

    def _end_runs(self) -> None:
        for run in self.threads.ended():
            self._leave(run)

    def _leave(self, run: Run) -> None:
        """Let a job not run here any more, unless another run has it already."""
        if self._running.get(run.job.job_id) is run:
            del self._running[run.job.job_id]
            self._places.leave(run.job)

    def _wake_in(self, delay: float) -> None:
        """Wake up when a job that was postponed here is due; at the latest with the next tick."""
        self._next_due = min(self._next_due, monotonic() + delay + _MARGIN)
        self._wake.set()

    def _submit_later(self, delay: float, run: Run) -> None:
        with self._later_lock:
            self._later.append((monotonic() + delay, run))

    def _submit_due_reports(self) -> None:
        """Send reports again of jobs that the journal has lost: those whose pause is over; before a stop, all."""
        now = monotonic()
        with self._later_lock:
            due = [run for when, run in self._later if when <= now or self._stopping]
            self._later = [each for each in self._later if each[1] not in due]
        for run in due:
            self._running[run.job.job_id] = run
            self.threads.submit(run)


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
