"""The functions that answer abilities, one for each target of the table.

All look-ups that can be done once are done when a function is made, not when it is called. Nothing here knows ability
IDs, limits or timeouts; errors are raised.
"""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, ParamSpec, TypeVar

import msgspec

from wwspec_contracts.errors import (
    AbilityError,
    AbilityNotFoundError,
    CallError,
    HandlerTimeoutError,
    InputError,
    OutputError,
)
from wwspec_contracts.support.printable import short
from wwspec_contracts.support.stacks import note_handler
from wwspec_router.codecs.codec import InputCodec
from wwspec_router.envelope import Call, Deadline, Function
from wwspec_router.handlers.ability import Handler
from wwspec_router.handlers.around import Around
from wwspec_router.handlers.async_bridge import Portal
from wwspec_router.handlers.base import Resources
from wwspec_router.handlers.context import AsyncContext, Context
from wwspec_router.handlers.events import AsyncEventContext, EventContext, EventHandler
from wwspec_router.kernel.administration import Administration
from wwspec_router.kernel.intake import EventIntake
from wwspec_router.kernel.observer import Observer
from wwspec_router.kernel.once import Once
from wwspec_router.logs.traceparent import current_traceparent
from wwspec_router.registry.events import EventTarget
from wwspec_router.registry.request_paths import Path, reader_of
from wwspec_router.registry.targets import ApiTarget, CallbackTarget, FuncTarget, HandlerTarget, ProgramTarget, Target
from wwspec_router.sdk.base import Sdk, SdkClient

P = ParamSpec("P")
R = TypeVar("R")


class _FuncCall(msgspec.Struct, forbid_unknown_fields=True):
    """The Python demo's request inside `input` [100249]."""

    func: str
    func_req: msgspec.Raw = msgspec.Raw(b"{}")


class _FuncInput(msgspec.Struct, forbid_unknown_fields=True):
    input: _FuncCall


