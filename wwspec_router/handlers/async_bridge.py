"""Runs `async def` handlers for worker threads, and the SDK calls of these handlers on threads.

The worker thread of a call waits in the portal until the handler has ended, and does its SDK calls meanwhile. While one
SDK call runs, others of the same handler get helpers: threads that end with the ability's call, each with an SDK client
of its own. If no helper can be started, calls wait for a thread in their order.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from threading import BoundedSemaphore, Lock, Thread, get_ident
from typing import Any, NoReturn, Protocol, TypeVar

from wwspec_contracts.errors import CallError
from wwspec_contracts.support.stacks import Frames, task_frames, thread_frames
from wwspec_router.sdk.base import SdkClient

T = TypeVar("T")
_Job = Callable[[SdkClient], None]

AT_ONCE = 8
"""SDK calls of one handler that run at once."""
MOST_HELPERS = 256
"""Helpers of one process: as many threads as the calls themselves have by default."""


class Helpers:
    """Starts helpers for all mailboxes of a process, no more than `most` at a time."""

    def __init__(self, most: int = MOST_HELPERS) -> None:
        self._free = BoundedSemaphore(most)

    def start(self, work: Callable[[], None]) -> Thread | None:
        """Run a function on a new thread, which logs as the caller does; return None when there can be none."""
        if not self._free.acquire(blocking=False):
            return None

        def help_out() -> None:
            try:
                work()
            finally:
                self._free.release()

        thread = Thread(target=copy_context().run, args=(help_out,), name="wwspec-helper", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system has no thread left
            self._free.release()
            return None
        return thread


class Mailbox:
    """The SDK calls of one handler.

    Args:
        client: Of the worker thread.
        new_client: Makes one for a helper.
        helpers: Where helpers come from.
    """

    def __init__(self, client: SdkClient, new_client: Callable[[], SdkClient], helpers: Helpers) -> None:
        self._client = client
        self._new_client = new_client
        self._helpers = helpers
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads: list[Thread] = []
        self._lock = Lock()
        self._unfinished = 0
        """Jobs that wait or run."""
        self._closed = False

    async def run(self, function: Callable[[SdkClient], T]) -> T:
        """Run a function on a thread, with that thread's client, and wait for it. On the loop.

        Raises:
            CallError: The mailbox is closed: a task of the handler outlived its call.
        """
        if self._closed:
            raise CallError("the call is over")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def job(client: SdkClient) -> None:
            finish: Callable[[], object] = future.cancel
            try:
                if not future.cancelled():
                    finish = partial(_succeed, future, function(client))
            except BaseException as error:  # any error is raised in the handler
                finish = partial(_fail, future, error)
            with self._lock:
                self._unfinished -= 1  # before the handler goes on: its next call needs no helper
            loop.call_soon_threadsafe(finish)

        with self._lock:
            self._unfinished += 1
            unfinished = self._unfinished
        self._jobs.put(job)
        threads = 1 + len(self._threads)
        if threads < min(unfinished, AT_ONCE):
            helper = self._helpers.start(lambda: self._work(self._new_client()))
            if helper is not None:
                self._threads.append(helper)
        return await future

    def close(self) -> None:
        """Let `serve` return. On the loop."""
        self._closed = True
        for _ in range(1 + len(self._threads)):
            self._jobs.put(None)

    def serve(self) -> None:
        """Run jobs until the mailbox is closed, and wait for the helpers. On the worker thread."""
        self._work(self._client)
        for each in self._threads:
            each.join()

    def _work(self, client: SdkClient) -> None:
        while (job := self._jobs.get()) is not None:
            job(client)


def _succeed(future: "asyncio.Future[T]", result: T) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: "asyncio.Future[Any]", error: BaseException) -> None:
    if not future.done():
        future.set_exception(RuntimeError("StopIteration") if isinstance(error, StopIteration) else error)


class AsyncRun(Protocol):
    """What a portal needs of an `AsyncContext`."""

    @property
    def remaining(self) -> float | None:
        """Seconds until the run's deadline, if it has one."""

    def open_mailbox(self, helpers: Helpers) -> Mailbox:
        """Let SDK calls run on the thread that serves the mailbox."""

    def timeout_error(self) -> CallError:
        """Return the error of a run that came to its deadline."""


class Portal(Protocol):
    """Runs an `async def` handler for a worker thread."""

    def run(self, handler: Callable[[], Coroutine[Any, Any, T]], context: AsyncRun) -> T:
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

    def run(self, handler: Callable[[], Coroutine[Any, Any, T]], context: AsyncRun) -> T:
        """See `Portal.run`."""
        mailbox = context.open_mailbox(self._helpers)
        future = asyncio.run_coroutine_threadsafe(self._run_guarded(get_ident(), handler, context), self._loop)
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

    async def _run_guarded(
        self, ident: int, handler: Callable[[], Coroutine[Any, Any, T]], context: AsyncRun
    ) -> Callable[[], T]:
        """Run a handler; return a function that returns its result or raises its error on the calling thread.

        No exception leaves the task itself: `SystemExit` would stop the server's loop, and asyncio replaces some
        others. The task can be found meanwhile.
        """
        self._tasks[ident] = asyncio.current_task()
        try:
            result = await _run_in_time(handler, context)
        except BaseException as error:
            return partial(_raise, error)
        finally:
            del self._tasks[ident]
        return lambda: result


class PrivateLoopPortal:
    """Runs each handler on a loop of its own, on the calling thread: for a kernel without a server.

    SDK calls run on that thread too, one after another.
    """

    def run(self, handler: Callable[[], Coroutine[Any, Any, T]], context: AsyncRun) -> T:
        """See `Portal.run`."""
        return asyncio.run(_run_in_time(handler, context))


def _raise(error: BaseException) -> NoReturn:
    raise error


async def _run_in_time(handler: Callable[[], Coroutine[Any, Any, T]], context: AsyncRun) -> T:
    limit = asyncio.timeout(context.remaining)
    try:
        async with limit:
            return await handler()
    except TimeoutError as error:
        if limit.expired():
            # What the limit has cancelled, with the place: Python 3.11.2, of Debian 12, knows it as the context only.
            waited = (error.__cause__ or error.__context__ or error).__traceback__
            raise context.timeout_error().with_traceback(waited) from None
        raise
    except asyncio.CancelledError as error:  # raised by the handler itself, or the loop is stopping
        raise CallError("the ability was cancelled") from error
