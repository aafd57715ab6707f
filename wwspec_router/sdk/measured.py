"""Measures what one call does with the SDK: how long that takes, and what the platform refuses.

`MeasuredSdk` wraps any other `Sdk`, and notes for each thread the figures of the call that it works on. A program that
measures nothing uses the other `Sdk` directly, without any cost.
"""

import re
import threading
from collections.abc import Callable, Iterable
from time import monotonic
from typing import TypeVar

import msgspec

from wwspec_router.envelope import Call
from wwspec_router.sdk.base import Headers, Sdk, SdkClient, SealedReply

T = TypeVar("T")

_REQUEST_ID = re.compile(r"ww-(?:[a-z]+-)*req(?:uest)?-?id", re.IGNORECASE)
"""Headers with the platform's id of a request. WeCom publishes none; the emulator's is one of these."""


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


class MeasuredSdk:
    """An `Sdk` that measures another one.

    Args:
        sdk: The other one.
    """

    def __init__(self, sdk: Sdk) -> None:
        self._sdk = sdk
        self._thread = threading.local()
        self._refused = msgspec.json.Decoder(Refused)

    def begin(self, measure: Measure) -> None:
        """Count everything that this thread does with the SDK from now on for one call."""
        self._thread.measure = measure

    @property
    def _measure(self) -> Measure:
        measure: Measure | None = getattr(self._thread, "measure", None)
        return Measure() if measure is None else measure

    @property
    def description(self) -> str:
        """See `Sdk.description`."""
        return self._sdk.description

    @property
    def version(self) -> str:
        """See `Sdk.version`."""
        return self._sdk.version

    @property
    def is_emulated(self) -> bool:
        """See `Sdk.is_emulated`."""
        return self._sdk.is_emulated

    def decode(self, headers: Headers, body: str) -> Call:
        """See `Sdk.decode`."""
        measure = self._measure
        measure.request_id = _request_id(headers)
        measure.call = measure.timed(lambda: self._sdk.decode(headers, body))
        return measure.call

    def encode(self, text: str) -> SealedReply:
        """See `Sdk.encode`."""
        measure = self._measure
        measure.reply = text
        sealed = measure.timed(lambda: self._sdk.encode(text))
        measure.request_id = measure.request_id or _request_id(sealed.headers.items())
        return sealed

    def encode_refusal(self, text: str) -> SealedReply:
        """See `Sdk.encode_refusal`."""
        self._measure.reply = text
        return self._measure.timed(lambda: self._sdk.encode_refusal(text))

    def client(self, corpid: str, agentid: int, ability_id: str, job_info: str) -> "_MeasuredClient":
        """See `Sdk.client`."""
        return _MeasuredClient(self._sdk.client(corpid, agentid, ability_id, job_info), self._measure, self._refused)

    def new_notify_id(self) -> str:
        """See `Sdk.new_notify_id`."""
        return self._measure.timed(self._sdk.new_notify_id)

    def log(self, level: str, text: str) -> None:
        """See `Sdk.log`."""
        self._sdk.log(level, text)

    def open_debug_mode(self, debug_token: str, access_token: str) -> None:
        """See `Sdk.open_debug_mode`."""
        self._sdk.open_debug_mode(debug_token, access_token)


def _request_id(headers: Iterable[tuple[str, str]]) -> str:
    return next((value for name, value in headers if _REQUEST_ID.fullmatch(name)), "")


class _MeasuredClient:
    def __init__(self, client: SdkClient, measure: Measure, refused: "msgspec.json.Decoder[Refused]") -> None:
        self._client = client
        self._measure = measure
        self._refused = refused

    def invoke(self, api: str, request: str) -> str:
        reply = self._measure.timed(lambda: self._client.invoke(api, request))
        try:
            refused = self._refused.decode(reply)
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):  # the call itself will say so
            return reply
        if refused.errcode:
            refused.api = api
            self._measure.refused = refused
        return reply
