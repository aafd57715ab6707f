"""Reads from the program's log what handlers raised, and when code on events ran. The program runs in this process."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from wwspec_contracts.errors import CallError
from wwspec_router.logs.formats import Fields
from wwspec_router.logs.tracebacks import place_of

ENDED = "job ended"
"""The log line of a job that ended; code on an event is a job."""


class Crashes(logging.Handler):
    """Remembers the first error that the program logged with its traceback, and prints nothing.

    A `CallError` does not count: a failed SDK call is not the handler's fault, and code on an event then runs again.
    """

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._first: BaseException | None = None
        self._runs = self._ended = 0
        self._change = Condition()

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line of the log."""
        with self._change:
            error = record.exc_info[1] if record.exc_info else None
            if self._first is None and error is not None and not isinstance(error, CallError):
                self._first = error
            self._runs += getattr(getattr(record, "call", None), "kind", "") == "job"
            if isinstance(record.msg, Fields) and record.msg.message == ENDED:
                self._ended += 1
            self._change.notify_all()

    def wait_for_run(self, seconds: float = 10.0) -> bool:
        """Wait until code on an event has run once; return False when it has not within the time."""
        with self._change:
            return self._change.wait_for(lambda: self._runs > 0, seconds)

    def wait_for_code(self, seconds: float = 10.0) -> bool:
        """Wait until code on an event has run, its retries included; return False when it has not within the time."""
        with self._change:
            return self._change.wait_for(lambda: self._ended > 0, seconds)

    def pop(self) -> tuple[str, str]:
        """Return class and place of the first error, and its text, and forget them; empty texts without an error."""
        with self._change:
            error, self._first, self._ended = self._first, None, 0
            self._runs = 0
        if error is None:
            return "", ""
        place = place_of(error)
        return f"{type(error).__name__}{f' at {place}' if place else ''}", " ".join(str(error).split())[:200]


@contextmanager
def listening() -> Iterator[Crashes]:
    """Yield a `Crashes` that gets all log records, in place of the handlers of the root logger."""
    root, crashes = logging.getLogger(), Crashes()
    handlers, level = root.handlers[:], root.level
    root.handlers[:] = [crashes]
    root.setLevel(logging.INFO)
    try:
        yield crashes
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
