"""Runs a job on its thread: the ability runs, and the outcome is kept and reported.

The job of an event differs: its handler runs again after an error, and instead of a report the app is notified of the
event, if it was not notified before. A notification has no ability: `notifications` repeats it. This module knows
neither threads, nor which jobs there are.
"""

import logging
from functools import partial

import msgspec
from msgspec.structs import replace

from wwspec_contracts.call_type import CallType
from wwspec_contracts.errors import CallError, CrashError, KeptConflictError, StoreError
from wwspec_contracts.support.printable import short
from wwspec_contracts.support.rare_lines import LineLimiter
from wwspec_contracts.support.stacks import class_of
from wwspec_router.envelope import Call, Deadline, Reply
from wwspec_router.handlers.run import JobRun, Postponement
from wwspec_router.jobs.notifications import Notifications
from wwspec_router.jobs.reports import Verdict, report
from wwspec_router.jobs.retry import Later
from wwspec_router.jobs.threads import Run
from wwspec_router.kernel.dispatch import Dispatcher, Route
from wwspec_router.kernel.intake import log_not_notified
from wwspec_router.logs.formats import Fields
from wwspec_router.monitoring.figures import EventCounts, JobCounts
from wwspec_router.sdk.base import Sdk
from wwspec_router.stores.checks import storable_outcome
from wwspec_router.stores.failed import Failure
from wwspec_router.stores.job import Job, Outcome

log = logging.getLogger(__name__)

MAX_RUNS = 5
"""How often a job is begun at most if it never ends, for example because it kills its process. The journal counts
failed runs of an event's handler too, so the retries of an event are added."""
GIVE_UP_AFTER = 86_400.0
"""Seconds after its acceptance; a job whose report fails later than that is given up: a day."""

NEVER_ENDED = "ended none of its runs"
HANDLER_FAILED = "handler failed"
"""The class of the error is not known: another process ran the handler, or the app had to be notified again."""
NOT_STORED = "kept values not stored"
NOT_NOTIFIED = "app not notified"
NOT_REPORTED = "report not accepted"
REFUSED = "report refused"
"""What is said of a job that is set aside, where no class of an error says it."""


