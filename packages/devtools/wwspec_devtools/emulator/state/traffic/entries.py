"""One recorded exchange as it was: it is masked, decoded and judged only when it is shown."""

from sys import getsizeof
from typing import Any

import msgspec

from wwspec_contracts.files import ConsoleContract
from wwspec_devtools.emulator.standin.wwspec_standin.seal import CallContent
from wwspec_devtools.emulator.state.conversations import Message
from wwspec_devtools.emulator.state.tickets import CallbackAttempt, Delivery
from wwspec_devtools.emulator.state.traffic.traces import Trace

APP, CALL, EVENT, SDK, CALLBACK, CLOCK = "app", "call", "event", "sdk", "callback", "clock"
KINDS = (APP, CALL, EVENT, SDK, CALLBACK, CLOCK)
"""An API that the app calls, a call of the program, an event for it, an SDK API, a `program_notify`, a move of the
clock."""

MAX_BODY_BYTES = 1024 * 1024
"""The most bytes of a kept request or reply, in UTF-8. Of a longer one only the length is kept."""

_ENTRY_BYTES = 2048
"""Bytes of an entry without its bodies: the struct, its numbers and headers, and its places in the record's indexes."""

Headers = list[tuple[str, str]] | list[tuple[bytes, bytes]]
Body = str | bytes | int
"""A text, its UTF-8, or the number of bytes of a text that is too long to be kept."""


class Head(msgspec.Struct, frozen=True):
    """Where a request goes, and its headers."""

    method: str
    path: str
    """The path with its query; a whole URL for requests of the emulator."""
    headers: Headers


class Reply(msgspec.Struct, frozen=True):
    """A reply as it was sent."""

    status: int
    headers: Headers
    body: Body


class Attempt(msgspec.Struct, frozen=True):
    """One try to bring a callback to the app's URL, or to verify that URL before it."""

    head: Head
    sealed: str
    """What was sent; empty for a request that verifies the URL."""
    reply: Reply | None
    """None when no answer came."""
    shown: CallbackAttempt
    """The same as the record shows it."""


class Cause(msgspec.Struct, frozen=True):
    """Why the platform sends an event."""

    message: Message | None = None
    """The message that it is about."""
    is_fired: bool = False
    """Whether a test fired it."""


class Entry(msgspec.Struct, kw_only=True):
    """One exchange."""

    number: int
    time: float
    """Unix seconds of the emulator's clock."""
    offset: float
    """Real seconds since the record began."""
    kind: str
    """One of `KINDS`."""
    name: str
    """The API, ability ID or event type; or `program_notify` or `advance`."""
    flow: int
    """The number of the first of the entries that belong together."""
    parent: int | None = None
    """The number of the entry that caused this one."""
    replay_of: int | None = None
    cause: Cause | None = None
    """Of an event."""
    ability: str = ""
    corpid: str = ""
    agentid: int | None = None
    pid: int | None = None
    """The program's process, once it is known."""
    machine: int | None = None
    """The program's machine, among several."""
    request: Body = ""
    reply: Body = ""
    head: Head | None = None
    sealed: Body = ""
    """The request as it was sent, when that is not `request` itself."""
    came_back: Reply | None = None
    """The reply as it was sent, when that is not `reply` itself."""
    errcode: int | None = None
    """The platform's errcode."""
    outcome: str = ""
    """`ok`, the errcode or return code, `cut`; empty while the exchange is under way."""
    duration: float | None = None
    """Its real seconds; None while it is under way."""
    faults: tuple[str, ...] = ()
    """Ids of the faults that hit it."""
    hits: tuple[Any, ...] = ()
    """The faults that hit it."""
    contract: ConsoleContract | None = None
    """The ability's contract when the exchange began."""
    call: CallContent | None = None
    """The call of the program, to be sent again."""
    notification: Delivery | None = None
    """What a callback brings; its state is the outcome, and it has the last attempt."""
    keys: tuple[str, ...] = ()
    """Values by which later exchanges refer to this one."""
    job: str = ""
    """Of an event on which code runs as a job: when the app is notified; `now`, `after` or `never`."""
    traces: tuple[Trace, ...] = ()
    """What the program tells of it, oldest first."""
    about: "Entry | None" = None
    """The call of the program that it is passed on as, or in which it is made, or whose result it brings."""
    trace_bytes: int = 0
    """The size of the traces in bytes."""
    revision: int = 0
    """The number of its last change, among all changes of the record."""
    digest: Any = None
    """The values made of the bodies to show the entry; None when they must be made again."""

    @property
    def size(self) -> int:
        """Its size in bytes."""
        came_back = 0 if self.came_back is None else _memory(self.came_back.body)
        bodies = _memory(self.request) + _memory(self.reply) + _memory(self.sealed) + came_back
        message = self.cause and self.cause.message
        return _ENTRY_BYTES + bodies + self.trace_bytes + (_memory(message.text) if message else 0)

    @property
    def result(self) -> str:
        """Its outcome, or the state of its notification."""
        if not self.outcome and self.notification is not None:
            return self.notification.state
        return self.outcome


def body_of(text: str | bytes) -> Body:
    """Return the part of a body that is kept."""
    if len(text) <= MAX_BODY_BYTES // 3:
        return text  # short enough without a count of its bytes
    length = byte_count(text)
    return text if length <= MAX_BODY_BYTES else length


def byte_count(body: Body) -> int:
    """Return the bytes of a body in UTF-8."""
    if isinstance(body, int):
        return body
    return len(body if isinstance(body, bytes) else body.encode(errors="surrogatepass"))


def _memory(body: Body) -> int:
    return getsizeof(body)
