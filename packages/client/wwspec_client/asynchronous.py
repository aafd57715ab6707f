"""The client for an event loop."""

import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from functools import partial
from typing import Any, Literal, Self, TypeVar, Unpack, overload

import anyio
import anyio.to_thread
import httpx

from wwspec_client import calls, endpoints, viewer
from wwspec_client.calls import AbilityOrRequest, CallOptions, SubmitOptions
from wwspec_client.cursors import CursorStore
from wwspec_client.endpoints import ALL_AT_ONCE
from wwspec_client.http import Hiding, OwnHiding, Proxy, in_url, received, sent, transport_error
from wwspec_client.keys import KeyRing
from wwspec_client.message_pages import AsyncMessagePage
from wwspec_client.messages import Pull, PullOptions
from wwspec_client.methods import Asynchronous, with_methods
from wwspec_client.models import AuthUser, DocAuthUser
from wwspec_client.options import RequestOptions, core_with, limits_of
from wwspec_client.paging import Pages
from wwspec_client.raw_clients import AsyncRawZoneClient
from wwspec_client.steps import Alone, Ask, Asked, Pause, Received, Send, Step, Steps
from wwspec_client.tasks import AsyncTask, submit_task_async
from wwspec_client.viewer import ViewerMessages
from wwspec_contracts.base import ApiRequest, OutputT, PagedRequest
from wwspec_contracts.errors import ConfigurationError
from wwspec_contracts.messages import Message

T = TypeVar("T")
ReplyT = TypeVar("ReplyT")


async def run_steps(steps: Steps[T], do: Callable[[Step], Coroutine[Any, Any, Any]]) -> T:
    """Run a generator of the client's core; see `blocking.run_steps`."""
    resume: Callable[[], Step] = partial(next, steps)
    try:
        while True:
            step = resume()
            try:
                resume = partial(steps.send, await do(step))
            except Exception as error:
                resume = partial(steps.throw, error)
    except StopIteration as end:
        value: T = end.value
        return value
    finally:
        steps.close()


async def call_either(function: Asked[Any], *, same_thread: bool = False, abandon: bool = False) -> Any:
    """Call a function of the app's; a plain one runs on a thread.

    Args:
        function: The function.
        same_thread: Call a plain one on the event loop's thread.
        abandon: Let a cancellation leave the thread to itself, instead of waiting for it.
    """
    if inspect.iscoroutinefunction(function):
        return await function()
    found = function() if same_thread else await anyio.to_thread.run_sync(function, abandon_on_cancel=abandon)
    return await found if inspect.isawaitable(found) else found


