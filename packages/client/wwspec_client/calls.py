"""Calls of a program's abilities: the request's JSON inside JSON, and the reply's type."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any, TypedDict

import msgspec

from wwspec_client.arguments import Timeout, check_timeout
from wwspec_client.core import Attempts, Core
from wwspec_client.errors import (
    PlatformError,
    ProgramCrashError,
    ProgramError,
    ProgramInputError,
    ProgramOverloadError,
    ProgramRepeatError,
    ProgramTimeoutError,
    ReplyTypeError,
    SdkApiError,
    StillRunningError,
    UnknownAbilityError,
)
from wwspec_client.models import TaskStatus
from wwspec_client.request_text import encode_request, with_key
from wwspec_client.retries import facts_of_errcode
from wwspec_client.steps import Pause, Request, Steps
from wwspec_contracts.backoff import Backoff
from wwspec_contracts.base import AbilityRequest, ApiRequest, Contract, reply_type
from wwspec_contracts.decoding import convert, decode_json
from wwspec_contracts.errcodes import WAITING, ProgramErrcodes
from wwspec_contracts.errors import JsonError, did_you_mean
from wwspec_contracts.repair import make_repair
from wwspec_contracts.shape import shape_of
from wwspec_contracts.wrapping import func_example

AbilityOrRequest = str | ApiRequest[Any]
"""What is called: an ability ID, or a request that knows its own."""

_NOT_YET = (WAITING, 790023)
"""The program, or the model behind it, still works on the call."""

_FAILURES: dict[str, type[ProgramError]] = {
    "input_errcode": ProgramInputError,
    "timeout_errcode": ProgramTimeoutError,
    "crash_errcode": ProgramCrashError,
    "unknown_errcode": UnknownAbilityError,
    "overload_errcode": ProgramOverloadError,
    "once_errcode": ProgramRepeatError,
}
"""By the key of the registry file."""

_POLLS = Backoff(first=0.1, longest=2.0, growth=1.5)
"""The pauses between two requests for a result."""


@dataclass(frozen=True)
class Ability:
    """What is called, and what it replies."""

    ability_id: str
    request: str
    """JSON text."""
    reply: Any
    """The type of the reply."""
    api: str = ""
    """The SDK API behind it, where that is known."""
    errcodes: ProgramErrcodes = ProgramErrcodes()
    """Those of its program."""
    idempotency_field: str = ""
    """The field of the request by which its program recognises a repeated call; empty when that is not known."""
    unwraps: bool = False
    """Whether a reply may be inside of `output`."""


class SubmitOptions(TypedDict, total=False):
    """How a call is made."""

    program_id: str
    """Another program than the client's."""
    retry_unsafe: bool
    """Send the call again though it may have run."""
    timeout: Timeout
    """Seconds for the answer; the client's when absent."""


class CallOptions(SubmitOptions, total=False):
    """How a call is made that waits for its reply."""

    notify_id: str
    """From a notification."""


def check_options(options: Mapping[str, object], kind: type[Any]) -> None:
    """Refuse an unknown option.

    Args:
        options: Those that were given.
        kind: The TypedDict that has all of them.

    Raises:
        TypeError: An option is unknown; the text has the name that was probably meant.
        ConfigurationError: The timeout is not above 0.
    """
    known: frozenset[str] = kind.__optional_keys__
    if unknown := options.keys() - known:
        name = min(unknown)
        listed = f"it takes {', '.join(sorted(known))}"
        raise TypeError(f"unexpected keyword argument {name!r}; {did_you_mean(name, known, listed)}")
    timeout = options.get("timeout")
    if timeout is not None:
        check_timeout(timeout)


class _Own(msgspec.Struct, frozen=True):
    """The part of any reply that is read."""

    errcode: Any = 0
    errmsg: Any = ""


