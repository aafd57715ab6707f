"""The kernel: one `Call` in, one `Reply` out.

It knows no HTTP, no encryption and no event loop, so a test calls it with plain values. It never raises: whatever
goes wrong becomes a reply `{"errcode", "errmsg"}`, and what a handler let escape is logged without its text.
"""

import logging
from collections.abc import Callable

import msgspec

from wwspec_router.context import AsyncContext, Context, Deadline, Portal, PrivateLoopPortal
from wwspec_router.contracts.codec import InputCodec
from wwspec_router.envelope import Call, CallType, Reply
from wwspec_router.errors import AbilityNotFoundError, CallError, InputError
from wwspec_router.events import EventIntake
from wwspec_router.jobs import Jobs
from wwspec_router.logs import describe, short
from wwspec_router.sdk.base import Sdk, SdkClient
from wwspec_router.stores.base import NotifyStore
from wwspec_router.table import Ability, AbilityTable, ApiTarget, CallbackTarget, FuncTarget, HandlerTarget

__all__ = ["Dispatcher"]

log = logging.getLogger(__name__)

_Run = Callable[[Call], str]


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
    """

    def __init__(
        self,
        table: AbilityTable,
        sdk: Sdk,
        store: NotifyStore,
        portal: Portal | None = None,
        jobs: Jobs | None = None,
    ) -> None:
        self._sdk = sdk
        self._apis = table.apis
        self._portal = portal or PrivateLoopPortal()
        self._jobs = jobs
        self._errcode = table.registry.program.errcode
        self._encode = msgspec.json.Encoder().encode
        self._func = InputCodec(_FuncInput)
        self._events = EventIntake(sdk, store, table.registry.program.notify_ttl, table.registry.notify_scenes)
        self._abilities: dict[str, _Run] = {name: self._runner(each) for name, each in table.abilities.items()}
        self._timeouts = {name: each.timeout for name, each in table.abilities.items()}

    def timeout(self, call: Call) -> float | None:
        """Return the seconds within which a call must be answered, or None for no limit."""
        return self._timeouts.get(call.ability_id) if call.call_type == CallType.APP else None

    def dispatch(self, call: Call) -> Reply:
        """Answer one call. Blocks; belongs on a worker thread. Never raises."""
        return self._settled(call, self._answer)

    def run_job(self, call: Call) -> Reply:
        """Answer an asynchronous call that was accepted before. Blocks. Never raises."""
        return self._settled(call, self._run)

    def _settled(self, call: Call, answer: _Run) -> Reply:
        try:
            return Reply(answer(call))
        except CallError as error:
            self._log(call, error)
            return self.refusal(error)
        except BaseException as error:  # a handler may raise anything; the call is answered all the same
            log.error("ability %s failed: %s", short(call.ability_id, 64), describe(error))
            return self.refusal(CallError("internal error of the program"))

    def refusal(self, error: CallError) -> Reply:
        """Return the reply that tells the app of an error."""
        errcode = self._errcode if error.errcode is None else error.errcode
        text = error.message.encode("utf-8", "backslashreplace").decode()
        return Reply(self._encode(_ErrorBody(errcode, text)).decode(), errcode)

    def _answer(self, call: Call) -> str:
        if call.call_type == CallType.EVENT:
            return self._events.take(call)
        if call.call_type != CallType.APP:
            raise CallError("call_type must be 1 or 2")
        return self._accept(call) if call.is_async else self._run(call)

    def _run(self, call: Call) -> str:
        run = self._abilities.get(call.ability_id)
        if run is None:
            raise AbilityNotFoundError(f"unknown ability_id {short(call.ability_id, 64)}")
        return run(call)

    def _accept(self, call: Call) -> str:
        if call.ability_id not in self._abilities:
            raise AbilityNotFoundError(f"unknown ability_id {short(call.ability_id, 64)}")
        if self._jobs is None:
            raise CallError("asynchronous calls are not supported by this program")
        return self._jobs.accept(call)

    def _log(self, call: Call, error: CallError) -> None:
        """Log a refusal. The messages of `InputError` quote the request's keys, so only its class is logged."""
        what = "event" if call.call_type == CallType.EVENT else f"ability {short(call.ability_id, 64)}"
        text = "" if isinstance(error, InputError | AbilityNotFoundError) else f": {error.message}"
        detail = f" ({error.detail})" if error.detail else ""
        level = logging.ERROR if call.call_type == CallType.EVENT else logging.WARNING
        log.log(level, "%s refused, %s%s%s", what, type(error).__name__, text, detail)

    def _runner(self, ability: Ability) -> _Run:
        """Return the closure that answers one ability; what can be looked up is looked up here."""
        match ability.target:
            case HandlerTarget() as target:
                return self._handler_runner(target, ability.timeout)
            case FuncTarget() as target:
                return self._func_runner(target)
            case ApiTarget() | CallbackTarget() as target:
                run = self._json_runner(target)
                return lambda call: run(call, call.data)

    def _json_runner(self, target: ApiTarget | CallbackTarget) -> Callable[[Call, str], str]:
        match target:
            case ApiTarget(api=api, input=input_codec, output=output_codec):
                client, forward, fit = self._sdk.client, input_codec.forward, output_codec.fit

                def invoke(call: Call, text: str) -> str:
                    request = forward(text)
                    sdk = client(call.corpid, call.agentid, call.ability_id, call.job_info)
                    return fit(sdk.invoke(api, request))

                return invoke
            case CallbackTarget(input=input_codec, output=output_codec):
                decode, fetch, fit_event = input_codec.decode, self._events.fetch, output_codec.fit

                def callback_data(call: Call, text: str) -> str:
                    decode(text)
                    return fit_event(fetch(call))

                return callback_data

    def _func_runner(self, target: FuncTarget) -> _Run:
        functions = {name: self._json_runner(each) for name, each in target.functions.items()}
        decode = self._func.decode

        def run(call: Call) -> str:
            wrapped = decode(call.data).input
            function = functions.get(wrapped.func)
            if function is None:
                raise AbilityNotFoundError(f"unknown input.func {short(wrapped.func, 64)}")
            try:
                return function(call, bytes(wrapped.func_req).decode())
            except InputError as error:
                raise InputError(f"$.input.func_req{error.path[1:]}", error.reason) from None

        return run

    def _handler_runner(self, target: HandlerTarget, timeout: float | None) -> _Run:
        function, takes_context = target.handler.function, target.handler.takes_context
        decode = target.input.decode if target.handler.request is not None else target.input.decode_plain
        encode, portal = target.output.encode, self._portal

        def run(call: Call) -> str:
            request = decode(call.data)
            deadline = Deadline(timeout)
            context = Context(call, self._client(call), self._apis, deadline)
            result = function(request, context) if takes_context else function(request)
            deadline.check()
            return encode(result)

        def run_async(call: Call) -> str:
            request = decode(call.data)
            context = AsyncContext(call, self._client(call), self._apis, Deadline(timeout))
            arguments = (request, context) if takes_context else (request,)
            return encode(portal.run(lambda: function(*arguments), context))

        return run_async if target.handler.is_async else run

    def _client(self, call: Call) -> SdkClient:
        return self._sdk.client(call.corpid, call.agentid, call.ability_id, call.job_info)
