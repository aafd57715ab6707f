"""What a handler receives beside its request: who calls, and a way to ask WeCom for data.

SDK calls block, and belong on the worker thread of their call. `Context` is used on that thread itself; `AsyncContext`
is used on the event loop and hands each SDK call to the worker thread, which waits for the handler meanwhile. SDK calls
that a handler makes at once go to more threads; see `mailbox`.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from time import sleep
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, overload

import msgspec

from wwspec_router.contracts import ApiRequest, Contract, Output, OutputT, PagedRequest, ResultT, TaskRequest
from wwspec_router.contracts.codec import OutputCodec
from wwspec_router.envelope import Call, Deadline
from wwspec_router.errors import ApiError, CallError
from wwspec_router.handlers.mailbox import Helpers, Mailbox
from wwspec_router.handlers.tasks import Split, finish, finish_split
from wwspec_router.sdk.base import SdkClient

__all__ = ["ApiCodec", "ApiCodecs", "AsyncContext", "Context", "Notifications"]

if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault  # part of every type checker

    StateT = TypeVarWithDefault("StateT", default=Any)
else:
    StateT = TypeVar("StateT")


class ApiCodec(msgspec.Struct, frozen=True):
    """How one SDK API's request is written and its reply read."""

    name: str
    output: OutputCodec


class ApiCodecs(Protocol):
    """Finds how an SDK API is called."""

    def __getitem__(self, request: type[ApiRequest[Any]], /) -> ApiCodec:
        """Return how the API of a `Request` is called.

        Raises:
            TypeError: It is no API's `Request`.
        """
        ...


class Notifications(Protocol):
    """Tells the app what a handler has for it."""

    def send(self, call: Call, payload: Contract, scene: int) -> str:
        """Store a payload, tell the call's app, and return the notify_id; see `Context.notify`."""
        ...


class _BaseContext(Generic[StateT]):
    """Who calls. The two public contexts differ only in how an SDK call is waited for."""

    def __init__(
        self,
        call: Call,
        new_client: Callable[[], SdkClient],
        apis: ApiCodecs,
        deadline: Deadline,
        notifications: Notifications,
        state: Any = None,
    ) -> None:
        self.call = call
        """The decoded call, whole."""
        self._new_client = new_client
        self._client = new_client()
        self._apis = apis
        self._deadline = deadline
        self._notifications = notifications
        self.state: StateT = state
        """What the application's lifespan yielded, the same object in all calls of one process; None without one."""

    @property
    def corpid(self) -> str:
        """The corp whose data the call is about."""
        return self.call.corpid

    @property
    def agentid(self) -> int:
        """The app that calls."""
        return self.call.agentid

    @property
    def ability_id(self) -> str:
        """The ability that was asked for."""
        return self.call.ability_id

    @property
    def notify_id(self) -> str:
        """The notify_id that the app passed on, else empty."""
        return self.call.notify_id

    @property
    def attempt(self) -> int:
        """Which time this call is begun: always 1, but for an asynchronous one whose process died or lost its store.

        Code on an event runs again after an error, too. It may leave out a number: a process may have died between its
        note of it and the handler.
        """
        return self.call.attempt

    @property
    def remaining(self) -> float | None:
        """Seconds until the call is answered with a time-out; None when the ability has no timeout."""
        return self._deadline.remaining

    def _invoke(self, client: SdkClient, request: ApiRequest[OutputT], check: bool) -> OutputT:
        self._deadline.check()
        api = self._apis[type(request)]
        text = api.output.fit(client.invoke(api.name, msgspec.json.encode(request).decode()))
        response: Any = api.output.decode(text)
        if check and response.errcode != 0:
            raise ApiError(api.name, response.errcode, response.errmsg)
        return response  # type: ignore[no-any-return]  # the table pairs each Request with its Response

    def _notify(self, payload: Contract, scene: int) -> str:
        self._deadline.check()
        return self._notifications.send(self.call, payload, scene)

    def _finish(
        self, client: SdkClient, request: TaskRequest[Any, ResultT], split: Split[ResultT] | None
    ) -> ResultT | list[ResultT]:
        run = partial(finish, invoke=partial(self._invoke, client, check=True), wait=self._wait, name=self._name)
        return run(request) if split is None else finish_split(request, split, run)

    def _name(self, request: type[ApiRequest[Any]]) -> str:
        return self._apis[request].name

    def _wait(self, seconds: float) -> None:
        remaining = self.remaining
        sleep(seconds if remaining is None else min(seconds, remaining))

    def _next(self, request: PagedRequest[OutputT], page: Output) -> PagedRequest[OutputT] | None:
        """Return the request of the page after this one; None when this is the last.

        Raises:
            CallError: The platform says that there is more, and does not say where.
        """
        reply: Any = page
        if not reply.has_more:
            return None
        asked: Any = request
        if reply.next_cursor in ("", asked.cursor):
            raise CallError(f"{self._name(type(request))}: the platform's next_cursor leads nowhere")
        return msgspec.structs.replace(request, cursor=reply.next_cursor)


