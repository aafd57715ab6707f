"""An SDK that measures what each thread does with another one, for the lines of the calls."""

import re
import threading
from collections.abc import Callable, Iterable, Mapping
from time import monotonic
from typing import TypeVar

import msgspec

from wwspec_contracts.call_type import CallType
from wwspec_router.envelope import Call
from wwspec_router.kernel.observer import Observation, Observer
from wwspec_router.logs.traceparent import current_traceparent
from wwspec_router.sdk.base import Headers, Sdk, SdkClient, SealedReply

_REQUEST_ID = re.compile(r"ww-(?:[a-z]+-)*req(?:uest)?-?id")
"""Headers with the platform's id of a request. WeCom publishes none; the emulator's is one of these."""

_ENTRY_NUMBER, _JOB = "emulator-entry", "emulator-job"
NONE_HANDLED: Mapping[str, str] = {}
MOST_JOBS = 10_000
"""Accepted jobs whose calls' numbers are known; after that the oldest is forgotten."""

T = TypeVar("T")


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
        """The traceparent of the app's request, if it has one."""
        self.observation: Observation | None = None
        """What is noted of it; None where nobody observes."""
        self.since = monotonic()
        """When it began."""
        self.seconds = 0.0
        """Seconds in the SDK."""
        self._lock = threading.Lock()

    def timed(self, function: Callable[[], T]) -> T:
        """Call a function of the SDK, and add how long it took."""
        since = monotonic()
        try:
            return function()
        finally:
            lasted = monotonic() - since
            with self._lock:
                self.seconds += lasted


class MeasuredSdk:
    """Measures for each thread what its call does with an SDK.

    Args:
        sdk: The SDK.
        handled: When the app is notified of the events on which code runs as a job: by event type.
        observer: Is called at the begin of each call; None for none.
    """

    def __init__(self, sdk: Sdk, handled: Mapping[str, str] = NONE_HANDLED, observer: Observer | None = None) -> None:
        self._sdk = sdk
        self._handled = handled
        self._observer = observer
        self._thread = threading.local()
        self._numbers: dict[str, int] = {}
        self._numbers_lock = threading.Lock()
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

    @property
    def measure(self) -> Measure:
        """What is measured of the call of this thread."""
        measure: Measure | None = getattr(self._thread, "measure", None)
        return Measure() if measure is None else measure

    def decode(self, headers: Headers, body: str) -> Call:
        """See `Sdk.decode`."""
        measure = self.measure
        measure.request_id = measure.reference = _request_id(headers)
        if self.is_emulated:
            measure.number = _entry_number(headers)
        measure.call = call = measure.timed(lambda: self._sdk.decode(headers, body))
        if call.is_async:
            self._note_number(call.job_info, measure.number)
        return call

    def encode(self, text: str) -> SealedReply:
        """See `Sdk.encode`."""
        measure = self.measure
        measure.reply = text
        measure.traceparent = current_traceparent.get()
        sealed = measure.timed(lambda: self._sdk.encode(text))
        measure.request_id = measure.request_id or _request_id(sealed.headers.items())
        when = self._handled.get(event_type_of(measure.call)) if self.is_emulated else None
        if when is not None:
            is_repeat = measure.observation is not None and measure.observation.is_repeat
            if not is_repeat and not read_as(text, Refused).errcode:  # else there may be no job
                return SealedReply({**sealed.headers, _JOB: when}, sealed.body)
        return sealed

    def encode_refusal(self, text: str) -> SealedReply:
        """See `Sdk.encode_refusal`."""
        self.measure.reply = text
        return self.measure.timed(lambda: self._sdk.encode_refusal(text))

    def client(self, corpid: str, agentid: int, ability_id: str, job_info: str) -> "_MeasuredClient":
        """See `Sdk.client`."""
        measure = self.measure
        measure.traceparent = current_traceparent.get()  # known before the call ends: its time may be over
        return _MeasuredClient(self._sdk.client(corpid, agentid, ability_id, job_info), measure)

    def new_notify_id(self) -> str:
        """See `Sdk.new_notify_id`."""
        notify_id = self.measure.timed(self._sdk.new_notify_id)
        self._note_number(notify_id, self.measure.number)
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


class _MeasuredClient:
    def __init__(self, client: SdkClient, measure: Measure) -> None:
        self._client = client
        self._measure = measure

    def invoke(self, api: str, request: str) -> str:
        reply = self._measure.timed(lambda: self._client.invoke(api, request))
        refused = read_as(reply, Refused)  # a reply that is no JSON is the call's to report
        if refused.errcode:
            refused.api = api
            self._measure.refused = refused
        return reply


def _request_id(headers: Iterable[tuple[str, str]]) -> str:
    return next((value for name, value in headers if _REQUEST_ID.fullmatch(name.lower())), "")


def _entry_number(headers: Headers) -> int:
    """Return the number under which the emulator records a request; 0 when there is none."""
    number = next((value for name, value in headers if name == _ENTRY_NUMBER), "")
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 16 else 0


class _Event(msgspec.Struct):
    event_type: str = ""


def event_type_of(call: Call | None) -> str:
    """Return the type of an event; empty for another call, and for an event that can't be read."""
    is_event = call is not None and call.call_type == CallType.EVENT
    return read_as(call.data, _Event).event_type if call is not None and is_event else ""


def read_as(text: str, kind: type[T]) -> T:
    """Return the value that a text has, or the default value."""
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return kind()
