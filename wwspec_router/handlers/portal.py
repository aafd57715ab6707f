"""Runs `async def` handlers for worker threads, on the server's loop or on a loop of their own.

The worker thread of a call waits in the portal until the handler has ended, and does its SDK calls meanwhile.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from threading import get_ident
from typing import Any, NoReturn, Protocol, TypeVar

from wwspec_contracts.errors import CallError
from wwspec_contracts.support.stacks import Frames, task_frames, thread_frames
from wwspec_router.handlers.context import AsyncContext
from wwspec_router.handlers.mailbox import Helpers

T = TypeVar("T")


class Portal(Protocol):
    """Runs an `async def` handler for a worker thread."""

    def run(self, handler: Callable[[], Coroutine[Any, Any, T]], context: AsyncContext) -> T:
        """Run a handler to its end, or to the context's deadline, and return its result.

        Raises:
            HandlerTimeoutError: The time was over first; the handler was cancelled.
        """


class LoopPortal:
    """Runs handlers on the server's event loop, from worker threads.

    Args:
        loop: The running loop.
        helpers: Threads for SDK calls that one handler makes at once.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, helpers: Helpers | None = None) -> None:
        self._loop = loop
        self._tasks: dict[int, asyncio.Task[Any] | None] = {}
        self._helpers = helpers or Helpers()

    def run(self, handler: Callable[[], Coroutine[Any, Any, T]], context: AsyncContext) -> T:
        """See `Portal.run`."""
        mailbox = context.open_mailbox(self._helpers)
        future = asyncio.run_coroutine_threadsafe(self._guarded(get_ident(), handler, context), self._loop)
        future.add_done_callback(lambda done: mailbox.close())
        mailbox.serve()
        return future.result()()

    def task_of(self, ident: int) -> "asyncio.Task[Any] | None":
        """Return the task of the handler that a thread waits for, if any."""
        return self._tasks.get(ident)

    def frames_of(self, ident: int) -> Frames:
        """See `FramesOf`."""
        task = self._tasks.get(ident)
        return thread_frames(ident) if task is None else task_frames(task)

    async def _guarded(
        self, ident: int, handler: Callable[[], Coroutine[Any, Any, T]], context: AsyncContext
    ) -> Callable[[], T]:
        """Run a handler; return a function that returns its result or raises its error on the calling thread.

        No exception leaves the task itself: `SystemExit` would stop the server's loop, and asyncio replaces some
        others. The task can be found meanwhile.
        """
        self._tasks[ident] = asyncio.current_task()
        try:
            result = await _limited(handler, context)
        except BaseException as error:
            return partial(_raise, error)
        finally:
            del self._tasks[ident]
        return lambda: result


class PrivateLoopPortal:
    """Runs each handler on a loop of its own, on the calling thread: for a kernel without a server.

    SDK calls run on that thread too, one after another.
    """

    def run(self, handler: Callable[[], Coroutine[Any, Any, T]], context: AsyncContext) -> T:
        """See `Portal.run`."""
        return asyncio.run(_limited(handler, context))


def _raise(error: BaseException) -> NoReturn:
    raise error


async def _limited(handler: Callable[[], Coroutine[Any, Any, T]], context: AsyncContext) -> T:
    limit = asyncio.timeout(context.remaining)
    try:
        async with limit:
            return await handler()
    except TimeoutError as error:
        if limit.expired():
            waited = (error.__cause__ or error).__traceback__
            raise context.timeout_error().with_traceback(waited) from None
        raise
    except asyncio.CancelledError as error:  # raised by the handler itself, or the loop is stopping
        raise CallError("the ability was cancelled") from error
