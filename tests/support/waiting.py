"""Waits for conditions; a test never sleeps for a time."""

import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

import httpx

DEADLINE = 300.0
"""Seconds after which a wait fails instead of hanging: many, for a machine that does ten other things."""
FIRST, LONGEST, SHARE = 0.005, 0.05, 0.05
"""Pauses in seconds, and a pause's share of the time waited before: to ask all the time slows what is waited for."""


def wait_until(condition: Callable[[], object]) -> None:
    """Return soon after the condition holds; fail when it does not within the deadline."""
    begun = monotonic()
    while not condition():
        waited = monotonic() - begun
        assert waited < DEADLINE, "the condition was not met in time"
        threading.Event().wait(min(max(FIRST, waited * SHARE), LONGEST))


class Gate:
    """Holds up who comes to it until a test lets it go on."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()

    def hold(self, *_: object) -> None:
        self.begun.set()
        assert self.go_on.wait(DEADLINE)


def answers(url: str) -> bool:
    """Whether a server answers with status 200 there."""
    with suppress(httpx.TransportError):
        return httpx.get(url, trust_env=False).status_code == 200
    return False
