"""The app of a provider for an event loop: an ASGI application."""

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from wwspec_client.archive import AsyncArchiver
from wwspec_client.asynchronous import call_either, run_steps
from wwspec_client.notify.asynchronous import AsyncNotifyReceiver, Receive, Send, live
from wwspec_client.provider.base import _ProviderApp, make_tables
from wwspec_client.steps import Ask, Step, Steps
from wwspec_client.suite.asynchronous import AsyncSuite


class AsyncProviderApp(_ProviderApp[AsyncEngine, AsyncConnection, AsyncSuite, AsyncArchiver, AsyncNotifyReceiver]):
    """A provider's app for an event loop, as an ASGI application; for arguments and errors see `ProviderApp`.

    The engine is an `AsyncEngine`, and `store` an `async def` function, whose transaction is an `AsyncConnection`. The
    other functions may be `async def`, too; plain ones run on threads. It works inside `async with service.lifespan()`.
    Served alone, it starts and stops with the server. In an application of FastAPI or Starlette, give that
    `lifespan=service.lifespan`, and mount the service.
    """

    _suite_type = AsyncSuite
    _archiver_type = AsyncArchiver
    _receiver_type = AsyncNotifyReceiver

    def _driven(self, steps: Callable[..., Steps[None]]) -> Callable[..., Awaitable[None]]:
        async def run(*arguments: Any) -> None:
            await run_steps(steps(*arguments), _do)

        return run

    @asynccontextmanager
    async def lifespan(self, app: object = None) -> AsyncIterator[None]:
        """Make the tables and work until the end; closes the connections then.

        Args:
            app: The application that the service is mounted in; not used.

        Raises:
            ConfigurationError: A table is another one.
            StoreError: The database refuses.
        """
        if self._tables is not None:
            async with self._engine.begin() as connection:
                await connection.run_sync(make_tables, self._tables)
        async with self.suite, self.receiver, anyio.create_task_group() as tasks:
            tasks.start_soon(self.archiver.run)
            try:
                yield
            finally:
                self.archiver.stop()
        await self._engine.dispose()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer a request of WeCom at `/callback` or `/commands`, as an ASGI application; another one with 404.

        Args:
            scope: Of ASGI.
            receive: Of ASGI.
            send: Of ASGI.
        """
        if scope["type"] == "lifespan":
            await live(self.lifespan(), receive, send)
        elif scope["type"] == "http":
            app = self._routes.get(scope["path"].removeprefix(scope.get("root_path", "")))
            if app is not None:
                await app(scope, receive, send)
                return
            await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body"})


async def _do(step: Step) -> Any:
    assert isinstance(step, Ask)  # noqa: S101 - the app's core has no other step
    return await call_either(step.function)
