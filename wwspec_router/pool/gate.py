"""Where a thread sleeps until another opens its gate.

A lock would do the same, but it is released while the interpreter's lock (GIL) is held: the thread that wakes up finds
that taken, and sleeps once more. A file is written to without it.
"""

import os
import sys

_ONE = (1).to_bytes(8, "little")


class Gate:
    """Is passed once for each time that it is opened; by one thread.

    It takes one open file on Linux and two elsewhere. They are closed with its last reference, so that a thread which
    has one can't write to another file that got the number.

    Raises:
        OSError: The process may open no more files.

    Attributes:
        reader: A file that is readable while the gate is open.
    """

    __slots__ = ("_writer", "reader")

    def __init__(self) -> None:
        self.reader = self._writer = -1
        if sys.platform == "linux" and hasattr(os, "eventfd"):
            self.reader = self._writer = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_SEMAPHORE)
        else:
            self.reader, self._writer = os.pipe()

    def open(self) -> None:
        """Let one thread pass, which may run before this returns; from any thread."""
        os.write(self._writer, _ONE)

    def wait(self) -> None:
        """Sleep until it is open, and pass."""
        os.read(self.reader, len(_ONE))

    def __del__(self) -> None:
        for number in {self.reader, self._writer} - {-1}:
            os.close(number)