def ability_of(core: Core, ability: AbilityOrRequest, request: object, reply: Any) -> Ability:
    """Return the ability that a call is for, with its request.

    Args:
        core: Has the prefix, and the errcodes of a program whose request does not know them.
        ability: An ability ID, or a request that knows its own.
        request: With an ID, the request: JSON text as a str, or a value to be encoded; `{}` when None.
        reply: With an ID, the type of the reply.
    """
    errcodes, field, is_own = core.errcodes, core.sending.idempotency_field, isinstance(ability, AbilityRequest)
    known = ability if isinstance(ability, AbilityRequest) else request
    if isinstance(known, AbilityRequest):
        errcodes, field = known.errcodes or errcodes, field or known.idempotency_field
    if isinstance(ability, AbilityRequest):
        request, ability = ability, ability.ability_id
    elif isinstance(ability, ApiRequest):
        request, ability = ability, f"{core.prefix}{_api_of(ability)}"
    if isinstance(request, ApiRequest):
        reply = reply_type(type(request)) if reply is Any else reply
    text = request if isinstance(request, str) else encode_request({} if request is None else request)
    if core.hooks and isinstance(request, AbilityRequest) and request.trace_field:
        text = _with_trace(text, request.trace_field, core.hooks.traceparent())
    api = ability.removeprefix(core.prefix) if ability.startswith(core.prefix) else ""
    if core.is_func and not is_own:  # a request of the client's module has the form that its ability has
        api = _api_of(request) if isinstance(request, ApiRequest) else api
        text = wrapped(core, api, text) if api else text
    return Ability(ability, text, reply, api, errcodes, field, unwraps=core.is_func and not is_own)


def stored_ability(core: Core, reply: Any) -> Ability:
    """Return what is known of the ability of a stored jobid."""
    return Ability("", "", reply, errcodes=core.errcodes, unwraps=core.is_func)


def wrapped(core: Core, func: str, text: str) -> str:
    """Return a request in the form that the client's program takes."""
    return msgspec.json.encode(func_example(func, msgspec.Raw(text.encode()))).decode() if core.is_func else text


def _with_trace(text: str, field: str, traceparent: str) -> str:
    """Return a request with a traceparent, unless the app has given one or there is none."""
    request = msgspec.json.decode(text)
    *parents, name = field.split(".")
    place = request
    for parent in parents:
        place = place.setdefault(parent, {})
        if not isinstance(place, dict):  # null
            return text
    if not traceparent or place.get(name):
        return text
    place[name] = traceparent
    return encode_request(request)


def _api_of(request: ApiRequest[Any]) -> str:
    return type(request).__module__.rpartition(".")[2]


def call(core: Core, ability: Ability, options: CallOptions, *, raw: bool) -> Steps[Any]:
    """Call the program and return its reply; see `ZoneClient.call`."""
    check_options(options, CallOptions)
    body = _body(core, ability, options)
    if notify_id := options.get("notify_id"):
        body["notify_id"] = notify_id
    name = name_of(ability)
    request = _request("chatdata/sync_call_program", name, body)
    check = None if raw or not core.sending.idempotency_key else partial(_check_repeat, name, ability)

    def read(answer: dict[str, Any]) -> Any:
        text = _reply_text(ability, answer)
        return text if raw else read_reply(name, ability, text)

    return core.perform_read(request, _attempts(core, options, check), read)


def name_of(ability: Ability) -> str:
    """Return the name of a call of an ability in errors."""
    return f"sync_call_program of {ability.ability_id}"


def submit(core: Core, ability: Ability, options: SubmitOptions) -> Steps[str]:
    """Call the program asynchronously and return the jobid."""
    check_options(options, SubmitOptions)
    name = f"async_program_task of {ability.ability_id}"
    request = _request("chatdata/async_program_task", name, _body(core, ability, options))
    answer = yield from core.perform(request, _attempts(core, options))
    return str(answer["jobid"])


def task_status(core: Core, jobid: str, ability: Ability) -> Steps[TaskStatus]:
    """Return the state of an asynchronous call."""
    answer = yield from _result(core, jobid)
    if answer is None:
        return "running"
    errcode, _ = own_error(_reply_text(ability, answer), answer.get("response_errcode", 0))
    return "failed" if errcode else "succeeded"


def task_result(core: Core, jobid: str, ability: Ability, timeout: float) -> Steps[Any]:
    """Wait for the result of an asynchronous call; see `Task.result`."""
    until, pauses = monotonic() + timeout, iter(_POLLS)
    while (answer := (yield from _result(core, jobid))) is None:
        if monotonic() >= until:
            raise StillRunningError(
                f"async_program_result of {jobid}",
                f"the program has reported no result within {timeout:g} seconds",
                retryable=True,
                may_have_run=True,
            )
        yield Pause(min(next(pauses), max(0.0, until - monotonic())))
    text = _reply_text(ability, answer)
    return read_reply(_name(jobid), ability, text, answer.get("response_errcode", 0))


class _Output(msgspec.Struct, forbid_unknown_fields=True):
    """A reply as some programs of the func form wrap it."""

    output: msgspec.Raw


