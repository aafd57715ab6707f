"""Serves an ASGI application in memory: on a loop of its own, called from any thread, without sockets.

Knows nothing of zones; what it serves sees an ordinary HTTP/1.1 client on this machine.
"""

import asyncio
import threading
from collections.abc import Iterable
from typing import Any, NamedTuple

import httpx
from starlette.types import ASGIApp, Message, Scope

__all__ = ["MemoryServer", "MemoryTransport", "Served"]

CLIENT = ("127.0.0.1", 50000)
"""Who the application sees calling."""


class Served(NamedTuple):
    """What the application answered."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class MemoryServer:
    """Runs one application, lifespan included, from `start` to `stop`.

    Args:
        app: The application.
        name: What its thread is called.
    """

    def __init__(self, app: ASGIApp, name: str) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name)
        self._stopping: asyncio.Event
        self._lifespan: asyncio.Task[None]

    def start(self) -> None:
        """Start the application.

        Raises:
            RuntimeError: Its start-up failed.
        """
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        except BaseException:
            self._end_loop()
            raise

    def stop(self) -> None:
        """Stop the application and its loop."""
        try:
            asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        finally:
            self._end_loop()

    def request(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[bytes, bytes]],
        body: bytes,
        limit: float | None = None,
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
        answer = asyncio.run_coroutine_threadsafe(self._request(scope, body), self._loop)
        try:
            return answer.result(limit)
        except TimeoutError:
            answer.cancel()
            raise

    async def _request(self, scope: Scope, body: bytes) -> Served:
        waiting = [{"type": "http.request", "body": body, "more_body": False}]
        gone = asyncio.Event()
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

    async def _start(self) -> None:
        self._stopping = asyncio.Event()
        started: asyncio.Future[None] = self._loop.create_future()
        first = True

        async def receive() -> Message:
            nonlocal first
            if first:
                first = False
                return {"type": "lifespan.startup"}
            await self._stopping.wait()
            return {"type": "lifespan.shutdown"}

        async def send(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                started.set_result(None)
            elif message["type"] == "lifespan.startup.failed":
                started.set_exception(RuntimeError(message.get("message", "the start-up failed")))

        scope: dict[str, Any] = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
        self._lifespan = asyncio.ensure_future(_await(self._app(scope, receive, send)))
        await asyncio.wait([started, self._lifespan], return_when=asyncio.FIRST_COMPLETED)
        await started

    async def _stop(self) -> None:
        self._stopping.set()
        await self._lifespan

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


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


async def _await(awaitable: Any) -> None:
    await awaitable
