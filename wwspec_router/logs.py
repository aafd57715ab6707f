"""Log lines: one line each, to standard output, with nothing secret in them.

Bodies, tokens and keys never reach a log. What comes from outside is shortened and escaped before it does, and an
unknown exception is described by its type and where it was raised, since its text may quote a body.
"""

import logging
import sys
import traceback
from pathlib import Path

__all__ = ["describe", "setup_logging", "short"]

_LINE = "%(asctime)s %(levelname)s %(name)s %(process)d %(message)s"


def setup_logging(level: str = "INFO") -> None:
    """Send log records of this package and of the server to standard output.

    Args:
        level: The least severe level that is kept: DEBUG, INFO, WARNING or ERROR.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_OneLineFormatter(_LINE))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("httpx", "httpcore", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def short(text: str, length: int = 12) -> str:
    """Return the beginning of an id, escaped, so that lines can be tied together without giving the id away."""
    start = text[:length].encode("unicode_escape").decode("ascii")
    return start if len(text) <= length else f"{start}…"


def describe(error: BaseException) -> str:
    """Return an exception's type and where it was raised, innermost frame first, but not its text."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames)]
    return f"{type(error).__name__} at {' < '.join(places) or 'an unknown place'}"


class _OneLineFormatter(logging.Formatter):
    """Keeps a record on one line, and formats exceptions without their text."""

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None
        error = record.exc_info[1] if record.exc_info else None
        record.exc_info = None
        line = super().format(record).replace("\n", " | ")
        return line if error is None else f"{line}: {describe(error)}"
