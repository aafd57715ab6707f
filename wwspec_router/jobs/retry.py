"""Gives jobs back to the journal, so that they run again, run later, or are reported again.

A job that the journal has lost meanwhile is kept in memory. This module knows neither threads, nor what a job does.
"""

import dataclasses
import logging
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from wwspec_contracts.backoff import Backoff
from wwspec_contracts.errors import StoreError
from wwspec_contracts.support.printable import short
from wwspec_contracts.support.rare_lines import LineLimiter
from wwspec_router.handlers.run import Postponement
from wwspec_router.jobs.threads import Run
from wwspec_router.kernel.call_log import CallLog
from wwspec_router.kernel.intake import NOTIFY_PAUSES
from wwspec_router.monitoring.figures import EventCounts, Figures
from wwspec_router.stores.base import Store
from wwspec_router.stores.job import Job
from wwspec_router.stores.program_keys import was_forgotten

log = logging.getLogger(__name__)

REPORTS = Backoff(first=0.5, longest=60.0, jitter=0.5)
"""The pauses between two reports of one job."""
RUNS = Backoff(first=1.0, longest=300.0, growth=4.0, jitter=0.5)
"""The pauses between two runs of an event's handler; the setting `retry_pause` is the first."""


class Later(msgspec.Struct, eq=False):
    """Gives jobs back.

    Its methods raise StoreError when the journal fails; then the job is due again when its lease is over.
    """

    journal: Store
    """Keeps the jobs."""
    owner: str
    """The name under which they were claimed."""
    figures: Figures
    """Where further runs of events are counted."""
    submit: Callable[[float, Run], None]
    """Submits a run again after some seconds."""
    wake_in: Callable[[float], None]
    """Is called when a job is given back, with the seconds until it is due again."""
    call_log: CallLog | None
    """Where a line is written for each run; None for none."""
    runs: Backoff
    """The pauses before the code of an event runs again after an error."""
    is_stopping: bool = False
    """Whether nothing is kept in memory any more, because the process ends."""
    limiter: LineLimiter = msgspec.field(default_factory=LineLimiter)

    def run_again(self, run: Run, retries: int) -> None:
        """Run the handler of an event again, after a pause; it may run again `retries` times in all."""
        job = run.job
        delay = self.runs.pause(job.attempt + 1)
        name, run_number, runs = short(job.name, 64), job.attempt + 1, retries + 1
        if self.call_log is not None:
            self.call_log.end_run(run_number, runs, delay)
        text = "job %s of %s: run %d of %d failed, the next is in %.1f s"
        args = short(job.job_id), name, run_number, runs, delay
        self.limiter.log(log, logging.WARNING, text, *args, kind=name)
        self._count_rerun(job)
        self._postpone(run, delay, replace(job, attempt=job.attempt + 1), "its handler runs again from memory")

    def run_unstored(self, run: Run, error: StoreError) -> None:
        """Run a job again whose writes were not stored."""
        job, name = run.job, short(run.job.name, 64)
        delay = self.runs.pause(job.attempt + 1)
        text = "job %s of %s: what it keeps is not stored, it runs again in %.1f s: %s"
        self.limiter.log(log, logging.WARNING, text, short(job.job_id), name, delay, error, kind=name)
        self._count_rerun(job)
        self._postpone(run, delay, replace(job, attempt=job.attempt + 1), "it runs again from memory")

    def run_later(self, run: Run, postponed: Postponement) -> None:
        """Run a job later that could not run now, which is no attempt."""
        job, name = run.job, short(run.job.name, 64)
        pauses = dataclasses.replace(postponed.pauses, first=min(postponed.pauses.first, self.runs.first))
        delay = pauses.pause(job.claims)
        if self.call_log is not None:
            self.call_log.end_run(job.attempt + 1, None, delay)
        text = "job %s of %s runs later, in %.1f s: %s"
        self.limiter.log(log, logging.INFO, text, short(job.job_id), name, delay, postponed.reason, kind=name)
        self._postpone(run, delay, replace(job, claims=job.claims + 1), "it runs later from memory", counted=False)

    def report_again(self, run: Run) -> None:
        """Send the report of a job again, after a pause."""
        job = run.job
        if job.unfetched:
            self.notify_later(run, NOTIFY_PAUSES.pause(job.attempt + 2))
            return
        delay = REPORTS.pause(job.claims + 1)
        again = replace(job, outcome=run.outcome, claims=job.claims + 1)
        self._postpone(run, delay, again, "its report is sent again from memory")

    def notify_later(self, run: Run, delay: float, *, counted: bool = True) -> None:
        """Give a notification back; one that is gone was fetched."""
        self._give_back(run, delay, counted=counted)

    def note_lost(self, run: Run, consequence: str) -> bool:
        """Note and log why this process does not own a job any more; return whether the run goes on all the same.

        It does if the journal has lost the job: no other process knows of it. If another process owns it, or if it was
        forgotten with its corp, this run has no outcome.
        """
        job_id = run.job.job_id
        run.is_gone = run.is_gone or not self.journal.has_job(job_id)
        if run.is_gone and was_forgotten(self.journal, run.job.corpid):
            log.warning("job %s was forgotten with all of its corp; nothing is reported", short(job_id))
            return False
        if run.is_gone:
            log.error("job %s is gone from the journal; %s", short(job_id), consequence)
        else:
            log.warning("job %s was taken over by another process", short(job_id))
        return run.is_gone

    def _count_rerun(self, job: Job) -> None:
        if job.event_type:
            self.figures.add(EventCounts(retried=1))

    def _postpone(self, run: Run, delay: float, job: Job, consequence: str, *, counted: bool = True) -> None:
        """Give a job back to the journal for a pause; when the journal has lost it, keep it in memory as `job`."""
        run.end_work(stored=False)  # before: a run that takes longer than the pause would lose its next claim
        if (not run.is_gone and self._give_back(run, delay, counted=counted)) or not self.note_lost(run, consequence):
            return
        if self.is_stopping:
            log.error("job %s is not done, and nobody else knows of it: it is lost", short(job.job_id))
            return
        again = Run(replace(job, age=run.age))
        again.is_gone = True
        self.submit(delay, again)

    def _give_back(self, run: Run, delay: float, *, counted: bool) -> bool:
        run.is_given_back = True  # before it is: a short pause is over before the thread has come back
        is_kept = self.journal.postpone(self.owner, run.job.job_id, delay, counted=counted)
        if is_kept:
            self.wake_in(delay)
        return is_kept
