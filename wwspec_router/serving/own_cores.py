"""Gives each worker process a core of its own, where they fill the cores of a container.

Threads of one process share the interpreter's lock (GIL). On one core they hand it on for little; on several each
hand-over wakes another core, and a process does less than on one. What a process starts is not held to its core.
"""

import logging
import os
import sys
import threading
from functools import partial
from pathlib import Path
from typing import NamedTuple

from wwspec_contracts.support.printable import counted
from wwspec_router.config import PIN_AUTO, PIN_OFF, PIN_ON
from wwspec_router.process.cores import affinity, usable_cores

log = logging.getLogger(__name__)

_STARTS = frozenset({"subprocess.Popen", "os.posix_spawn", "os.spawn", "os.system"})
"""Audit events of a thread that is about to start another program; a fork has a hook of its own."""


class Plan(NamedTuple):
    """Which worker process gets which core."""

    cores: tuple[int, ...]
    """One for each worker process; empty when all of them may use all cores."""
    reason: str
    """The reason, such as `there is 1 core`."""


def plan_cores(mode: str, workers: int) -> Plan:
    """Decide for the worker processes of this parent.

    Args:
        mode: As the settings say.
        workers: How many there are; 0 for a program without a parent.
    """
    mask = sorted(affinity())
    if not mask:
        return Plan((), "this system gives no process a core of its own")
    reason = _obstacle(mode, workers, len(mask))
    if reason:
        return Plan((), reason)
    return Plan(tuple(mask[:workers]), f"{counted(workers, 'worker process', 'worker processes')}, {len(mask)} cores")


def _obstacle(mode: str, workers: int, cores: int) -> str:
    """Return why the worker processes get no cores of their own; empty when they get them."""
    if mode == PIN_OFF:
        return "the settings say so"
    if not workers:
        return "there is no worker process"
    if cores == 1:
        return "there is 1 core"
    if workers > cores:
        return f"there are {workers} worker processes and {cores} cores"
    if mode == PIN_ON:
        return ""
    if workers < cores:
        return f"with {counted(workers, 'worker process', 'worker processes')} some of {cores} cores are free"
    if os.getpid() != 1:
        return "the program is not process 1 of a container"
    granted = usable_cores()
    return granted.reason if granted.number < cores else ""


def take_core(core: int, mode: str) -> None:
    """Hold this thread to a core, and so all that it starts from now on; belongs after the application's import.

    Threads that are there already keep all cores. A process that a handler forks, and a thread that starts a program,
    get all of them back. With `auto`, nothing is done if a library brought threads of its own: such as NumPy compute
    without the interpreter's lock, on several cores at once.
    """
    if not hasattr(os, "sched_setaffinity"):  # there is no plan, then
        return
    native = len(list(Path("/proc/self/task").iterdir())) - threading.active_count()
    if mode == PIN_AUTO and native > 0:
        started = counted(native, "thread")
        log.info("this worker process uses all cores: a library has started %s of its own", started)
        return
    all_cores = affinity()
    try:
        os.sched_setaffinity(0, {core})
    except OSError as error:  # the container lost it since the start
        log.warning("this worker process uses all cores: core %d can't be taken (%s)", core, error.strerror)
        return
    free = partial(os.sched_setaffinity, 0, all_cores)
    os.register_at_fork(after_in_child=free)
    sys.addaudithook(lambda event, _: free() if event in _STARTS else None)
