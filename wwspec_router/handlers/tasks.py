"""Analysis tasks of the platform: creates them, and asks for their results until they have ended.

The caller says how a call is made and how to wait.
"""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from wwspec_contracts.backoff import Backoff
from wwspec_contracts.base import ApiRequest, ResultT, TaskRequest
from wwspec_contracts.errors import ApiError, CallError
from wwspec_router.handlers.steps import Task

TOO_LONG = 790040
"""The errcode of a task whose messages are too long for the model [100052]."""
NOT_YET = (710642, 790023)
"""The answer instead of the result while the developer's own program or model still runs."""
ASK_LATER = (-1, 45009, 45033)
"""The platform is busy, or was asked too often; the task goes on."""

PAUSES = Backoff(first=0.25, longest=10.0, growth=1.6, jitter=0.25)
"""The pauses between two requests for a result."""

Split = Callable[[Any], Sequence[TaskRequest[Any, ResultT]]]
"""Returns the parts of a request that is too long; none when it can't be split."""


class TaskRunner(msgspec.Struct, frozen=True):
    """Creates tasks and waits for their results."""

    invoke: Callable[[ApiRequest[Any]], Any]
    """Makes one SDK call; raises ApiError for an errcode other than 0."""
    wait: Callable[[float], None]
    """Waits for so many seconds, or until the call's time is over."""
    name: Callable[[type[ApiRequest[Any]]], str]
    """Returns the name of a request's API."""
    place: Callable[[TaskRequest[Any, Any]], Task | None] = lambda request: None
    """Returns where the task's jobid is kept; None where it is not kept."""

    def finish(self, request: TaskRequest[Any, ResultT]) -> ResultT:
        """Create a task, unless an earlier attempt at the job has created it, and return its result.

        Raises:
            ApiError: The platform refused, or the task failed.
        """
        task, invoke = self.place(request), self.invoke
        jobid = invoke(request).jobid if task is None else task.jobid(lambda: str(invoke(request).jobid))
        try:
            return self._result(request, jobid)
        except ApiError:
            if task is not None:
                with suppress(CallError):
                    task.drop()
            raise

    def _result(self, request: TaskRequest[Any, ResultT], jobid: str) -> ResultT:
        """Return the result of a task that was created."""
        ask = request.result(jobid=jobid)
        for pause in PAUSES:
            try:
                result: ResultT = self.invoke(ask)
            except ApiError as error:
                if error.errcode not in (*NOT_YET, *ASK_LATER):
                    raise
            else:
                if not result.is_running:
                    errcode, errmsg = result.failure
                    if errcode != 0:
                        raise ApiError(self.name(request.result), errcode, errmsg)
                    return result
            self.wait(pause)
        raise AssertionError("the pauses never end")


def finish_split(
    request: TaskRequest[Any, ResultT], split: Split[ResultT], run: Callable[[TaskRequest[Any, ResultT]], ResultT]
) -> list[ResultT]:
    """Finish a task; a task that is too long is split into several, and each part again while it is too long.

    Args:
        request: Creates it.
        split: See `Split`.
        run: Finishes one task.

    Returns:
        The results, in the order of the parts.

    Raises:
        ApiError: As `TaskRunner.finish` does; also with errcode 790040 for a part that can't be split.
    """
    results: list[ResultT] = []
    waiting = deque([request])
    while waiting:
        part = waiting.popleft()
        try:
            results.append(run(part))
        except ApiError as error:
            if error.errcode != TOO_LONG:
                raise
            parts = split(part)
            if len(parts) < 2:
                raise
            waiting.extendleft(reversed(parts))
    return results
