"""The pending calls of one event loop: each is answered by a worker, or given up when its client no longer waits.

A call is given up when its client hung up, its ability's time is over, or it was queued too long. One timer checks all
of them, so a quick call costs only an entry in a set. This module knows no connection: the caller of `Calls.submit`
says where the answer goes. `Exchange`, which answers on a thread, knows no event loop.
"""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import Enum, auto
from functools import lru_cache
from time import monotonic

from msgspec.structs import replace

from wwspec_contracts.errors import CallError, DecodeError, HandlerTimeoutError, OverloadedError
from wwspec_contracts.support.printable import error_text
from wwspec_contracts.support.rare_lines import LineLimiter
from wwspec_contracts.support.stacks import FramesOf, describe, traceback_at
from wwspec_router.config import Settings
from wwspec_router.envelope import MARGIN, NO_DEADLINE, Call
from wwspec_router.http1.answers import NO_REPLY, OVERLOADED, STOPPING, Answer, Headers, OnAnswer, plain
from wwspec_router.kernel.call_log import CallLog
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.kernel.measured_sdk import Measure
from wwspec_router.logs.formats import current_request
from wwspec_router.logs.lines import about
from wwspec_router.logs.traceparent import current_traceparent
from wwspec_router.monitoring.figures import UNDECODED, Figures
from wwspec_router.sdk.base import Sdk, SealedReply
from wwspec_router.serving.workers import WorkerPool

log = logging.getLogger(__name__)

TICK = 0.05
"""Seconds between two checks of all calls."""
UNANSWERED = -2
"""What is counted in place of an errcode when the client hung up, or no reply could be sealed."""
REFUSAL_THREADS = 2
"""Threads that only refuse calls: those that find the queue full, and those whose time is over."""
REFUSAL_PATIENCE = 0.08
"""Seconds that a refusal for overload may wait to be sealed; after that the answer is a bare HTTP status 503."""
_UNSEALED_OVERLOAD = replace(OVERLOADED, errcode=UNANSWERED)

_numbers = itertools.count(1)

WatchDisconnect = Callable[[], Awaitable[None]]
"""Returns when the client has hung up."""


class PendingRequest:
    """One request on its way through the program. Times are those of `time.monotonic()`."""

    __slots__ = ("__weakref__", "arrived", "begun", "body", "deadline", "headers", "label", "measure", "number")

    def __init__(self, headers: Headers, body: bytes) -> None:
        self.headers = headers
        self.body = body
        self.number = next(_numbers)
        """Ties the log lines of this request together."""
        self.arrived = monotonic()
        self.begun = 0.0
        """When a worker began it; 0.0 while it is queued."""
        self.deadline = NO_DEADLINE
        """When it must be answered; known once it is decoded."""
        self.label = UNDECODED
        """What it is counted as; see `Route.label`."""
        self.measure: Measure | None = None
        """What is measured of it, if anything is."""

    @property
    def held(self) -> int:
        """Bytes of its body while it waits for a worker."""
        return 0 if self.begun else len(self.body)


class Exchange:
    """Answers requests, each on one worker thread: SDK decode, dispatch, SDK encode, in a row.

    For the SDK, a reply belongs to the request that its thread decoded last; so no request changes threads [100057].

    Args:
        sdk: Decodes requests and encodes replies.
        dispatcher: Answers calls.
        call_log: Where a line is written for each call; None for none. Its `sdk` is this one then.
    """

    def __init__(self, sdk: Sdk, dispatcher: Dispatcher, call_log: CallLog | None = None) -> None:
        self._sdk = sdk
        self._dispatcher = dispatcher
        self.call_log = call_log
        self._undecoded = LineLimiter()

    def answer(self, request: PendingRequest) -> Answer:
        """Decode, dispatch and encode one request. Blocks.

        Raises:
            Exception: The SDK could not seal the reply, so there is nothing to send. Any exception of the SDK.
        """
        request.begun = monotonic()
        dispatcher = self._dispatcher
        try:
            call = self._decode(request)
        except DecodeError as error:
            return self._refuse_undecoded(error)
        route = dispatcher.route(call)
        request.label = route.label
        request.deadline = deadline = route.deadline(request.arrived)
        reply = dispatcher.answer(call, route, deadline)
        return _answer(self._sdk.encode(reply.text), reply.errcode)

    def refuse(self, request: PendingRequest, error: CallError) -> Answer:
        """Answer a request with an error, on a thread that did not decode it; log that its time is over.

        It is decoded again here: the SDK must know on this thread which request the reply belongs to.

        Raises:
            Exception: As for `answer`.
        """
        try:
            call = self._decode(request)
        except DecodeError as undecoded:
            return self._refuse_undecoded(undecoded)
        route = self._dispatcher.route(call)
        request.label = route.label
        is_late = isinstance(error, HandlerTimeoutError)
        refusal = self._dispatcher.report(call, route, error) if is_late else self._dispatcher.refusal(error)
        return _answer(self._sdk.encode(refusal.text), refusal.errcode)

    def without_reply(self, error: BaseException | None) -> Answer:
        """Return what is sent when no reply could be sealed; the emulator gets the reason."""
        if error is None or not self._sdk.is_emulated:
            return NO_REPLY
        said = f"no reply: {type(error).__name__}: {error_text(error)}\n".encode("utf-8", "replace").decode()
        return plain(NO_REPLY.status, said)

    def _refuse_undecoded(self, error: DecodeError) -> Answer:
        refusal = self._dispatcher.refusal(error)
        self._undecoded.log(log, logging.WARNING, "a request was not decoded: %s", error.detail or error.message)
        return _answer(self._sdk.encode_refusal(refusal.text), refusal.errcode)

    def _decode(self, request: PendingRequest) -> Call:
        current_request.set(request.number)
        current_traceparent.set("")
        if self.call_log is not None:
            request.measure = self.call_log.sdk.begin(request.measure)
        try:
            text = request.body.decode()
        except UnicodeDecodeError:
            # For the SDK this thread still serves an earlier request, whose id would be in the headers of the refusal.
            with suppress(DecodeError):
                self._sdk.decode([], "")
            raise DecodeError("the request's body is not UTF-8") from None
        call = self._sdk.decode(request.headers, text)
        if request.measure is not None and request.measure.number:  # the emulator's number is the one that is shown
            request.number = request.measure.number
            current_request.set(request.number)
        return call


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


