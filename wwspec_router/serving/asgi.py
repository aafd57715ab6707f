"""One program as an ASGI application: POST / for the channel, GET /healthz and /readyz for operators.

It reads a request, hands it to the program's `Calls`, and sends the answer. It knows nothing of abilities or of JSON.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wwspec_contracts.errors import ConfigurationError, LoaderError
from wwspec_router.config import Settings
from wwspec_router.http1.answers import LARGE_BODY, LATE_BODY, NO_ROOM, STOPPING, Answer, answer_without_call
from wwspec_router.http1.bounds import FREE_BODY
from wwspec_router.http1.budget import BodyBudget
from wwspec_router.http1.framing import content_length
from wwspec_router.registry.faults import error_line
from wwspec_router.registry.loader import Application
from wwspec_router.serving.program import ZoneProgram


def wrap_function(settings: Settings) -> Callable[[Starlette], ASGIApp]:
    """Import the function that the setting `wrap` names.

    Raises:
        ConfigurationError: It can't be imported, or is no function.
    """
    try:
        function = Application(settings.app).attribute(settings.wrap)
    except LoaderError as error:
        raise ConfigurationError(f"--wrap: {error}") from None
    if not callable(function):
        raise ConfigurationError(f"--wrap {settings.wrap}: name a function, not {type(function).__name__}")
    return function  # type: ignore[no-any-return]  # callable is all that can be known


def wrapped(program: ZoneProgram) -> ASGIApp:
    """Return what serves a program: its application, as the function of the setting `wrap` returns it.

    Raises:
        ConfigurationError: The function can't be imported, fails, or returns no application.
    """
    settings = program.settings
    function = wrap_function(settings)
    try:
        application = function(ZoneApplication(program))
    except Exception as error:
        raise ConfigurationError(f"--wrap {settings.wrap}: {error_line(error, settings.app.resolve())}") from None
    if not callable(application):
        raise ConfigurationError(
            f"--wrap {settings.wrap}: it returns an object of {type(application).__name__}; let it return the "
            "application that it got, or one that calls it"
        )
    return application


class ZoneApplication(Starlette):
    """The ASGI application of a program, which starts and stops with the application's lifespan.

    Middleware, routes and mounts can be added as to any application of Starlette. A call goes through them only where
    there is one in its way: it takes less time without.

    Args:
        program: What is served.
    """

    def __init__(self, program: ZoneProgram) -> None:
        @asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncIterator[None]:
            await program.start()
            try:
                yield
            finally:
                await program.stop()

        self._calls = _Calls(program)
        self._route = Route("/", self._calls)
        super().__init__(routes=[self._route], lifespan=lifespan)
        self.router.default = self._calls  # after all that is added

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or the lifespan."""
        is_call = scope["type"] == "http" and scope["path"] == "/" and scope["method"] == "POST"
        if is_call and not self.user_middleware and self.router.routes[0] is self._route:
            await self._calls(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class _Calls:
    """Answers POST /, one exchange, and all that is no call as the connections of `wwspec serve` do."""

    def __init__(self, program: ZoneProgram) -> None:
        self._program = program
        self._bodies = BodyBudget(program.settings.max_body)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        method, path = scope["method"], scope["path"].removeprefix(scope.get("root_path", ""))
        if method == "POST" and path == "/":
            answer = await self._answer(scope, receive)
        else:
            answer = answer_without_call(self._program, method.encode(), path)
        if answer is not None:  # else nobody is left to send it to
            await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
            await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer | None:
        """Return the answer to a call."""
        body = await self._read(scope, receive)
        if not isinstance(body, bytes):
            return body
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        answered: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()

        def on_answer(answer: Answer | None) -> None:
            if not answered.done():
                answered.set_result(answer)

        async def hung_up() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        call = self._program.submit(headers, body, on_answer, hung_up)
        if call is None:
            return STOPPING
        self._bodies.submit(call)
        try:
            return await answered
        except asyncio.CancelledError:
            if not self._program.is_stopping:
                call.hang_up()
                raise
            call.cancel()  # the grace of `wwspec serve` is over
            return STOPPING

    async def _read(self, scope: Scope, receive: Receive) -> bytes | Answer | None:
        """Return the request's body, or what is answered in its place; None when there is nobody left to answer."""
        if content_length(scope["headers"]) > self._program.settings.max_body:
            return LARGE_BODY
        steps = receive().__await__()
        try:  # nearly always the first message is there, and takes no timeout
            first: dict[str, Any] | _Begun = _Begun(steps, next(steps))
        except StopIteration as done:
            first = done.value
        if isinstance(first, dict) and first["type"] == "http.request" and not first.get("more_body", False):
            body: bytes = first.get("body", b"")
            if len(body) <= min(FREE_BODY, self._program.settings.max_body):
                return body
        return await self._read_parts(first, receive)

    async def _read_parts(self, first: "dict[str, Any] | _Begun", receive: Receive) -> bytes | Answer | None:
        """Read a body that takes time to come, or more memory."""
        body = bytearray()
        more = True
        timeout = asyncio.timeout(self._program.settings.body_timeout)
        receiver = _Receiver(timeout)
        try:
            async with timeout:
                message = first if isinstance(first, dict) else await first
                while more:
                    if message["type"] == "http.disconnect":
                        return None
                    body += message.get("body", b"")
                    more = message.get("more_body", False)
                    if len(body) > self._program.settings.max_body:
                        return LARGE_BODY
                    self._bodies.grow(receiver, timeout.when() or 0.0, len(body))
                    if receiver.is_refused:
                        return NO_ROOM
                    if more:
                        message = await receive()
        except TimeoutError:
            return NO_ROOM if receiver.is_refused else LATE_BODY
        finally:
            self._bodies.end(receiver)
        return bytes(body)


class _Begun:
    """The rest of what is awaited, whose first step was made. A cancellation reaches the steps themselves.

    Args:
        steps: Those that are left.
        waits_for: What the first one waits for.
    """

    def __init__(self, steps: Generator[Any, Any, Message], waits_for: object) -> None:
        self._steps, self._first = steps, [waits_for]
        if hasattr(steps, "throw"):  # granian's have none, and are cancelled where they are awaited
            self.throw = steps.throw

    def __await__(self) -> Any:
        return self

    def __next__(self) -> object:
        return self._first.pop() if self._first else next(self._steps)


class _Receiver:
    """Receives a body within a timeout, which ends at once when the body is refused."""

    def __init__(self, timeout: asyncio.Timeout) -> None:
        self._timeout = timeout
        self.is_refused = False

    def refuse_body(self) -> None:
        """Let the timeout end."""
        if not self._timeout.expired():
            self.is_refused = True
            self._timeout.reschedule(0.0)
