"""Notifies the app of an event after its handler: the last step of such a job.

It knows neither the journal, nor when the step is tried again.
"""

import logging

from wwspec_router.errors import CallError
from wwspec_router.jobs.reports import Verdict
from wwspec_router.kernel.intake import EventIntake
from wwspec_router.logs.lines import short
from wwspec_router.logs.stacks import describe
from wwspec_router.stores.job import Job, Outcome

log = logging.getLogger(__name__)


class EventReporter:
    """Delivers events to apps.

    Args:
        events: Stores them, and notifies the app.
    """

    def __init__(self, events: EventIntake) -> None:
        self._events = events

    def report(self, job: Job, outcome: Outcome) -> Verdict:
        """Store an event with its result and notify the app, if this is to be done after the handler. Blocks.

        The event of a handler that failed is delivered without a result. Never raises.
        """
        if job.notify != "after":
            return Verdict.DONE
        try:
            self._events.deliver(job, "" if outcome.errcode else outcome.result)
        except BaseException as error:  # after any error the app is not notified
            known = isinstance(error, CallError)
            detail = f" ({error.detail})" if isinstance(error, CallError) and error.detail else ""
            what = f"{type(error).__name__}{detail}" if known else describe(error)
            log.warning(
                "job %s of %s: the app is not told, %s; it will be tried again",
                short(job.job_id),
                short(job.name, 64),
                what,
            )
            return Verdict.FAILED
        return Verdict.DONE
