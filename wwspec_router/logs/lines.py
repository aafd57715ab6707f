"""Log lines, with nothing secret in them. `formats` has their form, `handlers` their destination.

With the vendor's SDK bodies, tokens and keys never reach a log. Text from outside is shortened and escaped, and an
unknown exception is described by its type and where it was raised, since its text may quote a body. With the emulator's
SDK (`development`) logs hold everything.
"""

import io
import logging
import os
import sys
import threading
import warnings
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from wwspec_contracts.support.rare_lines import LineLimiter
from wwspec_contracts.support.stacks import describe
from wwspec_router.logs.formats import JsonFormatter, OneLineFormatter, ReadableFormatter, current_request
from wwspec_router.logs.handlers import StandardOutput
from wwspec_router.logs.tracebacks import shown

if TYPE_CHECKING:
    import asyncio

log = logging.getLogger("wwspec_router.logs")

_SERVER_LINES = (
    "Invalid HTTP request received.",
    "Exceeded concurrency limit.",
    "Large bodies exceed the memory for them.",
    "Unsupported upgrade request.",
    "No supported WebSocket library detected.",
    "Request head too large.",
)
"""Beginnings of what uvicorn and our protocol class log of a client that has done nothing but connect."""
_SERVER_STEPS = (
    "Started server process",
    "Waiting for application startup",
    "Application startup complete",
    "Shutting down",
    "Waiting for application shutdown",
    "Application shutdown complete",
    "Finished server process",
)
"""Beginnings of uvicorn's lines about its own steps, which do not help a developer."""


@contextmanager
def about(request: int | str) -> Iterator[None]:
    """Let the lines of this block carry a request's number, on a thread that serves many."""
    before = current_request.set(request)
    try:
        yield
    finally:
        current_request.reset(before)


def setup_logging(level: str = "INFO", *, as_json: bool = False, development: bool = False) -> None:
    """Send log records of this package and of the server to standard output, and with them what Python would print.

    What the application prints is a line at once, too, also where standard output is a file.

    Args:
        level: The least severe level that is kept: DEBUG, INFO, WARNING or ERROR.
        as_json: One JSON object a line instead of text.
        development: Log the texts of errors and warnings, too, which may quote a body, and in a form for people.
    """
    handler = StandardOutput()
    handler.setFormatter(_formatter(as_json, development))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    threading.excepthook = partial(_log_thread, with_text=development)
    sys.unraisablehook = partial(_log_unraisable, with_text=development)
    warnings.showwarning = partial(_log_warning, with_text=development)
    logging.getLogger("uvicorn.error").filters[:] = [_RareLines(_server_kind), *([_is_no_step] if development else [])]
    log.filters[:] = [_RareLines(_stray_kind)]
    root = logging.getLogger()
    for old in root.handlers:
        if isinstance(old, StandardOutput):
            old.close()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("httpx", "httpcore", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _formatter(as_json: bool, development: bool) -> logging.Formatter:
    if as_json:
        return JsonFormatter(with_text=development)
    if development:
        return ReadableFormatter(in_colour=sys.stdout.isatty() and not os.environ.get("NO_COLOR"))
    return OneLineFormatter()


def _log_thread(args: threading.ExceptHookArgs, *, with_text: bool) -> None:
    """Log what ended a thread that a handler started: Python would print its text."""
    if args.exc_value is not None:
        _log_stray("a thread ended: %s", args.exc_value, with_text)


def _log_unraisable(args: "sys.UnraisableHookArgs", *, with_text: bool) -> None:
    """Log an error that no caller can get, such as that of a `__del__`: Python would print its text."""
    _log_stray("an error that no caller can get: %s", args.exc_value, with_text)


def _log_stray(message: str, error: BaseException | None, with_text: bool, otherwise: str = "an error") -> None:
    """Log an error, or `otherwise` where Python has none to show."""
    if error is None:
        log.error(message, otherwise)
    else:
        log.error(message, describe(error), exc_info=shown(error) if with_text else None)


def _log_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
    *,
    with_text: bool,
) -> None:
    """Log a warning by its category and place: Python would print its text and the line of code."""
    try:
        what = f"{category.__name__} at {Path(filename).name}:{lineno}"
        text = f": {message}" if with_text else ""
    except Exception:  # its own methods raise, and a warning must not fail a call
        what, text = "a warning that can't be described", ""
    log.warning("%s%s", what, text)


def log_stray(loop: "asyncio.AbstractEventLoop", context: dict[str, Any], *, with_text: bool = False) -> None:
    """Log what failed outside of any call, such as a task that a handler left behind: asyncio would quote its text."""
    error: BaseException | None = context.get("exception")
    _log_stray("outside of any call: %s failed", error, with_text, otherwise="something in the event loop")


class _RareLines(logging.Filter):
    """Lets lines of a logger pass once a second, each kind for itself.

    Args:
        kind_of: Returns the kind of a record; None for one that always passes.
    """

    def __init__(self, kind_of: Callable[[logging.LogRecord], Hashable]) -> None:
        super().__init__()
        self._kind_of = kind_of
        self._limiter = LineLimiter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log a record, and what was left out before it."""
        kind = self._kind_of(record)
        if kind is None:
            return True
        ending = self._limiter.ending(kind)
        if ending is None:
            return False
        record.msg = f"{record.msg}{ending}"
        return True


def _server_kind(record: logging.LogRecord) -> str | None:
    """Return the kind of a record that any client can cause."""
    line = str(record.msg)
    return next((beginning for beginning in _SERVER_LINES if line.startswith(beginning)), None)


def _is_no_step(record: logging.LogRecord) -> bool:
    """Return whether a record is about more than a step of uvicorn."""
    return not str(record.msg).startswith(_SERVER_STEPS)


def _stray_kind(record: logging.LogRecord) -> tuple[str, object]:
    """Return what a record of this module is about: the kind of line, and the type and place that it names first."""
    return record.msg, record.args[0] if isinstance(record.args, tuple) and record.args else None
