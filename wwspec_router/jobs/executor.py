"""What is done with a job on its thread: its ability runs, the outcome is kept, and reported.

It knows neither threads, nor which jobs there are.
"""

import logging
import random
from collections.abc import Callable

from msgspec.structs import replace

from wwspec_router.envelope import Call, CallType
from wwspec_router.errors import CallError, HandlerTimeoutError, StoreError
from wwspec_router.jobs.reports import Reporter, Verdict
from wwspec_router.jobs.threads import Run
from wwspec_router.kernel.call_log import CallLog
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.log_formats import Fields
from wwspec_router.logs import short
from wwspec_router.monitoring.figures import Figures
from wwspec_router.sdk.base import Sdk
from wwspec_router.stores.base import Job, JobJournal, Outcome
from wwspec_router.stores.checks import storable_outcome

__all__ = ["GIVE_UP_AFTER", "MAX_RUNS", "JobExecutor"]

log = logging.getLogger(__name__)

MAX_RUNS = 5
"""How often a job is begun that never ends, for example because it kills its process."""
GIVE_UP_AFTER = 86_400.0
"""Seconds after its acceptance from which a job is given up when one more report of it fails: a day."""
MAX_DELAY = 60.0
"""Longest pause between two reports of one job, in seconds."""


class JobExecutor:
    """Runs jobs, from their begin to their report.

    Args:
        journal: Keeps them.
        owner: The name under which they were claimed.
        sdk: Reports them.
        dispatcher: Runs their abilities.
        figures: Where jobs are counted.
        later: Submits a run again after some seconds.
        call_log: Where a line is written for each; None for none.
    """

    def __init__(
        self,
        journal: JobJournal,
        owner: str,
        sdk: Sdk,
        dispatcher: Dispatcher,
        figures: Figures,
        later: Callable[[float, Run], None],
        call_log: CallLog | None = None,
    ) -> None:
        self._journal = journal
        self._owner = owner
        self._reporter = Reporter(sdk)
        self._dispatcher = dispatcher
        self._answer = dispatcher.answer if call_log is None else call_log.with_lines(dispatcher.answer)
        self._figures = figures
        self._later = later
        self.is_stopping = False
        """Whether no further ability may begin."""

    def execute(self, run: Run) -> None:
        """Run a job's ability, unless there is an outcome already; keep the outcome, and report it. Blocks.

        Raises:
            StoreError: The journal failed; the job is tried again when its lease is over.
        """
        job = run.job
        if (
            self.is_stopping and run.outcome is None and not run.is_gone
        ):  # not begun: another process can claim it at once
            self._journal.postpone(self._owner, job.job_id, 0.0)
            return
        outcome = job.outcome
        if outcome is None:
            outcome = run.outcome or self._outcome(run)
            if outcome is None or not self._keep_outcome(run, outcome):
                return
            self._figures.count_job(outcome.errcode)
        run.outcome = outcome
        self._report(run, outcome)

    def _outcome(self, run: Run) -> Outcome | None:
        """Run a job's ability, and return what is to be reported; None when another process or thread has the job."""
        job = run.job
        if job.attempt >= MAX_RUNS:
            log.error("job %s of %s ended none of its %d runs", short(job.job_id), short(job.ability_id, 64), MAX_RUNS)
            return self._error(CallError(f"the ability was begun {MAX_RUNS} times and never ended"))
        if not self._begin(run):
            return None
        call = Call(
            corpid=job.corpid,
            agentid=job.agentid,
            call_type=CallType.APP,
            ability_id=job.ability_id,
            data=job.data,
            notify_id=job.notify_id,
            is_async=True,
            job_info=job.job_info,
            attempt=job.attempt + 1,
        )
        route = self._dispatcher.job_route(call)
        run.deadline = route.deadline(run.since)
        reply = self._answer(call, route, run.deadline)
        if not run.end():
            log.warning("job %s ended after its time-out was reported", short(job.job_id))
            return None
        outcome = Outcome(errcode=reply.errcode, result=reply.text)
        try:
            storable_outcome(outcome)
        except StoreError as error:  # else it would run again and again, and never be reported
            log.error("job %s of %s: its %s", short(job.job_id), short(job.ability_id, 64), error)
            return self._error(CallError())
        return outcome

    def time_out(self, job: Job) -> Run:
        """Return a run that reports that a job ran out of time."""
        return Run(job, self._error(HandlerTimeoutError()))

    def _error(self, error: CallError) -> Outcome:
        reply = self._dispatcher.refusal(error)
        return Outcome(errcode=reply.errcode, result=reply.text)

    def _begin(self, run: Run) -> bool:
        """Note in the journal that a job runs; return False when another process has it."""
        return self._journal.begin(self._owner, run.job.job_id) or self._is_lost(run, "it is run anyway")

    def _keep_outcome(self, run: Run, outcome: Outcome) -> bool:
        """Keep the outcome of a job; return False when it is of no use, since another process has the job."""
        try:
            return self._journal.keep_outcome(self._owner, run.job.job_id, outcome) or self._is_lost(
                run, "its result is reported anyway"
            )
        except StoreError as error:
            log.error("job %s: its result is not kept, and reported anyway: %s", short(run.job.job_id), error)
            return True

    def _is_lost(self, run: Run, consequence: str) -> bool:
        """Return whether the journal has lost the job; else another process owns it. Either is logged."""
        job_id = run.job.job_id
        run.is_gone = run.is_gone or not self._journal.has_job(job_id)
        if run.is_gone:
            log.error("job %s is gone from the journal; %s", short(job_id), consequence)
        else:
            log.warning("job %s was taken over by another process", short(job_id))
        return run.is_gone

    def _report(self, run: Run, outcome: Outcome) -> None:
        job = run.job
        run.begin(reporting=True)
        verdict = self._reporter.report(job, outcome)
        if not run.end() and verdict is not Verdict.DONE:
            return  # another thread sends it again
        if verdict is Verdict.FAILED and run.age < GIVE_UP_AFTER:
            self.report_again(run)
            return
        if verdict is Verdict.FAILED:
            log.error(
                "job %s given up: %.0f s after its acceptance, no report was accepted", short(job.job_id), run.age
            )
        if verdict is not Verdict.DONE:
            self._figures.count_job_given_up()
        _log_end(run, outcome, verdict)
        if not run.is_gone:
            self._journal.finish(self._owner, job.job_id)

    def report_again(self, run: Run) -> None:
        """Send the report of a job again, after a pause.

        Raises:
            StoreError: The journal failed; the job is reported again when its lease is over.
        """
        job = run.job
        delay = min(MAX_DELAY, 0.5 * 2.0 ** min(job.claims, 10)) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
        if not run.is_gone and self._journal.postpone(self._owner, job.job_id, delay):
            return
        if not self._is_lost(run, "its report is sent again from memory"):
            return
        if self.is_stopping:
            log.error(
                "job %s: no report of it was accepted, and nobody else knows of it: it is lost", short(job.job_id)
            )
            return
        again = Run(
            replace(job, outcome=run.outcome, attempt=_runs_of(job), claims=job.claims + 1, age=run.age),
        )
        again.is_gone = True
        self._later(delay, again)


def _runs_of(job: Job) -> int:
    """Return how often a job's ability has begun, once this claim of it is over."""
    return job.attempt if job.outcome is not None else min(job.attempt + 1, MAX_RUNS)


def _log_end(run: Run, outcome: Outcome, verdict: Verdict) -> None:
    """Log what became of a job that is over."""
    job = run.job
    fields = {
        "job": short(job.job_id),
        "ability": short(job.ability_id, 64),
        "attempt": _runs_of(job),
        "errcode": outcome.errcode,
        "seconds": round(run.age, 3),
        "reported": verdict is Verdict.DONE,
    }
    log.info(Fields("job ended", fields))
