"""One line for each call in the log: what was called, how it ended, how long it took, and how much of that in the SDK.

This is the one place that knows how each call, event and job went. With the emulator's SDK every call has a line, which
names corp and app and quotes `errmsg`. With the vendor's SDK there are lines only on demand, and they contain none of
these; no setting changes that. Without lines nothing is measured.
"""

import logging
import re
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from time import monotonic
from typing import TypeVar

import msgspec

from wwspec_contracts.call_type import CallType
from wwspec_contracts.errcodes import ProgramErrcodes
from wwspec_contracts.support.printable import short
from wwspec_router.envelope import Call, Deadline, Reply
from wwspec_router.kernel.call_line import CallLine
from wwspec_router.kernel.dispatch import Route
from wwspec_router.kernel.observer import Ended, Observation, Observer
from wwspec_router.logs.formats import Fields
from wwspec_router.logs.traceparent import current_traceparent, trace_id_of
from wwspec_router.monitoring.figures import UNDECODED, UNKNOWN
from wwspec_router.sdk.base import Headers, Sdk, SdkClient, SealedReply

CALLS = "wwspec_router.calls"
"""The logger of these lines."""

log = logging.getLogger(CALLS)

LONGEST = 64
"""Characters that are shown of a name from outside."""

_REQUEST_ID = re.compile(r"ww-(?:[a-z]+-)*req(?:uest)?-?id", re.IGNORECASE)
"""Headers with the platform's id of a request. WeCom publishes none; the emulator's is one of these."""

_ENTRY_NUMBER, _JOB = "emulator-entry", "emulator-job"
_NONE_HANDLED: Mapping[str, str] = {}
MOST_JOBS = 10_000
"""Accepted jobs whose calls' numbers are known; after that the oldest is forgotten."""

T = TypeVar("T")
Answering = Callable[[Call, Route, Deadline], Reply]


class Refused(msgspec.Struct, gc=False):
    """What the platform refuses of an SDK call; nothing when the errcode is 0."""

    errcode: int = 0
    errmsg: str = ""
    api: str = ""


class Measure:
    """What was measured of one call; SDK calls of several threads add up."""

    def __init__(self, call: Call | None = None) -> None:
        self.call = call
        """The call, once it is decoded."""
        self.reply = ""
        """The text of the latest reply that was sealed."""
        self.refused: Refused | None = None
        """The latest SDK call that the platform refused."""
        self.request_id = ""
        """The platform's id of the request, if a header has it."""
        self.reference = ""
        """What the emulator knows it by."""
        self.number = 0
        """The emulator's number of it."""
        self.traceparent = ""
        """Of the app's trace, if its request names one."""
        self.observation: Observation | None = None
        """What is noted of it; None where nobody observes."""
        self.since = monotonic()
        """When it began."""
        self._seconds = 0.0
        self._lock = threading.Lock()

    @property
    def seconds(self) -> float:
        """Seconds in the SDK."""
        return self._seconds

    def timed(self, function: Callable[[], T]) -> T:
        """Call a function of the SDK, and add how long it took."""
        since = monotonic()
        try:
            return function()
        finally:
            lasted = monotonic() - since
            with self._lock:
                self._seconds += lasted


class _Answer(msgspec.Struct):
    errmsg: str = ""


class _Event(msgspec.Struct):
    event_type: str = ""


