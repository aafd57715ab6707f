"""Asynchronous calls: accepted into a durable journal, run apart from synchronous ones, reported until heard.

A job is answered "accepted" only when the journal has it. It is run at least once: a job whose process died is begun
again by whoever finds it, alone, and a handler sees in `ctx.attempt` that it is not the first time. What the ability
answered is kept before it is reported, so a report that fails is sent again, for a day, without running the ability
again. What can't be kept is reported all the same.

Who claimed a job renews its lease while it runs. So that it stays with a process that lives, a renewal that fails is
tried again with each look, and who finds the journal back after an outage claims none until others could renew theirs.

Here is which jobs this process has, and since when. What is done with one is in `job_runner`, on what threads in
`job_threads`; `suspects` says when jobs run again of which a process may have died.
"""

import logging
import secrets
import threading
from collections.abc import Callable
from time import monotonic

from wwspec_router.envelope import Call
from wwspec_router.errors import CallError, StoreError
from wwspec_router.jobs.runs import MAX_RUNS, JobRunner, Kernel
from wwspec_router.jobs.suspects import Suspects
from wwspec_router.jobs.threads import JobThreads, Run
from wwspec_router.logs import short
from wwspec_router.monitoring.figures import Figures
from wwspec_router.sdk.base import Sdk
from wwspec_router.stacks import describe
from wwspec_router.stores.base import ORPHAN_AFTER, Job, JobJournal

__all__ = ["LEASE", "REPORT_WITHIN", "Jobs"]

log = logging.getLogger(__name__)

LEASE = 30.0
"""Seconds for which a claimed job belongs to its process without a sign of life."""
RENEW_EVERY = 1 / 3
"""Share of a lease after which it is renewed."""
LOST_AFTER = 0.4
"""Share of a lease for which the journal may be out of reach before processes that live may have lost their jobs."""
HOLD = 0.5
"""Share of a lease for which nothing is claimed then, so that those processes can renew theirs first."""
POLL = 1.0
"""Seconds between two looks for jobs that other processes left behind, and between two tries to renew leases."""
REPORT_WITHIN = 30.0
"""Seconds that a report may take. After that another thread sends it again, and the one that hangs is replaced."""

_STOP_WAIT = 0.5
"""Seconds that a stop waits for the journal to note that jobs are cut off by it."""

_ACCEPTED = '{"errcode":0,"errmsg":"ok"}'


