"""What watches the work of a program in development; the package of the emulator supplies it by an entry point.

The program calls an `Observer` and knows nothing of what becomes of it. With the vendor's SDK there is none.
"""

from collections.abc import Callable
from contextvars import ContextVar
from functools import cache
from typing import ParamSpec, Protocol, TypeVar

import msgspec

from wwspec_router.entry_points import entry_points
from wwspec_router.kernel.call_line import CallLine

P = ParamSpec("P")
R = TypeVar("R")

GROUP = "wwspec.observer"
"""The group of entry points; the first names a function that takes `send` and returns an `Observer`."""

Send = Callable[[str, str], object]
"""Sends the emulator a text about a call, under the call's reference."""


class Observation(Protocol):
    """What is noted of one call, event or job while code works on it."""

    failure: BaseException | None
    """What ended it with an error."""
    is_repeat: bool
    """Whether it is an event that has come before, whose code does not run again."""


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How one call, event or run of a job ended."""

    line: CallLine
    reference: str
    """What the emulator knows it by: a request id, a job_info, or the notify_id of an event."""
    number: int
    """The emulator's number of it; 0 when it is not known."""
    meaning: str
    """The key of the registry file that has its errcode; empty when none has it alone."""
    declared: str
    """Where the row or the mark is of what ran; empty when there is none."""
    seconds: float
    """Time from its arrival to its answer."""
    queued: float
    """Seconds until a worker began it."""
    sdk_seconds: float
    """In the SDK; SDK calls that ran at the same time are added up."""
    trace_id: str
    """That of the app, if its request names one."""
    is_job: bool
    """Whether it is the run of a job, of which `end_run` says more."""


class Observer(Protocol):
    """Is called at each step of a call, an event or a job, on the thread that works on it."""

    def watch_process(self, own: str) -> None:
        """Note log records and what the application prints, too, in this process.

        Args:
            own: The logger of the lines of the calls themselves, which are left out.
        """

    def timed_check(self, check: Callable[P, R]) -> Callable[P, R]:
        """Return a check of a contract whose time is noted."""

    def begin(self) -> Observation:
        """Begin a call; what this thread does from now on belongs to it."""

    def go_on(self, observation: Observation) -> None:
        """Let what this thread does from now on belong to a call that was begun on another one."""

    def begin_run(self, reference: str) -> None:
        """Say that the run of a job begins."""

    def end(self, observation: Observation, ended: Ended) -> str:
        """Say how a call or a run ended; return why it failed, for the log. The text is empty when it did not."""

    def end_run(self, observation: Observation, attempt: int, attempts: int | None, next_run: float | None) -> None:
        """Say which run of a job it was that ended; of several runs that were not last, when the next one begins.

        Args:
            observation: That of the run.
            attempt: Which one it was.
            attempts: How many there are at most; None when nothing limits them.
            next_run: Seconds until the next one; None when the job is over.
        """


current_observation: ContextVar[Observation | None] = ContextVar("wwspec_observation", default=None)
"""That of the call which this context works on; None where nothing is observed. Threads and tasks that inherit the
context of a call belong to it as well."""


def observer_of(send: Send) -> Observer | None:
    """Return an observer; None when no package is installed that supplies one."""
    return next((make(send) for make in _makers()), None)


@cache
def _makers() -> list[Callable[[Send], Observer]]:
    return [each.load() for each in entry_points(GROUP)]
