"""Handlers of log records, which write them to standard output and to the SDK."""

import io
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from typing import TextIO

from wwspec_router.logs.formats import OneLineFormatter, subject_text

SDK_LOG_BYTES = 128
"""Longest text that the SDK keeps of one log line [100057]."""


class StandardOutput(logging.StreamHandler[TextIO]):
    """Writes lines to what standard output is now, by a descriptor of its own.

    Code of the application may close the descriptors 1 and 2; the next connection of a client then has their numbers.
    When it closes this one as well, lines are left out: they must not go to a client.
    """

    def __init__(self) -> None:
        super().__init__(sys.stdout)
        self._descriptor = -1  # for a standard output that is an object of Python alone
        self._file: os.stat_result | None = None
        with suppress(AttributeError, OSError, io.UnsupportedOperation):
            self._descriptor = os.dup(sys.stdout.fileno())  # no program that the application starts gets it
            self._file = os.fstat(self._descriptor)
            self._encoding = sys.stdout.encoding

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        if self._descriptor < 0:
            super().emit(record)
            return
        try:
            line = memoryview(f"{self.format(record)}\n".encode(self._encoding, "backslashreplace"))
            while line and self._is_open():
                line = line[os.write(self._descriptor, line) :]
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Close the descriptor; lines that come later are left out."""
        self.acquire()
        try:
            if self._is_open():
                os.close(self._descriptor)
            self._file = None
        finally:
            self.release()
        super().close()

    def _is_open(self) -> bool:
        """Return whether the descriptor still is what it was."""
        try:
            return self._file is not None and os.path.samestat(os.fstat(self._descriptor), self._file)
        except OSError:
            return False


class SdkLogHandler(logging.Handler):
    """Gives records to the SDK as well: of a deployed program, the platform collects only those [100057].

    Args:
        write: Writes one line at the level `error`, `info` or `debug`; what it raises is dropped with the line.
    """

    def __init__(self, write: Callable[[str, str], None]) -> None:
        super().__init__()
        self._write = write
        self.setFormatter(OneLineFormatter("%(levelname)s %(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, in as many pieces as the SDK's limit asks for."""
        level = "error" if record.levelno >= logging.WARNING else "info" if record.levelno >= logging.INFO else "debug"
        with suppress(Exception):  # a log that fails must not fail a call, and there is no other log
            head = f"{subject} " if (subject := subject_text()) else ""
            for piece in pieces(self.format(record), SDK_LOG_BYTES, head):
                self._write(level, piece)


def pieces(text: str, limit: int, head: str = "") -> list[str]:
    """Return a text in pieces of at most `limit` UTF-8 bytes, cut behind a space where there is one.

    Each begins with `head`. If there are several, a number follows: `2/3 ` is the second of three.
    """
    data = text.encode("utf-8", "backslashreplace")
    room = limit - len(head.encode())
    if len(data) <= room:
        return [head + data.decode()]
    room -= len(f"{len(data)}/{len(data)} ")  # there are not more pieces than bytes
    cuts = [0]
    while len(data) - cuts[-1] > room:
        start, end = cuts[-1], cuts[-1] + room
        space = data.rfind(b" ", start + room // 2, end)
        while data[end] & 0xC0 == 0x80:  # inside a character
            end -= 1
        cuts.append(space + 1 or end)
    cuts.append(len(data))
    return [
        f"{head}{number}/{len(cuts) - 1} {data[start:end].decode()}"
        for number, (start, end) in enumerate(pairwise(cuts), start=1)
    ]
