"""What the program tells the emulator of its work, as the JSON of one attempt. Development only.

The emulator reads it by a struct of its own: the two import nothing of each other.
"""

import os
from collections.abc import Iterator
from contextlib import suppress

import msgspec

from wwspec_contracts.errors import CallError
from wwspec_contracts.support.stacks import class_of, is_a
from wwspec_router.logs.trace import Trace
from wwspec_router.logs.tracebacks import frames_of, message_of

OK, FAILED, POSTPONED = "ok", "failed", "postponed"
"""How an attempt ended: `failed` is for good, `postponed` until the next attempt."""


class TracedFrame(msgspec.Struct, frozen=True):
    """One line of a traceback."""

    file: str
    line: int
    function: str
    code: str
    own: bool
    """Whether it is a line of the application, and not of a library or of this package."""


class TracedError(msgspec.Struct, frozen=True):
    """What was raised."""

    name: str
    text: str
    frames: list[TracedFrame]
    """The outermost first."""


class TracedLine(msgspec.Struct, frozen=True):
    """What was logged or printed."""

    at: float
    level: str
    text: str


class Times(msgspec.Struct, frozen=True):
    """Where the time went, in milliseconds."""

    total: float
    queue: float
    check: float
    sdk: float
    handler: float


class TracedCall(msgspec.Struct, frozen=True, omit_defaults=True):
    """One attempt."""

    reference: str
    """A request id, a job_info, or the notify_id of an event."""
    kind: str
    outcome: str
    milliseconds: Times
    errcode: int = 0
    meaning: str = ""
    """The key of the registry file that has this errcode; empty when none has it alone."""
    errmsg: str = ""
    number: int = 0
    attempt: int = 1
    attempts: int | None = None
    next_run: float | None = None
    """Seconds until the next attempt."""
    trace_id: str = ""
    """That of the app, if its request names one."""
    pid: int = 0
    failure: TracedError | None = None
    lines: list[TracedLine] = []
    lines_left_out: int = 0


def times(trace: Trace, total: float, queue: float, sdk: float) -> Times:
    """Return where the time went.

    Args:
        trace: Has the time of the checks.
        total: Seconds from the arrival to the answer.
        queue: Seconds until a worker began it.
        sdk: Seconds in the SDK; SDK calls that ran at the same time are added up.
    """
    handler = max(0.0, total - queue - sdk - trace.check_seconds)
    return Times(*(round(seconds * 1000, 3) for seconds in (total, queue, trace.check_seconds, sdk, handler)))


def encode(traced: TracedCall, trace: Trace) -> str:
    """Return the JSON text of an attempt, with the error and the lines of its trace."""
    trace.finish()
    error = trace.failure
    whole = msgspec.structs.replace(
        traced,
        pid=os.getpid(),
        failure=None if error is None else _failure(error),
        lines=list(_lines(trace)),
        lines_left_out=trace.left_out,
    )
    return msgspec.json.encode(whole).decode()


def _failure(error: BaseException) -> TracedError:
    frames = [
        TracedFrame(frame.filename, frame.lineno or 0, frame.name, frame.line or "", own)
        for frame, own in frames_of(error)
    ]
    text, detail = message_of(error), ""
    with suppress(BaseException):  # its own class raises
        detail = str.encode(error.detail, "utf-8", "replace").decode() if is_a(error, CallError) else ""
    return TracedError(class_of(error), f"{text} ({detail})" if detail else text, frames)


def _lines(trace: Trace) -> Iterator[TracedLine]:
    for at, level, text in trace.lines:
        yield TracedLine(round(at, 1), level, text.encode("utf-8", "replace").decode())
