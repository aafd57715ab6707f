"""A function as a job of a worker pool, for callers that await its outcome."""

import asyncio
from collections.abc import Callable
from typing import Any

__all__ = ["FutureJob"]


class FutureJob:
    """A function with its arguments, whose outcome a future gets; see `Job`.

    Args:
        future: The future: who cancels it cancels the job.
        fn: The function.
        args: Its arguments.
    """

    __slots__ = ("_fn", "_future", "args")

    def __init__(self, future: asyncio.Future[Any], fn: Callable[..., Any], args: tuple[object, ...]) -> None:
        self._future = future
        self._fn = fn
        self.args = args

    @property
    def is_over(self) -> bool:
        """Whether the future is done."""
        return self._future.done()

    def run(self) -> Any:
        """Call the function."""
        return self._fn(*self.args)

    def end(self, result: Any, error: BaseException | None) -> None:
        """Pass the outcome on."""
        if error is None:
            self._future.set_result(result)
        else:
            self._future.set_exception(_raisable(error))
            self._future.exception()  # counts as asked for: asyncio would log it where the caller has gone

    def cancel(self) -> None:
        """Cancel the future."""
        self._future.cancel()


def _raisable(error: BaseException) -> BaseException:
    """Return an error that a coroutine can be handed."""
    if not isinstance(error, StopIteration | GeneratorExit):
        return error
    raisable = RuntimeError(f"the job raised {type(error).__name__}")
    raisable.__cause__ = error
    return raisable
