"""The clients whose methods return responses; see `ZoneClient.with_raw_response`."""

from typing import Any, TypeVar, Unpack, overload

from wwspec_client import calls
from wwspec_client.calls import AbilityOrRequest, CallOptions, SubmitOptions
from wwspec_client.methods import Asynchronous, AsynchronousRaw, Blocking, BlockingRaw, with_methods
from wwspec_client.raw import RawResponse, record
from wwspec_client.steps import Steps
from wwspec_client.tasks import AsyncTask, Task, submit_task, submit_task_async
from wwspec_contracts.base import ApiRequest, OutputT

__all__ = ["AsyncRawZoneClient", "RawResponse", "RawZoneClient"]

T = TypeVar("T")
ReplyT = TypeVar("ReplyT")


@with_methods
class RawZoneClient(BlockingRaw):
    """A `ZoneClient` whose methods return the responses of WeCom: `ZoneClient.with_raw_response`.

    It has `call`, `submit` and the methods for the app's other APIs, with the arguments and errors of `ZoneClient`. But
    what the program refuses, and a reply of another type, raise their error in `RawResponse.parse`.

    Args:
        client: Sends the requests.
    """

    def __init__(self, client: Blocking) -> None:
        self._client = client
        self._core = client._core

    @overload
    def call(self, ability: ApiRequest[OutputT], **options: Unpack[CallOptions]) -> RawResponse[OutputT]: ...

    @overload
    def call(
        self, ability: str, request: ApiRequest[OutputT], **options: Unpack[CallOptions]
    ) -> RawResponse[OutputT]: ...

    @overload
    def call(
        self, ability: str, request: object = None, *, reply: type[ReplyT], **options: Unpack[CallOptions]
    ) -> RawResponse[ReplyT]: ...

    @overload
    def call(self, ability: str, request: object = None, **options: Unpack[CallOptions]) -> RawResponse[Any]: ...

    def call(
        self, ability: AbilityOrRequest, request: object = None, *, reply: Any = Any, **options: Unpack[CallOptions]
    ) -> RawResponse[Any]:
        """Call an ability and return the response; `parse` returns the reply. See `ZoneClient.call`."""
        asked = calls.ability_of(self._core, ability, request, reply)
        return self._run(calls.call(self._core, asked, options, raw=False))

    @overload
    def submit(self, ability: ApiRequest[OutputT], **options: Unpack[SubmitOptions]) -> RawResponse[Task[OutputT]]: ...

    @overload
    def submit(
        self, ability: str, request: ApiRequest[OutputT], **options: Unpack[SubmitOptions]
    ) -> RawResponse[Task[OutputT]]: ...

    @overload
    def submit(
        self, ability: str, request: object = None, *, reply: type[ReplyT], **options: Unpack[SubmitOptions]
    ) -> RawResponse[Task[ReplyT]]: ...

    @overload
    def submit(
        self, ability: str, request: object = None, **options: Unpack[SubmitOptions]
    ) -> RawResponse[Task[Any]]: ...

    def submit(
        self, ability: AbilityOrRequest, request: object = None, *, reply: Any = Any, **options: Unpack[SubmitOptions]
    ) -> RawResponse[Task[Any]]:
        """Call an ability asynchronously; `parse` returns the task. See `ZoneClient.submit`."""
        asked = calls.ability_of(self._core, ability, request, reply)
        return self._run(submit_task(self._client, asked, options))

    def _run(self, steps: Steps[T]) -> RawResponse[T]:
        return self._client._run(record(steps))


@with_methods
class AsyncRawZoneClient(AsynchronousRaw):
    """`RawZoneClient` for an event loop: `AsyncZoneClient.with_raw_response`.

    Args:
        client: Sends the requests.
    """

    def __init__(self, client: Asynchronous) -> None:
        self._client = client
        self._core = client._core

    @overload
    async def call(self, ability: ApiRequest[OutputT], **options: Unpack[CallOptions]) -> RawResponse[OutputT]: ...

    @overload
    async def call(
        self, ability: str, request: ApiRequest[OutputT], **options: Unpack[CallOptions]
    ) -> RawResponse[OutputT]: ...

    @overload
    async def call(
        self, ability: str, request: object = None, *, reply: type[ReplyT], **options: Unpack[CallOptions]
    ) -> RawResponse[ReplyT]: ...

    @overload
    async def call(self, ability: str, request: object = None, **options: Unpack[CallOptions]) -> RawResponse[Any]: ...

    async def call(
        self, ability: AbilityOrRequest, request: object = None, *, reply: Any = Any, **options: Unpack[CallOptions]
    ) -> RawResponse[Any]:
        """Call an ability and return the response; see `ZoneClient.call`."""
        asked = calls.ability_of(self._core, ability, request, reply)
        return await self._run(calls.call(self._core, asked, options, raw=False))

    @overload
    async def submit(
        self, ability: ApiRequest[OutputT], **options: Unpack[SubmitOptions]
    ) -> RawResponse[AsyncTask[OutputT]]: ...

    @overload
    async def submit(
        self, ability: str, request: ApiRequest[OutputT], **options: Unpack[SubmitOptions]
    ) -> RawResponse[AsyncTask[OutputT]]: ...

    @overload
    async def submit(
        self, ability: str, request: object = None, *, reply: type[ReplyT], **options: Unpack[SubmitOptions]
    ) -> RawResponse[AsyncTask[ReplyT]]: ...

    @overload
    async def submit(
        self, ability: str, request: object = None, **options: Unpack[SubmitOptions]
    ) -> RawResponse[AsyncTask[Any]]: ...

    async def submit(
        self, ability: AbilityOrRequest, request: object = None, *, reply: Any = Any, **options: Unpack[SubmitOptions]
    ) -> RawResponse[AsyncTask[Any]]:
        """Call an ability asynchronously; `parse` returns the task; see `ZoneClient.submit`."""
        asked = calls.ability_of(self._core, ability, request, reply)
        return await self._run(submit_task_async(self._client, asked, options))

    async def _run(self, steps: Steps[T]) -> RawResponse[T]:
        return await self._client._run(record(steps))