class CallLog:
    """An `Sdk` that measures for each thread what its call does with another one; it writes the lines of the calls.

    Args:
        sdk: The other one.
        quiet: Labels of calls that are polled: they have a line only when they fail.
        errcodes: Those of the program's own failures.
        handled: When the app is notified of the events on which code runs as a job: by event type.
        observer: Is called at each step; None for none.
    """

    def __init__(
        self,
        sdk: Sdk,
        quiet: Collection[str] = (),
        errcodes: ProgramErrcodes = ProgramErrcodes(),  # noqa: B008 - frozen
        handled: Mapping[str, str] = _NONE_HANDLED,
        observer: Observer | None = None,
    ) -> None:
        self._sdk = sdk
        self._observer = observer
        self._quiet = quiet
        self._errcodes = errcodes
        self._handled = handled
        self._thread = threading.local()
        self._numbers: dict[str, int] = {}
        self._numbers_lock = threading.Lock()
        self._jobs: dict[str, Measure] = {}
        """What is measured of the jobs that run, by what the emulator knows them by."""
        self.version = sdk.version
        self.is_emulated = sdk.is_emulated
        self.trace = sdk.trace

    def begin(self, measure: Measure | None = None) -> Measure:
        """Measure what this thread does with the SDK from now on.

        Args:
            measure: The measure of the same call on another thread, if there is one.
        """
        self._thread.measure = measure = measure or Measure()
        if self._observer is not None:
            if measure.observation is None:
                measure.observation = self._observer.begin()
            else:
                self._observer.go_on(measure.observation)
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
        queued: float = 0.0,
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
            queued: Seconds until a worker began it.
        """
        if label in self._quiet and not errcode and not ending:
            return
        measure = measure or Measure()
        call, refused = measure.call, measure.refused or Refused()
        with_text = self.is_emulated
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
            sdk_version=self.version,
        )
        text = str(line) if with_text else None
        before = current_traceparent.set(measure.traceparent)  # this may be another thread than that of the call
        log.info(Fields("call", line.fields, text), extra={"call": line, "outcome": line.outcome})
        current_traceparent.reset(before)
        if self._observer is not None and measure.observation is not None and measure.reference:
            ended = Ended(
                line=line,
                reference=measure.reference,
                number=measure.number,
                meaning=self._errcodes.meaning(errcode),
                seconds=seconds,
                queued=queued,
                sdk_seconds=measure.seconds,
                trace_id=trace_id_of(measure.traceparent),
                is_job=is_job,
            )
            self._observer.end(measure.observation, ended)

    def end_run(self, attempt: int, attempts: int | None, next_run: float | None = None) -> None:
        """Tell the emulator how the run of a job ended that this thread has just run.

        Args:
            attempt: Which one it was.
            attempts: How many there are at most; None when nothing limits them.
            next_run: Seconds until the next one; None when the job is over.
        """
        self._report_run(self._measure, attempt, attempts, next_run)

    def _report_run(self, measure: Measure, attempt: int, attempts: int | None, next_run: float | None = None) -> None:
        if self._observer is not None and measure.observation is not None:
            self._observer.end_run(measure.observation, attempt, attempts, next_run)

    def answer_job(self, answer: Answering, call: Call, route: Route, deadline: Deadline, reference: str) -> Reply:
        """Answer the call of a job as `answer` does, and write its line.

        Args:
            answer: Runs the ability.
            call: Its call.
            route: Its route.
            deadline: When it must be over.
            reference: What the emulator knows it by.
        """
        measure = self.begin(Measure(call))
        measure.reference = reference
        if reference:
            self._jobs[reference] = measure
            if self._observer is not None:
                self._observer.begin_run(reference)
        reply = answer(call, route, deadline)
        measure.traceparent = current_traceparent.get()
        if not reference or self._jobs.pop(reference, None) is measure:
            self._write_job(measure, reply, route.label)
        return reply

    def time_out(
        self, reference: str, reply: Reply, error: BaseException, label: str, attempt: int, attempts: int | None
    ) -> None:
        """End the run of a job that is reported as late while its code runs on.

        Args:
            reference: What the emulator knows the job by.
            reply: What is reported.
            error: Why; its traceback says where the code is.
            label: What the job is counted as.
            attempt: See `end_run`.
            attempts: See `end_run`.
        """
        if (measure := self._jobs.pop(reference, None)) is None:
            return
        if measure.observation is not None:
            measure.observation.failure = error
        self._write_job(measure, reply, label)
        self._report_run(measure, attempt, attempts)

    def _write_job(self, measure: Measure, reply: Reply, label: str) -> None:
        measure.reply = reply.text
        data = "" if measure.call is None else measure.call.data
        bytes_in, bytes_out = (len(text.encode("utf-8", "replace")) for text in (data, reply.text))
        lasted = monotonic() - measure.since
        self.write(measure, reply.errcode, lasted, bytes_in, bytes_out, label=label, is_job=True)

    @property
    def _measure(self) -> Measure:
        measure: Measure | None = getattr(self._thread, "measure", None)
        return Measure() if measure is None else measure

    def decode(self, headers: Headers, body: str) -> Call:
        """See `Sdk.decode`."""
        measure = self._measure
        measure.request_id = measure.reference = _request_id(headers)
        if self.is_emulated:
            measure.number = _entry_number(headers)
        measure.call = call = measure.timed(lambda: self._sdk.decode(headers, body))
        if call.is_async:
            self._note_number(call.job_info, measure.number)
        return call

    def encode(self, text: str) -> SealedReply:
        """See `Sdk.encode`."""
        measure = self._measure
        measure.reply = text
        measure.traceparent = current_traceparent.get()
        sealed = measure.timed(lambda: self._sdk.encode(text))
        measure.request_id = measure.request_id or _request_id(sealed.headers.items())
        call = measure.call
        if self.is_emulated and call is not None and call.call_type == CallType.EVENT and _name(call) in self._handled:
            is_repeat = measure.observation is not None and measure.observation.is_repeat
            if not is_repeat and not _read(text, Refused).errcode:  # else there may be no job
                return SealedReply({**sealed.headers, _JOB: self._handled[_name(call)]}, sealed.body)
        return sealed

    def encode_refusal(self, text: str) -> SealedReply:
        """See `Sdk.encode_refusal`."""
        self._measure.reply = text
        return self._measure.timed(lambda: self._sdk.encode_refusal(text))

    def client(self, corpid: str, agentid: int, ability_id: str, job_info: str) -> "_MeasuredClient":
        """See `Sdk.client`."""
        measure = self._measure
        measure.traceparent = current_traceparent.get()  # known before the call ends: its time may be over
        return _MeasuredClient(self._sdk.client(corpid, agentid, ability_id, job_info), measure)

    def new_notify_id(self) -> str:
        """See `Sdk.new_notify_id`."""
        notify_id = self._measure.timed(self._sdk.new_notify_id)
        self._note_number(notify_id, self._measure.number)
        return notify_id

    def _note_number(self, reference: str, number: int) -> None:
        if number:
            with self._numbers_lock:
                self._numbers[reference] = number
                if len(self._numbers) > MOST_JOBS:
                    del self._numbers[next(iter(self._numbers))]

    def number_of(self, reference: str) -> int:
        """Return the emulator's number of the call or event that became a job; 0 when another process accepted it.

        Args:
            reference: What the emulator knows the job by.
        """
        return self._numbers.get(reference, 0)


def call_log_of(
    sdk: Sdk,
    *,
    is_wanted: bool,
    quiet: Collection[str] = (),
    errcodes: ProgramErrcodes = ProgramErrcodes(),  # noqa: B008 - frozen
    handled: Mapping[str, str] = _NONE_HANDLED,
    observer: Observer | None = None,
) -> CallLog | None:
    """Return the log of the calls, which is the SDK to use then; None when there are no lines.

    Args:
        sdk: The loaded one. The emulator's has lines also when nobody asks for them.
        is_wanted: Whether the operator wants lines.
        quiet: See `CallLog`.
        errcodes: See `CallLog`.
        handled: See `CallLog`.
        observer: See `CallLog`.
    """
    has_lines = (sdk.is_emulated or is_wanted) and log.isEnabledFor(logging.INFO)
    return CallLog(sdk, quiet, errcodes, handled, observer) if has_lines else None


class _MeasuredClient:
    def __init__(self, client: SdkClient, measure: Measure) -> None:
        self._client = client
        self._measure = measure

    def invoke(self, api: str, request: str) -> str:
        reply = self._measure.timed(lambda: self._client.invoke(api, request))
        refused = _read(reply, Refused)  # a reply that is no JSON is the call's to report
        if refused.errcode:
            refused.api = api
            self._measure.refused = refused
        return reply


def _request_id(headers: Iterable[tuple[str, str]]) -> str:
    return next((value for name, value in headers if _REQUEST_ID.fullmatch(name)), "")


def _entry_number(headers: Headers) -> int:
    """Return the number under which the emulator records a request; 0 when there is none."""
    number = next((value for name, value in headers if name == _ENTRY_NUMBER), "")
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 16 else 0


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
