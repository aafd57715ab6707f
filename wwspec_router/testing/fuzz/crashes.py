"""What handlers raised while a case was played: read from the log of the program, which runs in this process."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from wwspec_router.tracebacks import place_of

__all__ = ["Crashes", "listening"]


class Crashes(logging.Handler):
    """Remembers the latest error that the program logged with its traceback, and prints nothing."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._latest: BaseException | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line of the log."""
        if record.exc_info and record.exc_info[1] is not None:
            self._latest = record.exc_info[1]

    def take(self) -> tuple[str, str]:
        """Return class and place of the latest error, and its text; empty ones when there was none."""
        error, self._latest = self._latest, None
        if error is None:
            return "", ""
        place = place_of(error)
        return f"{type(error).__name__}{f' at {place}' if place else ''}", " ".join(str(error).split())[:200]


@contextmanager
def listening() -> Iterator[Crashes]:
    """Let nothing be logged but to what this yields."""
    root, crashes = logging.getLogger(), Crashes()
    handlers, level = root.handlers[:], root.level
    root.handlers[:] = [crashes]
    root.setLevel(logging.ERROR)
    try:
        yield crashes
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
