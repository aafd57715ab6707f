"""Notifies the app again of what it has not fetched, for as long as `told_for` says.

A notification is a job that ends when the app fetches its data, in whichever process. WeCom's notify_id is valid for
10 minutes, and whether a further notification of it renews that is not documented. So it gets a fresh one in time.
"""

import logging
import secrets
import threading
from time import monotonic

from msgspec.structs import replace

from wwspec_contracts.errors import ApiError, KeptConflictError, StoreFullError
from wwspec_contracts.support.printable import short
from wwspec_contracts.support.rare_lines import LineLimiter
from wwspec_router.jobs.retry import Later
from wwspec_router.jobs.threads import Run
from wwspec_router.kernel.intake import NOTIFY_PAUSES, EventIntake, log_not_notified
from wwspec_router.monitoring.figures import EventCounts
from wwspec_router.stores.failed import Failure
from wwspec_router.stores.job import Job
from wwspec_router.stores.kept import KeptKey, KeptWrite
from wwspec_router.stores.once import corp_hash

log = logging.getLogger(__name__)

VALID_FOR = 540
"""Seconds after which a notify_id is not used any more: a minute before WeCom's end."""
APART = 1.0
"""Seconds between two repeats for one corp."""
NOT_FETCHED = "not fetched"
"""What is said of a notification that is set aside."""

_UNKNOWN_NOTIFY_ID = 710646
_MOST_CORPS = 1000
"""Corps whose next second is known at most, but for those that have one to come."""


class Notifications:
    """Repeats notifications.

    Its methods raise StoreError when the journal fails; then the job is due again when its lease is over.

    Args:
        events: Notifies the app.
        later: Gives them back; has their journal and their figures.
    """

    def __init__(self, events: EventIntake, later: Later) -> None:
        self._journal = later.journal
        self._owner = later.owner
        self._events = events
        self._later = later
        self._limiter = LineLimiter()
        self._lock = threading.Lock()
        self._next: dict[str, float] = {}  # when a corp's last repeat is due that had to wait

    def notify_again(self, run: Run) -> None:
        """Notify the app again, or set the notification aside when it has waited long enough."""
        job = run.job
        if run.age >= self._events.notify_for:
            self._give_up(job)
            return
        if wait := self._wait_for_turn(job.corpid):
            self._later.notify_later(run, wait, counted=not job.begun)
            return
        if not job.begun and not self._journal.begin(self._owner, job.job_id):
            return
        run.begin(reporting=True)
        try:
            self._notify(run)
        except BaseException as error:  # it is repeated, whatever went wrong
            log_not_notified(job, error, self._limiter)
        if run.end():  # else its thread was replaced, and it was given back
            self._later.notify_later(run, NOTIFY_PAUSES.pause(job.attempt + 2))

    def _notify(self, run: Run) -> None:
        """Notify the app, under a fresh notify_id if the old one may not be valid any more."""
        if run.age - run.job.id_made < VALID_FOR:
            try:
                self._events.notify(run.job)
            except ApiError as error:
                if error.errcode != _UNKNOWN_NOTIFY_ID:
                    raise
            else:
                return
        renewed = self._events.renew_notify_id(run.job, run.age)
        if self._journal.replace_notify_id(self._owner, renewed):
            self._events.notify(renewed)

    def _give_up(self, job: Job) -> None:
        expired = replace(job, id_made=-VALID_FOR)  # if it is retried, its age begins anew
        if not self._journal.replace_notify_id(self._owner, expired):
            return
        if self._journal.set_aside(self._owner, job.job_id, Failure(error=NOT_FETCHED)):
            self._later.figures.add(EventCounts(unfetched=1))
            name = short(job.name, 64)
            text = "job %s of %s given up: the app did not fetch it within %g s"
            args = short(job.job_id), name, self._events.notify_for
            self._limiter.log(log, logging.ERROR, text, *args, kind=name)

    def _wait_for_turn(self, corpid: str) -> float:
        """Take the turn of a corp, which all processes share; return 0.0, or the seconds until another turn."""
        key = KeptKey(corpid="", agentid=0, space="notify", name=corp_hash(corpid))
        try:
            self._journal.write_kept(
                [KeptWrite(key=key, text="", version=secrets.token_hex(8), ttl=APART, expected=None)]
            )
        except KeptConflictError:
            return self._next_turn(corpid)
        except StoreFullError:  # the pauses hold it back
            pass
        return 0.0

    def _next_turn(self, corpid: str) -> float:
        """Return the seconds until the end of the queue of those of this process that had to wait."""
        now = monotonic()
        with self._lock:
            if len(self._next) >= _MOST_CORPS:
                self._next = {each: due for each, due in self._next.items() if due > now}
            self._next[corpid] = due = max(now, self._next.get(corpid, 0.0)) + APART
        return due - now