def _reply_text(ability: Ability, answer: dict[str, Any]) -> str:
    """Return the JSON text of a program's reply."""
    text = str(answer.get("response_data", ""))
    if not ability.unwraps:
        return text
    try:
        inside = bytes(msgspec.json.decode(text, type=_Output).output).decode()
    except msgspec.MsgspecError:
        return text
    return inside if inside.startswith("{") else text


def read_reply(name: str, ability: Ability, text: str, reported: int = 0) -> Any:
    """Return a program's reply as the type that was asked for.

    Args:
        name: What was called.
        ability: Which ability; its `reply` is the type.
        text: The reply's JSON.
        reported: The errcode that the program reported beside it.

    Raises:
        ProgramError: The program refuses; `SdkApiError` when the SDK API behind the ability does, and other subclasses
            for errcodes that the program sets apart.
        ReplyTypeError: The reply is not of the type.
    """
    errcode, errmsg = own_error(text, reported)
    if errcode:
        failure = _FAILURES.get(ability.errcodes.meaning(errcode), ProgramError)
        if failure is ProgramError and ability.api and errcode != ability.errcodes.errcode:
            raise SdkApiError(name, errcode, errmsg, text, retryable=facts_of_errcode(errcode).retryable)
        raise failure(name, errcode, errmsg, text)
    try:
        return decode_reply(text, ability.reply)
    except (JsonError, msgspec.ValidationError) as error:
        wanted = getattr(ability.reply, "__qualname__", "JSON")
        raise ReplyTypeError(name, f"the reply is no {wanted}: {error}", text) from None


def decode_reply(text: str | bytes, type_: Any) -> Any:
    """Decode a reply. Keys that a contract does not list are left out: WeCom and programs add some over time.

    Raises:
        JsonError: It is not JSON.
        msgspec.ValidationError: It is not of the type.
    """
    try:
        return decode_json(text, type_)
    except JsonError:
        if not (isinstance(type_, type) and issubclass(type_, Contract)):
            raise
    repair = make_repair(shape_of(type_), lambda path: None)
    return convert(repair(decode_json(text)), type_)


def _result(core: Core, jobid: str) -> Steps[dict[str, Any] | None]:
    body = msgspec.json.encode({"jobid": jobid})
    request = Request("chatdata/async_program_result", body, called=_name(jobid))
    try:
        return (yield from core.perform(request, Attempts(expected=_NOT_YET)))
    except PlatformError as error:
        if error.errcode not in _NOT_YET:
            raise
        return None


def _name(jobid: str) -> str:
    return f"async_program_result of {jobid}"


def _request(api: str, name: str, body: dict[str, str]) -> Request:
    called, program = body["ability_id"], body["program_id"]
    return Request(api, msgspec.json.encode(body), called=name, ability_id=called, program_id=program)


def _attempts(core: Core, options: SubmitOptions, check: Callable[[dict[str, Any]], None] | None = None) -> Attempts:
    retry_unsafe = options.get("retry_unsafe", False) or core.sending.idempotency_key != ""
    return Attempts(runs_program=True, retry_unsafe=retry_unsafe, timeout=options.get("timeout"), check=check)


def _check_repeat(name: str, ability: Ability, answer: dict[str, Any]) -> None:
    """Refuse the reply to a repeated call whose first one still runs.

    Raises:
        ProgramRepeatError: It is one.
    """
    text = _reply_text(ability, answer)
    errcode, errmsg = own_error(text)
    if ability.errcodes.meaning(errcode) == "once_errcode":
        raise ProgramRepeatError(name, errcode, errmsg, text)


def _body(core: Core, ability: Ability, options: SubmitOptions) -> dict[str, str]:
    data = ability.request
    if key := core.sending.idempotency_key:
        data = with_key(ability.ability_id, ability.api, data, ability.idempotency_field, key)
    return {
        "program_id": core.program_of(options.get("program_id", "")),
        "ability_id": ability.ability_id,
        "request_data": data,
    }


def own_error(text: str, reported: int = 0) -> tuple[int, str]:
    """Return errcode and errmsg of a program's reply; 0 for one that refuses nothing.

    Args:
        text: The reply's JSON.
        reported: The errcode that the program reported beside it.
    """
    try:
        own = decode_json(text, _Own)
    except JsonError:
        own = _Own()  # any JSON may be a reply where no contract is registered
    errcode = own.errcode if isinstance(own.errcode, int) else 0
    return int(reported) or errcode, own.errmsg if isinstance(own.errmsg, str) else ""
