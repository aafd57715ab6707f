"""The replies to calls that fail, and the log lines about them.

It decides which part of an error the app gets, and which part is logged. It knows no abilities and no routes.
"""

import logging
import secrets
import traceback
from contextlib import suppress
from pathlib import Path

import msgspec

from wwspec_contracts.call_type import CallType
from wwspec_contracts.errcodes import ProgramErrcodes
from wwspec_contracts.errors import (
    AbilityNotFoundError,
    CallError,
    CrashError,
    FirstCallRunningError,
    HandlerTimeoutError,
    InputError,
    OutputError,
    OverloadedError,
    PostponedError,
)
from wwspec_contracts.support.printable import short
from wwspec_contracts.support.rare_lines import LineLimiter
from wwspec_contracts.support.stacks import class_of, describe, errcode_of, is_a, is_application, where
from wwspec_router.envelope import Call, Deadline, Reply
from wwspec_router.kernel.observer import current_observation
from wwspec_router.logs.formats import Fields
from wwspec_router.logs.tracebacks import place_of, shown

log = logging.getLogger(__name__)

SAID = "internal error"
"""What the errmsg of every crash begins with."""


class Refusals:
    """Turns errors into replies.

    Args:
        errcodes: Those of the program, for errors that have none of their own.
        with_text: Log each error with its text and its place in the application, and unexpected ones with a traceback.
            For development only.
    """

    def __init__(self, errcodes: ProgramErrcodes, *, with_text: bool = False) -> None:
        self._errcode = errcodes.errcode
        self._errcodes: dict[type[CallError], int | None] = {
            InputError: errcodes.input_errcode,
            HandlerTimeoutError: errcodes.timeout_errcode,
            CrashError: errcodes.crash_errcode,
            OutputError: errcodes.crash_errcode,
            AbilityNotFoundError: errcodes.unknown_errcode,
            OverloadedError: errcodes.overload_errcode,
            FirstCallRunningError: errcodes.once_errcode,
        }
        self._with_text = with_text
        self._limiter = LineLimiter()

    def reply(self, error: CallError) -> Reply:
        """Return the reply that an error becomes."""
        errcode = self.errcode(error)
        text = error.message.encode("utf-8", "backslashreplace").decode()
        body = msgspec.json.encode({"errcode": errcode, "errmsg": text})
        return Reply(body.decode(), errcode, class_of(error))

    def errcode(self, error: CallError) -> int:
        """Return the errcode of the reply that an error becomes."""
        if error.errcode is not None:
            return error.errcode
        known = next((code for kind, code in self._errcodes.items() if isinstance(error, kind)), None)
        return self._errcode if known is None else known

    def errcode_of(self, error: BaseException) -> int:
        """Return the errcode of the reply that an error becomes. Never raises."""
        with suppress(BaseException):  # its own methods raise
            if is_a(error, CallError):
                return self.errcode(error)
        return self.errcode(CrashError())

    def report(self, call: Call, label: str, error: BaseException, deadline: Deadline) -> Reply:
        """Log the error of a call, and return the reply that it becomes. Never raises.

        The reply to a crash has the reference of its log line, if it has a line.

        Args:
            call: The call.
            label: What it is counted as. One line a second is logged for each label and kind of error.
            error: Anything that a handler can raise.
            deadline: Of the call. Once a line says that it has passed, there is no second one.
        """
        is_timeout = is_a(error, HandlerTimeoutError)
        if is_timeout and deadline.place is not None and not where(error):
            BaseException.with_traceback(error, deadline.place)
        if (observation := current_observation.get()) is not None:
            observation.failure = error
        if is_a(error, PostponedError):
            return self.reply(error)  # the executor of jobs logs it: nothing is wrong
        reply, reference = None, ""
        ending = "" if self._with_text else self._limiter.ending((label, *_kind(error)))
        if is_timeout and deadline.is_logged:
            ending = None
        with suppress(BaseException):  # its own methods raise, or it has lost its message
            if is_a(error, CallError):
                reply = self.reply(error)
                if ending is not None:
                    log_refusal = _log_whole if self._with_text else _log_refusal
                    log_refusal(call, label, error, ending)
                return reply
        with suppress(BaseException):  # its own methods raise, or the log does
            reference = self._log_crash(call, label, error, ending)
        crash = CrashError(f"{SAID} {reference}") if reference else CrashError()
        return reply or msgspec.structs.replace(self.reply(crash), error=class_of(error))

    def _log_crash(self, call: Call, label: str, error: BaseException, ending: str | None) -> str:
        """Log a crash; return the reference of the line, or "" when there is no line."""
        reference, name = secrets.token_hex(3), _name(call, label)
        if self._with_text:
            log.error("%s %s failed", reference, name, exc_info=shown(error))
            return reference
        if ending is None:
            return ""
        text = f"{_crash_line(reference, name, error)}{ending}"
        log.error(Fields(text, {"ability": label, "error": class_of(error), "reference": reference}, text))
        return reference