class GivenUp(Enum):
    """Why a call was given up."""

    HUNG_UP = auto()
    TIME_OVER = auto()
    QUEUED_TOO_LONG = auto()
    STOPPING = auto()


class PendingCall(PendingRequest):
    """One call that a worker runs or will run: a `Job` of the pool.

    Args:
        calls: Where it is pending.
        headers: Of the request.
        body: Of the request.
        on_answer: Called once with the answer.
        watch: See `Calls.submit`.

    Attributes:
        is_over: Whether it has its outcome, or was given up.
        given_up: Why it was given up; None when it was not.
        watcher: Waits for the client to hang up.
    """

    __slots__ = ("_calls", "_watch", "given_up", "is_over", "on_answer", "watcher")

    def __init__(
        self, calls: "Calls", headers: Headers, body: bytes, on_answer: OnAnswer, watch: WatchDisconnect | None
    ) -> None:
        super().__init__(headers, body)
        self._calls = calls
        self.on_answer = on_answer
        self._watch = watch
        self.watcher: asyncio.Task[None] | None = None
        self.is_over = False
        self.given_up: GivenUp | None = None

    def run(self) -> Answer:
        """Answer it, on a worker thread; see `Job.run`."""
        return self._calls.exchange.answer(self)

    def end(self, result: Answer | None, error: BaseException | None) -> None:
        """Send the answer; see `Job.end`."""
        self.is_over = True
        self._calls.on_end(self, result, error)

    def cancel(self) -> None:
        """Give the call up, since the program stops; see `Job.cancel`."""
        self.give_up(GivenUp.STOPPING)

    def hang_up(self) -> None:
        """Note that the client is gone: a call that is queued never runs; the answer of one that runs is dropped."""
        self.give_up(GivenUp.HUNG_UP)

    def give_up(self, why: GivenUp) -> None:
        """Drop its outcome, and soon answer why; does nothing when the call is over."""
        if not self.is_over:
            self.is_over = True
            self.given_up = why
            asyncio.get_running_loop().call_soon(self._calls.on_end, self, None, None)

    def watch_disconnect(self) -> None:
        """Begin to wait for the client to hang up, if `watch` was given."""
        if self.watcher is None and self._watch is not None:
            self.watcher = asyncio.ensure_future(self._until_disconnected(self._watch))

    async def _until_disconnected(self, watch: WatchDisconnect) -> None:
        await watch()
        self.hang_up()


