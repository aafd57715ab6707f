"""What an enterprise app gets of one call: the program's reply, or who refused the call, and why.

Knows nothing of HTTP and of the emulator's state.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeVar

import msgspec

from wwspec_router.contracts.decoding import decode_json
from wwspec_router.errcodes import DOWN, hint
from wwspec_router.errors import JsonError, WWSpecError

__all__ = ["Answer", "CallRefusedError", "NoResultError", "SubmittedCall", "down_hint", "read_answer"]

ReplyT = TypeVar("ReplyT", covariant=True)

POLL = 0.05
"""Seconds between two requests for a result."""

_NOT_YET: Any = msgspec.UNSET  # copies have the same one

_TELLING = frozenset(("errcode", "errmsg", "raw", "refused_by"))
"""What tells how a call ended."""

_BY_FAULT = "a fault that was set"
"""What the emulator says of an errcode that a test asked for."""


class CallRefusedError(WWSpecError):
    """A call was refused, by the platform or by the program.

    Attributes:
        answer: What the call was answered; `errcode`, `errmsg`, `refused_by` and `hint` are there.
    """

    def __init__(self, answer: "Answer[object]") -> None:
        self.answer = answer
        super().__init__(answer.refusal)


class NoResultError(WWSpecError):
    """The program has not reported the result of an asynchronous call in time."""


@dataclass(frozen=True, repr=False)
class Answer(Generic[ReplyT]):
    """The answer to one call, synchronous or asynchronous.

    A call is refused when the platform does not deliver a reply, or when the program's reply carries an errcode other
    than 0. `errcode` and `errmsg` are then of the side that refused, and there is no `reply`: to ask for it is an
    error, so that no test passes over a refusal.
    """

    call: str
    """What was called: an ability ID, or the jobid of which the result was fetched."""
    errcode: int
    """0 when the program has answered and refused nothing."""
    errmsg: str
    """The text that belongs to the errcode."""
    refused_by: Literal["platform", "program"] | None
    """Whose errcode it is. "platform": no reply was delivered. "program": its reply carries the errcode, which may be
    the program's own or one that an SDK API gave it; the traffic shows which. None: nobody refused."""
    raw: str
    """The program's reply as JSON text, also of a refusal; empty when the platform delivered none."""
    hint: str = ""
    """What to do about a refusal, where that is known."""
    reply_type: Any = field(default=Any, compare=False)
    """What `reply` is decoded to."""
    _decoded: Any = field(default=_NOT_YET, init=False, compare=False)
    _looked_at: bool = field(default=False, init=False, compare=False)
    """Whether anybody has asked how the call ended."""

    if not TYPE_CHECKING:  # type checkers would take any attribute for one that exists

        def __getattribute__(self, name: str) -> Any:
            __tracebackhide__ = True
            if name in _TELLING:
                object.__setattr__(self, "_looked_at", True)
            return super().__getattribute__(name)

    @property
    def reply(self) -> ReplyT:
        """The program's reply, decoded when it is first asked for.

        Raises:
            CallRefusedError: The call was refused.
            JsonError: The reply is not of the type that was asked for.
        """
        __tracebackhide__ = True  # pytest shows the line of the test
        self.raise_for_error()
        if self._decoded is _NOT_YET:
            try:
                object.__setattr__(self, "_decoded", decode_json(self.raw, self.reply_type))
            except JsonError as error:
                name = getattr(self.reply_type, "__qualname__", "JSON")
                raise JsonError(f"{self.call}: the reply is no {name}: {error}") from None
        reply: ReplyT = self._decoded
        return reply

    def raise_for_error(self) -> Self:
        """Return this answer, unless the call was refused.

        Raises:
            CallRefusedError: It was; the text says by whom, with errcode, errmsg and hint.
        """
        __tracebackhide__ = True
        if self.refused_by is not None:
            raise CallRefusedError(self)
        return self

    @property
    def refusal(self) -> str:
        """Who refused the call and why, in one line; empty when nobody did."""
        if self.refused_by is None:
            return ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{self.call}: refused by the {self.refused_by} with errcode {self.errcode}: {self.errmsg}{hint}"

    def unseen_refusal(self) -> str:
        """Return `refusal` while nobody has asked yet how the call ended; empty otherwise."""
        if self._looked_at:
            return ""
        refusal = self.refusal
        object.__setattr__(self, "_looked_at", False)
        return refusal

    def __repr__(self) -> str:
        return f"<Answer {self.refusal or f'{self.call}: ok'}>"


class SubmittedCall(Generic[ReplyT]):
    """An asynchronous call that the program has accepted.

    Args:
        jobid: The platform's ID of the call.
        fetch: Returns the answer, or None while there is no result.
    """

    def __init__(self, jobid: str, fetch: Callable[[], Answer[ReplyT] | None]) -> None:
        self.jobid = jobid
        self._fetch = fetch

    def result(self, timeout: float = 30.0) -> Answer[ReplyT]:
        """Return the answer as soon as the program has reported its result.

        Args:
            timeout: Seconds to wait for it.

        Raises:
            NoResultError: There is none by then.
        """
        deadline = monotonic() + timeout
        while (answer := self._fetch()) is None:
            if monotonic() >= deadline:
                raise NoResultError(f"{self.jobid}: the program has reported no result within {timeout:g} seconds")
            sleep(POLL)
        return answer


class _OwnError(msgspec.Struct, frozen=True):
    """What is read of any reply; its other keys are passed over."""

    errcode: Any = 0
    errmsg: Any = ""


def read_answer(call: str, platform: Mapping[str, Any], reply_type: Any = Any, program_url: str = "") -> Answer[Any]:
    """Return the answer that the platform's reply is about.

    Args:
        call: An ability ID, or a jobid.
        platform: The reply of `sync_call_program`, `async_program_task` or `async_program_result`.
        reply_type: What the program's reply is decoded to.
        program_url: Where the program should listen, for the hint.
    """
    errcode, errmsg, raw = platform["errcode"], platform.get("errmsg", ""), platform.get("response_data", "")
    if errcode != 0:
        advice = down_hint(program_url) if errcode == DOWN else hint(errcode)
        return Answer(call, errcode, errmsg, "platform", "", "" if _BY_FAULT in errmsg else advice)
    own_errcode, own_errmsg = _own_error(raw)
    errcode = platform.get("response_errcode", 0) or own_errcode
    if errcode != 0:
        return Answer(call, errcode, own_errmsg or "the program gives no errmsg", "program", raw)
    return Answer(call, 0, own_errmsg or "ok", None, raw, reply_type=reply_type)


def down_hint(program_url: str) -> str:
    """Return what to do when the platform can't connect to the program."""
    return (
        f"the program is not running at {program_url or 'its URL'}: "
        "start it with `wwspec dev` or `wwspec serve --sdk emulator`"
    )


def _own_error(raw: str) -> tuple[int, str]:
    """Return errcode and errmsg of a program's reply; 0 and "" when it has none."""
    try:
        own = decode_json(raw, _OwnError)
    except JsonError:
        return 0, ""  # any JSON may be a reply where no contract is registered
    return own.errcode if isinstance(own.errcode, int) else 0, own.errmsg if isinstance(own.errmsg, str) else ""
