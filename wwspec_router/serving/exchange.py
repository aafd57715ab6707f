"""One HTTP exchange on one worker thread: SDK decode, dispatch, SDK encode, in a row.

For the SDK, a reply belongs to the request that its thread decoded last; so one exchange never changes threads
[100057]. This module knows no sockets and no event loop.
"""

import itertools
import logging
from contextlib import suppress
from functools import lru_cache
from time import monotonic

from wwspec_router.errors import CallError, DecodeError
from wwspec_router.kernel.call_log import CallLog
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.logs.lines import RareWarnings, current_request
from wwspec_router.monitoring.figures import UNDECODED
from wwspec_router.protocol.answers import Answer
from wwspec_router.sdk.base import Headers, Sdk, SealedReply
from wwspec_router.sdk.measured import Measure

log = logging.getLogger(__name__)

_numbers = itertools.count(1)


class PendingRequest:
    """One request on its way through the program. Times are those of `time.monotonic()`."""

    __slots__ = ("arrived", "begun", "body", "deadline", "headers", "label", "measure", "number")

    def __init__(self, headers: Headers, body: bytes) -> None:
        self.headers = headers
        self.body = body
        self.number = next(_numbers)
        """Ties the log lines of this request together."""
        self.arrived = monotonic()
        self.begun = 0.0
        """When a worker began it; 0.0 while it is queued."""
        self.deadline: float | None = None
        """When it must be answered; known once it is decoded."""
        self.label = UNDECODED
        """What it is counted as; see `Route.label`."""
        self.measure: Measure | None = None
        """What is measured of it, if anything is."""


class Exchange:
    """Answers requests.

    Args:
        sdk: Decodes requests and encodes replies.
        dispatcher: Answers calls.
    """

    def __init__(self, sdk: Sdk, dispatcher: Dispatcher) -> None:
        self._sdk = sdk
        self._dispatcher = dispatcher
        self._undecoded = RareWarnings(log)

    def answer(self, request: PendingRequest) -> Answer:
        """Decode, dispatch and encode one request. Blocks.

        Raises:
            Exception: The SDK could not seal the reply, so there is nothing to send. Any exception of the SDK.
        """
        request.begun = monotonic()
        current_request.set(request.number)
        dispatcher = self._dispatcher
        try:
            call = self._sdk.decode(request.headers, self._text(request.body))
        except DecodeError as error:
            return self._refuse_undecoded(error)
        route = dispatcher.route(call)
        request.label = route.label
        deadline = route.deadline(request.arrived)
        request.deadline = deadline.at
        reply = dispatcher.answer(call, route, deadline)
        return _answer(self._sdk.encode(reply.text), reply.errcode)

    def refuse(self, request: PendingRequest, error: CallError) -> Answer:
        """Answer a request with an error, on a thread that did not decode it.

        It is decoded again here: the SDK must know on this thread which request the reply belongs to.

        Raises:
            Exception: As for `answer`.
        """
        current_request.set(request.number)
        try:
            request.label = self._dispatcher.route(self._sdk.decode(request.headers, self._text(request.body))).label
        except DecodeError as undecoded:
            return self._refuse_undecoded(undecoded)
        refusal = self._dispatcher.refusal(error)
        return _answer(self._sdk.encode(refusal.text), refusal.errcode)

    def _refuse_undecoded(self, error: DecodeError) -> Answer:
        refusal = self._dispatcher.refusal(error)
        self._undecoded.warning("a request was not decoded: %s", error.detail or error.message)
        return _answer(self._sdk.encode_refusal(refusal.text), refusal.errcode)

    def _text(self, body: bytes) -> str:
        try:
            return body.decode()
        except UnicodeDecodeError:
            pass
        # For the SDK this thread still serves an earlier request, whose id would be in the headers of the refusal.
        with suppress(DecodeError):
            self._sdk.decode([], "")
        raise DecodeError("the request's body is not UTF-8")


class MeasuredExchange(Exchange):
    """Answers requests, and measures each.

    Args:
        sdk: The one that measures for `call_log`.
        dispatcher: Answers calls.
        call_log: Where the lines of calls are written.
    """

    def __init__(self, sdk: Sdk, dispatcher: Dispatcher, call_log: CallLog) -> None:
        super().__init__(sdk, dispatcher)
        self._call_log = call_log

    def answer(self, request: PendingRequest) -> Answer:
        """Answer one request; see `Exchange.answer`."""
        request.measure = self._call_log.begin(None)
        return super().answer(request)

    def refuse(self, request: PendingRequest, error: CallError) -> Answer:
        """Refuse one request; see `Exchange.refuse`."""
        request.measure = self._call_log.begin(request.measure)
        return super().refuse(request, error)


def _answer(sealed: SealedReply, errcode: int) -> Answer:
    body = sealed.body.encode()
    headers = [(sent, value.encode("latin-1")) for name, value in sealed.headers.items() if (sent := _sent_name(name))]
    headers.append((b"content-length", b"%d" % len(body)))
    return Answer(headers, body, errcode)


@lru_cache(64)
def _sent_name(name: str) -> bytes:
    """Return the name under which a header of the SDK is sent; "" for headers about the body."""
    lower = name.lower()
    return b"" if lower in ("content-length", "transfer-encoding") else lower.encode("latin-1")