def _log_whole(call: Call, label: str, error: CallError, ending: str) -> None:
    place = place_of(error)
    what = "".join(
        (
            f"{type(error).__name__}: {error.message}",
            "" if error.errcode is None else f" ({error.errcode})",
            f" [{error.detail}]" if error.detail else "",
            f" at {place}" if place else "",
        )
    )
    has_more = place and (error.__cause__ is not None or is_a(error, HandlerTimeoutError))
    level = logging.ERROR if call.call_type == CallType.EVENT else logging.WARNING
    log.log(level, "%s refused, %s", _name(call, label), what, exc_info=shown(error) if has_more else None)


def _log_refusal(call: Call, label: str, error: CallError, ending: str) -> None:
    """Log a refusal; if its message may hold a secret, log only the error's class and errcode."""
    fields: dict[str, object] = {"ability": label, "error": class_of(error)}
    if (own := errcode_of(error)) is not None:
        fields["errcode"] = own
    if type(error).frequent:
        text = f"a call was refused: {error.detail}{ending}"
        log.warning(Fields(text, fields, text))
        return
    errcode = "" if error.errcode is None else f" {error.errcode}"
    text = f": {error.message}" if type(error).loggable else errcode
    place = where(error) if isinstance(error, HandlerTimeoutError | OutputError) else ""
    more = ", at ".join(filter(None, (error.detail, place)))
    detail = f" ({more})" if more else ""
    level = logging.ERROR if call.call_type == CallType.EVENT else logging.WARNING
    line = f"{_name(call, label)} refused, {type(error).__name__}{text}{detail}{ending}"
    log.log(level, Fields(line, fields, line))


def _kind(error: BaseException) -> tuple[int, int | None]:
    """Return what identifies a kind of error: its class, which may have no hash, and its errcode, if any."""
    return id(type(error)), errcode_of(error)


def _name(call: Call, label: str) -> str:
    """Return the name of a call in log lines."""
    if label.startswith("event:"):
        return label
    match call.call_type:
        case CallType.APP:
            return f"ability {short(call.ability_id, 64)}"
        case CallType.EVENT:
            return "event"
        case _:
            return "call of no known type"


def _crash_line(reference: str, name: str, error: BaseException) -> str:
    """Return the line about a crash, without the text of the error.

    The reference, and with usual names all up to the class of the error, are in the 128 bytes that WeCom keeps of a
    line.

    Args:
        reference: Of the crash.
        name: Of the call.
        error: Anything that a handler can raise.
    """
    place = _last_frame(error)
    return f"{reference} {name} failed{f' in {place}' if place else ''}: {describe(error)}"


def _last_frame(error: BaseException) -> str:
    """Return the innermost frame of the application as `module:line`; empty when there is none."""
    try:
        frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
        own = [(file, line) for file, line in frames if is_application(file)]
    except BaseException:  # its own class raises
        return ""
    return f"{Path(own[-1][0]).stem}:{own[-1][1]}" if own else ""