class Context(_BaseContext[StateT]):
    """What a `def` handler receives."""

    def invoke(self, request: ApiRequest[OutputT], *, check: bool = True) -> OutputT:
        """Ask WeCom for data through one SDK API.

        Args:
            request: The `Request` of the API, such as `sync_msg.Request(limit=200)`.
            check: Raise when the platform answers with an errcode other than 0.

        Returns:
            The API's `Response`.

        Raises:
            ApiError: The platform refused; only with `check`.
            SdkCallError: The call could not be made.
            OutputError: The platform's reply does not fit the API's contract.
            HandlerTimeoutError: The ability's time is over; nothing was sent.
        """
        return self._invoke(self._client, request, check)

    def notify(self, payload: Contract, scene: int = 0) -> str:
        """Store something for the app, durably, and tell the app, which fetches it with `get_callback_data`.

        Args:
            payload: Of a type that a row `[notifications.<kind>]` of the registry file names.
            scene: From 0 to 255; the app is given it with the notify_id [99849].

        Returns:
            The notify_id.

        Raises:
            OutputError: The payload does not fit its own contract; nothing was stored.
            ApiError: The payload is stored, and the platform refused to tell the app.
            SdkCallError: The payload is stored, and the platform could not be reached.
            CallError: The payload could not be stored.
            HandlerTimeoutError: The handler's time is over; nothing was stored.
            TypeError: No row names the payload's type.
            ValueError: The scene is out of range.
        """
        return self._notify(payload, scene)

    def pages(self, request: PagedRequest[OutputT]) -> Iterator[OutputT]:
        """Ask for one page after another, from the request's own to the last one.

        A page may be short, or empty, while more follow. To go on after a restart, keep `next_cursor` of the page that
        you have worked through, and begin with a request of that `cursor`.

        Args:
            request: The `Request` of a paged API, such as `sync_msg.Request(token=token, limit=200)`.

        Yields:
            The API's `Response`, page by page.

        Raises:
            CallError: As `invoke` does; also when the platform says that there is more, and does not say where.
        """
        following: PagedRequest[OutputT] | None = request
        while following is not None:
            page = self._invoke(self._client, following, check=True)
            yield page
            following = self._next(following, page)

    @overload
    def finish(self, request: TaskRequest[Any, ResultT]) -> ResultT: ...

    @overload
    def finish(self, request: TaskRequest[Any, ResultT], *, split: Split[ResultT]) -> list[ResultT]: ...

    def finish(
        self, request: TaskRequest[Any, ResultT], *, split: Split[ResultT] | None = None
    ) -> ResultT | list[ResultT]:
        """Create an analysis task, and wait for its result.

        The platform is asked for it after a quarter of a second, then less and less often, at last every ten seconds.
        What it could not analyse is in the result, in `fail_list` or in each message's errcode.

        Args:
            request: The `Request` of an API that creates a task, such as `create_summary_task.Request(msg_list=keys)`.
            split: Called with a request whose messages are too long for the model (errcode 790040), returns it as
                several, such as `wwspec_router.wecom.tasks.halves`.

        Returns:
            The `Response` of the API that returns the result; with `split` a list of them, one for each part.

        Raises:
            ApiError: The platform refused, or the task failed.
            HandlerTimeoutError: The ability's time is over; the task goes on, and nobody asks for its result.
            CallError: As `invoke` does.
        """
        return self._finish(self._client, request, split)


class AsyncContext(_BaseContext[StateT]):
    """What an `async def` handler receives."""

    _mailbox: Mailbox | None = None

    async def invoke(self, request: ApiRequest[OutputT], *, check: bool = True) -> OutputT:
        """Ask WeCom for data through one SDK API, without blocking the event loop.

        Arguments, result and errors are those of `Context.invoke`. Calls that are made at once, as with
        `asyncio.gather`, run at once, up to eight of one handler; further ones wait for these.
        """
        if self._mailbox is None:
            return self._invoke(self._client, request, check)
        return await self._mailbox.run(lambda client: self._invoke(client, request, check))

    async def notify(self, payload: Contract, scene: int = 0) -> str:
        """Store something for the app, durably, and tell the app, without blocking the event loop.

        Arguments, result and errors are those of `Context.notify`.
        """
        if self._mailbox is None:
            return self._notify(payload, scene)
        return await self._mailbox.run(lambda client: self._notify(payload, scene))

    async def pages(self, request: PagedRequest[OutputT]) -> AsyncIterator[OutputT]:
        """Ask for one page after another; see `Context.pages`."""
        following: PagedRequest[OutputT] | None = request
        while following is not None:
            page = await self.invoke(following)
            yield page
            following = self._next(following, page)

    @overload
    async def finish(self, request: TaskRequest[Any, ResultT]) -> ResultT: ...

    @overload
    async def finish(self, request: TaskRequest[Any, ResultT], *, split: Split[ResultT]) -> list[ResultT]: ...

    async def finish(
        self, request: TaskRequest[Any, ResultT], *, split: Split[ResultT] | None = None
    ) -> ResultT | list[ResultT]:
        """Create an analysis task, and wait for its result without blocking the event loop; see `Context.finish`."""
        if self._mailbox is None:
            return self._finish(self._client, request, split)
        return await self._mailbox.run(lambda client: self._finish(client, request, split))

    def open_mailbox(self, helpers: Helpers) -> Mailbox:
        """Let SDK calls run on the thread that serves the mailbox which this returns. For a portal.

        Args:
            helpers: Where threads for calls that are made at once come from.
        """
        self._mailbox = Mailbox(self._client, self._new_client, helpers)
        return self._mailbox