class JobExecutor(msgspec.Struct, eq=False, dict=True):
    """Runs jobs, from their begin to their report."""

    sdk: Sdk
    """Reports them."""
    dispatcher: Dispatcher
    """Runs their abilities."""
    later: Later
    """Gives back what is to run or to be reported again; has their journal and their figures."""

    def __post_init__(self) -> None:
        self._limiter = LineLimiter()
        self._notifications = Notifications(self.dispatcher.events, self.later)
        self._is_stopping = False

    def stop(self) -> None:
        """Let no further ability begin."""
        self._is_stopping = True

    def execute(self, run: Run) -> None:
        """Run a job's ability, unless there is an outcome already; keep the outcome, and report it. Blocks.

        Raises:
            StoreError: The journal failed; the job is tried again when its lease is over.
        """
        try:
            self._execute(run)
        finally:
            run.end_work(stored=False)

    def _execute(self, run: Run) -> None:
        job, run.job = run.job, _to_run(run)
        run.is_retried = job is not run.job
        job = run.job
        if self._is_stopping and run.outcome is None and not run.is_gone:
            # not begun: another process can claim it at once
            self.later.journal.postpone(self.later.owner, job.job_id, 0.0, counted=not job.begun)
            return
        if job.unfetched:
            self._notifications.notify_again(run)
            return
        outcome = job.outcome
        if outcome is None:
            outcome = run.outcome or self._outcome(run)
            if outcome is not None and job.event_type and job.notify != "after":
                self._finish_event(run, outcome)
                return
            outcome = outcome and self._keep_outcome(run, outcome)
            if outcome is None:
                return
            self._count(job, outcome)
        run.outcome = outcome
        self._report(run, outcome)

    def _outcome(self, run: Run) -> Outcome | None:
        """Run a job's ability, and return the outcome to report; None when this run has nothing to report."""
        job = run.job
        route = self.dispatcher.job_route(job.name)
        if job.attempt >= self.most_runs(job):
            log.error("job %s of %s ended none of its %d runs", short(job.job_id), short(job.name, 64), job.attempt)
            run.error = NEVER_ENDED
            return self._error(CrashError(f"the ability was begun {job.attempt} times and never ended"))
        if not self._begin(run):
            return None
        run.deadline = route.deadline(run.since)
        run.work = work = JobRun(self.later.journal, self.later.owner, job.job_id, run.age, self.dispatcher.leases)
        reply = self._answer(_call_of(job, work), job, route, run.deadline)
        run.error = reply.error
        if not run.end():
            log.warning("job %s ended after its timeout was reported", short(job.job_id))
            return None
        if work.postponed is not None:
            return self._run_later(run, work.postponed)
        if job.event_type and reply.errcode and job.attempt < route.retries:
            self.later.run_again(run, route.retries)
            return None
        if self.later.call_log is not None:
            self.later.call_log.end_run(job.attempt + 1, route.retries + 1 if job.event_type else None)
        outcome = Outcome(errcode=reply.errcode, result=reply.text)
        try:
            storable_outcome(outcome)
        except StoreError as error:  # else it would run again and again, and never be reported
            log.error("job %s of %s: its %s", short(job.job_id), short(job.name, 64), error)
            run.error = class_of(error)
            return self._error(CrashError())
        if not reply.errcode:
            run.writes = work.end_writes()
        return outcome

    def _answer(self, call: Call, job: Job, route: Route, deadline: Deadline) -> Reply:
        answer, call_log = self.dispatcher.answer, self.later.call_log
        if call_log is None:
            return answer(call, route, deadline)
        return call_log.answer_job(answer, call, route, deadline, job.reference)

    def most_runs(self, job: Job) -> int:
        """Return how often a job is begun at most; failed runs of an event's handler do not count for this."""
        return MAX_RUNS + self.dispatcher.job_route(job.name).retries

    def log_late(self, run: Run) -> None:
        """Log where the code of a job is whose time is over."""
        run.deadline.is_logged = True
        error = run.deadline.error().with_traceback(run.deadline.place)
        self.dispatcher.report(_call_of(run.job), self.dispatcher.job_route(run.job.name), error)

    def time_out(self, late: Run) -> Run:
        """Return a run that reports that a job ran out of time."""
        error = late.deadline.error().with_traceback(late.deadline.place)
        run = Run(late.job, outcome := self._error(error))
        run.error = class_of(error)
        if self.later.call_log is not None:
            route, attempt = self.dispatcher.job_route(late.job.name), late.job.attempt + 1
            reply = Reply(outcome.result, outcome.errcode)
            attempts = route.retries + 1 if late.job.event_type else None
            self.later.call_log.time_out(late.job.reference, reply, error, route.label, attempt, attempts)
        return run

    def _error(self, error: CallError) -> Outcome:
        reply = self.dispatcher.refusal(error)
        return Outcome(errcode=reply.errcode, result=reply.text)

    def _begin(self, run: Run) -> bool:
        """Note in the journal that a job runs, unless its claim did; return False when another process has it."""
        return (
            run.job.begun
            or self.later.journal.begin(self.later.owner, run.job.job_id)
            or self.later.note_lost(run, "it is run anyway")
        )

    def _keep_outcome(self, run: Run, outcome: Outcome) -> Outcome | None:
        """Keep the outcome of a job, and what it wrote; return what to report, or None when the job is not over."""
        try:
            self._check_leases(run)
            is_kept = self.later.journal.keep_outcome(self.later.owner, run.job.job_id, outcome, run.writes)
        except StoreError as error:
            if run.writes:
                final = self._run_unstored(run, error)
                return final and self._keep_outcome(run, final)
            log.error("job %s: its result is not kept, and reported anyway: %s", short(run.job.job_id), error)
            is_kept = True
        if not is_kept:
            if not self.later.note_lost(run, "its result is reported anyway"):
                return None
            if run.writes:
                return self._drop_writes(run)
        run.writes = ()
        run.end_work(stored=True)
        return outcome

    def _finish_event(self, run: Run, outcome: Outcome) -> None:
        """End the job of an event of which the app is not notified any more, and store what it wrote."""
        job = run.job
        try:
            self._check_leases(run)
            if not run.is_gone and not self._end(run, outcome, Verdict.DONE):
                if not self.later.note_lost(run, "it is not run again"):
                    return
        except StoreError as error:
            if not run.writes:
                raise
            if self.later.journal.has_job(job.job_id):
                if final := self._run_unstored(run, error):
                    self._finish_event(run, final)
                return
        if run.is_gone and run.writes:
            outcome = self._drop_writes(run)
        run.end_work(stored=True)
        self._count(job, outcome)
        self._log_end(run, outcome, Verdict.DONE)

    def _check_leases(self, run: Run) -> None:
        """Refuse to store what a run wrote that has lost a lease.

        Raises:
            KeptConflictError: It has.
        """
        if run.writes and run.work is not None and run.work.has_lost_lease:
            raise KeptConflictError("another run has taken the lease")

    def _run_unstored(self, run: Run, error: StoreError) -> Outcome | None:
        """Run a job again whose writes were not stored; return the outcome to report when it has run too often.

        Raises:
            StoreError: The journal failed; the job is run again when its lease is over.
        """
        job, name = run.job, short(run.job.name, 64)
        if job.attempt + 1 >= self.most_runs(job):
            log.error("job %s of %s: what it keeps can't be stored: %s", short(job.job_id), name, error)
            return self._drop_writes(run)
        self.later.run_unstored(run, error)
        return None

    def _drop_writes(self, run: Run) -> Outcome:
        """Drop what a job wrote, which can't be stored; return the outcome to report."""
        run.writes = ()
        run.error = NOT_STORED
        run.end_work(stored=False)
        return self._error(CallError("what the ability keeps could not be stored"))

    def _run_later(self, run: Run, postponed: Postponement) -> Outcome | None:
        """Run a job later that could not run now, which is no attempt; return the outcome to report after a day.

        Raises:
            StoreError: The journal failed; the job is run again when its lease is over.
        """
        job, name = run.job, short(run.job.name, 64)
        if run.age >= GIVE_UP_AFTER:
            log.error("job %s of %s given up after a day: %s", short(job.job_id), name, postponed.reason)
            return self._error(CallError(f"the job could not run for a day: {postponed.reason}"))
        self.later.run_later(run, postponed)
        return None

    def _count(self, job: Job, outcome: Outcome) -> None:
        counts = EventCounts if job.event_type else JobCounts
        self.later.figures.add(counts(ended=1, failed=int(outcome.errcode != 0)))
        if job.event_type and outcome.errcode:
            name = short(job.name, 64)
            text = "job %s of %s failed, and is not run again"
            self._limiter.log(log, logging.ERROR, text, short(job.job_id), name, kind=name)

    def _report(self, run: Run, outcome: Outcome) -> None:
        job = run.job
        run.begin(reporting=True)
        verdict = self._deliver(run, outcome) if job.event_type else report(self.sdk, job, outcome)
        if not run.end() and verdict is not Verdict.DONE:
            return  # another thread sends it again
        if verdict is Verdict.FAILED and run.age < GIVE_UP_AFTER:
            self.later.report_again(run)
            return
        if verdict is Verdict.FAILED:
            log.error(
                "job %s given up: %.0f s after its acceptance, no report was accepted", short(job.job_id), run.age
            )
        if verdict is not Verdict.DONE:
            self.later.figures.add(EventCounts(given_up=1) if job.event_type else JobCounts(given_up=1))
        self._log_end(run, outcome, verdict)
        if run.is_gone:
            return
        if _failure(run, outcome, verdict) is not None or run.writes:
            self._end(run, outcome, verdict)
        else:  # if the process dies before that is stored, the job is only reported again
            self.later.journal.finish_soon(self.later.owner, job.job_id, partial(_log_unfinished, job.job_id))

    def _end(self, run: Run, outcome: Outcome, verdict: Verdict) -> bool:
        """Finish a job that is over, and store what it wrote, or set it aside; return False when it is not ours."""
        job_id = run.job.job_id
        if (failure := _failure(run, outcome, verdict)) is None:
            return self.later.journal.finish(self.later.owner, job_id, run.writes)
        return self.later.journal.set_aside(self.later.owner, job_id, failure)

    def _deliver(self, run: Run, outcome: Outcome) -> Verdict:
        """Store an event with its result for the app, if this is to be done after the handler. Never raises.

        The event of a handler that failed is delivered without a result.
        """
        job = run.job
        if job.notify != "after":
            return Verdict.DONE
        try:
            result = "" if outcome.errcode else outcome.result
            self.dispatcher.events.deliver(job, result, is_retried=run.is_retried)
        except BaseException as error:  # after any error it is not stored
            log_not_notified(job, error, self._limiter)
            return Verdict.FAILED
        return Verdict.DONE

    def _log_end(self, run: Run, outcome: Outcome, verdict: Verdict) -> None:
        """Log what became of a job that is over."""
        job = run.job
        attempt = job.attempt if job.outcome is not None else min(job.attempt + 1, self.most_runs(job))
        fields = {
            "job": short(job.job_id),
            "ability": short(job.name, 64),
            "attempt": attempt,
            "errcode": outcome.errcode,
            "seconds": round(run.age, 3),
            "reported": verdict is Verdict.DONE,
        }
        log.info(Fields("job ended", fields))


