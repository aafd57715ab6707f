"""What one exchange is about: the `Call` that comes in, its `Deadline`, and the `Reply` that goes out.

A `Function` answers a call. None of them knows how it travels. They are plain values, so that a test can build them by
hand.
"""

from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import Any

import msgspec

from wwspec_contracts.errors import HandlerTimeoutError


class Call(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One decoded request, in the words of the SDK's getters [100057]."""

    corpid: str
    """The corp whose data the call is about."""
    agentid: int
    """The app that calls; 0 when the request carries none."""
    call_type: int
    """1 for the app, 2 for an event; other values are refused by the kernel."""
    ability_id: str = ""
    """The ability that the app asks for; empty for events."""
    data: str = "{}"
    """JSON text: the app's request_data, or the event."""
    notify_id: str = ""
    """The notify_id that the app passed on, else empty."""
    is_async: bool = False
    """True for `async_program_task`."""
    job_info: str = ""
    """Opaque; asynchronous calls only, and needed by `program_async_job_call_back`."""
    attempt: int = 1
    """Which time this call is begun; more than 1 only for an asynchronous one that was interrupted."""
    run: Any = None
    """The run of the job that this call is, a `handlers.run.JobRun`; None for a synchronous call."""


class Reply(msgspec.Struct, frozen=True, gc=False):
    """What the program answers, before the SDK seals it."""

    text: str
    """JSON text that fits the ability's output contract."""
    errcode: int = 0
    """The one that the text carries: the program's own, or that of a reply of the platform that is passed on."""
    error: str = ""
    """The class of the error that the reply was made of; empty when there was none."""


MARGIN = 0.1
"""Seconds beyond its deadline in which an ability can still answer: an `async def` handler is cancelled at the
deadline."""


class Deadline:
    """When a call must be answered.

    Args:
        at: Seconds of `time.monotonic()`; None for no limit.
        limit: The timeout that ends then, in seconds.

    Attributes:
        place: Where the code of the call was when the time was over; None while nobody has looked.
        is_logged: Whether the log has a line about that.
    """

    __slots__ = ("at", "is_logged", "limit", "place")

    def __init__(self, at: float | None = None, limit: float = 0.0) -> None:
        self.at: float | None = at
        self.limit = limit
        self.place: TracebackType | None = None
        self.is_logged = False

    @property
    def remaining(self) -> float | None:
        """Seconds left, never negative; None when there is no limit."""
        return None if self.at is None else max(0.0, self.at - monotonic())

    def is_over(self, margin: float = 0.0) -> bool:
        """Return whether the time is over, for so many seconds."""
        return self.at is not None and monotonic() >= self.at + margin

    def check(self) -> None:
        """Raise HandlerTimeoutError when the time is over."""
        if self.at is not None and monotonic() >= self.at:
            raise self.error()

    def error(self) -> HandlerTimeoutError:
        """Return the error of a call whose time is over."""
        return HandlerTimeoutError(detail=f"{self.limit:g} s")


NO_DEADLINE = Deadline()
"""That of a call without a limit."""

Function = Callable[[Call, str, Deadline], str]
"""Answers a call: takes it, its request as JSON text, and its deadline; returns the reply as JSON text. Blocks."""
