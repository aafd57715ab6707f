"""The time since the machine was started, which no correction of the system's clock moves; and a watch on that clock.

It is not aware of what is timed.
"""

import time
from collections.abc import Callable
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE = Path("/proc/self/ns/time")
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_SMALLEST = 2.0
"""Seconds by which a clock must be off within a second or so to have jumped: time servers slow it or speed it up by
less than a thousandth."""


def machine_run() -> str:
    """Name the time between two starts of the machine, the same way for all that share its `uptime`.

    Returns:
        The empty string where the system does not tell. Linux does.
    """
    try:
        return f"{_BOOT.read_text().strip()} {_NAMESPACE.readlink() if _NAMESPACE.exists() else ''}"
    except OSError:
        return ""


def uptime() -> float:
    """Return the seconds since the machine was started, those that it slept included where the system counts them."""
    return time.clock_gettime(_CLOCK)


def since(epoch: float) -> Callable[[], float]:
    """Return a clock that showed `epoch` when the machine was started."""
    clock_gettime, clock = time.clock_gettime, _CLOCK
    return lambda: epoch + clock_gettime(clock)


class ClockWatch:
    """Notices when the system's clock is set."""

    def __init__(self) -> None:
        self._ahead = time.time() - uptime()

    def jump(self) -> float:
        """Return by how many seconds the clock was set ahead since the last look; 0.0 when it was not set."""
        before, self._ahead = self._ahead, time.time() - uptime()
        jump = self._ahead - before
        return jump if abs(jump) >= _SMALLEST else 0.0
