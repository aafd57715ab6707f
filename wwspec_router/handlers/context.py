"""What a handler receives beside its request: the caller, and methods that ask WeCom for data.

SDK calls block, and belong on the worker thread of their call. `Context` is used on that thread itself; `AsyncContext`
is used on the event loop and hands each SDK call to the worker thread, which waits for the handler meanwhile. SDK calls
that a handler makes at once go to more threads; see `async_bridge`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from inspect import isawaitable
from typing import Any, TypeVar, overload

from wwspec_contracts.base import ApiRequest, Contract, OutputT, PagedRequest, ResultT, TaskRequest
from wwspec_router.handlers.async_bridge import Helpers, Mailbox
from wwspec_router.handlers.base import BaseContext, SettingsT, StateT
from wwspec_router.handlers.follow import AsyncFollow, Follow, Start
from wwspec_router.handlers.kept import AsyncKept, Kept
from wwspec_router.handlers.tasks import Split
from wwspec_router.sdk.base import SdkClient

T = TypeVar("T")


class Context(BaseContext[StateT, SettingsT]):
    """What a `def` handler receives: who calls, how much time is left, and WeCom's SDK APIs.

    A context belongs to one call and to the thread of its handler. `Context[State]` names the type of `state`, and
    `Context[State, Settings]` also that of `settings`.

    Examples:
        >>> from wwspec_router import Context, Contract, Output, ability
        >>> from wwspec_contracts import sync_msg
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
            >>> from wwspec_contracts import get_group_chat
            >>> def creator(chatid: str, ctx: Context) -> str:
            ...     try:
            ...         return ctx.invoke(get_group_chat.Request(chatid=chatid)).creator
            ...     except ApiError as error:
            ...         if error.errcode == 710606:  # the group is not in the archive's scope
            ...             return ""
            ...         raise
        """
        return self._invoke(self._client, request, check)

    def notify(self, payload: Contract, scene: int = 0, *, once: str = "") -> str:
        """Store a payload under a new notify_id, and notify the app, which fetches it with `get_callback_data`.

        It returns when the payload is stored and the app was notified. That the platform refused, or could not be
        reached, is only logged: the app is notified again until it fetches, with pauses from 10 seconds to 10 minutes,
        for a day (`told_for`). After 9 minutes it gets a new notify_id, since WeCom's is valid for 10. Without `once`,
        a handler that runs again notifies the app of something else.

        Args:
            payload: Its type is one that a row `[notifications.<kind>]` of the registry file names.
            scene: The notify_scene that the app receives with the notify_id, from 0 to 255 [99849].
            once: A name of up to 256 bytes, at most 1,000 in a job. The first call of this name stores the payload; a
                repeat, also of a later attempt, stores nothing. It holds for this job only: another event or machine
                notifies the app once more.

        Returns:
            The notify_id; with `once` that of the first call, which WeCom may not know any more.

        Raises:
            RuntimeError: The call is synchronous, and `once` is given.
            OutputError: The payload does not fit its own contract; nothing was stored.
            CallError: The payload could not be stored. With `job-threads = 0` the app is notified once only; then also
                when the platform refused that (`ApiError`) or could not be reached (`SdkCallError`).
            HandlerTimeoutError: The handler's time is over; nothing was stored.
            TypeError: No row names the payload's type.
            ValueError: The scene is out of range, or `once` is too long, or the job has too many.

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
        return self._notify(payload, scene, once)

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
            >>> from wwspec_contracts import sync_msg
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

    def follow(self, request: PagedRequest[OutputT], *, name: str, start: Start = "now") -> Follow[OutputT]:
        """Request the pages of what has come since this name last ended well for the corp and the app.

        The place after the last page that was processed is stored with the end of the run, so that a run which fails
        gets the same pages again. One run at a time has a name; another runs later by itself, as does one that WeCom
        limits (-1, 45009, 45033): neither is an attempt. Call this first: code before it runs each time.

        Args:
            request: The `Request` of `sync_msg` or `get_hit_msg_list`, with the event's token, and without cursor. A
                token that WeCom does not take any more is left out. A page has 1,000 records unless it says `limit`.
            name: What the place belongs to, beside the API, the corp and the app: 1 to 256 bytes.
            start: Where the first run of a name begins: "now", with the minute before the event; "oldest", up to 5 days
                ago; or about a time, as a datetime or in Unix seconds.

        Returns:
            The pages, to be iterated over once. A page counts as processed when the next one is asked for; call
            `keep()` before a `break`. `gap` says from when records may be missing: no run was made for 5 days.

        Raises:
            RuntimeError: The call is synchronous.
            TypeError: The API takes no event's token.
            ValueError: The request has a cursor or begin_time, or the name is empty or too long.
            PostponedError: While pages are asked for: the job runs later; let it pass.
            CallError: While pages are asked for, as `pages`.

        Examples:
            >>> from wwspec_router import EventContext
            >>> from wwspec_contracts import sync_msg
            >>> from wwspec_contracts.events import conversation_new_message
            >>> def on_new_message(event: conversation_new_message.Event, ctx: EventContext) -> None:
            ...     request = sync_msg.Request(token=event.conversation_new_message.token)
            ...     for page in ctx.follow(request, name="count"):
            ...         print(len(page.msg_list), "new messages")
        """
        return Follow(self._followed_pages(request, name, start), self._client)

    @property
    def kept(self) -> Kept:
        """Small values that the application keeps for the corp and the app of the call; see `Kept`."""
        return Kept(self._kept_writes())

    @overload
    def step(self, name: str, function: Callable[[], T]) -> T: ...

    @overload
    def step(self, name: str, function: Callable[[], object], *, type: type[T]) -> T: ...

    def step(self, name: str, function: Callable[[], Any], *, type: Any = None) -> Any:  # noqa: A002 - msgspec's word
        """Run a part of a job whose result is kept at once: a later attempt takes the result.

        Only a kill between the end of the function and the write lets it run twice.

        Args:
            name: 1 to 256 bytes; each step of a job has one of its own. A job has at most 100 steps.
            function: Does the work. Its result is JSON of at most 64 KiB.
            type: What the result is read as; by default the function's return annotation, else plain JSON.

        Returns:
            The result, as it is read from its JSON.

        Raises:
            RuntimeError: The call is synchronous.
            ValueError: The name is empty, too long or taken, or a limit is exceeded.
            TypeError: The result can't be written as JSON, or is not of the type.
            CallError: The result could not be stored or read.

        Examples:
            >>> from wwspec_router import EventContext
            >>> from wwspec_contracts.events import hit_keyword
            >>> def open_ticket() -> str:
            ...     return "ticket-1"  # asks another system
            >>> def on_hit(event: hit_keyword.Event, ctx: EventContext) -> None:
            ...     ticket = ctx.step("ticket", open_ticket)
        """
        step = self._step(name, function, type)
        return step.keep(function()) if step.text is None else step.result()

    @overload
    def finish(self, request: TaskRequest[Any, ResultT]) -> ResultT: ...

    @overload
    def finish(self, request: TaskRequest[Any, ResultT], *, split: Split[ResultT]) -> list[ResultT]: ...

    def finish(
        self, request: TaskRequest[Any, ResultT], *, split: Split[ResultT] | None = None
    ) -> ResultT | list[ResultT]:
        """Create an analysis task, and wait for its result.

        The result is requested after about 0.25 seconds, however short the task is, then at intervals that grow to 10
        seconds; the handler's thread waits meanwhile. Messages that could not be analysed are in the result, in
        `fail_list` or by their errcodes.

        In an asynchronous call and in code on an event the task is a step: a later attempt asks for the result of the
        task that an earlier one created, unless that task failed.

        Args:
            request: The `Request` of an API that creates a task, such as `create_summary_task.Request(msg_list=keys)`.
            split: Returns a request whose messages are too long for the model (errcode 790040 [100052]) as several
                requests, such as `wwspec_contracts.tasks.halves`.

        Returns:
            The `Response` of the API that returns the result; with `split` a list of them, one for each part.

        Raises:
            ApiError: The platform refused, or the task failed.
            HandlerTimeoutError: The ability's time is over; the task goes on, but its result is not requested.
            CallError: As `invoke`.

        Examples:
            >>> from wwspec_router import Context
            >>> from wwspec_contracts import create_sentiment_task
            >>> from wwspec_contracts.tasks import MessageKey, halves
            >>> def moods(keys: list[MessageKey], ctx: Context) -> list[int]:
            ...     results = ctx.finish(create_sentiment_task.Request(msg_list=keys), split=halves)
            ...     found = [each for result in results for each in result.analyze_result_list]
            ...     return [each.sentiment_result for each in found if each.errcode == 0]
        """
        return self._finish(self._client, request, split)


