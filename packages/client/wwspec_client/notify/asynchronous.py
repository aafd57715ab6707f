"""The receiver for an event loop: an ASGI application."""

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, Self, TypeVar

import anyio
import anyio.from_thread
import anyio.to_thread

from wwspec_client.asynchronous import AsyncZoneClient, call_either, run_steps
from wwspec_client.models import HttpAnswer
from wwspec_client.notify.base import _Receiver
from wwspec_client.notify.core import Work
from wwspec_client.notify.intake import ANSWER_SECONDS
from wwspec_client.notify.models import Notification, NotifyEvent, Pending, Stage
from wwspec_client.notify.watch import Call, Outcome, Watched
from wwspec_client.notify.workers import POLL
from wwspec_client.steps import Ask, Step, Steps
from wwspec_contracts.errors import ConfigurationError

T = TypeVar("T")

_log = logging.getLogger("wwspec_client.notify")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class AsyncNotifyReceiver(
    _Receiver[AsyncZoneClient | Callable[[Notification], AsyncZoneClient | Awaitable[AsyncZoneClient]], anyio.Event]
):
    """An app's callback URL as an ASGI application; for arguments and errors see `NotifyReceiver`.

    `client` is an `AsyncZoneClient`, or a function that returns one. All functions, and methods of the store, may be
    `async def`; plain ones run on threads. Give the receiver a route of your own application, or serve it alone. It
    works inside `async with`, or from `start()` to `stop()`; served alone, it starts and stops with the server.
    """

    _client_type = AsyncZoneClient
    _event_type = anyio.Event

    def _prepare(self) -> None:
        self._ends = AsyncExitStack()
        self._life: asyncio.Task[None] | None = None
        """What runs from `start()` to `stop()`."""

    async def __aenter__(self) -> Self:
        await self._run(self._core.open())
        try:
            self._portal = await self._ends.enter_async_context(anyio.from_thread.BlockingPortal())
            tasks = await self._ends.enter_async_context(anyio.create_task_group())
        except BaseException:
            self._core.running = False
            raise
        self._tasks = tasks
        self._watch.start()
        for work in self._core.works(self._client_of, self._handler, self._concurrency):
            tasks.start_soon(self._work, work)
        return self

    async def __aexit__(self, *error: Any) -> None:
        self._core.running = False
        self._core.wake()
        self._tasks.cancel_scope.deadline = anyio.current_time() + self._core.policy.grace
        try:
            await self._ends.__aexit__(*error)
        finally:
            self._watch.stop()
            with anyio.CancelScope(shield=True):
                await self._run(self._core.close())

    async def start(self) -> None:
        """Begin to fetch and handle, where `async with` has no place. Another task may call `stop()`.

        Raises:
            ConfigurationError: The store can't be opened.
        """
        if self._core.running:
            return
        started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stopping = asyncio.Event()
        life = asyncio.create_task(self._live_until(self._stopping, started))
        try:
            await started
        except asyncio.CancelledError:
            life.cancel()
            raise
        self._life = life

    async def stop(self) -> None:
        """Accept no more callbacks, and wait at most `policy.grace` seconds for running work; the end of `start()`."""
        life, self._life = self._life, None
        if life is not None:
            self._stopping.set()
            await life

    async def _live_until(self, stopping: asyncio.Event, started: "asyncio.Future[None]") -> None:
        try:
            await self.__aenter__()
        except BaseException as error:
            if not started.done():
                started.set_exception(error)
            return
        async with AsyncExitStack() as ends:
            ends.push_async_exit(self)
            started.set_result(None)
            await stopping.wait()

    async def events(self) -> AsyncIterator[NotifyEvent]:
        """Yield events as they arrive; for a receiver without a handler. See `NotifyReceiver.events`."""
        self._core.check_for_events(self._handler)
        while self._core.running:
            wait = self._idle()
            row = await self._run(self._core.claim(Stage.FETCHED))
            if row is None:
                await wait()
                continue
            try:
                yield self._core.event_of(row)
                await self._run(self._core.done(row))
            finally:
                self._core.claims.drop(row)
                with anyio.CancelScope(shield=True):
                    await self._run(self._core.release(row))

    def problems(self) -> list[str]:
        """Return what keeps the receiver from its work; see `NotifyReceiver.problems`."""
        if not self._core.running:
            return ["the receiver is not started in this process"]
        return self._watch.problems()

    async def failed(self) -> list[Pending]:
        """Return what was given up; see `NotifyReceiver.failed`."""
        return await self._run(self._core.failed())

    async def retry(self, notification: Notification) -> bool:
        """Try again what was given up; see `NotifyReceiver.retry`."""
        return await self._run(self._core.retry(notification))

    async def handle_request(self, method: str, query: str, body: bytes = b"") -> HttpAnswer:
        """Answer one request for an app with a web framework of its own; see `NotifyReceiver.handle_request`."""
        if refusal := self._core.intake.refusal(method, str(len(body))):
            return refusal
        with anyio.move_on_after(ANSWER_SECONDS):
            return await self._run(self._core.intake.answer(method, query, body))
        return HttpAnswer(408)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request, or WeCom's verification of the URL, as an ASGI application.

        Args:
            scope: Of ASGI.
            receive: Of ASGI.
            send: Of ASGI.
        """
        if scope["type"] == "lifespan":
            await live(self, receive, send)
        elif scope["type"] == "http":
            answer = await self._answer(scope, receive)
            if answer is not None:
                await _send(answer, scope["method"], send)

    async def _answer(self, scope: MutableMapping[str, Any], receive: Receive) -> HttpAnswer | None:
        method: str = scope["method"]
        length = b",".join(value for name, value in scope["headers"] if name == b"content-length")
        if refusal := self._core.intake.refusal(method, length.decode("latin-1")):
            return refusal
        with anyio.move_on_after(ANSWER_SECONDS):
            limit = self._core.policy.body_limit
            body = await _body(receive, limit)
            if body is None:
                return None
            if len(body) > limit:
                return self._core.intake.too_long()
            query = scope["query_string"].decode("latin-1")
            return await self._run(self._core.intake.answer(method, query, body))
        return HttpAnswer(408)

    async def _work(self, work: Work) -> None:
        while True:
            try:
                await self._run(work(self._idle))
            except Exception:
                _log.exception("a task that fetches or handles failed, and goes on")
                await anyio.sleep(POLL)
            else:
                return

    def _idle(self) -> Callable[[], Awaitable[None]]:
        rung = self._wakeup.next

        async def wait() -> None:
            with anyio.move_on_after(POLL):
                await rung.wait()

        return wait

    async def _run(self, steps: Steps[T]) -> T:
        return await run_steps(steps, self._do)

    async def _do(self, step: Step) -> Any:
        if isinstance(step, Watched):
            return await self._call(step)
        assert isinstance(step, Ask)  # noqa: S101 - the receiver's core has no other step
        return await call_either(step.function, abandon=True)

    async def _call(self, step: Watched) -> Outcome:
        """Call a function in a task of its own: its errors and cancellations end nothing else."""
        outcome = Outcome(error=asyncio.CancelledError())
        call = Call(step, lambda: self._portal.start_task_soon(tasks.cancel_scope.cancel))

        async def run() -> None:
            nonlocal outcome
            call.task = asyncio.current_task()
            try:
                if inspect.iscoroutinefunction(step.function):
                    outcome = Outcome(await step.function())
                    return
                limiter = anyio.CapacityLimiter(1)  # not the application's, whose threads are few
                outcome = await anyio.to_thread.run_sync(call.run, abandon_on_cancel=True, limiter=limiter)
                if inspect.isawaitable(outcome.result):
                    outcome = Outcome(await outcome.result)
            except BaseException as error:
                outcome = Outcome(error=error)

        with self._watch.watching(call):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(run)
        return call.overdue if call.is_abandoned else outcome


async def live(app: AbstractAsyncContextManager[object], receive: Receive, send: Send) -> None:
    """Start and stop an app that is served alone with its server.

    Args:
        app: Works inside `async with`.
        receive: Of ASGI.
        send: Of ASGI.
    """
    await receive()
    async with AsyncExitStack() as ends:
        try:
            await ends.enter_async_context(app)
        except ConfigurationError as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
    await send({"type": "lifespan.shutdown.complete"})


async def _body(receive: Receive, limit: int) -> bytes | None:
    """Return the body, or its beginning when it is above the limit; None when the client is gone."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > limit or not message.get("more_body", False):
            return bytes(body)


async def _send(answer: HttpAnswer, method: str, send: Send) -> None:
    content = answer.text.encode()
    headers = {"content-type": "text/plain; charset=utf-8", "content-length": str(len(content)), **answer.headers}
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else content})
