"""Serves an ASGI application in memory: on a loop of its own, called from any thread, without sockets.

Knows nothing of zones; what it serves sees an ordinary HTTP/1.1 client on this machine.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack, asynccontextmanager
from typing import NamedTuple, Self

import anyio
import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from starlette.types import ASGIApp, Message, Scope

CLIENT = ("127.0.0.1", 50000)
"""The client's address that the application sees."""


class Served(NamedTuple):
    """What the application answered."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class MemoryServer:
    """Runs one application, lifespan included. A context manager.

    Args:
        app: The application.
        name: What its thread is called.

    Raises:
        RuntimeError: It could not be started or stopped.
    """

    def __init__(self, app: ASGIApp, name: str) -> None:
        self._app = app
        self._name = name
        self._ends = ExitStack()
        self._portal: BlockingPortal

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._portal = stack.enter_context(start_blocking_portal("asyncio", name=self._name))
            stack.enter_context(self._portal.wrap_async_context_manager(self._lifespan()))
            self._ends = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    def request(
        self, method: str, target: str, headers: Iterable[tuple[bytes, bytes]], body: bytes, limit: float | None = None
    ) -> Served:
        """Send one request and wait for its answer.

        Args:
            method: Such as `POST`.
            target: Path and query.
            headers: Names in lower case.
            body: The whole body.
            limit: Seconds after which the client hangs up; None for no limit.

        Raises:
            TimeoutError: The time was over.
            ConnectionError: The application ended without a whole answer.
        """
        path, _, query = target.partition("?")
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": list(headers),
            "client": CLIENT,
            "server": ("127.0.0.1", 80),
        }
        answer = self._portal.start_task_soon(self._request, scope, body)
        try:
            return answer.result(limit)
        except TimeoutError:
            answer.cancel()
            raise

    async def _request(self, scope: Scope, body: bytes) -> Served:
        waiting = [{"type": "http.request", "body": body, "more_body": False}]
        gone = anyio.Event()
        status, headers, chunks, whole = 500, [], bytearray(), False

        async def receive() -> Message:
            if waiting:
                return waiting.pop()
            await gone.wait()  # the client stays until it is answered
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            nonlocal status, headers, whole
            if message["type"] == "http.response.start":
                status, headers = message["status"], list(message.get("headers", []))
            else:
                chunks.extend(message.get("body", b""))
                whole = not message.get("more_body", False)

        try:
            await self._app(scope, receive, send)
        finally:
            gone.set()
        if not whole:
            raise ConnectionResetError("the application ended without a whole answer")
        return Served(status, headers, bytes(chunks))

    @asynccontextmanager
    async def _lifespan(self) -> AsyncIterator[None]:
        started, stopping = anyio.Event(), anyio.Event()
        failure: Exception | None = None
        messages = iter([{"type": "lifespan.startup"}])

        async def receive() -> Message:
            for message in messages:
                return message
            await stopping.wait()
            return {"type": "lifespan.shutdown"}

        async def send(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                started.set()

        async def run() -> None:
            nonlocal failure
            try:
                await self._app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
            except Exception as error:
                failure = error
            started.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            await started.wait()
            if failure is None:
                try:
                    yield
                finally:
                    stopping.set()
        if failure is not None:
            raise RuntimeError("the application could not be started or stopped") from failure


class MemoryTransport(httpx.BaseTransport):
    """Lets an `httpx.Client` call an application in memory.

    Args:
        server: Serves it.
    """

    def __init__(self, server: MemoryServer) -> None:
        self._server = server

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """See `httpx.BaseTransport`."""
        headers = [(name.lower(), value) for name, value in request.headers.raw]
        try:
            served = self._server.request(request.method, request.url.raw_path.decode(), headers, request.read())
        except ConnectionError as error:
            raise httpx.RemoteProtocolError(str(error), request=request) from error
        return httpx.Response(served.status, headers=served.headers, content=served.body, request=request)
