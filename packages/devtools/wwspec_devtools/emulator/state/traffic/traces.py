"""What a program tells of a call, an event or a job: how it ended, why, what it logged, and where the time went.

Only a program that runs with the emulator's stand-in tells. Its traces are as long as it likes, so each is cut here.
"""

from typing import Annotated, Any, Literal

import msgspec

from wwspec_contracts.decoding import convert

KEPT_TRACES = 16
"""Traces of one entry; the first and the latest are kept."""

MAX_TEXT = 16 * 1024
"""Characters of one text."""

_LINE_BYTES = 256
"""Of a trace, a line or a frame without its texts."""

MAX_LINES = 200
MAX_FRAMES = 100

JOB = "job"
FAILED = "failed"
"""How a job ended: for good."""


class Frame(msgspec.Struct, frozen=True):
    """One line of a traceback."""

    file: str
    line: int
    function: str
    code: str = ""
    own: bool = False
    """Whether it is a line of the application, and not of a library or the framework."""


class Failure(msgspec.Struct, frozen=True):
    """What was raised."""

    name: str
    """Of the class."""
    text: str = ""
    frames: list[Frame] = []
    """The outermost first."""
    refuses: bool = False
    """Whether the program refused what it was asked, on purpose; otherwise its code has a fault."""
    value: str = ""
    """The JSON text of what does not fit the output contract."""


class Line(msgspec.Struct, frozen=True):
    """What was logged or printed."""

    at: float
    """Milliseconds since the call began."""
    level: str
    """Of the log; `stdout` or `stderr` for what was printed."""
    text: str


class Milliseconds(msgspec.Struct, frozen=True):
    """Where the time went; None for what was not measured."""

    total: float
    queue: float | None = None
    check: float | None = None
    """Of the contracts."""
    sdk: float | None = None
    handler: float | None = None
    """Without the time in the SDK."""


class Trace(msgspec.Struct, frozen=True):
    """What a program tells of one attempt."""

    reference: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
    """A request id, a job_info, or the notify_id of an event."""
    kind: Literal["call", "async", "event", "job"]
    """`call`, `async` or `event` for the request itself, `job` for a run of its job."""
    outcome: Literal["ok", "failed", "postponed"]
    """`ok`; `failed`: for good; `postponed`: until the next attempt."""
    milliseconds: Milliseconds
    errcode: int = 0
    meaning: str = ""
    """The key of the program's registry file that has this errcode; empty when none has it alone."""
    errmsg: str = ""
    refused_api: str = ""
    """The SDK API whose errcode the program passes on; empty when it is not one's."""
    number: int = 0
    """Of the request, in the log of the program."""
    attempt: int = 1
    attempts: int | None = None
    """At most; None when nothing limits them."""
    next_run: float | None = None
    """Seconds until the next attempt."""
    trace_id: str = ""
    """The app's, if its request names one and the program's registry file says where."""
    pid: int = 0
    folder: str = ""
    """Where the program runs: files below it are shown from there."""
    declared: str = ""
    """Where the row of the registry file or the mark is of what ran."""
    failure: Failure | None = None
    lines: list[Line] = []
    lines_left_out: int = 0


def read_traces(body: bytes) -> list[Trace]:
    """Return the traces of a request: those that can be read, cut to what is kept."""
    try:
        texts = msgspec.json.decode(body, type=list[msgspec.Raw])
    except (msgspec.DecodeError, RecursionError):
        return []
    traces = []
    for text in texts:
        try:
            traces.append(_kept_part(convert(_cut(msgspec.json.decode(text)), Trace)))
        except (msgspec.DecodeError, RecursionError):
            continue
    return traces


def with_trace(traces: tuple[Trace, ...], trace: Trace) -> tuple[Trace, ...]:
    """Return the traces with a further one, at most as many as are kept."""
    kept = (*traces, trace)
    return kept if len(kept) <= KEPT_TRACES else (kept[0], *kept[2:])


def trace_bytes(trace: Trace) -> int:
    """Return about how many bytes a trace takes in memory."""
    frames = [] if trace.failure is None else trace.failure.frames
    return _LINE_BYTES * (1 + len(trace.lines) + len(frames)) + len(msgspec.json.encode(trace))


def _cut(value: Any) -> Any:
    """Return a JSON value with texts no longer than what is kept."""
    if isinstance(value, dict):
        return {key: _cut(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_cut(each) for each in value]
    return value[:MAX_TEXT] if isinstance(value, str) else value


def _kept_part(trace: Trace) -> Trace:
    """Return a trace with as many lines and frames as are kept."""
    left_out = trace.lines_left_out + max(0, len(trace.lines) - MAX_LINES)
    failure = trace.failure
    if failure is not None:
        failure = msgspec.structs.replace(failure, frames=failure.frames[-MAX_FRAMES:])
    return msgspec.structs.replace(trace, failure=failure, lines=trace.lines[:MAX_LINES], lines_left_out=left_out)
