"""Reports each call and run of a program to the emulator: an observer for `wwspec serve --sdk emulator`."""

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any, ParamSpec, TextIO, TypeVar, cast

import msgspec

from wwspec_contracts.errors import (
    ApiError,
    CallError,
    CrashError,
    HandlerTimeoutError,
    KeptValueError,
    OutputError,
    SdkCallError,
)
from wwspec_contracts.support.stacks import NOT_DESCRIBABLE, class_of, is_a
from wwspec_devtools.emulator.display.reasons import reason_of, value_at
from wwspec_devtools.emulator.state.traffic import traces
from wwspec_router.kernel.observer import Ended, Observation, Send, current_observation
from wwspec_router.logs.tracebacks import as_python_shows, frames_of

P = ParamSpec("P")
R = TypeVar("R")

_FAULTS = (OutputError, HandlerTimeoutError, CrashError, KeptValueError, SdkCallError, ApiError)
"""Errors by which no program refuses a call on purpose."""

MAX_CHARACTERS = 4096
"""Characters of one line."""


class CallNotes:
    """What is noted of one call while it lasts."""

    __slots__ = ("_begun", "_unfinished", "check_seconds", "failure", "is_repeat", "left_out", "lines", "traced")

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
        """Seconds in the checks of the contracts."""
        self.traced: traces.Trace | None = None
        """The report for the emulator, once the call has ended."""

    def add(self, level: str, text: str) -> None:
        """Note one line."""
        if len(self.lines) >= traces.MAX_LINES:
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


class EmulatorObserver:
    """Reports to the emulator how each call, event and run of a job went, with its lines and its error.

    Args:
        send: Sends a text to the emulator, under a reference.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._folder = str(Path.cwd())

    def watch_process(self, own: str) -> None:
        """See `Observer`."""
        logging.getLogger().addHandler(TraceHandler(own))
        sys.stdout, sys.stderr = (
            cast(TextIO, _TracedStream(stream, name))
            for name, stream in (("stdout", sys.stdout), ("stderr", sys.stderr))
        )

    def timed_check(self, check: Callable[P, R]) -> Callable[P, R]:
        """See `Observer`."""

        def timed(*args: P.args, **kwargs: P.kwargs) -> R:
            notes = _current()
            if notes is None:
                return check(*args, **kwargs)
            since = monotonic()
            try:
                return check(*args, **kwargs)
            finally:
                notes.check_seconds += monotonic() - since

        return timed

    def begin(self) -> CallNotes:
        """See `Observer`."""
        notes = CallNotes()
        current_observation.set(notes)
        return notes

    def go_on(self, observation: Observation) -> None:
        """See `Observer`."""
        current_observation.set(observation)

    def begin_run(self, reference: str) -> None:
        """See `Observer`."""
        self._send(reference, "")

    def end(self, observation: Observation, ended: Ended) -> str:
        """See `Observer`."""
        notes, line = cast(CallNotes, observation), ended.line
        notes.traced = traces.Trace(
            reference=ended.reference,
            kind=cast(Any, line.kind),  # one of those that the emulator knows
            outcome="failed" if line.errcode or line.ending else "ok",
            milliseconds=_times(notes, ended),
            errcode=line.errcode,
            meaning=ended.meaning,
            errmsg=line.ending or line.errmsg,
            refused_api=line.refused_api if line.refused_errcode == line.errcode else "",
            number=ended.number,
            trace_id=ended.trace_id,
            folder=self._folder,
            declared=ended.declared.removeprefix(f"{self._folder}/"),
            failure=None if notes.failure is None else _failure(notes.failure),
        )
        if not ended.is_job:
            self._send(ended.reference, _encode(notes.traced, notes))
        return "" if notes.traced.outcome == "ok" else reason_of(notes.traced)[0]

    def end_run(self, observation: Observation, attempt: int, attempts: int | None, next_run: float | None) -> None:
        """See `Observer`."""
        notes = cast(CallNotes, observation)
        if (traced := notes.traced) is None:
            return
        outcome = traced.outcome if next_run is None else "postponed"
        run = msgspec.structs.replace(traced, outcome=outcome, attempt=attempt, attempts=attempts, next_run=next_run)
        self._send(traced.reference, _encode(run, notes))


class TraceHandler(logging.Handler):
    """Keeps log records in the notes of their call.

    Args:
        own: The logger of the lines of the calls themselves, which are left out.
    """

    def __init__(self, own: str) -> None:
        super().__init__()
        self._own = own

    def emit(self, record: logging.LogRecord) -> None:
        """Note one record, without its traceback: the notes have the error itself."""
        notes = _current()
        if notes is not None and record.name != self._own:
            notes.add(record.levelname, record.getMessage())


class _TracedStream:
    """A stream whose text is noted as well; in all else the stream itself."""

    def __init__(self, stream: TextIO, name: str) -> None:
        self._stream = stream
        self._name = name

    def write(self, text: str) -> int:
        notes = _current()
        if notes is not None and isinstance(text, str):
            notes.print(self._name, text)
        return self._stream.write(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def _current() -> CallNotes | None:
    return cast("CallNotes | None", current_observation.get())


def _times(notes: CallNotes, ended: Ended) -> traces.Milliseconds:
    handler = max(0.0, ended.seconds - ended.queued - ended.sdk_seconds - notes.check_seconds)
    parts = (ended.seconds, ended.queued, notes.check_seconds, ended.sdk_seconds, handler)
    return traces.Milliseconds(*(round(seconds * 1000, 3) for seconds in parts))


def _encode(traced: traces.Trace, notes: CallNotes) -> str:
    """Return the JSON text of an attempt, with the lines of its notes."""
    notes.finish()
    whole = msgspec.structs.replace(traced, pid=os.getpid(), lines=list(_lines(notes)), lines_left_out=notes.left_out)
    return msgspec.json.encode(whole).decode()


def _failure(error: BaseException) -> traces.Failure:
    frames = [
        traces.Frame(frame.filename, frame.lineno or 0, frame.name, frame.line or "", own)
        for frame, own in frames_of(error)
    ]
    text, detail, value = message_of(error), "", ""
    with suppress(BaseException):  # its own class raises
        detail = str.encode(error.detail, "utf-8", "replace").decode() if is_a(error, CallError) else ""
        value = value_at(error.reply, error.path) if is_a(error, OutputError) else ""
    refuses = is_a(error, CallError) and not issubclass(type(error), _FAULTS)
    return traces.Failure(class_of(error), f"{text} ({detail})" if detail else text, frames, refuses, value)


def message_of(error: BaseException) -> str:
    """Return the text of an error with what Python suggests, its notes, and what caused it."""
    try:
        texts = [_said_by(error)]
        if error.__cause__ is not None:
            texts.append(f"caused by {type(error.__cause__).__name__}: {_said_by(error.__cause__)}")
        return "\n".join(texts).encode("utf-8", "replace").decode()
    except BaseException:  # its own class raises
        return NOT_DESCRIBABLE


def _said_by(error: BaseException) -> str:
    return "".join(as_python_shows(error).format_exception_only()).rstrip("\n").partition(": ")[2]


def _lines(notes: CallNotes) -> Iterator[traces.Line]:
    for at, level, text in notes.lines:
        yield traces.Line(round(at, 1), level, text.encode("utf-8", "replace").decode())
