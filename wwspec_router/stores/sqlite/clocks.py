"""The time since the machine was started, which no correction of the system's clock changes; and a watch on that clock.

It does not know what its callers time.
"""

import time
from collections.abc import Callable
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE = Path("/proc/self/ns/time")
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_SMALLEST = 2.0
"""When a clock moves by so many seconds within about a second, somebody set it: time servers change its speed by less
than a thousandth."""


def machine_run() -> str:
    """Return a name for the time since the machine was started; the same for all processes that share its `uptime`.

    Returns:
        The empty string where the system has no such name. Linux has one.
    """
    try:
        return f"{_BOOT.read_text().strip()} {_NAMESPACE.readlink() if _NAMESPACE.exists() else ''}"
    except OSError:
        return ""


def uptime() -> float:
    """Return the seconds since the machine was started, including its sleep if the system counts that."""
    return time.clock_gettime(_CLOCK)


def since(epoch: float) -> Callable[[], float]:
    """Return a clock that showed `epoch` when the machine was started."""
    clock_gettime, clock = time.clock_gettime, _CLOCK
    return lambda: epoch + clock_gettime(clock)


class ClockWatch:
    """Detects when the system's clock is set."""

    def __init__(self) -> None:
        self._ahead = time.time() - uptime()

    def jump(self) -> float:
        """Return by how many seconds the clock was set ahead since the last call; 0.0 when it was not set."""
        before, self._ahead = self._ahead, time.time() - uptime()
        jump = self._ahead - before
        return jump if abs(jump) >= _SMALLEST else 0.0
