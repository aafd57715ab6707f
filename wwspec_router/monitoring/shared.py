"""Memory in which the worker processes of one program show each other their figures.

It is a file without a name that their parent makes: it is in no folder, no other process can reach it, and it is gone
when the last of them ends. Each process has an area of its own, by its number, and continues the counts of the earlier
process with this number. One process at a time leads, by a lock that the system releases when the process dies: it
writes the line of the program. This module does not know what the figures mean.
"""

import errno
import fcntl
import os
import struct
from contextlib import suppress
from typing import Annotated
from zlib import crc32

import msgspec
from msgspec import Meta

from wwspec_contracts.decoding import UNREADABLE
from wwspec_router.monitoring.figures import Snapshot, merged
from wwspec_router.process.names import birth_of

AREA = 8 << 20
"""Bytes reserved for one process; memory is used only for what is written."""
_HEAD = struct.Struct("<QII")
"""The head of the figures: how often the process has published, and the length and checksum of the figures."""


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What one process shows."""

    pid: Annotated[int, Meta(gt=0, lt=2**31)]
    birth: int
    """What `birth_of` returned for the process. A later process may have the same pid, but another birth."""
    ended: bool
    snapshot: Snapshot
    """Its figures, and those that it continues."""

    @property
    def shown(self) -> Snapshot:
        """The figures that the other processes see; of a process that has ended only the counts since the start."""
        is_alive = not self.ended and birth_of(self.pid) == self.birth
        return self.snapshot if is_alive else self.snapshot.lasting()


class SharedFigures:
    """One process's access to that memory. Its methods are for one thread at a time, except `read`.

    Args:
        file: The file's descriptor, which must stay open.
        size: How many processes there can be at once.
        number: The number of this process, from 0; no other running process has it.
    """

    def __init__(self, file: int, size: int, number: int) -> None:
        self._file = file
        self._size = size
        self._number = number
        self._pid = os.getpid()
        self._birth = birth_of(self._pid) or 0
        self._leads = False
        times, before = self._entry(number)
        self._times = times
        self._carried = before.snapshot.lasting() if before is not None else Snapshot()

    def publish(self, snapshot: Snapshot, *, ended: bool = False) -> None:
        """Show this process's figures to the others.

        Args:
            snapshot: Its figures.
            ended: Whether it counts and runs no more.

        Raises:
            OSError: They could not be written; the ones before stay.
        """
        entry = _Entry(pid=self._pid, birth=self._birth, ended=ended, snapshot=merged([snapshot, self._carried]))
        content = _encode(entry)
        if _HEAD.size + len(content) > AREA // 2:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        times = self._times + 1
        head = _HEAD.pack(times, len(content), crc32(content))
        os.pwrite(self._file, head + content, self._place(self._number, times))
        self._times = times

    def read(self) -> list[Snapshot]:
        """Return the figures of the other processes, and those that this one continues.

        Raises:
            OSError: The memory can't be read.
        """
        others = (self._entry(number)[1] for number in range(self._size) if number != self._number)
        return [*(entry.shown for entry in others if entry is not None), self._carried]

    def lead(self) -> bool:
        """Return whether this process leads; it does from now on when no other does."""
        if not self._leads:
            with suppress(OSError):
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # not flock, which forked processes share
                self._leads = True
        return self._leads

    def close(self) -> None:
        """Let another process lead."""
        if self._leads:
            fcntl.lockf(self._file, fcntl.LOCK_UN)
            self._leads = False

    def _place(self, number: int, times: int) -> int:
        """Return where a process writes: not over its last published figures, which others may be reading."""
        return number * AREA + times % 2 * (AREA // 2)

    def _entry(self, number: int) -> tuple[int, _Entry | None]:
        """Return how often the process of a number has published something, and what it published last."""
        halves = (self._half(self._place(number, times)) for times in (0, 1))
        return max(halves, key=lambda half: half[0])

    def _half(self, place: int) -> tuple[int, _Entry | None]:
        head = os.pread(self._file, _HEAD.size, place)
        if len(head) == _HEAD.size:
            times, length, checksum = _HEAD.unpack(head)
            content = os.pread(self._file, min(length, AREA), place + _HEAD.size)
            if times and crc32(content) == checksum:  # else the process is writing now, or was killed while it wrote
                with suppress(*UNREADABLE):
                    return times, _decode(content)
        return 0, None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Entry).decode
