"""What is noted of one call, event or job while code works on it: its lines, its output, its error. Development only.

The trace belongs to the context, so threads and tasks that inherit the context of a call add to it as well.
"""

import logging
import sys
from collections.abc import Callable
from contextvars import ContextVar
from time import monotonic
from typing import ParamSpec, TextIO, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")

MAX_LINES = 200
"""Lines of one trace; further ones are only counted."""
MAX_CHARACTERS = 4096
"""Of one line."""


class Trace:
    """What is noted of one call while it lasts."""

    __slots__ = ("_begun", "_unfinished", "check_seconds", "failure", "is_repeat", "left_out", "lines")

    def __init__(self) -> None:
        self._begun = monotonic()
        self._unfinished: dict[str, str] = {}
        self.lines: list[tuple[float, str, str]] = []
        """Milliseconds since the begin; the level of the log, or `stdout`, `stderr`; and the text."""
        self.left_out = 0
        """Lines beyond those that are kept."""
        self.failure: BaseException | None = None
        """What ended the call with an error."""
        self.is_repeat = False
        """Whether it is an event that has come before, whose code does not run again."""
        self.check_seconds = 0.0
        """In the checks of the contracts."""

    def add(self, level: str, text: str) -> None:
        """Note one line."""
        if len(self.lines) >= MAX_LINES:
            self.left_out += 1
            return
        self.lines.append(((monotonic() - self._begun) * 1000, level, text[:MAX_CHARACTERS]))

    def print(self, stream: str, text: str) -> None:
        """Note what was written to a stream; a line counts when it is complete."""
        *complete, rest = (self._unfinished.get(stream, "") + text).split("\n")
        self._unfinished[stream] = rest[:MAX_CHARACTERS]
        for line in complete:
            self.add(stream, line)

    def finish(self) -> None:
        """Note lines that have no end."""
        for stream, rest in self._unfinished.items():
            if rest:
                self.add(stream, rest)
        self._unfinished.clear()


current_trace: ContextVar[Trace | None] = ContextVar("wwspec_trace", default=None)
"""The trace of the call that this context works on; None where nothing is traced."""


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Return a check of a contract that adds its time to the trace of the call."""

    def check(*args: P.args, **kwargs: P.kwargs) -> R:
        trace = current_trace.get()
        if trace is None:
            return function(*args, **kwargs)
        since = monotonic()
        try:
            return function(*args, **kwargs)
        finally:
            trace.check_seconds += monotonic() - since

    return check


def trace_output(own: str) -> None:
    """Let log records and what the application prints be noted in the trace of their call, in this process.

    Args:
        own: See `TraceHandler`.
    """
    logging.getLogger().addHandler(TraceHandler(own))
    sys.stdout, sys.stderr = (
        cast(TextIO, _TracedStream(stream, name)) for name, stream in (("stdout", sys.stdout), ("stderr", sys.stderr))
    )


class TraceHandler(logging.Handler):
    """Notes log records in the trace of their call.

    Args:
        own: The logger of the lines of the calls themselves, which are left out.
    """

    def __init__(self, own: str) -> None:
        super().__init__()
        self._own = own

    def emit(self, record: logging.LogRecord) -> None:
        """Note one record, without its traceback: the trace has the error itself."""
        trace = current_trace.get()
        if trace is not None and record.name != self._own:
            trace.add(record.levelname, record.getMessage())


class _TracedStream:
    """A stream whose text is noted as well; in all else the stream itself."""

    def __init__(self, stream: TextIO, name: str) -> None:
        self._stream = stream
        self._name = name

    def write(self, text: str) -> int:
        trace = current_trace.get()
        if trace is not None and isinstance(text, str):
            trace.print(self._name, text)
        return self._stream.write(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)
