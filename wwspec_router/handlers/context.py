"""What a handler receives beside its request: the caller, and methods that ask WeCom for data.

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

if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault  # part of every type checker

    StateT = TypeVarWithDefault("StateT", default=Any)
    SettingsT = TypeVarWithDefault("SettingsT", default=Any)
else:
    StateT = TypeVar("StateT")
    SettingsT = TypeVar("SettingsT")


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
    """Sends the notifications of a handler to the app."""

    def send(self, call: Call, payload: Contract, scene: int) -> str:
        """Store a payload, notify the call's app, and return the notify_id; see `Context.notify`."""
        ...


class _BaseContext(Generic[StateT, SettingsT]):
    """Who calls, and how much time is left. The two public contexts differ only in how they wait for an SDK call."""

    if not TYPE_CHECKING:  # where type variables have defaults

        def __class_getitem__(cls, types: Any) -> Any:
            given = types if isinstance(types, tuple) else (types,)
            return super().__class_getitem__((*given, Any) if len(given) == 1 else given)

    def __init__(
        self,
        call: Call,
        new_client: Callable[[], SdkClient],
        apis: ApiCodecs,
        deadline: Deadline,
        notifications: Notifications,
        state: Any = None,
        settings: Any = None,
    ) -> None:
        self.call = call
        """The decoded call: all that the SDK read from the request."""
        self._new_client = new_client
        self._client = new_client()
        self._apis = apis
        self._deadline = deadline
        self._notifications = notifications
        self.state: StateT = state
        """What the application's lifespan yielded: one object for all calls of a process; None without a lifespan."""
        self.settings: SettingsT = settings
        """The application's own settings: the Struct that `[program] settings` names; None without one."""

    @property
    def corpid(self) -> str:
        """The corpid of the corp whose data the call is about."""
        return self.call.corpid

    @property
    def agentid(self) -> int:
        """The agentid of the app that calls."""
        return self.call.agentid

    @property
    def ability_id(self) -> str:
        """The ID of the ability that is called; empty for code on an event."""
        return self.call.ability_id

    @property
    def notify_id(self) -> str:
        """The notify_id that the app sent with the call; empty without one [99849]."""
        return self.call.notify_id

    @property
    def attempt(self) -> int:
        """The number of this run, from 1.

        It is 1 in a synchronous call. An asynchronous call runs again when its process died or lost its store; code on
        an event also runs again after an error. A number may be missing: a process may die after it has stored the
        number and before the handler starts.
        """
        return self.call.attempt

    @property
    def remaining(self) -> float | None:
        """Seconds until the call is answered with a timeout error; None when the ability has no `timeout`."""
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
            CallError: The platform says that there are more pages, and gives no cursor.
        """
        reply: Any = page
        if not reply.has_more:
            return None
        asked: Any = request
        if reply.next_cursor in ("", asked.cursor):
            raise CallError(f"{self._name(type(request))}: the platform's next_cursor leads nowhere")
        return msgspec.structs.replace(request, cursor=reply.next_cursor)


class Context(_BaseContext[StateT, SettingsT]):
    """What a `def` handler receives: who calls, how much time is left, and WeCom's SDK APIs.

    A context belongs to one call and to the thread of its handler. `Context[State]` names the type of `state`, and
    `Context[State, Settings]` also that of `settings`.

    Examples:
        >>> from wwspec_router import Context, Contract, Output, ability
        >>> from wwspec_router.wecom import sync_msg
        >>> class CountRequest(Contract):
        ...     token: str
        >>> class CountReply(Output):
        ...     messages: int = 0
        ...     complete: bool = True
        >>> @ability
        ... def count(request: CountRequest, ctx: Context) -> CountReply:
        ...     reply = CountReply()
        ...     for page in ctx.pages(sync_msg.Request(token=request.token, limit=1000)):
        ...         reply.messages += len(page.msg_list)
        ...         if ctx.remaining is not None and ctx.remaining < 1.0:
        ...             reply.complete = not page.has_more
        ...             break
        ...     return reply
    """

    def invoke(self, request: ApiRequest[OutputT], *, check: bool = True) -> OutputT:
        """Call one SDK API and wait for its reply.

        Args:
            request: The `Request` of the API, such as `sync_msg.Request(limit=200)`.
            check: Raise an error when the platform replies with an errcode other than 0. Without it, the caller reads
                `errcode` of the reply.

        Returns:
            The API's `Response`.

        Raises:
            ApiError: The platform refused the call; only with `check`.
            SdkCallError: The SDK could not make the call: network, signature or protocol.
            OutputError: The platform's reply does not fit the API's contract.
            HandlerTimeoutError: The ability's time is over; nothing was sent.

        Examples:
            >>> from wwspec_router import ApiError, Context
            >>> from wwspec_router.wecom import get_group_chat
            >>> def creator(chatid: str, ctx: Context) -> str:
            ...     try:
            ...         return ctx.invoke(get_group_chat.Request(chatid=chatid)).creator
            ...     except ApiError as error:
            ...         if error.errcode == 710606:  # the group is not in the archive's scope
            ...             return ""
            ...         raise
        """
        return self._invoke(self._client, request, check)

    def notify(self, payload: Contract, scene: int = 0) -> str:
        """Store a payload under a new notify_id, and notify the app, which fetches it with `get_callback_data`.

        The app must fetch it within 600 seconds, the time for which WeCom's notify_id is valid. A handler that runs
        again notifies the app again.

        Args:
            payload: Its type is one that a row `[notifications.<kind>]` of the registry file names.
            scene: The notify_scene that the app receives with the notify_id, from 0 to 255 [99849].

        Returns:
            The notify_id.

        Raises:
            OutputError: The payload does not fit its own contract; nothing was stored.
            ApiError: The payload is stored, and the platform refused to notify the app.
            SdkCallError: The payload is stored, and the platform could not be reached.
            CallError: The payload could not be stored.
            HandlerTimeoutError: The handler's time is over; nothing was stored.
            TypeError: No row names the payload's type.
            ValueError: The scene is out of range.

        Examples:
            >>> from wwspec_router import Context, Contract, Output, ability
            >>> class Finished(Contract):  # [notifications.finished] has contract = "abilities.report:Finished"
            ...     groups: int
            >>> class ReportRequest(Contract):
            ...     chatids: list[str]
            >>> class ReportReply(Output):
            ...     notify_id: str = ""
            >>> @ability
            ... def report(request: ReportRequest, ctx: Context) -> ReportReply:
            ...     return ReportReply(notify_id=ctx.notify(Finished(groups=len(request.chatids))))
        """
        return self._notify(payload, scene)

    def pages(self, request: PagedRequest[OutputT]) -> Iterator[OutputT]:
        """Request one page after another, from that of the request to the last one.

        A page may be short or empty while more pages follow. To continue later, keep `next_cursor` of the last page
        that you have processed, and start with a request of that `cursor`.

        Args:
            request: The `Request` of a paged API, such as `sync_msg.Request(token=token, limit=200)`.

        Yields:
            The API's `Response`, page by page.

        Raises:
            CallError: As `invoke`; also when the platform has more pages and gives no cursor for them.

        Examples:
            >>> from wwspec_router import Context
            >>> from wwspec_router.wecom import sync_msg
            >>> def senders(token: str, ctx: Context) -> set[str]:
            ...     found: set[str] = set()
            ...     for page in ctx.pages(sync_msg.Request(token=token, limit=1000)):
            ...         found |= {message.sender.id for message in page.msg_list if message.sender}
            ...     return found
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

        The result is requested after 0.25 seconds, then at growing intervals of up to 10 seconds. Messages that could
        not be analysed are in the result, in `fail_list` or by their errcodes.

        Args:
            request: The `Request` of an API that creates a task, such as `create_summary_task.Request(msg_list=keys)`.
            split: Returns a request whose messages are too long for the model (errcode 790040 [100052]) as several
                requests, such as `wwspec_router.wecom.tasks.halves`.

        Returns:
            The `Response` of the API that returns the result; with `split` a list of them, one for each part.

        Raises:
            ApiError: The platform refused, or the task failed.
            HandlerTimeoutError: The ability's time is over; the task goes on, but its result is not requested.
            CallError: As `invoke`.

        Examples:
            >>> from wwspec_router import Context
            >>> from wwspec_router.wecom import create_sentiment_task
            >>> from wwspec_router.wecom.tasks import MessageKey, halves
            >>> def moods(keys: list[MessageKey], ctx: Context) -> list[int]:
            ...     results = ctx.finish(create_sentiment_task.Request(msg_list=keys), split=halves)
            ...     found = [each for result in results for each in result.analyze_result_list]
            ...     return [each.sentiment_result for each in found if each.errcode == 0]
        """
        return self._finish(self._client, request, split)


class AsyncContext(_BaseContext[StateT, SettingsT]):
    """What an `async def` handler receives: all of `Context`, with methods to await.

    Handlers run on the event loop of their process, SDK calls on threads. Up to 8 SDK calls of one handler run at the
    same time, as with `asyncio.gather`. At its timeout a handler is cancelled.

    Examples:
        >>> import asyncio
        >>> from wwspec_router import AsyncContext, Contract, Output, ability
        >>> from wwspec_router.wecom import get_group_chat
        >>> class SizesRequest(Contract):
        ...     chatids: list[str]
        >>> class SizesReply(Output):
        ...     members: list[int] = []
        >>> @ability
        ... async def group_sizes(request: SizesRequest, ctx: AsyncContext) -> SizesReply:
        ...     calls = [ctx.invoke(get_group_chat.Request(chatid=each)) for each in request.chatids]
        ...     return SizesReply(members=[len(group.members) for group in await asyncio.gather(*calls)])
    """

    _mailbox: Mailbox | None = None

    async def invoke(self, request: ApiRequest[OutputT], *, check: bool = True) -> OutputT:
        """Call one SDK API without blocking the event loop.

        Arguments, result and errors are those of `Context.invoke`. Up to 8 calls of one handler run at the same time;
        further ones wait.
        """
        if self._mailbox is None:
            return self._invoke(self._client, request, check)
        return await self._mailbox.run(lambda client: self._invoke(client, request, check))

    async def notify(self, payload: Contract, scene: int = 0) -> str:
        """Store a payload under a new notify_id, and notify the app, without blocking the event loop.

        Arguments, result and errors are those of `Context.notify`.
        """
        if self._mailbox is None:
            return self._notify(payload, scene)
        return await self._mailbox.run(lambda client: self._notify(payload, scene))

    async def pages(self, request: PagedRequest[OutputT]) -> AsyncIterator[OutputT]:
        """Request one page after another, without blocking the event loop.

        Arguments, pages and errors are those of `Context.pages`.

        Examples:
            >>> from wwspec_router import AsyncContext
            >>> from wwspec_router.wecom import sync_msg
            >>> async def count(token: str, ctx: AsyncContext) -> int:
            ...     messages = 0
            ...     async for page in ctx.pages(sync_msg.Request(token=token, limit=1000)):
            ...         messages += len(page.msg_list)
            ...     return messages
        """
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
        """Create an analysis task, and wait for its result without blocking the event loop.

        Arguments, result and errors are those of `Context.finish`. It takes a thread of the handler until the end.
        """
        if self._mailbox is None:
            return self._finish(self._client, request, split)
        return await self._mailbox.run(lambda client: self._finish(client, request, split))

    def open_mailbox(self, helpers: Helpers) -> Mailbox:
        """Return a mailbox, and let SDK calls run on the thread that serves it. For a portal.

        Args:
            helpers: The source of threads for calls that are made at the same time.
        """
        self._mailbox = Mailbox(self._client, self._new_client, helpers)
        return self._mailbox
