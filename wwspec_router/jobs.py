"""Asynchronous calls: accepted into a durable journal, run apart from synchronous ones, reported until heard.

A job is answered "accepted" only when the journal has it. It is run at least once: a job whose process died is begun
again by whoever finds it, and a handler sees in `ctx.attempt` that it is not the first time. What the ability answered
is kept before it is reported, so a report that fails is sent again, for a day, without running the ability again.

Who claimed a job renews its lease while it runs. So that it stays with a process that lives, a renewal that fails is
tried again with each look, and who finds the journal back after an outage claims none until others could renew theirs.

It knows neither HTTP nor how abilities answer: the kernel runs a call, `reports` tells the platform.
"""

import logging
import random
import secrets
import threading
from collections.abc import Callable
from queue import SimpleQueue
from time import monotonic
from typing import Protocol

from wwspec_router.context import Deadline
from wwspec_router.envelope import Call, CallType, Reply
from wwspec_router.errors import CallError, HandlerTimeoutError, StoreError
from wwspec_router.figures import Figures
from wwspec_router.logs import current_request, describe, describe_thread, short
from wwspec_router.reports import Reporter, Verdict
from wwspec_router.sdk.base import Sdk
from wwspec_router.stores.base import Job, JobJournal, Outcome
from wwspec_router.stores.entry import storable_outcome

__all__ = ["GIVE_UP_AFTER", "LEASE", "MAX_RUNS", "Jobs", "Kernel"]

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
MAX_RUNS = 5
"""How often a job is begun that never comes to an end, as one does that kills its process."""
GIVE_UP_AFTER = 86_400.0
"""Seconds after its acceptance from which a job is given up when its report is not heard once more: a day."""
MAX_DELAY = 60.0
"""Longest pause between two reports of one job, in seconds."""

_ACCEPTED = '{"errcode":0,"errmsg":"ok"}'


class Kernel(Protocol):
    """What runs the calls."""

    def deadline(self, call: Call, since: float) -> Deadline:
        """Return when a call must be answered that is begun at `since`, in seconds of `time.monotonic()`."""
        ...

    def run_job(self, call: Call, deadline: Deadline) -> Reply:
        """Answer an asynchronous call that was accepted before. Blocks. Never raises."""
        ...

    def refusal(self, error: CallError) -> Reply:
        """Return the reply that tells the app of an error."""
        ...


class _Run:
    """A job in the hands of this process.

    Args:
        job: As it was claimed.
        outcome: What is to be told of it, though its ability has not answered.
    """

    __slots__ = ("answered", "deadline", "is_reported", "job", "outcome", "since", "written_off")

    def __init__(self, job: Job, outcome: Outcome | None = None) -> None:
        self.job = job
        self.outcome = outcome
        self.since = 0.0
        self.deadline = Deadline()
        self.is_reported = False
        """Whether a log line has said that it hangs."""
        self.answered = False
        self.written_off = False
        """Whether another run has its job now: its time was over and its thread did not come back."""


