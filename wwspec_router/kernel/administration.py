"""Manages what the program has stored, for abilities of `kind = "jobs"` and `kind = "forget"`.

A corp and an app see and change only what is theirs. No reply and no log line has the data of a job or an event.
"""

import logging
from collections.abc import Callable, Collection

from msgspec.structs import asdict, astuple

from wwspec_contracts.administration import FailedJobStatus, ForgetReply, ForgetRequest, JobsReply, JobsRequest
from wwspec_contracts.errors import CallError, InputError, OverloadedError, StoreError, StoreFullError
from wwspec_contracts.support.printable import short
from wwspec_router.envelope import Call
from wwspec_router.stores.base import Store
from wwspec_router.stores.failed import FailedJob
from wwspec_router.stores.program_keys import forget, instance_name

log = logging.getLogger(__name__)


class Administration:
    """Answers such calls.

    Args:
        store: What is managed.
        errcode: The program's own errcode.
        wake: Called when a job is to run again, so that it is claimed at once. It must not block.
        known: The names of the program's jobs; others wait for a program that has them.
    """

    def __init__(self, store: Store, errcode: int, wake: Callable[[], None], known: frozenset[str]) -> None:
        self._store = store
        self._errcode = errcode
        self._wake = wake
        self._known = known

    def jobs(self, call: Call, request: JobsRequest) -> JobsReply:
        """List the jobs of the calling corp and app that failed for good or have no ability, or run or drop one.

        One without an ability can be dropped only: it runs when a program has its row again.

        Returns:
            The reply; with an errcode when there is no such job, so that the caller learns which instance has none.

        Raises:
            InputError: No job is named.
            OverloadedError: Too many jobs wait.
            CallError: The store failed.
        """
        if request.action != "list" and not request.job_id:
            raise InputError("$.job_id", f"missing value: the job to {request.action}")
        try:
            instance = instance_name(self._store)
            if request.action == "list":
                owner = (call.corpid, call.agentid, request.limit)
                found = self._store.failed_jobs(*owner) + self._store.unknown_jobs(self._known, *owner)
                found.sort(key=lambda job: job.age)
                return JobsReply(instance=instance, jobs=[_status(each) for each in found[: request.limit]])
            named = (call.corpid, call.agentid, request.job_id)
            if request.action == "retry":
                is_done = self._store.retry(*named)
            else:
                is_done = self._store.drop(*named) or self._store.drop_unknown(self._known, *named)
        except StoreFullError as error:
            raise OverloadedError("too many jobs wait; this one stays set aside", detail=str(error)) from error
        except StoreError as error:
            raise CallError("the store of failed jobs could not be asked", detail=str(error)) from error
        if not is_done:
            return JobsReply(errcode=self._errcode, errmsg="no failed job of this job_id is here", instance=instance)
        if request.action == "retry":
            self._wake()
        log.info("job %s: %s", short(request.job_id), "it runs again" if request.action == "retry" else "dropped")
        return JobsReply(instance=instance)

    def forget(self, call: Call, request: ForgetRequest, from_corps: Collection[str]) -> ForgetReply:
        """Remove all that is stored for a corp.

        Args:
            call: The call.
            request: Names the corp.
            from_corps: Corps whose apps may name another corp than their own.

        Raises:
            CallError: The call may not do this, or the store failed, which may leave a part.
        """
        if request.corpid != call.corpid and call.corpid not in from_corps:
            raise CallError(
                "another corp than the calling one: from_corps of the ability's row does not list the caller"
            )
        if call.is_async:
            raise CallError("call this ability synchronously: the job of an asynchronous call would be removed, too")
        try:
            instance, found = instance_name(self._store), forget(self._store, request.corpid)
        except StoreError as error:
            raise CallError("the store failed, and may still have a part: call again", detail=str(error)) from error
        text = "all of corp %s is removed: %d events, %d jobs, %d kept values, %d replies"
        log.info(text, short(request.corpid), *astuple(found))
        return ForgetReply(instance=instance, **asdict(found))


def _status(job: FailedJob) -> FailedJobStatus:
    failure = asdict(job.failure)
    return FailedJobStatus(job_id=job.job_id, name=job.name, attempts=job.attempt, failed_s=int(job.age), **failure)