def _log_unfinished(job_id: str, error: Exception) -> None:
    """Log that a job stays in the journal; when its lease is over, it is reported again."""
    log.error("job %s: %s", short(job_id), error)


def _to_run(run: Run) -> Job:
    """Return the job of a run: without the error of its handler, if it is run again from those that were set aside."""
    job = run.job
    has_failed = job.event_type and job.outcome is not None and job.outcome.errcode
    is_retried = has_failed and not job.attempt and not run.is_gone
    return replace(job, outcome=None) if is_retried else job


def _failure(run: Run, outcome: Outcome, verdict: Verdict) -> Failure | None:
    """Return why a job that is over is set aside; None when it is done.

    An error of an asynchronous call that was reported is no failure: the app has it.
    """
    if run.job.event_type and outcome.errcode:
        return Failure(error=short(run.error, 64) or HANDLER_FAILED, errcode=outcome.errcode)
    if verdict is Verdict.DONE:
        return None
    if run.job.event_type:
        return Failure(error=NOT_NOTIFIED)
    return Failure(error=REFUSED if verdict is Verdict.HOPELESS else NOT_REPORTED, errcode=outcome.errcode)


def _call_of(job: Job, work: JobRun | None = None) -> Call:
    """Return the call that a job runs."""
    return Call(
        corpid=job.corpid,
        agentid=job.agentid,
        call_type=CallType.EVENT if job.event_type else CallType.APP,
        ability_id=job.ability_id,
        data=job.data,
        notify_id="" if job.notify == "never" else job.notify_id,
        is_async=not job.event_type,
        job_info=job.job_info,
        attempt=job.attempt + 1,
        run=work,
    )
