"""Asynchronous calls as the app gets them, for threads and for an event loop."""

from typing import Any, Generic, TypeVar

from wwspec_client import calls
from wwspec_client.calls import Ability, SubmitOptions
from wwspec_client.methods import Asynchronous, Blocking
from wwspec_client.models import TaskStatus
from wwspec_client.steps import Steps

ClientT = TypeVar("ClientT")
ReplyT = TypeVar("ReplyT")


class _Task(Generic[ClientT, ReplyT]):
    """What both tasks share; `Task` describes the arguments."""

    def __init__(self, client: ClientT, jobid: str, ability: Ability) -> None:
        self.jobid = jobid
        """WeCom's ID of the call; `task` of the client returns the task for it."""
        self._client = client
        self._ability = ability

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.jobid!r})"


class Task(_Task[Blocking, ReplyT]):
    """An asynchronous call of a `ZoneClient`.

    Args:
        client: Fetches the result.
        jobid: WeCom's ID of the call.
        ability: The ability that was called.
    """

    def status(self) -> TaskStatus:
        """Return `running`, `succeeded` or `failed`.

        Raises:
            ZoneClientError: WeCom refuses the request, or can't be reached.
        """
        return self._client._run(calls.task_status(self._client._core, self.jobid, self._ability))

    def result(self, timeout: float = 60.0) -> ReplyT:
        """Wait for the reply and return it.

        Args:
            timeout: Seconds to wait.

        Raises:
            StillRunningError: There is no reply yet; call `result` again.
            ZoneClientError: The call failed, as in `ZoneClient.call`.
        """
        steps = calls.task_result(self._client._core, self.jobid, self._ability, timeout)
        reply: ReplyT = self._client._run(steps)
        return reply


def submit_task(client: Blocking, ability: Ability, options: SubmitOptions) -> Steps[Task[Any]]:
    """Call an ability asynchronously and return its task; see `ZoneClient.submit`."""
    return Task(client, (yield from calls.submit(client._core, ability, options)), ability)


class AsyncTask(_Task[Asynchronous, ReplyT]):
    """An asynchronous call of an `AsyncZoneClient`.

    Args:
        client: Fetches the result.
        jobid: WeCom's ID of the call.
        ability: The ability that was called.
    """

    async def status(self) -> TaskStatus:
        """Return `running`, `succeeded` or `failed`; see `Task.status`."""
        return await self._client._run(calls.task_status(self._client._core, self.jobid, self._ability))

    async def result(self, timeout: float = 60.0) -> ReplyT:  # noqa: ASYNC109 - as `Task.result`
        """Wait for the reply and return it; see `Task.result`."""
        steps = calls.task_result(self._client._core, self.jobid, self._ability, timeout)
        reply: ReplyT = await self._client._run(steps)
        return reply


def submit_task_async(client: Asynchronous, ability: Ability, options: SubmitOptions) -> Steps[AsyncTask[Any]]:
    """Call an ability asynchronously and return its task; see `AsyncZoneClient.submit`."""
    return AsyncTask(client, (yield from calls.submit(client._core, ability, options)), ability)
