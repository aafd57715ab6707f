"""One program as an ASGI application: POST / for the channel, GET /healthz and /readyz for operators.

It reads a request, hands it to the program's `Calls`, and sends the answer. It knows nothing of abilities or of JSON.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from wwspec_router.http1.answers import LARGE_BODY, LATE_BODY, NO_ROOM, STOPPING, Answer, answer_without_call
from wwspec_router.http1.budget import BodyBudget
from wwspec_router.http1.framing import content_length
from wwspec_router.serving.program import ZoneProgram


def application(program: ZoneProgram) -> Starlette:
    """Return the ASGI application of a program, which starts and stops with the application's lifespan."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await program.start()
        try:
            yield
        finally:
            await program.stop()

    return Starlette(
        routes=[
            Route("/", _Endpoint(program), methods=["POST"]),
            Route("/{path:path}", _NoCall(program)),
        ],
        lifespan=lifespan,
    )


class _NoCall:
    """Answers all other requests, as the connections of `wwspec serve` do."""

    def __init__(self, program: ZoneProgram) -> None:
        self._program = program

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = f"/{scope['path_params']['path']}"
        await _send(send, answer_without_call(self._program, scope["method"].encode(), path))


async def _send(send: Send, answer: Answer) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.body})


class _Endpoint:
    """POST /: one exchange."""

    def __init__(self, program: ZoneProgram) -> None:
        self._program = program
        self._max_body = program.settings.max_body
        self._body_timeout = program.settings.body_timeout
        self._bodies = BodyBudget(self._max_body)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        calls = self._program.calls
        if calls is None:
            await _send(send, STOPPING)
            return
        try:
            body = await self._read(scope, receive)
        except _NotReadError as error:
            if error.answer is not None:
                await _send(send, error.answer)
            return
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        answered: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()

        def on_answer(answer: Answer | None) -> None:
            if not answered.done():
                answered.set_result(answer)

        async def hung_up() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        call = calls.submit(headers, body, on_answer, hung_up)
        self._bodies.submit(call)
        try:
            answer = await answered
        except asyncio.CancelledError:  # the server is stopping
            call.hang_up()
            raise
        if answer is not None:
            await _send(send, answer)

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        """Read the request's body, within its limits on size and time."""
        if content_length(scope["headers"]) > self._max_body:
            raise _NotReadError(LARGE_BODY)
        body = bytearray()
        more = True
        timeout = asyncio.timeout(self._body_timeout)
        receiver = _Receiver(timeout)
        try:
            async with timeout:
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _NotReadError(None)
                    body += message.get("body", b"")
                    more = message.get("more_body", False)
                    if len(body) > self._max_body:
                        raise _NotReadError(LARGE_BODY)
                    self._bodies.grow(receiver, timeout.when() or 0.0, len(body))
                    if receiver.is_refused:
                        raise TimeoutError
        except TimeoutError:
            raise _NotReadError(NO_ROOM if receiver.is_refused else LATE_BODY) from None
        finally:
            self._bodies.end(receiver)
        return bytes(body)


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


class _NotReadError(Exception):
    """The body was not read; without an answer when there is nobody left to send it to."""

    def __init__(self, answer: Answer | None) -> None:
        super().__init__("the body was not read")
        self.answer = answer
