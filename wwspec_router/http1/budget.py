"""Bounds the memory that large bodies take before a thread works on them."""

from typing import Protocol
from weakref import WeakSet

from wwspec_router.http1 import bounds
from wwspec_router.http1.answers import SubmittedRequest


class Receiver(Protocol):
    """Receives a body."""

    def refuse_body(self) -> None:
        """Answer with status 503 at once, close, and drop what has come."""
        ...


class BodyBudget:
    """Counts bodies that are incomplete or wait for a thread, and refuses incomplete ones when there are too many.

    Nobody waits: the body that has been coming longest is refused, so a client that holds bodies back can't keep others
    out. Bodies of up to `bounds.FREE_BODY` don't count. A budget belongs to one event loop.

    Args:
        max_body: Largest body, in bytes; two of them always fit.
    """

    def __init__(self, max_body: int) -> None:
        self._most = max(bounds.BODY_BUDGET, 2 * max_body)
        self._incomplete: dict[Receiver, tuple[float, int]] = {}
        """For each receiver, the time at which its body began to come, and the bytes that have come."""
        self._submitted: WeakSet[SubmittedRequest] = WeakSet()
        """Those whose thread may not have begun; a call that was given up stays until a thread has skipped it."""

    def grow(self, receiver: Receiver, since: float, size: int) -> None:
        """Count what has come of a body, and refuse bodies while there is too much; perhaps this one.

        Args:
            receiver: Receives the body.
            since: A time that is earlier for a body that has been coming longer.
            size: Bytes that have come.
        """
        if size <= bounds.FREE_BODY:
            return
        self._incomplete[receiver] = since, size
        held = sum([size for _, size in self._incomplete.values()]) + sum([each.held for each in self._submitted])
        while held > self._most and self._incomplete:
            oldest = min(self._incomplete, key=self._incomplete.__getitem__)
            held -= self._incomplete.pop(oldest)[1]
            oldest.refuse_body()

    def end(self, receiver: Receiver) -> None:
        """Count a body no longer: it is complete, or dropped."""
        self._incomplete.pop(receiver, None)

    def submit(self, request: SubmittedRequest) -> None:
        """Count a complete body until a thread works on it."""
        if request.held > bounds.FREE_BODY:
            self._submitted.add(request)
