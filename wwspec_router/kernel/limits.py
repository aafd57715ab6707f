"""How many calls of one ability run at once. Knows threads, but neither abilities nor calls."""

from threading import Lock, get_ident

from wwspec_router.errors import OverloadedError


class ConcurrencyLimit:
    """Admits a thread for the length of a `with` block, and refuses it at once when `most` others are inside.

    It does not wait for a place: that would block a worker thread.

    Args:
        name: What is limited, for the log.
        most: How many threads may be inside.
    """

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self._inside: set[int] = set()
        self._lock = Lock()

    def __enter__(self) -> None:
        """Admit this thread.

        Raises:
            OverloadedError: The limit is reached.
        """
        with self._lock:
            if len(self._inside) >= self._most:
                detail = f"{self._most} calls of {self._name} are running"
                raise OverloadedError("the ability is at its limit of calls, try again later", detail=detail)
            self._inside.add(get_ident())

    def __exit__(self, *error: object) -> None:
        """Free the place of this thread."""
        self.abandon(get_ident())

    def abandon(self, ident: int) -> None:
        """Free the place of a thread, if it has one: the thread hangs and was replaced."""
        with self._lock:
            self._inside.discard(ident)
