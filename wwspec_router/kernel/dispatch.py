"""The kernel: one `Call` in, one `Reply` out.

It knows no HTTP, no encryption and no event loop, so a test calls it with plain values. It never raises: whatever
goes wrong becomes a reply `{"errcode", "errmsg"}`, and what a handler let escape is logged without its text.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

import msgspec

from wwspec_router.contracts.codec import InputCodec
from wwspec_router.envelope import Call, CallType, Reply
from wwspec_router.errors import (
    AbilityNotFoundError,
    CallError,
    InputError,
    OverloadedError,
)
from wwspec_router.handlers.context import AsyncContext, Context, Deadline, Portal, PrivateLoopPortal
from wwspec_router.jobs.runner import Jobs
from wwspec_router.kernel.intake import EventIntake
from wwspec_router.kernel.limits import ConcurrencyLimit
from wwspec_router.logs import LineLimiter, short
from wwspec_router.monitoring.figures import ASYNC, EVENT, UNKNOWN
from wwspec_router.registry.table import (
    AbilityTable,
    ApiTarget,
    CallbackTarget,
    FuncTarget,
    HandlerTarget,
    StatusTarget,
    Target,
)
from wwspec_router.sdk.base import Sdk, SdkClient
from wwspec_router.stacks import describe, errcode_of, is_a
from wwspec_router.stores.base import NotifyStore

__all__ = ["Dispatcher"]

log = logging.getLogger(__name__)

_Run = Callable[[Call, Deadline], str]
_JsonTarget = ApiTarget | CallbackTarget | StatusTarget


_NO_DEADLINE = Deadline()


class _ErrorBody(msgspec.Struct):
    errcode: int
    errmsg: str


class _FuncCall(msgspec.Struct, forbid_unknown_fields=True):
    """The Python demo's request inside `input` [100249]."""

    func: str
    func_req: msgspec.Raw = msgspec.Raw(b"{}")


class _FuncInput(msgspec.Struct, forbid_unknown_fields=True):
    input: _FuncCall


