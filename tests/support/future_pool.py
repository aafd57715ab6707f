"""The pool of worker threads, with a future for each job."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar, TypeVarTuple

from wwspec_router.serving.workers import WorkerPool

_Result = TypeVar("_Result")
_Args = TypeVarTuple("_Args")


class FuturePool(WorkerPool):
    """A pool that runs functions; who cancels the future of one cancels its job."""

    def submit(self, fn: Callable[[*_Args], _Result], *args: *_Args) -> asyncio.Future[_Result]:
        future: asyncio.Future[_Result] = asyncio.get_running_loop().create_future()
        self.add(_FutureJob(future, fn, args))
        return future


class _FutureJob:
    __slots__ = ("_args", "_fn", "_future")

    def __init__(self, future: asyncio.Future[Any], fn: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self._future = future
        self._fn = fn
        self._args = args

    @property
    def is_over(self) -> bool:
        return self._future.done()

    def run(self) -> Any:
        return self._fn(*self._args)

    def end(self, result: Any, error: BaseException | None) -> None:
        if error is None:
            self._future.set_result(result)
        else:
            self._future.set_exception(error)
            self._future.exception()  # counts as asked for: asyncio would log it where the caller has gone

    def cancel(self) -> None:
        self._future.cancel()
