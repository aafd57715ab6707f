"""What the fuzzer's targets stand on: an SDK that answers anything, files in memory, and a log that is looked at.

Knows no target.
"""

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import PosixPath

from wwspec_router.logs.lines import setup_logging

__all__ = ["BrokenPromiseError", "MemoryFile", "Target", "checked_lines", "promise"]

Target = Callable[[bytes], None]
"""Takes any bytes and raises when a promise is broken."""


class BrokenPromiseError(Exception):
    """An input for which a target does not do what it should."""


def promise(kept: bool, text: str) -> None:
    """Raise BrokenPromiseError unless `kept`."""
    if not kept:
        raise BrokenPromiseError(text)


class MemoryFile(PosixPath):
    """A file that is read from memory: to open a real one takes longer than most targets do."""

    content = b""

    def read_bytes(self) -> bytes:
        """Return the content."""
        return self.content

    def read_text(self, encoding: str | None = None, errors: str | None = None, newline: str | None = None) -> str:
        """Return the content as text, with the newlines that a file would have."""
        return self.content.decode(encoding or "utf-8", errors or "strict").replace("\r\n", "\n").replace("\r", "\n")


class Lines:
    """A standard output that takes log lines, and sees whether each record is one line without control codes."""

    def __init__(self) -> None:
        self._faults: list[str] = []

    def write(self, text: str) -> int:
        line = text.removesuffix("\n")
        if not line.isprintable():
            self._faults.append(ascii(line[-300:]))
        return len(text)

    def flush(self) -> None:
        """Do nothing."""

    def around(self, target: Target) -> Target:
        """Return the target, which breaks its promise when it logs anything but such lines."""

        def logging_target(data: bytes) -> None:
            self._faults.clear()
            target(data)
            promise(not self._faults, f"a log record is not one printable line: {self._faults[:1]}")

        return logging_target


@contextmanager
def checked_lines() -> Iterator[Lines]:
    """Log as the program does at level DEBUG, to where every line is looked at."""
    root, before, output = logging.getLogger(), logging.getLogger().handlers[:], sys.stdout
    level, lines, hooks = root.level, Lines(), (sys.unraisablehook, threading.excepthook)
    sys.stdout = lines  # where setup_logging sends lines
    try:
        setup_logging("DEBUG")
    finally:
        sys.stdout = output
    try:
        yield lines
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        sys.unraisablehook, threading.excepthook = hooks
