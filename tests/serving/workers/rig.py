"""What the tests of the worker pool share: loops, jobs that wait, a system without threads."""

import asyncio
import gc
import resource
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any, Protocol, TypeVar

import pytest
import uvloop

from tests.support.future_pool import FuturePool
from tests.support.waiting import DEADLINE

T = TypeVar("T")
LoopFactory = Callable[[], asyncio.AbstractEventLoop]


LOOPS = [pytest.param(asyncio.new_event_loop, id="asyncio"), pytest.param(uvloop.new_event_loop, id="uvloop")]


class Run(Protocol):
    def __call__(self, main: Callable[[], Coroutine[Any, Any, T]]) -> T: ...


def run_on(factory: LoopFactory, main: Coroutine[Any, Any, T], *, debug: bool = False, limit: float = DEADLINE) -> T:
    complaints: list[dict[str, Any]] = []

    async def within_deadline() -> T:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        loop.slow_callback_duration = DEADLINE
        async with asyncio.timeout(limit):
            result = await main
        gc.collect()
        await asyncio.sleep(0)
        return result

    with asyncio.Runner(loop_factory=factory, debug=debug) as runner:
        result = runner.run(within_deadline())
    gc.collect()
    assert complaints == []
    return result


class Blocker:
    """A job that says on the loop when it begins, and ends when it is released."""

    def __init__(self, result: object = None) -> None:
        self.loop = asyncio.get_running_loop()
        self.begun = asyncio.Event()
        self.runs = 0
        self.ident = 0
        self.release = threading.Event()
        self.result = result

    def __call__(self) -> object:
        self.runs += 1
        self.ident = threading.get_ident()
        self.loop.call_soon_threadsafe(self.begun.set)
        if not self.release.wait(DEADLINE):
            raise TimeoutError("nobody released the job")
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result


NAME = "pool-under-test"
"""Of threads: other pools may be in this process, such as that of a program that tests share."""


async def started(threads: int = 2, queue: int = 1024, name: str = NAME) -> FuturePool:
    pool = FuturePool(threads, queue, name)
    await pool.start()
    return pool


def pooled(
    threads: int = 2, queue: int = 1024, name: str = NAME, left: int = 0
) -> Callable[[Callable[..., Coroutine[Any, Any, None]]], Callable[..., None]]:
    """Make a coroutine function a test on both loops, with a pool; `left` jobs are undone if the test stops it."""

    def decorate(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
        @wraps(test)
        def on_loop(run: Run, **fixtures: Any) -> None:
            async def main() -> None:
                pool = await started(threads, queue, name)
                try:
                    await test(pool, **fixtures)
                except BaseException:  # the next test must not wait for threads of this one
                    await pool.stop(0.0)
                    raise
                assert await pool.stop(DEADLINE) == left

            run(main)

        others = [*signature(test).parameters.values()][1:]
        on_loop.__signature__ = Signature([Parameter("run", Parameter.POSITIONAL_OR_KEYWORD), *others])  # type: ignore[attr-defined]  # for pytest
        return on_loop

    return decorate


def join_left_behind(name: str = NAME) -> None:
    for thread in threading.enumerate():
        if thread.name.startswith(name):
            thread.join(DEADLINE)
            assert not thread.is_alive()


async def begin(pool: FuturePool, result: object = None) -> tuple[Blocker, asyncio.Future[object]]:
    blocker = Blocker(result)
    future = pool.submit(blocker)
    await blocker.begun.wait()
    return blocker, future


def release(blockers: Iterable[Blocker]) -> None:
    for each in blockers:
        each.release.set()


class Forbidden:
    """A job that must not run. Raising would not tell: what a dropped job raises is dropped, too."""

    def __init__(self) -> None:
        self.runs = 0

    def __call__(self) -> None:
        self.runs += 1


class Careless:
    """A job whose outcome nobody can take."""

    is_over = False

    def run(self) -> str:
        return "done"

    def end(self, result: str, error: BaseException | None) -> None:
        raise LookupError(result)

    def cancel(self) -> None:
        raise NotImplementedError


@contextmanager
def no_more_threads() -> Iterator[None]:
    """Ask for stacks that no address space holds, so that the system really refuses the thread."""
    before = threading.stack_size(1 << 46)
    try:
        yield
    finally:
        threading.stack_size(before)


@contextmanager
def no_more_files() -> Iterator[None]:
    """Let this process open no file beside those that it has open."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
