"""The route of a call: what it is counted as, its timeout, its limit, and the function that answers it.

There is one route for each ability ID, so that one look-up finds all of this. Nothing here knows what a function does.
"""

from collections.abc import Callable

import msgspec

from wwspec_router.envelope import Call, Deadline
from wwspec_router.kernel.limits import ConcurrencyLimit

Function = Callable[[Call, str, Deadline], str]
"""Answers a call: takes it, its request as JSON text, and its deadline; returns the reply as JSON text. Blocks."""

_NO_DEADLINE = Deadline()


class Route(msgspec.Struct, frozen=True, gc=False):
    """How calls of one kind are answered."""

    label: str
    """The name under which they are counted: an ability ID of the table, or a word of `monitoring.figures`."""
    function: Function
    timeout: float | None = None
    """Seconds from the arrival of a call to its answer; None for no limit."""
    limit: ConcurrencyLimit | None = None
    """How many synchronous calls run at once; None for any number."""
    retries: int = 0
    """How often a job that failed is run again; 0 unless it is the job of an event."""

    def deadline(self, since: float) -> Deadline:
        """Return the deadline of a call that came in at `since`, in seconds of `time.monotonic()`."""
        return _NO_DEADLINE if self.timeout is None else Deadline(since + self.timeout)