class Jobs:
    """The jobs of one process.

    Args:
        journal: Keeps them; may be shared with other processes.
        sdk: Reports them.
        threads: Jobs that run at once, apart from synchronous calls.
        hang_after: Seconds after which a job that still runs is logged, and its thread replaced.
        lease: Seconds for which a claimed job belongs to its process without a sign of life.
    """

    def __init__(
        self, journal: JobJournal, sdk: Sdk, threads: int, hang_after: float = 60.0, lease: float = LEASE
    ) -> None:
        self._journal = journal
        self._reporter = Reporter(sdk)
        self._owner = secrets.token_hex(8)
        self._size = threads
        self._lease = lease
        self._poll = min(POLL, lease / 30)
        self._kernel: Kernel  # these two are given by `start`, and used by nothing before
        self._figures: Figures
        self._claimed: SimpleQueue[_Run | None] = SimpleQueue()
        self._running: set[str] = set()
        self._hang_after = hang_after
        self._begun: dict[int, _Run] = {}
        self._lost: set[int] = set()
        self._named = 0
        self._changed = threading.Condition()
        self._look = True  # at once for what an earlier process left behind
        self._stopping = False
        self._threads: list[threading.Thread] = []
        self._renewed = monotonic()
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
        self._kernel = kernel
        self._figures = figures
        for _ in range(self._size):
            self._start_thread()
        keeper = threading.Thread(target=self._keep, name="wwspec-job-keeper", daemon=True)
        self._threads.append(keeper)
        keeper.start()

    def stop(self, grace: float) -> int:
        """Begin no further job, wait up to `grace` seconds for those that run, and return how many are left.

        What is left stays in the journal; another process, or the next start, takes it up when its lease is over.
        """
        self._stopping = True
        self._wake()
        deadline = monotonic() + grace
        for thread in list(self._threads):
            thread.join(max(0.0, deadline - monotonic()))
        return len(self._running)

    @property
    def running(self) -> int:
        """Jobs that this process has in hand."""
        return len(self._running)

    @property
    def replaced(self) -> int:
        """Threads that hang in a job, beside those that took their places."""
        return len(self._lost)

    @property
    def exhausted(self) -> bool:
        """Whether every thread hangs in a job and none can be added."""
        hanging = sum(run.is_reported for run in list(self._begun.values()))
        return len(self._lost) >= self._size and hanging >= 2 * self._size

    def _start_thread(self) -> None:
        self._named += 1
        thread = threading.Thread(target=self._work, name=f"wwspec-job-{self._named}", daemon=True)
        thread.start()
        self._threads.append(thread)

    def _wake(self) -> None:
        with self._changed:
            self._look = True
            self._changed.notify()

    def _keep(self) -> None:
        """Look after the jobs: a thread of its own, and the only one that claims."""
        while not self._stopping:
            self._turn(self._watch_hanging, self._renew, self._claim)
        for _ in range(self._named):  # only now: behind these, nothing that is claimed would be taken up
            self._claimed.put(None)
        while self._running:
            self._turn(self._renew)

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
        written_off = sum(run.written_off for run in list(self._begun.values()))  # on lost threads, not in _running
        free = self._size + len(self._lost) - written_off - len(self._running)
        if free <= 0 or self._stopping or self._failing or monotonic() < self._claim_from:
            return
        for job in self._journal.claim(self._owner, free, self._lease):
            if job.job_id not in self._running:  # else its lease was over while it ran here: it runs on
                self._running.add(job.job_id)
                self._claimed.put(_Run(job))

    def _watch_hanging(self) -> None:
        now = monotonic()
        for ident, run in list(self._begun.items()):
            if now - run.since > self._hang_after:
                if ident not in self._lost:
                    self._replace(ident, run, now - run.since)
                if ident in self._lost and run.deadline.remaining == 0:
                    self._write_off(run)

    def _replace(self, ident: int, run: _Run, seconds: float) -> None:
        """Start a thread in the place of one that hangs, for as many as there are threads; log it once."""
        has_room = len(self._lost) < self._size
        if not run.is_reported:
            run.is_reported = True
            fate = "another thread takes its place" if has_room else "no thread takes its place, too many hang already"
            log.error("a job has been running for %.0f s, %s; it is at %s", seconds, fate, describe_thread(ident))
        if has_room:
            self._start_thread()
            self._lost.add(ident)

    def _write_off(self, run: _Run) -> None:
        """Let another thread tell that a job ran out of time: its own may never come back."""
        with self._changed:
            if run.answered or run.written_off:
                return
            run.written_off = True
        self._claimed.put(_Run(run.job, self._error(HandlerTimeoutError("the ability took longer than its timeout"))))

    def _work(self) -> None:
        ident = threading.get_ident()
        while ident not in self._lost and (run := self._claimed.get()) is not None:
            job_id = run.job.job_id
            current_request.set(f"job-{short(job_id)}")
            run.since = monotonic()
            self._begun[ident] = run
            try:
                if self._stopping and run.outcome is None:  # not begun: it is free at once for who comes next
                    self._journal.postpone(self._owner, job_id, 0.0)
                else:
                    self._handle(run)
            except StoreError as error:  # its lease will be over, and it is tried again
                log.error("job %s: %s", short(job_id), error)
            except BaseException as error:  # whatever it is, it must not end the thread
                log.error("job %s failed: %s", short(job_id), describe(error))
            finally:
                self._put_down(ident, run)
        self._lost.discard(ident)

    def _put_down(self, ident: int, run: _Run) -> None:
        self._answered(run)
        del self._begun[ident]
        if not run.written_off:
            self._running.discard(run.job.job_id)
        self._wake()

    def _answered(self, run: _Run) -> None:
        """Note that a run came back, so that it is not written off any more."""
        with self._changed:
            run.answered = True

    def _handle(self, run: _Run) -> None:
        job = run.job
        outcome = job.outcome
        if outcome is None:
            outcome = run.outcome or self._outcome(run)
            if run.written_off:
                log.warning("job %s came to an end after its time-out was reported", short(job.job_id))
                return
            if not self._journal.keep_outcome(self._owner, job.job_id, outcome):
                log.warning("job %s was taken over by another process", short(job.job_id))
                return
            self._figures.count_job(outcome.errcode)
        self._report(job, outcome)

    def _outcome(self, run: _Run) -> Outcome:
        """Run a job's ability, and return what is to be told of it."""
        job = run.job
        if job.attempt > MAX_RUNS:
            log.error("job %s of %s ended none of its %d runs", short(job.job_id), short(job.ability_id, 64), MAX_RUNS)
            return self._error(CallError(f"the ability was begun {MAX_RUNS} times and came to no end"))
        call = Call(
            corpid=job.corpid,
            agentid=job.agentid,
            call_type=CallType.APP,
            ability_id=job.ability_id,
            data=job.data,
            notify_id=job.notify_id,
            is_async=True,
            job_info=job.job_info,
            attempt=job.attempt,
        )
        run.deadline = self._kernel.deadline(call, run.since)
        reply = self._kernel.run_job(call, run.deadline)
        self._answered(run)
        outcome = Outcome(errcode=reply.errcode, result=reply.text)
        try:
            storable_outcome(outcome)
        except StoreError as error:  # it would be run again and again, and never be told
            log.error("job %s of %s: its %s", short(job.job_id), short(job.ability_id, 64), error)
            return self._error(CallError("internal error of the program"))
        return outcome

    def _error(self, error: CallError) -> Outcome:
        reply = self._kernel.refusal(error)
        return Outcome(errcode=reply.errcode, result=reply.text)

    def _report(self, job: Job, outcome: Outcome) -> None:
        verdict = self._reporter.tell(job, outcome)
        if verdict is Verdict.UNHEARD and job.age < GIVE_UP_AFTER:
            delay = min(MAX_DELAY, 0.5 * 2.0 ** min(job.attempt, 10)) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
            self._journal.postpone(self._owner, job.job_id, delay)
            return
        if verdict is Verdict.UNHEARD:
            log.error("job %s given up: %.0f s after its acceptance, no report was heard", short(job.job_id), job.age)
        if verdict is not Verdict.DONE:
            self._figures.count_job_given_up()
        self._journal.finish(self._owner, job.job_id)
