"""One line for each call in the log: what was called, how it ended, how long it took, and how much of that in the SDK.

With the emulator's SDK every call has a line, which names corp and app and quotes `errmsg`. With the vendor's SDK there
are lines only on demand, and they contain none of these; no setting changes that. It knows no HTTP and no store.
"""

import logging
from collections.abc import Callable, Collection
from time import monotonic
from typing import TypeVar

import msgspec

from wwspec_router.envelope import Call, CallType, Deadline, Reply
from wwspec_router.kernel.routes import Route
from wwspec_router.logs.formats import Fields
from wwspec_router.logs.lines import short
from wwspec_router.monitoring.figures import UNDECODED, UNKNOWN
from wwspec_router.sdk.base import Sdk
from wwspec_router.sdk.measured import Measure, MeasuredSdk, Refused

CALLS = "wwspec_router.calls"
"""The logger of these lines."""

log = logging.getLogger(CALLS)

LONGEST = 64
"""Characters that are shown of a name from outside."""

T = TypeVar("T")
Answering = Callable[[Call, Route, Deadline], Reply]


class CallLine(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one call at its end."""

    kind: str
    """`call`, `event`, `async` for the acceptance of an asynchronous call, `job` for its run, or `?`."""
    ability: str
    """What was called: an ability ID, or the type of an event."""
    caller: str
    """Corp and app; empty when the request could not be decoded, and with the vendor's SDK."""
    errcode: int
    """What the program answered; 0 for success."""
    errmsg: str
    """Empty with the vendor's SDK, as is `refused_errmsg`."""
    refused_api: str
    """The latest SDK API that the platform refused; empty when there is none."""
    refused_errcode: int
    refused_errmsg: str
    milliseconds: float
    """From its arrival to its answer."""
    sdk_milliseconds: float
    """The part of them spent in the SDK. SDK calls that ran at the same time are added up."""
    bytes_in: int
    """Size of the request as it was sent."""
    bytes_out: int
    """Size of the answer as it was sent; for a job, of its result."""
    ending: str = ""
    """How it ended, when it was not by an answer of the program."""
    request_id: str = ""
    """The platform's id of the request, if a header has it."""
    sdk_version: str = ""
    """If the module says its version."""

    @property
    def fields(self) -> dict[str, object]:
        """The line as names and values, for programs; without empty ones."""
        always = {
            "kind": self.kind,
            "ability": self.ability,
            "errcode": self.errcode,
            "ms": round(self.milliseconds, 3),
            "sdk_ms": round(self.sdk_milliseconds, 3),
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
        }
        at_times = {
            "ending": self.ending,
            "refused_api": self.refused_api,
            "refused_errcode": self.refused_errcode,
            "platform_request_id": self.request_id,
            "sdk_version": self.sdk_version,
            "caller": self.caller,
            "errmsg": self.errmsg,
            "refused_errmsg": self.refused_errmsg,
        }
        return always | {name: value for name, value in at_times.items() if value}

    def __str__(self) -> str:
        columns = (
            f"{self.kind:<5}",
            f"{self.ability:<24}",
            f"{self.outcome:<14}",
            f"{self.milliseconds:>7.1f} ms",
            f"SDK {self.sdk_milliseconds:>7.1f} ms",
            f"{_size(self.bytes_in):>7} in",
            f"{_size(self.bytes_out):>7} out",
            self.caller,
            self.reason,
        )
        return "  ".join(columns).rstrip()

    @property
    def outcome(self) -> str:
        """How the call ended, in a few words."""
        if self.ending:
            return self.ending
        return f"errcode {self.errcode}" if self.errcode else "ok"

    @property
    def reason(self) -> str:
        """The reason that the program or the platform gives; empty when nothing was refused."""
        if not self.refused_api or self.errcode == self.refused_errcode:
            return self.errmsg
        refused = f"{self.refused_api} was refused with {self.refused_errcode}: {self.refused_errmsg}"
        return f"{self.errmsg}; {refused}" if self.errmsg else refused


class _Answer(msgspec.Struct):
    errmsg: str = ""


class _Event(msgspec.Struct):
    event_type: str = ""


class CallLog:
    """Writes the lines.

    Args:
        sdk: Measures what calls do with the SDK.
        quiet: Labels of calls that are polled: they have a line only when they fail.
    """

    def __init__(self, sdk: MeasuredSdk, quiet: Collection[str] = ()) -> None:
        self._sdk = sdk
        self._quiet = quiet

    def begin(self, measure: Measure | None) -> Measure:
        """Measure what this thread does with the SDK from now on.

        Args:
            measure: The measure of the same call on another thread, if there is one.
        """
        measure = measure or Measure()
        self._sdk.begin(measure)
        return measure

    def write(
        self,
        measure: Measure | None,
        errcode: int,
        seconds: float,
        bytes_in: int,
        bytes_out: int,
        *,
        label: str,
        ending: str = "",
        is_job: bool = False,
    ) -> None:
        """Write the line of a call.

        Args:
            measure: What was measured; None when it was not begun.
            errcode: What the program answered.
            seconds: From its arrival to its answer.
            bytes_in: Of the request.
            bytes_out: Of the answer.
            label: What it is counted as.
            ending: How it ended, when it was not by an answer of the program.
            is_job: Whether this is the run of an asynchronous call, and not its acceptance.
        """
        if label in self._quiet and not errcode and not ending:
            return
        measure = measure or Measure()
        call, refused = measure.call, measure.refused or Refused()
        with_text = self._sdk.is_emulated
        line = CallLine(
            kind="job" if is_job else _kind(call),
            ability=_name(call) if with_text or label not in (UNKNOWN, UNDECODED) else label,
            caller=f"{short(call.corpid, LONGEST)}/{call.agentid}" if with_text and call is not None else "",
            errcode=errcode,
            errmsg=_read(measure.reply, _Answer).errmsg if with_text and errcode else "",
            refused_api=refused.api,
            refused_errcode=refused.errcode,
            refused_errmsg=refused.errmsg if with_text else "",
            milliseconds=seconds * 1000,
            sdk_milliseconds=measure.seconds * 1000,
            bytes_in=bytes_in,
            bytes_out=bytes_out,
            ending=ending,
            request_id=short(measure.request_id, LONGEST),
            sdk_version=self._sdk.version,
        )
        text = str(line) if with_text else None
        log.info(Fields("call", line.fields, text), extra={"call": line, "outcome": line.outcome})

    def with_lines(self, answer: Answering) -> Answering:
        """Return a function that answers accepted asynchronous calls as `answer` does, and writes a line for each."""

        def answer_and_write(call: Call, route: Route, deadline: Deadline) -> Reply:
            since = monotonic()
            measure = self.begin(Measure(call))
            reply = answer(call, route, deadline)
            measure.reply = reply.text
            bytes_in, bytes_out = (len(text.encode("utf-8", "replace")) for text in (call.data, reply.text))
            lasted = monotonic() - since
            self.write(measure, reply.errcode, lasted, bytes_in, bytes_out, label=route.label, is_job=True)
            return reply

        return answer_and_write


def call_log_of(sdk: Sdk, *, is_wanted: bool, quiet: Collection[str] = ()) -> tuple[Sdk, CallLog | None]:
    """Return the SDK to use, and what logs calls; None when there are no lines, and then nothing is measured.

    Args:
        sdk: The loaded one. The emulator's has lines also when nobody asks for them.
        is_wanted: Whether the operator wants lines.
        quiet: See `CallLog`.
    """
    if not ((sdk.is_emulated or is_wanted) and log.isEnabledFor(logging.INFO)):
        return sdk, None
    measured = MeasuredSdk(sdk)
    return measured, CallLog(measured, quiet)


def _kind(call: Call | None) -> str:
    if call is None:
        return "?"
    if call.call_type == CallType.EVENT:
        return "event"
    return "async" if call.is_async else "call"


def _name(call: Call | None) -> str:
    if call is None:
        return "(not decoded)"
    is_event = call.call_type == CallType.EVENT
    return short(_read(call.data, _Event).event_type if is_event else call.ability_id, LONGEST)


def _read(text: str, kind: type[T]) -> T:
    """Return the value that a text has, or the default value."""
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return kind()


def _size(count: int) -> str:
    """Return a number of bytes for people."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"