class Functions(msgspec.Struct, frozen=True, kw_only=True):
    """Makes the functions."""

    sdk: Sdk
    """Asks WeCom for data."""
    resources: Resources
    """What all handlers share."""
    events: EventIntake
    """Hands out stored events."""
    portal: Portal
    """Runs `async def` handlers."""
    status: Callable[[], str]
    """Returns the program's figures as JSON text."""
    once: Once
    """Makes the calls of some abilities run once."""
    administration: Administration
    """Manages what the program has stored."""
    around: Around | None
    """What the application lets run around its code."""
    error_code: Callable[[BaseException], int]
    """Returns the errcode that an error becomes, for `around`."""
    observer: Observer | None
    """Notes the time of checks; None for none."""

    def answering(self, target: Target) -> Function:
        """Return the function that answers one target's abilities."""
        match target:
            case ApiTarget():
                return self._api(target)
            case HandlerTarget():
                return self._handler(target)
            case CallbackTarget():
                return self._callback(target)
            case ProgramTarget():
                return self._program(target)
            case FuncTarget():
                return self._func(target)

    def _time(self, check: Callable[P, R]) -> Callable[P, R]:
        """Return a check of a contract; one whose time is noted, if somebody does."""
        return check if self.observer is None else self.observer.timed_check(check)

    def handling(self, target: EventTarget) -> Function:
        """Return the function that runs on events of one type; it returns the result, or "" when there is none."""
        handler, event_type = target.handler, target.event_type
        read, decode = self._time(target.input.fit), self._time(target.input.decode)
        own = _no_result if target.output is None else self._time(target.output.encode)
        function, encode = self._blocking(handler, own, checks_end=True)
        resources, client_of = self.resources, self._client_of
        kind = AsyncEventContext if handler.is_async else EventContext

        def run(call: Call, text: str, deadline: Deadline) -> str:
            try:
                event = decode(read(text))
                context: Any = kind(call, client_of(call), deadline, resources)
                context.event_type = event_type
                result = function(event, context)
                deadline.check()
                return encode(result)
            except CallError as error:
                if error.errcode != 0:
                    raise
                raise AbilityError(error.message, detail=error.detail) from error  # an errcode of 0 is a success

        return _note_handler(handler, run)

    def _api(self, target: ApiTarget) -> Function:
        forward, fit = self._time(target.input.forward), self._time(target.output.fit)
        api, client = target.api, self.sdk.client

        def invoke(call: Call, text: str, deadline: Deadline) -> str:
            request = forward(text)
            deadline.check()
            sdk = client(call.corpid, call.agentid, call.ability_id, call.job_info)
            return fit(sdk.invoke(api, request))

        return invoke

    def _handler(self, target: HandlerTarget) -> Function:
        rule = target.once
        if rule is None:
            function = self._run(target, checks_end=True)
        else:
            function = self.once.guarded(rule, target.input.decode_plain, self._run(target, checks_end=False))
        function = _note_handler(target.handler, function)
        return _note_trace(target.trace, function) if target.trace else function

    def _run(self, target: HandlerTarget, *, checks_end: bool) -> Function:
        """Return the function that runs a handler.

        Args:
            target: Has the handler.
            checks_end: Whether a result that comes after the deadline is an error.
        """
        handler, decode_struct = target.handler, target.input.decode
        decode = self._time(decode_struct if handler.request is not None else target.input.decode_plain)
        function, encode = self._blocking(handler, self._time(target.output.encode), checks_end=checks_end)
        resources, client_of = self.resources, self._client_of
        kind = AsyncContext if handler.is_async else Context

        def run(call: Call, text: str, deadline: Deadline) -> str:
            request = decode(text)
            deadline.check()
            context = kind(call, client_of(call), deadline, resources)
            result = function(request, context)
            if checks_end:
                deadline.check()
            return context.commit(encode(result), checks_end=checks_end)

        return run

    def _blocking(
        self, handler: Handler | EventHandler, encode: Callable[[Any], str], *, checks_end: bool
    ) -> tuple[Callable[[Any, Any], Any], Callable[[Any], str]]:
        """Return a function that runs a handler, within `around` if there is one; and one that encodes its result."""
        own: Callable[..., Any] = handler.function
        portal = self.portal

        def without_context(request: Any, context: Any) -> Any:
            return own(request)

        function = own if handler.takes_context else without_context

        def in_portal(request: Any, context: Any) -> Any:
            return portal.run(lambda: function(request, context), context)

        blocking = in_portal if handler.is_async else function
        if self.around is None:
            return blocking, encode
        return self.around.guarded(function, blocking, encode, portal, self.error_code, checks_end), _as_it_is

    def _client_of(self, call: Call) -> Callable[[], SdkClient]:
        """Return a function that makes a client for a call."""
        return partial(self.sdk.client, call.corpid, call.agentid, call.ability_id, call.job_info)

    def _callback(self, target: CallbackTarget) -> Function:
        decode, fit, fetch = self._time(target.input.decode), self._time(target.output.fit), self.events.fetch

        def callback_data(call: Call, text: str, deadline: Deadline) -> str:
            request = decode(text)
            return fit(fetch(call, call.notify_id or request.notify_id))

        return callback_data

    def _program(self, target: ProgramTarget) -> Function:
        decode, encode, administration = target.input.decode, target.output.encode, self.administration
        match target.kind:
            case "jobs":
                return lambda call, text, deadline: encode(administration.jobs(call, decode(text)))
            case "forget":
                corps = target.from_corps
                return lambda call, text, deadline: encode(administration.forget(call, decode(text), corps))
        decode, fit, status = self._time(decode), self._time(target.output.fit), self.status

        def figures(call: Call, text: str, deadline: Deadline) -> str:
            decode(text)
            return fit(status())

        return figures

    def _func(self, target: FuncTarget) -> Function:
        functions = {name: self.answering(each) for name, each in target.functions.items()}
        decode = self._time(InputCodec(_FuncInput).decode)

        def call_function(call: Call, text: str, deadline: Deadline) -> str:
            wrapped = decode(text).input
            function = functions.get(wrapped.func)
            if function is None:
                raise AbilityNotFoundError(f"unknown input.func {short(wrapped.func, 64)}")
            try:
                return function(call, bytes(wrapped.func_req).decode(), deadline)
            except InputError as error:
                raise InputError(f"$.input.func_req{error.path[1:]}", error.reason) from None

        return call_function


def _note_handler(handler: Handler | EventHandler, function: Function) -> Function:
    """Return a function that names the handler in errors that come when it has returned."""
    code = getattr(inspect.unwrap(handler.function), "__code__", None)

    def run(call: Call, text: str, deadline: Deadline) -> str:
        try:
            return function(call, text, deadline)
        except (OutputError, HandlerTimeoutError) as error:
            note_handler(error, code)
            raise

    return run


def _note_trace(path: Path, function: Function) -> Function:
    """Return a function that notes the trace that a call names, until this thread answers another call."""
    read, note = reader_of(path), current_traceparent.set

    def run(call: Call, text: str, deadline: Deadline) -> str:
        note(read(text))
        return function(call, text, deadline)

    return run


def _no_result(value: object) -> str:
    """Return the text of the result of code that has none."""
    return ""


def _as_it_is(value: Any) -> str:
    """Return a result that is encoded already."""
    return value  # type: ignore[no-any-return]  # a text
