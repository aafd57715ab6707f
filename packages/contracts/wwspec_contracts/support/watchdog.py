"""Watches threads for work that hangs: logs it once, with its stack, and lets another thread take the place.

A thread can't be ended from outside. One that hangs stays behind until its work ends; another thread takes its place.
Calls and jobs are watched by these rules, and this module knows neither.
"""

import logging
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from time import monotonic
from typing import NamedTuple

import msgspec

from wwspec_contracts.support.stacks import describe_thread

log = logging.getLogger(__name__)

_LINE = "%s has been running on %s for %.0f s; %s; it is at %s"
_NO_PLACE = "no thread takes its place, too many hang already"


class Work(NamedTuple):
    """What one thread does at this moment."""

    ident: int
    """The thread's, as in `threading.get_ident()`."""
    thread: str
    """The thread's name."""
    since: float
    """When the work began, in seconds of `time.monotonic()`."""
    limit: float
    """Seconds after which it hangs."""
    name: str
    """What it is, in a log line: "a call of echo"."""
    request: int | str
    """Ties the log line to the others of the same request."""


class Watchdog(msgspec.Struct, eq=False, dict=True):
    """Watches the threads of one pool. Used by one thread."""

    work: Callable[[], Iterable[Work]]
    """Returns what the threads do; without those that were replaced."""
    replace: Callable[[Work], bool]
    """Lets another thread take the place of the one that does this work; returns False when none can."""
    where: Callable[[int], str] = describe_thread
    """Returns where a thread is, given its ident."""
    effect: str = "the thread was replaced"
    """What the log says of work whose place was taken."""
    about: Callable[[int | str], AbstractContextManager[object]] = nullcontext
    """Lets the log lines of a block carry the number of a request."""

    def __post_init__(self) -> None:
        self._logged: dict[int, float] = {}
        """Maps the ident of a thread to the begin of its work that a log line has named as hanging."""

    def check(self) -> set[int]:
        """Log what hangs and replace its threads; return the idents of the threads that hang."""
        now = monotonic()
        hanging = {each.ident: each for each in self.work() if now - each.since > each.limit}
        self._logged = {ident: since for ident, since in self._logged.items() if ident in hanging}
        for work in hanging.values():
            where = self.where(work.ident)  # before it is replaced, which lets go of what is known of it
            replaced = self.replace(work)
            if self._logged.get(work.ident) != work.since:
                self._logged[work.ident] = work.since
                fate = self.effect if replaced else _NO_PLACE
                with self.about(work.request):
                    log.error(_LINE, work.name, work.thread, now - work.since, fate, where)
        return set(hanging)
