"""Closes in processes that a handler forks what they must not keep: the port, its connections, and the signal handlers.

Such a process may live longer than the program. If it kept the port, no other program could open it, and no client
would see that a connection was closed.
"""

import os
import signal
import socket
from contextlib import suppress
from functools import partial
from pathlib import Path


def keep_from_children(listening: socket.socket, *others: socket.socket) -> None:
    """Close a port, its connections and other sockets in each process that this one forks from now on.

    Processes that run another program, as those of `subprocess`, inherit none of them anyway.
    """
    port = listening.getsockname()[1]
    os.register_at_fork(after_in_child=partial(_let_go, port, [each.fileno() for each in others]))


def _let_go(port: int, others: list[int]) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for number in {*others, *_sockets_of(port)}:
        # Not closed: objects of this process still have the number, and would close the next file that gets it.
        os.dup2(nothing, number, inheritable=False)
    os.close(nothing)


def _sockets_of(port: int) -> list[int]:
    """Return the sockets of a local TCP port."""
    found = []
    for entry in _open_files():
        with suppress(OSError):  # no socket, or the folder itself
            probe = socket.socket(fileno=int(entry.name))
            try:
                if probe.family in (socket.AF_INET, socket.AF_INET6) and probe.getsockname()[1] == port:
                    found.append(probe.fileno())
            finally:
                probe.detach()
    return found


def _open_files() -> list[Path]:
    """Return a path for each open file of this process, named by its number."""
    try:
        return list(Path("/proc/self/fd").iterdir())
    except FileNotFoundError:  # not Linux
        return list(Path("/dev/fd").iterdir())
