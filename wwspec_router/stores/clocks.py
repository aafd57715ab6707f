"""The time since the machine was started, which no correction of the system's clock moves; and a watch on that clock.

It is not aware of what is timed.
"""

import time
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE = Path("/proc/self/ns/time")
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
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class ClockWatch:
    """Notices when the system's clock is set."""

    def __init__(self) -> None:
        self._ahead = time.time() - uptime()

    def jump(self) -> float:
        """Return by how many seconds the clock was set ahead since the last look; 0.0 when it was not set."""
        before, self._ahead = self._ahead, time.time() - uptime()
        jump = self._ahead - before
        return jump if abs(jump) >= _SMALLEST else 0.0
