"""One line for each call in the log: what was called, how it ended, how long it took, and how much of that in the SDK.

This is the one place that knows how each call, event and job went. With the emulator's SDK every call has a line, which
names corp and app and quotes `errmsg`. With the vendor's SDK there are lines only on demand, and they contain none of
these; no setting changes that. Without lines nothing is measured.
"""

import logging
from collections.abc import Callable, Collection, Mapping
from time import monotonic

import msgspec

from wwspec_contracts.call_type import CallType
from wwspec_contracts.errcodes import ProgramErrcodes
from wwspec_contracts.support.printable import short
from wwspec_router.envelope import Call, Deadline, Reply
from wwspec_router.kernel.call_line import CallLine
from wwspec_router.kernel.dispatch import Route
from wwspec_router.kernel.measured_sdk import Measure, MeasuredSdk, Refused, event_type_of, read_as
from wwspec_router.kernel.observer import Ended, Observer
from wwspec_router.logs.formats import Fields
from wwspec_router.logs.traceparent import current_traceparent, trace_id_of
from wwspec_router.monitoring.figures import UNDECODED, UNKNOWN

CALLS = "wwspec_router.calls"
"""The logger of these lines."""

log = logging.getLogger(CALLS)

LONGEST = 64
"""Characters that are shown of a name from outside."""

Answering = Callable[[Call, Route, Deadline], Reply]


class CallLog(msgspec.Struct, eq=False, dict=True):
    """Writes the lines of the calls."""

    sdk: MeasuredSdk
    """Measures what each call does with the SDK; the one that calls use."""
    quiet: Collection[str] = ()
    """Labels of calls that are polled: they have a line only when they fail."""
    errcodes: ProgramErrcodes = ProgramErrcodes()
    """Those of the program's own failures."""
    observer: Observer | None = None
    """Is called at each step; None for none."""
    places: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Where the row or the mark is of each label."""

    def __post_init__(self) -> None:
        self._jobs: dict[str, Measure] = {}
        """What is measured of the jobs that run, by what the emulator knows them by."""

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
        if label in self.quiet and not errcode and not ending:
            return
        measure = measure or Measure()
        call, refused = measure.call, measure.refused or Refused()
        with_text = self.sdk.is_emulated
        line = CallLine(
            kind="job" if is_job else _kind(call),
            ability=_name(call) if with_text or label not in (UNKNOWN, UNDECODED) else label,
            caller=f"{short(call.corpid, LONGEST)}/{call.agentid}" if with_text and call is not None else "",
            errcode=errcode,
            errmsg=read_as(measure.reply, Refused).errmsg if with_text and errcode else "",
            refused_api=refused.api,
            refused_errcode=refused.errcode,
            refused_errmsg=refused.errmsg if with_text else "",
            milliseconds=round(seconds * 1000, 3),
            sdk_milliseconds=round(measure.seconds * 1000, 3),
            bytes_in=bytes_in,
            bytes_out=bytes_out,
            ending=ending,
            request_id=short(measure.request_id, LONGEST),
        )
        if self.observer is not None and measure.observation is not None and measure.reference:
            ended = Ended(
                line=line,
                reference=measure.reference,
                number=measure.number,
                meaning=self.errcodes.meaning(errcode),
                declared=self.places.get(label, ""),
                seconds=seconds,
                queued=queued,
                sdk_seconds=measure.seconds,
                trace_id=trace_id_of(measure.traceparent),
                is_job=is_job,
            )
            line = msgspec.structs.replace(line, why=self.observer.end(measure.observation, ended))
        text = str(line) if with_text else None
        before = current_traceparent.set(measure.traceparent)  # this may be another thread than that of the call
        log.info(Fields("call", line.fields, text), extra={"call": line, "outcome": line.outcome})
        current_traceparent.reset(before)

    def end_run(self, attempt: int, attempts: int | None, next_run: float | None = None) -> None:
        """Tell the emulator how the run of a job ended that this thread has just run.

        Args:
            attempt: Which one it was.
            attempts: How many there are at most; None when nothing limits them.
            next_run: Seconds until the next one; None when the job is over.
        """
        self._report_run(self.sdk.measure, attempt, attempts, next_run)

    def _report_run(self, measure: Measure, attempt: int, attempts: int | None, next_run: float | None = None) -> None:
        if self.observer is not None and measure.observation is not None:
            self.observer.end_run(measure.observation, attempt, attempts, next_run)

    def answer_job(self, answer: Answering, call: Call, route: Route, deadline: Deadline, reference: str) -> Reply:
        """Answer the call of a job as `answer` does, and write its line.

        Args:
            answer: Runs the ability.
            call: Its call.
            route: Its route.
            deadline: When it must be over.
            reference: What the emulator knows it by.
        """
        measure = self.sdk.begin(Measure(call))
        measure.reference = reference
        if reference:
            self._jobs[reference] = measure
            if self.observer is not None:
                self.observer.begin_run(reference)
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


def _kind(call: Call | None) -> str:
    if call is None:
        return "?"
    if call.call_type == CallType.EVENT:
        return "event"
    return "async" if call.is_async else "call"


def _name(call: Call | None) -> str:
    if call is None:
        return "(not decoded)"
    return short(event_type_of(call) if call.call_type == CallType.EVENT else call.ability_id, LONGEST)
