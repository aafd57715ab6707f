"""The form of log records: one line each for a deployed program, as JSON if wanted; columns for a developer."""

import copy
import json
import logging
import time
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from wwspec_contracts.support.printable import printable
from wwspec_contracts.support.stacks import describe
from wwspec_router.logs.tracebacks import traceback_of
from wwspec_router.logs.traceparent import current_trace_id

current_request: ContextVar[int | str] = ContextVar("wwspec_request", default="")
"""What the lines of this thread or task are about: the number of a request of this process, or `job-ID`."""

_LINE = "%(asctime)s %(levelname)s %(name)s %(process)d%(request)s %(message)s"
_PACKAGES = "wwspec_"
_SERVER = "uvicorn."
_LEVELS = {"WARNING": "WARN", "CRITICAL": "ERROR"}
"""Names of levels that are too long for their column."""
_LONGEST_REQUEST = 9
_COLOURS = {"DEBUG": "bright_black", "INFO": "cyan", "WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}


class Fields:
    """What a record says as names and values: log it in place of a text.

    As JSON each of them is a key of its own, whose values always have the same type.

    Args:
        message: What kind of record it is; as JSON its message.
        fields: The names and values.
        text: The whole record as text; by default the message, then each name with its value.
    """

    def __init__(self, message: str, fields: Mapping[str, object], text: str | None = None) -> None:
        self.message = message
        self.fields = fields
        self._text = text

    def __str__(self) -> str:
        if self._text is not None:
            return self._text
        return " ".join([self.message, *(f"{name}={_value(value)}" for name, value in self.fields.items())])


class OneLineFormatter(logging.Formatter):
    """Keeps a record on one line, and formats exceptions without their text."""

    def __init__(self, line: str = _LINE) -> None:
        super().__init__(line)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        record = copy.copy(record)  # other handlers get the same one
        record.exc_text = None
        error = record.exc_info[1] if record.exc_info else None
        record.exc_info = None
        record.request = f" {subject}" if (subject := subject_text()) else ""
        line = printable(super().format(record).replace("\n", " | "))
        return line if error is None else f"{line}: {describe(error)}"


class JsonFormatter(OneLineFormatter):
    """One JSON object a record: the fields of `Fields` beside those that each has.

    Args:
        with_text: Add the text of an exception.
    """

    def __init__(self, *, with_text: bool = False) -> None:
        super().__init__("%(message)s")
        self._with_text = with_text

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        said = record.msg if isinstance(record.msg, Fields) else None
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
            **_subject(),
            "message": super().format(record) if said is None else printable(said.message.replace("\n", " | ")),
            **(said.fields if said is not None else {}),
        }
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and self._with_text:
            line["traceback"] = traceback_of(error)
        text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace").decode()  # half of a character: no JSON parser takes it


def subject_text() -> str:
    """Return what this thread or task is about, and the trace of its call, for a line of text."""
    request, trace_id = current_request.get(), current_trace_id()
    text = f"#{request}" if request else ""
    return f"{text} trace_id={trace_id}".lstrip() if trace_id else text


def _subject() -> dict[str, int | str]:
    """Return the same for a line of JSON: each kind of subject under a name of its own, since their types differ.

    The trace has the name that OpenTelemetry gives it in logs.
    """
    about, trace_id = current_request.get(), current_trace_id()
    named: dict[str, int | str] = {"trace_id": trace_id} if trace_id else {}
    if not about:
        return named
    if isinstance(about, int):
        return {"request": about, **named}
    kind, _, name = about.partition("-")
    return {kind: name, **named}


class ReadableFormatter(logging.Formatter):
    """Time, level, request, text: in columns, with the lines of a text or a traceback below each other.

    For development only: it shows the text of exceptions.

    Args:
        in_colour: Colour levels, and the outcome of a record that has an `outcome`: for terminals.
    """

    def __init__(self, *, in_colour: bool) -> None:
        super().__init__()
        self._in_colour = in_colour

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record."""
        about = getattr(record, "request", "") or current_request.get()  # a record of the emulator has its own
        request = f"#{about}"[:_LONGEST_REQUEST] if about else ""
        level = _LEVELS.get(record.levelname, record.levelname)
        clock = f"{time.strftime('%H:%M:%S', time.localtime(record.created))}.{int(record.msecs):03d}"
        head = f"{clock}  {level:<5}  {request:<{_LONGEST_REQUEST}}  "
        first, *further = self._text(record).split("\n")
        indent = "\n" + " " * len(head)
        colour = _COLOURS.get(record.levelname)
        head = f"{self._with_colour(clock, 'bright_black')}{self._with_colour(head[len(clock) :], colour)}"
        if record.levelno >= logging.WARNING:
            first = self._with_colour(first, colour)
        outcome: str | None = getattr(record, "outcome", None)
        if outcome is not None:
            first = first.replace(
                f"  {outcome} ", f"  {self._with_colour(outcome, 'green' if outcome == 'ok' else 'red')} ", 1
            )
        return head + indent.join([first, *further])

    def _text(self, record: logging.LogRecord) -> str:
        """Return what a record says; what is not ours, with the name of its logger."""
        own = record.name.startswith((_PACKAGES, _SERVER))
        text = record.getMessage() if own else f"{record.name}: {record.getMessage()}"
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            text = f"{text}\n{traceback_of(error)}"
        return "\n".join(map(printable, text.rstrip("\n").split("\n")))

    def _with_colour(self, text: str, colour: str | None) -> str:
        if not self._in_colour or colour is None:
            return text
        import click  # here, since a deployed program needs none of it

        return click.style(text, fg=colour)


def _value(value: object) -> str:
    """Return the value of a field as text; quoted when it would not be one word."""
    if isinstance(value, str) and value.isprintable() and value and not set(' "=') & set(value):
        return value
    return json.dumps(value)
