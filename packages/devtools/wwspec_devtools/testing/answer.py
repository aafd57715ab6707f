"""What an enterprise app gets from one call: the program's reply, or who refused the call, and why."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Self, TypeVar

from wwspec_client.calls import own_error
from wwspec_contracts.decoding import decode_json
from wwspec_contracts.errors import JsonError, WWSpecError

ReplyT = TypeVar("ReplyT", covariant=True)


class CallRefusedError(WWSpecError):
    """A call was refused, by the platform or by the program.

    Attributes:
        answer: The answer to the call, with `errcode`, `errmsg`, `refused_by` and `hint`.
    """

    def __init__(self, answer: "Answer[object]") -> None:
        self.answer = answer
        super().__init__(answer.refusal)


@dataclass(frozen=True, repr=False)
class Answer(Generic[ReplyT]):
    """The answer to one call, synchronous or asynchronous.

    A call is refused when the platform does not deliver a reply, or when the program's reply carries an errcode other
    than 0. `errcode` and `errmsg` are then of the side that refused, and there is no `reply`: to ask for it is an
    error, so that no test passes over a refusal.
    """

    call: str
    """What was called: an ability ID, or the jobid whose result was fetched."""
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

    @property
    def reply(self) -> ReplyT:
        """The program's reply, decoded when it is first asked for.

        Raises:
            CallRefusedError: The call was refused.
            JsonError: The reply is not of the type that was asked for.
        """
        __tracebackhide__ = True  # pytest shows the line of the test
        self.raise_for_error()
        kept = vars(self)  # not by cached_property, whose frame pytest would show
        if "_decoded" not in kept:
            try:
                kept["_decoded"] = decode_json(self.raw, self.reply_type)
            except JsonError as error:
                name = getattr(self.reply_type, "__qualname__", "JSON")
                raise JsonError(f"{self.call}: the reply is no {name}: {error}") from None
        reply: ReplyT = kept["_decoded"]
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

    def __repr__(self) -> str:
        return f"<Answer {self.refusal or f'{self.call}: ok'}>"


class ZoneTask(Generic[ReplyT]):
    """An asynchronous call of a `Zone` that the program has accepted.

    Args:
        jobid: WeCom's ID of the call.
        wait: Waits for so many seconds, and returns the answer.
    """

    def __init__(self, jobid: str, wait: Callable[[float], Answer[ReplyT]]) -> None:
        self.jobid = jobid
        self._wait = wait

    def result(self, timeout: float = 30.0) -> Answer[ReplyT]:
        """Return the answer as soon as the program has reported its result.

        Args:
            timeout: Seconds to wait for it.

        Raises:
            StillRunningError: There is none by then.
        """
        return self._wait(timeout)


def read_reply(call: str, raw: str, reply_type: Any = Any, reported: int = 0) -> Answer[Any]:
    """Return a program's reply as an answer.

    Args:
        call: An ability ID, or a jobid.
        raw: The reply's text.
        reply_type: What it is decoded to.
        reported: The errcode that the program reported beside it.
    """
    errcode, errmsg = own_error(raw, reported)
    if errcode:
        return Answer(call, errcode, errmsg or "the program gives no errmsg", "program", raw)
    return Answer(call, 0, errmsg or "ok", None, raw, reply_type=reply_type)