class Dispatcher:
    """Answers calls.

    Args:
        table: What answers which ability ID.
        sdk: Asks WeCom for data.
        store: Keeps events.
        portal: Runs `async def` handlers; by default each on a loop of its own.
        jobs: Takes in asynchronous calls, which are refused when it is None.
        status: Returns the program's figures as JSON text, for abilities of `kind = "status"`.
    """

    def __init__(
        self,
        table: AbilityTable,
        sdk: Sdk,
        store: NotifyStore,
        portal: Portal | None = None,
        jobs: Jobs | None = None,
        status: Callable[[], str] | None = None,
    ) -> None:
        self._sdk = sdk
        self._apis = table.apis
        self._portal = portal or PrivateLoopPortal()
        self._jobs = jobs
        self._status = status or _no_status
        self._limiter = LineLimiter()
        self._errcode = table.registry.program.errcode
        self._overload_errcode = table.registry.program.overload_errcode
        self._encode = msgspec.json.Encoder().encode
        self._func = InputCodec(_FuncInput)
        registry = table.registry
        self._events = EventIntake(sdk, store, registry.program.notify_ttl, registry.notify_scenes, table.stored_events)
        targets = {id(each.target): each.target for each in table.abilities.values()}  # shared by many abilities
        runs = {key: self._runner(target) for key, target in targets.items()}
        self._abilities = {name: runs[id(each.target)] for name, each in table.abilities.items()}
        self._limits = {
            name: ConcurrencyLimit(name, each.concurrency)
            for name, each in table.abilities.items()
            if each.concurrency is not None
        }
        limited = {name: limit.around(self._abilities[name]) for name, limit in self._limits.items()}
        self._limited = self._abilities | limited if limited else self._abilities
        self._timeouts = {name: each.timeout for name, each in table.abilities.items() if each.timeout is not None}

    def deadline(self, call: Call, since: float) -> Deadline:
        """Return when a call must be answered that came in at `since`, in seconds of `time.monotonic()`."""
        timeout = self._timeouts.get(call.ability_id) if self._timeouts and call.call_type == CallType.APP else None
        return _NO_DEADLINE if timeout is None else Deadline(since + timeout)

    def label(self, call: Call) -> str:
        """Return what a call is counted as: an ability ID of the table, or a word for all others."""
        if call.call_type != CallType.APP:
            return EVENT if call.call_type == CallType.EVENT else UNKNOWN
        if call.ability_id not in self._abilities:
            return UNKNOWN
        return ASYNC if call.is_async else call.ability_id

    def dispatch(self, call: Call, deadline: Deadline | None = None) -> Reply:
        """Answer one call. Blocks; belongs on a worker thread. Never raises.

        Args:
            call: The call.
            deadline: When it must be answered; by default its ability's timeout begins now.
        """
        return self._settled(call, deadline or self.deadline(call, monotonic()), self._answer)

    def run_job(self, call: Call, deadline: Deadline) -> Reply:
        """Answer an asynchronous call that was accepted before. Blocks. Never raises."""
        return self._settled(call, deadline, self._run)

    def write_off(self, ident: int) -> None:
        """Let a thread that hangs in an ability no longer count against that ability's limit."""
        for limit in self._limits.values():
            limit.leave(ident)

    def _settled(self, call: Call, deadline: Deadline, answer: _Run) -> Reply:
        try:
            return Reply(answer(call, deadline))
        except BaseException as error:  # a handler may raise anything; the call is answered all the same
            return self._told(call, error)

    def _told(self, call: Call, error: BaseException) -> Reply:
        """Log an error, if none like it was logged just now, and return the reply that tells the app of it."""
        ending = self._limiter.ending((self._subject(call), *_kind(error)))
        with suppress(BaseException):  # it has lost its message, or its own methods raise
            if is_a(error, CallError):
                reply = self.refusal(error)
                if ending is not None:
                    _log_refusal(call, error, ending)
                return reply
        if ending is not None:
            log.error("%s failed: %s%s", _named(call), describe(error), ending)
        return self.refusal(CallError())

    def refusal(self, error: CallError) -> Reply:
        """Return the reply that tells the app of an error."""
        errcode = error.errcode
        if errcode is None:
            errcode = self._overload_errcode if isinstance(error, OverloadedError) else self._errcode
        text = error.message.encode("utf-8", "backslashreplace").decode()
        return Reply(self._encode(_ErrorBody(errcode, text)).decode(), errcode)

    def _answer(self, call: Call, deadline: Deadline) -> str:
        if call.call_type == CallType.EVENT:
            return self._events.take(call)
        if call.call_type != CallType.APP:
            raise CallError("call_type must be 1 or 2")
        if call.is_async:
            return self._accept(call, deadline)
        run = self._limited.get(call.ability_id)
        if run is None:
            raise AbilityNotFoundError(f"unknown ability_id {short(call.ability_id, 64)}")
        return run(call, deadline)

    def _run(self, call: Call, deadline: Deadline) -> str:
        run = self._abilities.get(call.ability_id)
        if run is None:
            raise AbilityNotFoundError(f"unknown ability_id {short(call.ability_id, 64)}")
        return run(call, deadline)

    def _accept(self, call: Call, deadline: Deadline) -> str:
        if call.ability_id not in self._abilities:
            raise AbilityNotFoundError(f"unknown ability_id {short(call.ability_id, 64)}")
        if self._jobs is None:
            raise CallError("asynchronous calls are not supported by this program")
        deadline.check()  # else it would be run although the app was told that it failed
        return self._jobs.accept(call)

    def _subject(self, call: Call) -> str:
        """Return whose lines are told apart from all others': an ability ID of the table, or a word."""
        if call.call_type == CallType.EVENT:
            return EVENT
        return call.ability_id if call.ability_id in self._abilities else UNKNOWN

    def _runner(self, target: Target) -> _Run:
        """Return the closure that answers the abilities of one target; what can be looked up is looked up here."""
        match target:
            case HandlerTarget():
                return self._handler_runner(target)
            case FuncTarget():
                return self._func_runner(target)
            case ApiTarget() | CallbackTarget() | StatusTarget():
                run = self._json_runner(target)
                return lambda call, deadline: run(call, call.data, deadline)

    def _json_runner(self, target: _JsonTarget) -> Callable[[Call, str, Deadline], str]:
        match target:
            case ApiTarget(api=api, input=input_codec, output=output_codec):
                client, forward, fit = self._sdk.client, input_codec.forward, output_codec.fit

                def invoke(call: Call, text: str, deadline: Deadline) -> str:
                    request = forward(text)
                    deadline.check()
                    sdk = client(call.corpid, call.agentid, call.ability_id, call.job_info)
                    return fit(sdk.invoke(api, request))

                return invoke
            case CallbackTarget(input=input_codec, output=output_codec):
                decode, fetch, fit_event = input_codec.decode, self._events.fetch, output_codec.fit

                def callback_data(call: Call, text: str, deadline: Deadline) -> str:
                    asked = decode(text)
                    return fit_event(fetch(call, call.notify_id or asked.notify_id))

                return callback_data
            case StatusTarget(input=input_codec, output=output_codec):
                decode, status, fit_status = input_codec.decode, self._status, output_codec.fit

                def figures(call: Call, text: str, deadline: Deadline) -> str:
                    decode(text)
                    return fit_status(status())

                return figures

    def _func_runner(self, target: FuncTarget) -> _Run:
        functions = {name: self._json_runner(each) for name, each in target.functions.items()}
        decode = self._func.decode

        def run(call: Call, deadline: Deadline) -> str:
            wrapped = decode(call.data).input
            function = functions.get(wrapped.func)
            if function is None:
                raise AbilityNotFoundError(f"unknown input.func {short(wrapped.func, 64)}")
            try:
                return function(call, bytes(wrapped.func_req).decode(), deadline)
            except InputError as error:
                raise InputError(f"$.input.func_req{error.path[1:]}", error.reason) from None

        return run

    def _handler_runner(self, target: HandlerTarget) -> _Run:
        function, takes_context = target.handler.function, target.handler.takes_context
        decode = target.input.decode if target.handler.request is not None else target.input.decode_plain
        encode, portal = target.output.encode, self._portal

        def run(call: Call, deadline: Deadline) -> str:
            request = decode(call.data)
            deadline.check()
            context = Context(call, self._client(call), self._apis, deadline)
            result = function(request, context) if takes_context else function(request)
            deadline.check()
            return encode(result)

        def run_async(call: Call, deadline: Deadline) -> str:
            request = decode(call.data)
            deadline.check()
            context = AsyncContext(call, self._client(call), self._apis, deadline)
            arguments = (request, context) if takes_context else (request,)
            return encode(portal.run(lambda: function(*arguments), context))

        return run_async if target.handler.is_async else run

    def _client(self, call: Call) -> SdkClient:
        return self._sdk.client(call.corpid, call.agentid, call.ability_id, call.job_info)


def _log_refusal(call: Call, error: CallError, ending: str) -> None:
    """Log a refusal; of errors whose message may hold what is secret only the class and the errcode."""
    if type(error).frequent:
        log.warning("a call was refused: %s%s", error.detail, ending)
        return
    text = f": {error.message}" if type(error).loggable else _errcode(error)
    detail = f" ({error.detail})" if error.detail else ""
    level = logging.ERROR if call.call_type == CallType.EVENT else logging.WARNING
    log.log(level, "%s refused, %s%s%s%s", _named(call), type(error).__name__, text, detail, ending)


def _kind(error: BaseException) -> tuple[int, int | None]:
    """Return what errors of one kind have in common: the class, which may have no hash, and the errcode, if any."""
    return id(type(error)), errcode_of(error)


def _named(call: Call) -> str:
    """Return how a log line calls a call."""
    match call.call_type:
        case CallType.APP:
            return f"ability {short(call.ability_id, 64)}"
        case CallType.EVENT:
            return "event"
        case _:
            return "call of no known type"


def _errcode(error: CallError) -> str:
    return "" if error.errcode is None else f" {error.errcode}"


def _no_status() -> str:
    raise CallError("no figures are kept here")
