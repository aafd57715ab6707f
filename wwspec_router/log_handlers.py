"""Where log records go: to standard output, and to the SDK."""

import io
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TextIO

from wwspec_router.log_formats import OneLineFormatter

__all__ = ["SdkLogHandler", "StandardOutput", "pieces"]

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
        """Tell whether the descriptor still is what it was."""
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
        self.setFormatter(OneLineFormatter("%(levelname)s %(name)s%(request)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, in as many pieces as the SDK's limit asks for."""
        level = "error" if record.levelno >= logging.WARNING else "info" if record.levelno >= logging.INFO else "debug"
        with suppress(Exception):  # a log that fails must not fail a call, and there is no other log
            for piece in pieces(self.format(record), SDK_LOG_BYTES):
                self._write(level, piece)


def pieces(text: str, limit: int) -> Iterator[str]:
    """Split a text into pieces of at most `limit` UTF-8 bytes, on borders of characters."""
    data = text.encode("utf-8", "backslashreplace")
    start = 0
    while len(data) - start > limit:
        end = start + limit
        while data[end] & 0xC0 == 0x80:  # inside a character
            end -= 1
        yield data[start:end].decode()
        start = end
    yield data[start:].decode()
