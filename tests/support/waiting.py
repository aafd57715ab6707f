"""Waits for conditions; a test never sleeps for a time."""

import threading
from collections.abc import Callable
from time import monotonic

DEADLINE = 300.0
"""Seconds after which a wait fails instead of hanging: many, for a machine that does ten other things."""


def wait_until(condition: Callable[[], object]) -> None:
    """Return as soon as the condition holds; fail when it does not within the deadline."""
    deadline = monotonic() + DEADLINE
    while not condition():
        assert monotonic() < deadline, "the condition was not met in time"
        threading.Event().wait(0.005)