class Jobs:
    """The jobs of one process.

    Args:
        journal: Keeps them; may be shared with other processes.
        sdk: Reports them.
        threads: Jobs that run at once, apart from synchronous calls.
        hang_after: Seconds after which a job that still runs is logged, and its thread replaced.
        lease: Seconds for which a claimed job belongs to its process without a sign of life.
        abilities: The ability IDs whose jobs this process takes; None for all.
        orphan_after: Seconds after which it takes one of another ability all the same, to report that it is unknown:
            when nobody who knows it has looked for jobs for so long.
        report_within: Seconds that a report may take.
    """

    def __init__(
        self,
        journal: JobJournal,
        sdk: Sdk,
        threads: int,
        hang_after: float = 60.0,
        lease: float = LEASE,
        *,
        abilities: frozenset[str] | None = None,
        orphan_after: float = ORPHAN_AFTER,
        report_within: float = REPORT_WITHIN,
    ) -> None:
        self._journal = journal
        self._sdk = sdk
        self._owner = secrets.token_hex(8)
        self._lease = lease
        self._poll = min(POLL, lease / 30)
        self._abilities = abilities
        self._orphan_after = orphan_after
        self._runner: JobRunner  # made by `start`, and used by nothing before
        self._threads = JobThreads(threads, hang_after, report_within, self._handle, self._put_down)
        self._suspects = Suspects(self._threads.hangs)
        self._running: set[str] = set()
        self._later: list[tuple[float, Run]] = []  # reports to be sent again of jobs that the journal has lost
        self._changed = threading.Condition()
        self._look = True  # at once for what an earlier process left behind
        self._stopping = False
        self._grace_over = False
        self._excused = threading.Event()
        self._keeper: threading.Thread | None = None
        self._renewed = monotonic()
        self._asked = 0.0
        self._failing = False
        self._claim_from = self._renewed

    def accept(self, call: Call) -> str:
        """Put an asynchronous call into the journal and return the reply's text; durable when this returns.

        Raises:
            CallError: It could not be stored.
        """
        job = Job(
            job_id=secrets.token_hex(16),
            corpid=call.corpid,
            agentid=call.agentid,
            ability_id=call.ability_id,
            job_info=call.job_info,
            data=call.data,
            notify_id=call.notify_id,
        )
        try:
            self._journal.add(job)
        except StoreError as error:
            raise CallError("the job could not be stored", detail=str(error)) from error
        log.debug("job %s of %s accepted", short(job.job_id), short(call.ability_id, 64))
        self._wake()
        return _ACCEPTED

    def start(self, kernel: Kernel, figures: Figures) -> None:
        """Begin to work, also on what an earlier process left behind.

        Args:
            kernel: Runs the calls.
            figures: Where jobs are counted.
        """
        self._runner = JobRunner(self._journal, self._owner, self._sdk, kernel, figures, self._submit_later)
        self._threads.start()
        self._keeper = threading.Thread(target=self._keep, name="wwspec-job-keeper", daemon=True)
        self._keeper.start()

    def stop(self, grace: float) -> int:
        """Begin no further job, wait up to `grace` seconds for those that run, and return how many are left.

        What is left stays in the journal; another process, or the next start, takes it up when its lease is over.
        """
        self._stopping = self._runner.is_stopping = True
        self._wake()
        deadline = monotonic() + grace
        self._threads.join(deadline)
        if self._keeper is not None:
            self._keeper.join(max(0.0, deadline - monotonic()))
        left = len(self._running)
        if left:
            self._grace_over = True
            self._wake()
            self._excused.wait(_STOP_WAIT)
        return left

    @property
    def running(self) -> int:
        """Jobs that this process has in hand."""
        return len(self._running)

    @property
    def replaced(self) -> int:
        """Threads that hang in a job, beside those that took their places."""
        return self._threads.replaced

    @property
    def exhausted(self) -> bool:
        """Whether every thread hangs for good, as many replacements included: nothing runs here any more.

        A thread hangs for good in a report that takes too long, in an ability whose timeout is over, and in one
        without a timeout after ten times `hang_after`.
        """
        return self._threads.exhausted

    def _wake(self) -> None:
        with self._changed:
            self._look = True
            self._changed.notify()

    def _keep(self) -> None:
        """Look after the jobs: a thread of its own, and the only one that claims."""
        while not self._stopping:
            self._turn(self._watch, self._renew, self._let_suspect_begin, self._report_again, self._claim)
        if (suspect := self._suspects.give_up()) is not None:
            self._threads.submit(suspect)  # which gives it back
        self._report_again()
        self._threads.stop()  # only now: behind these, nothing that is claimed would be taken up
        self._wake()  # the grace may be over already
        while self._running:
            self._turn(self._renew, self._excuse)

    def _turn(self, *steps: Callable[[], None]) -> None:
        with self._changed:
            if not self._look:
                self._changed.wait(self._poll)
            self._look = False
        for step in steps:
            try:
                step()
            except StoreError as error:
                self._failing = True
                log.error("the journal of jobs failed: %s", error)
            except Exception as error:  # jobs must go on being looked after, whatever it is
                self._failing = True
                log.error("looking after the jobs failed: %s", describe(error))

    def _renew(self) -> None:
        """Renew the leases when it is time, and after a failure with every turn, until the journal is there again."""
        now = monotonic()
        if self._failing or (self._running and now - self._renewed > self._lease * RENEW_EVERY):
            self._journal.renew(self._owner, list(self._running), self._lease)
            back = monotonic()
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
        room = 0 if self._suspects.holds_others else max(0, self._threads.free)
        if room:
            if not self._take(room, self._suspects.wanted) and not self._threads.runs():
                self._take(room, True)  # others have their time before the next suspect, but there are none
        elif monotonic() - self._asked > self._orphan_after / 8:
            self._take(0, False)  # so that others see that somebody knows these abilities

    def _take(self, limit: int, with_suspect: bool) -> int:
        """Claim jobs, of which one may be a suspect; return how many there were."""
        self._asked = monotonic()
        jobs = self._journal.claim(
            self._owner,
            limit,
            self._lease,
            known=self._abilities,
            orphan_after=self._orphan_after,
            suspects=int(with_suspect),
        )
        for job in jobs:
            if job.job_id in self._running:  # its lease was over while it ran here: it runs on
                continue
            self._running.add(job.job_id)
            if job.suspect and job.attempt < MAX_RUNS:
                self._suspects.take(Run(job))
            else:
                self._threads.submit(Run(job))
        return len(jobs)

    def _let_suspect_begin(self) -> None:
        self._suspects.look()
        if (run := self._suspects.ready(self._threads.runs())) is not None:
            self._threads.submit(run)

    def _watch(self) -> None:
        """Give jobs that hang, but whose time is over, to other threads."""
        for run in self._threads.replace_hanging():
            if run.is_reporting and run.give_away(reporting=True):
                self._running.discard(run.job.job_id)
                self._runner.report_again(run)
            elif not run.is_reporting and run.deadline.remaining == 0 and run.give_away(reporting=False):
                self._threads.submit(self._runner.time_out(run.job))

    def _excuse(self) -> None:
        """Let what runs longer than the grace be no suspect: the process is about to be ended for other reasons."""
        if self._grace_over and not self._excused.is_set():
            try:
                self._journal.excuse(self._owner, list(self._running))
            finally:
                self._excused.set()

    def _put_down(self, run: Run) -> None:
        if not run.is_given_away:
            self._running.discard(run.job.job_id)
        self._wake()

    def _handle(self, run: Run) -> None:
        self._runner.handle(run)

    def _submit_later(self, delay: float, run: Run) -> None:
        with self._changed:
            self._later.append((monotonic() + delay, run))

    def _report_again(self) -> None:
        """Send reports again of jobs that the journal has lost: those whose pause is over; all before a stop."""
        now = monotonic()
        with self._changed:
            due = [run for when, run in self._later if when <= now or self._stopping]
            self._later = [each for each in self._later if each[1] not in due]
        for run in due:
            self._running.add(run.job.job_id)
            self._threads.submit(run)