@with_methods
class AsyncZoneClient(Asynchronous):
    """The client of an enterprise app for an event loop; for arguments and errors see `ZoneClient`.

    All tasks of a loop share one. It is an async context manager. `tokens` may be an `async def` function; a plain one
    runs on a thread. `transport` is an `httpx.AsyncBaseTransport`.

    Examples:
        >>> import asyncio
        >>> import os
        >>> from wwspec_client import AsyncZoneClient
        >>> from wwspec_contracts import sync_msg
        >>> async def pull():
        ...     async with AsyncZoneClient(
        ...         os.environ["WWSPEC_CORPID"],
        ...         os.environ["WWSPEC_CORPSECRET"],
        ...         program_id=os.environ["WWSPEC_PROGRAM_ID"],
        ...         base_url=os.environ["WWSPEC_BASE_URL"],
        ...     ) as client:
        ...         page, digest = await asyncio.gather(
        ...             client.call(sync_msg.Request(limit=200)),
        ...             client.call("chat_digest", {"limit": 200}),
        ...         )
        ...     return len(page.msg_list), digest["messages"]
        >>> asyncio.run(pull())
        (200, 200)
    """

    def _connect(
        self, transport: httpx.AsyncBaseTransport | None, connections: int, proxy: Proxy, headers: dict[str, str]
    ) -> None:
        own = httpx.AsyncHTTPTransport
        hiding = OwnHiding(own, limits_of(connections), proxy) if transport is None else Hiding(transport, in_url)
        self._http = httpx.AsyncClient(transport=hiding, headers=headers)

    def with_options(self, **options: Unpack[RequestOptions]) -> Self:
        """Return a client that sends its requests in another way; see `ZoneClient.with_options`."""
        return self._sharing(core_with(self._core, options))

    @property
    def with_raw_response(self) -> AsyncRawZoneClient:
        """This client with methods that return a `RawResponse`; see `ZoneClient.with_raw_response`."""
        return AsyncRawZoneClient(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    @overload
    async def call(self, ability: ApiRequest[OutputT], **options: Unpack[CallOptions]) -> OutputT: ...

    @overload
    async def call(self, ability: str, request: ApiRequest[OutputT], **options: Unpack[CallOptions]) -> OutputT: ...

    @overload
    async def call(
        self, ability: str, request: object = None, *, reply: type[ReplyT], **options: Unpack[CallOptions]
    ) -> ReplyT: ...

    @overload
    async def call(
        self, ability: AbilityOrRequest, request: object = None, *, raw: Literal[True], **options: Unpack[CallOptions]
    ) -> str: ...

    @overload
    async def call(self, ability: str, request: object = None, **options: Unpack[CallOptions]) -> Any: ...

    async def call(
        self,
        ability: AbilityOrRequest,
        request: object = None,
        *,
        reply: Any = Any,
        raw: bool = False,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Call an ability and return its reply; see `ZoneClient.call`."""
        asked = calls.ability_of(self._core, ability, request, reply)
        return await self._run(calls.call(self._core, asked, options, raw=raw))

    @overload
    async def submit(self, ability: ApiRequest[OutputT], **options: Unpack[SubmitOptions]) -> "AsyncTask[OutputT]": ...

    @overload
    async def submit(
        self, ability: str, request: ApiRequest[OutputT], **options: Unpack[SubmitOptions]
    ) -> "AsyncTask[OutputT]": ...

    @overload
    async def submit(
        self, ability: str, request: object = None, *, reply: type[ReplyT], **options: Unpack[SubmitOptions]
    ) -> "AsyncTask[ReplyT]": ...

    @overload
    async def submit(
        self, ability: str, request: object = None, **options: Unpack[SubmitOptions]
    ) -> "AsyncTask[Any]": ...

    async def submit(
        self, ability: AbilityOrRequest, request: object = None, *, reply: Any = Any, **options: Unpack[SubmitOptions]
    ) -> "AsyncTask[Any]":
        """Call an ability asynchronously and return its task; see `ZoneClient.submit`."""
        asked = calls.ability_of(self._core, ability, request, reply)
        return await self._run(submit_task_async(self, asked, options))

    @overload
    def task(self, jobid: str) -> "AsyncTask[Any]": ...

    @overload
    def task(self, jobid: str, *, reply: type[ReplyT]) -> "AsyncTask[ReplyT]": ...

    def task(self, jobid: str, *, reply: Any = Any) -> "AsyncTask[Any]":
        """Return the task of a jobid that the app has stored; see `ZoneClient.task`."""
        return AsyncTask(self, jobid, calls.stored_ability(self._core, reply))

    async def access_token(self) -> str:
        """Return the access token that the client uses; see `ZoneClient.access_token`."""
        return await self._run(self._core.access_token())

    @overload
    def pages(self, ability: PagedRequest[OutputT], **options: Unpack[CallOptions]) -> AsyncIterator[OutputT]: ...

    @overload
    def pages(
        self, ability: str, request: PagedRequest[OutputT], **options: Unpack[CallOptions]
    ) -> AsyncIterator[OutputT]: ...

    def pages(
        self,
        ability: str | PagedRequest[OutputT],
        request: PagedRequest[OutputT] | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncIterator[OutputT]:
        """Call an API that replies in pages, for `async for`; see `ZoneClient.pages`."""
        return self._each(Pages(self._core, ability, request, options).next)

    def messages(self, cursors: CursorStore, **options: Unpack[PullOptions]) -> AsyncIterator[AsyncMessagePage]:
        """Pull the messages that are new since the last pull, for `async for`; see `ZoneClient.messages`.

        The functions of the store and of the options may be `async def`.
        """
        pull = Pull(self._core, cursors, options)
        return (AsyncMessagePage(pull, each, self._run) async for each in self._each(pull.next))

    def auth_users(self, *, limit: int = ALL_AT_ONCE) -> AsyncIterator[AuthUser]:
        """Yield the members whose chats are archived, for `async for`; see `ZoneClient.auth_users`."""
        return self._each(endpoints.auth_users(self._core, limit).next)

    def doc_auth_users(self, *, limit: int = ALL_AT_ONCE) -> AsyncIterator[DocAuthUser]:
        """Yield the members whose documents are archived, for `async for`; see `ZoneClient.doc_auth_users`."""
        return self._each(endpoints.doc_auth_users(self._core, limit).next)

    @staticmethod
    def viewer_messages(page: Iterable[Message], ring: KeyRing) -> ViewerMessages:
        """See `ZoneClient.viewer_messages`. It is not awaited; when the ring has a `Decryptor`, call it on a thread."""
        return viewer.viewer_messages(page, ring)

    async def _each(self, following: Callable[[], Steps[T | None]]) -> AsyncIterator[T]:
        while (found := await self._run(following())) is not None:
            yield found

    async def _run(self, steps: Steps[T]) -> T:
        return await run_steps(steps, self._do)

    async def _do(self, step: Step) -> Any:
        match step:
            case Send():
                return await self._send(step)
            case Pause(seconds=seconds):
                return await anyio.sleep(seconds)
            case Alone(renewal=renewal, work=work):
                async with self._locks[renewal].held:
                    return await self._run(work())
            case Ask(function=function, same_thread=same_thread):
                return await call_either(function, same_thread=same_thread)

    async def _send(self, step: Send) -> Received:
        try:
            return received(await self._http.request(**sent(self._base_url, step)))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise transport_error(step.request, error) from error
        except RuntimeError:
            if self._http.is_closed:
                raise ConfigurationError("the client is closed: make another one, or close it later") from None
            raise
