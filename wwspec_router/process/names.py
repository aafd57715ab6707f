"""Names of processes, by which others on the same machine learn that one is gone.

A pid alone is no name: the kernel gives it again. The time at which a process was started tells them apart.
"""

import os
from pathlib import Path

_BOOT, _TIME_NAMESPACE = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/time")


def machine_run() -> str:
    """Return a name for the time since the machine was started; the same for all processes that share its uptime.

    Returns:
        The empty string where the system has no such name. Linux has one.
    """
    try:
        return f"{_BOOT.read_text().strip()} {_TIME_NAMESPACE.readlink() if _TIME_NAMESPACE.exists() else ''}"
    except OSError:
        return ""


def this_process() -> str:
    """Return the name of this process, which no other one gets; empty where the system has none. Linux has one."""
    pid = os.getpid()
    run, birth = machine_run(), birth_of(pid)
    try:
        if run and birth and Path("/proc/self").readlink().name == str(pid):  # else it shows another namespace
            return f"{run} {Path('/proc/self/ns/pid').readlink()} {pid} {birth}"
    except OSError:
        pass
    return ""


def is_gone(name: str) -> bool:
    """Return whether a process has ended; False if it can't be known: it is of another machine, start or namespace.

    Args:
        name: What `this_process` has returned there.
    """
    place, pid, birth = name.rsplit(" ", 2)
    own_place, *_ = this_process().rsplit(" ", 2)
    return place == own_place and birth_of(int(pid)) not in (int(birth), 0)


def birth_of(pid: int) -> int | None:
    """Return when a process was started, in the kernel's ticks; 0 if the system does not say, None if it is gone."""
    try:
        os.kill(pid, 0)
    except PermissionError:  # it is there, and another user's
        pass
    except OSError:
        return None
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return 0
    return None if state in "ZX" else int(rest[18])
