"""How many calls of one ability run at once. Knows threads, but neither abilities nor calls."""

from collections.abc import Callable
from threading import Lock, get_ident
from typing import ParamSpec, TypeVar

from wwspec_router.errors import OverloadedError

__all__ = ["ConcurrencyLimit"]

P = ParamSpec("P")
T = TypeVar("T")


class ConcurrencyLimit:
    """Refuses at once what would run beside `most` others: to wait would hold a worker thread.

    Args:
        name: What is limited, for the log.
        most: How many threads may be inside.
    """

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self._inside: set[int] = set()
        self._lock = Lock()

    def around(self, function: Callable[P, T]) -> Callable[P, T]:
        """Return the function under this limit.

        Raises (when called):
            OverloadedError: The limit is reached; the function was not begun.
        """

        def limited(*args: P.args, **kwargs: P.kwargs) -> T:
            ident = get_ident()
            with self._lock:
                if len(self._inside) >= self._most:
                    detail = f"{self._most} calls of {self._name} are running"
                    raise OverloadedError("the ability is at its limit of calls, try again later", detail=detail)
                self._inside.add(ident)
            try:
                return function(*args, **kwargs)
            finally:
                self.leave(ident)

        return limited

    def leave(self, ident: int) -> None:
        """Count a thread no longer, if it is inside: it has come out, or it hangs and was replaced."""
        with self._lock:
            self._inside.discard(ident)