class AsyncContext(BaseContext[StateT, SettingsT]):
    """What an `async def` handler receives: all of `Context`, with methods to await.

    Handlers run on the event loop of their process, SDK calls on threads. Up to 8 SDK calls of one handler run at the
    same time, as with `asyncio.gather`. At its timeout a handler is cancelled.

    Examples:
        >>> import asyncio
        >>> from wwspec_router import AsyncContext, Contract, Output, ability
        >>> from wwspec_contracts import get_group_chat
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

    async def _on_thread(self, function: Callable[[SdkClient], T]) -> T:
        return function(self._client) if self._mailbox is None else await self._mailbox.run(function)

    async def invoke(self, request: ApiRequest[OutputT], *, check: bool = True) -> OutputT:
        """Call one SDK API without blocking the event loop.

        Arguments, result and errors are those of `Context.invoke`. Up to 8 calls of one handler run at the same time;
        further ones wait.
        """
        return await self._on_thread(lambda client: self._invoke(client, request, check))

    async def notify(self, payload: Contract, scene: int = 0, *, once: str = "") -> str:
        """Store a payload under a new notify_id, and notify the app, without blocking the event loop.

        Arguments, result and errors are those of `Context.notify`.
        """
        return await self._on_thread(lambda client: self._notify(payload, scene, once))

    async def pages(self, request: PagedRequest[OutputT]) -> AsyncIterator[OutputT]:
        """Request one page after another, without blocking the event loop.

        Arguments, pages and errors are those of `Context.pages`.

        Examples:
            >>> from wwspec_router import AsyncContext
            >>> from wwspec_contracts import sync_msg
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

    def follow(self, request: PagedRequest[OutputT], *, name: str, start: Start = "now") -> AsyncFollow[OutputT]:
        """Request the pages of what has come since this name last ended well, without blocking the event loop.

        Arguments and errors are those of `Context.follow`.

        Examples:
            >>> from wwspec_router import AsyncEventContext
            >>> from wwspec_contracts import get_hit_msg_list
            >>> from wwspec_contracts.events import hit_keyword
            >>> async def on_hit(event: hit_keyword.Event, ctx: AsyncEventContext) -> None:
            ...     async for page in ctx.follow(get_hit_msg_list.Request(token=event.hit_keyword.token), name="hits"):
            ...         print(len(page.msg_list), "hits")
        """
        return AsyncFollow(self._followed_pages(request, name, start), self._on_thread)

    @property
    def kept(self) -> AsyncKept:
        """Small values that the application keeps for the corp and the app of the call; see `AsyncKept`."""
        return AsyncKept(self._kept_writes(), lambda read: self._on_thread(lambda client: read()))

    @overload
    async def step(self, name: str, function: Callable[[], Awaitable[T]]) -> T: ...

    @overload
    async def step(self, name: str, function: Callable[[], T]) -> T: ...

    @overload
    async def step(self, name: str, function: Callable[[], object], *, type: type[T]) -> T: ...

    async def step(self, name: str, function: Callable[[], Any], *, type: Any = None) -> Any:  # noqa: A002 - msgspec's word
        """Run a part of a job whose result is kept at once: a later attempt takes the result.

        Arguments, result and errors are those of `Context.step`. What the function returns is awaited if it can be, so
        it may be an `async def`. Another one runs on the event loop, and must not block.
        """
        step = await self._on_thread(lambda client: self._step(name, function, type))
        if step.text is not None:
            return step.result()
        value = function()
        if isawaitable(value):
            value = await value
        return await self._on_thread(lambda client: step.keep(value))

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
        return await self._on_thread(lambda client: self._finish(client, request, split))

    def open_mailbox(self, helpers: Helpers) -> Mailbox:
        """Return a mailbox, and let SDK calls run on the thread that serves it. For a portal.

        Args:
            helpers: The source of threads for calls that are made at the same time.
        """
        self._mailbox = Mailbox(self._client, self._new_client, helpers)
        return self._mailbox