class Calls:
    """Takes requests and answers them; on the thread of its loop.

    Args:
        exchange: Answers a request, on a worker thread.
        workers: The pool of those threads.
        figures: Counts what was answered.
        settings: Limits and timeouts.
        frames_of: Returns where the code is that a thread runs or waits for, given its ident.
    """

    def __init__(
        self, exchange: Exchange, workers: WorkerPool, figures: Figures, settings: Settings, frames_of: FramesOf
    ) -> None:
        self.exchange = exchange
        self._workers = workers
        # As many may wait as there can be calls, so that a refusal is a sealed reply and no bare status.
        self._refusals = WorkerPool(REFUSAL_THREADS, settings.connections, name="wwspec-refusal")
        self._figures = figures
        self._frames_of = frames_of
        self._queue_timeout = settings.queue_timeout
        self._pending: set[PendingCall] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._limiter = LineLimiter()

    async def start(self) -> None:
        """Make ready; before the first call.

        Raises:
            RuntimeError: The system starts no thread.
        """
        await self._refusals.start(threads=REFUSAL_THREADS)  # when they are needed it may start none any more

    async def stop(self) -> None:
        """Answer nothing any more; after the workers were stopped."""
        await self._refusals.stop(0.0)
        if self._timer is not None:
            self._timer.cancel()

    def submit(
        self, headers: Headers, body: bytes, on_answer: OnAnswer, watch: WatchDisconnect | None = None
    ) -> PendingCall:
        """Take one request.

        Args:
            headers: Its headers.
            body: Its body, as a whole.
            on_answer: Called once, later, with the answer.
            watch: Returns when the client has hung up; awaited only for calls that take long. Without it the caller
                calls `PendingCall.hang_up`.
        """
        call = PendingCall(self, headers, body, on_answer, watch)
        try:
            self._workers.add(call)
        except OverloadedError as error:
            call.is_over = True
            self._refuse(call, error)
            return call
        self._pending.add(call)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TICK, self._tick)
        return call

    def on_end(self, call: PendingCall, answer: Answer | None, error: BaseException | None) -> None:
        """Pass on the outcome of a call, or answer one that was given up; for `PendingCall` only."""
        self._pending.discard(call)
        if call.watcher is not None:
            call.watcher.cancel()
        match call.given_up:
            case None:
                self.pass_on(call, answer, error)
            case GivenUp.TIME_OVER:
                call.deadline.is_logged = True
                self._refuse(call, call.deadline.error().with_traceback(call.deadline.place))
            case GivenUp.QUEUED_TOO_LONG:
                detail = f"queued for more than {self._queue_timeout:g} s"
                self._refuse(call, OverloadedError(detail=detail))
            case GivenUp.HUNG_UP:
                self._count(call, UNANSWERED, ending="client hung up")
                call.on_answer(None)
            case GivenUp.STOPPING:
                call.on_answer(STOPPING)

    def _refuse(self, call: PendingCall, error: CallError) -> None:
        """Answer with an error, on a thread that only does this."""
        if isinstance(error, OverloadedError):
            with about(call.number):
                text = "a call was refused: %s (%s)"
                self._limiter.log(log, logging.WARNING, text, error.message, error.detail)
        try:
            self._refusals.add(_Refusal(self, call, error))
        except OverloadedError:
            self._count(call, UNANSWERED, ending="HTTP 503")
            call.on_answer(OVERLOADED)

    def pass_on(self, call: PendingCall, answer: Answer | None, error: BaseException | None) -> None:
        """Count a call, and send its answer; for `_Refusal` besides."""
        if answer is not None:
            self._count(call, answer.errcode, answer)
            call.on_answer(answer)
            return
        if error is not None:
            with about(call.number):
                text = "no reply could be sealed: %s"
                self._limiter.log(log, logging.ERROR, text, describe(error), kind=call.label)
        self._count(call, UNANSWERED, ending="HTTP 500")
        call.on_answer(self.exchange.without_reply(error))

    def _count(self, call: PendingCall, errcode: int, answer: Answer | None = None, ending: str = "") -> None:
        now = monotonic()
        waited = (call.begun or now) - call.arrived
        self._figures.count(call.label, errcode, waited, now - call.arrived)
        if (call_log := self.exchange.call_log) is not None:
            sent = 0 if answer is None else len(answer.body)
            if answer is _UNSEALED_OVERLOAD:
                ending = "HTTP 503"
            with about(call.number):
                call_log.write(
                    call.measure,
                    errcode,
                    now - call.arrived,
                    len(call.body),
                    sent,
                    label=call.label,
                    ending=ending,
                    queued=waited,
                )

    def _tick(self) -> None:
        now = monotonic()
        self._see_late()
        for call in list(self._pending):
            if call.deadline.is_over(MARGIN):
                call.give_up(GivenUp.TIME_OVER)
            elif not call.begun and now - call.arrived > self._queue_timeout:
                call.give_up(GivenUp.QUEUED_TOO_LONG)
            elif now - call.arrived > TICK:
                call.watch_disconnect()
        self._timer = asyncio.get_running_loop().call_later(TICK, self._tick) if self._pending else None

    def _see_late(self) -> None:
        """Note where the code of each call is whose time is over."""
        for call in self._pending:
            if call.deadline.is_over() and call.deadline.place is None:
                if (ident := self._workers.ident_of(call)) is not None:
                    call.deadline.place = traceback_at(self._frames_of(ident))


class _Refusal:
    """The error that a call is answered with, sealed on one of the threads for that: a `Job` of their pool."""

    is_over = False

    def __init__(self, calls: Calls, call: PendingCall, error: CallError) -> None:
        self._calls = calls
        self._call = call
        self._error = error
        self._since = monotonic()

    def run(self) -> Answer:
        if isinstance(self._error, OverloadedError) and monotonic() - self._since > REFUSAL_PATIENCE:
            return _UNSEALED_OVERLOAD
        return self._calls.exchange.refuse(self._call, self._error)

    def end(self, result: Answer | None, error: BaseException | None) -> None:
        self._calls.pass_on(self._call, result, error)

    def cancel(self) -> None:
        self.is_over = True
        self._call.on_answer(STOPPING)
