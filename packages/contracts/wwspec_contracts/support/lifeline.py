"""Ends what a process has started when that process is gone, however it ended. Imports the standard library alone.

A process that starts others holds one end of a pipe, which nobody else has and nobody writes to. The other end is read
by what it has started: the system closes the pipe when its holder is gone.

* A verb of `wwspec` inherits the reading end; `VARIABLE` says where. A thread waits at it, or the loop of a process
  that has none. Only who starts a process for development sets the variable, and the verb removes it as it starts: so
  a verb that a shell, systemd or Docker has started does not end with it, nor what it starts itself.
* For a program of others there is a `Guard`: a process that runs this module, and ends the process group that it leads.
"""

import logging
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from time import sleep
from typing import Self

log = logging.getLogger(__name__)

VARIABLE = "WWSPEC_LIFELINE"
"""The variable that names the file descriptor of the reading end."""
PATIENCE = 0.8
"""Seconds between SIGTERM and SIGKILL: two processes, one that starts the other, end within 2 s."""
STARTER_GONE = "the process that has started this one is gone: stopping"
"""What the log says then."""

_ends: list[int] = []
"""The reading and the writing end of this process's pipe, once it is needed."""
_making = threading.Lock()


def reading_end() -> int:
    """Return the end for those that this process starts; it holds the other one as long as it runs."""
    with _making:
        if not _ends:
            _ends.extend(os.pipe())
        return _ends[0]


def _forget() -> None:
    """Close a forked process's copy: with it the pipe would stay open."""
    global _making
    _making = threading.Lock()
    while _ends:
        os.close(_ends.pop())


os.register_at_fork(after_in_child=_forget)


def given_end() -> int | None:
    """Return the reading end that this process was given, and keep it from others; None when it was given none."""
    given = os.environ.pop(VARIABLE, "")
    with suppress(ValueError, OverflowError, OSError):  # it is empty, or names no open file
        os.set_inheritable(int(given), False)
        return int(given)
    return None


def watch(end: int | None) -> None:
    """End this process when the one that has started it is gone.

    Args:
        end: See `given_end`; None: nothing happens.
    """
    if end is not None:
        threading.Thread(target=_wait, args=(end,), name="wwspec-lifeline", daemon=True).start()


def _wait(end: int) -> None:
    os.read(end, 1)  # nothing is written
    end_this_process(PATIENCE)


def end_this_process(patience: float) -> None:
    """End this process: by SIGTERM, and at once when that has not ended it within so many seconds.

    Called on a thread of its own, and the first thread gets the signal.
    """
    os.kill(os.getpid(), signal.SIGTERM)
    log.error("%s", STARTER_GONE)
    threading.Event().wait(patience)
    os._exit(1)


class Guard:
    """Leads a process group that ends when this process is gone. A context manager; at its end only the guard ends.

    Attributes:
        group: For `subprocess.Popen(process_group=...)`, and for `os.killpg`: the guard ignores SIGTERM.
    """

    def __init__(self) -> None:
        import subprocess  # here, since the parent of workers does without

        self._process = subprocess.Popen(  # noqa: S603 - this module
            [sys.executable, "-I", "-S", str(Path(__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        self.group: int = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()  # before its pipe is closed
        with self._process:
            pass


def _guard() -> None:
    """End processes when standard input is closed: those whose ids came there, and the group that it leads.

    The demos of the examples, which are scripts of a shell, write ids, a line each.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for those that it guards
    leads = os.getpgrp() == os.getpid()
    if leads:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pids = [*map(int, sys.stdin), *([0] if leads else [])]
    for number, pause in ((signal.SIGTERM, PATIENCE), (signal.SIGKILL, 0.0)):
        for pid in pids:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
        sleep(pause)


if __name__ == "__main__":
    _guard()
