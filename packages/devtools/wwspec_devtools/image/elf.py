"""Reads what decides whether an ELF file loads: its processor, its libraries, and the symbol versions that it needs.

Only 64-bit little-endian files are read in detail: a zone runs no others. Like the dynamic loader it reads program
headers, not section headers, so a stripped file gives the same.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from wwspec_router.process.elf import ElfError, machine

_PT_LOAD, _PT_DYNAMIC = 1, 2
_DT_NEEDED, _DT_STRTAB = 1, 5
_DT_VERDEF, _DT_VERDEFNUM, _DT_VERNEED, _DT_VERNEEDNUM = 0x6FFFFFFC, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF
_LONGEST_NAME = 4096
_MOST_RECORDS = 20_000
"""The most records of a file that are read: a damaged file may claim any number. glibc has 100."""


@dataclass(frozen=True)
class Elf:
    """A library or program.

    Attributes:
        machine: The processor that it is for, such as `x86_64`.
        needed: The libraries that it loads.
        wants: Library -> the symbol versions that it must have, such as `GLIBC_2.34`.
        gives: The symbol versions that the file itself has.
    """

    machine: str
    needed: tuple[str, ...] = ()
    wants: Mapping[str, frozenset[str]] = field(default_factory=dict)
    gives: frozenset[str] = frozenset()


class _Segment(NamedTuple):
    address: int
    offset: int
    size: int


def parse(data: bytes) -> Elf:
    """Read a whole file.

    Raises:
        ElfError: It is no ELF file, or a damaged one.
    """
    name = machine(data)
    if (data[4], data[5]) != (2, 1):
        return Elf(name)
    try:
        return _File(data).read(name)
    except (struct.error, OverflowError, UnicodeDecodeError):
        raise ElfError("it is damaged or cut off") from None


class _File:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._loaded: list[_Segment] = []
        self._strings = 0
        self._left = _MOST_RECORDS

    def read(self, name: str) -> Elf:
        entries = list(self._dynamic())
        tags = dict(entries)
        if _DT_STRTAB not in tags:
            return Elf(name)  # a static program
        self._strings = self._offset(tags[_DT_STRTAB])
        wants: dict[str, frozenset[str]] = {}
        if _DT_VERNEED in tags:
            wants = dict(self._version_needs(self._offset(tags[_DT_VERNEED]), tags.get(_DT_VERNEEDNUM, 0)))
        gives: frozenset[str] = frozenset()
        if _DT_VERDEF in tags:
            gives = frozenset(self._version_names(self._offset(tags[_DT_VERDEF]), tags.get(_DT_VERDEFNUM, 0)))
        needed = tuple(self._string(value) for tag, value in entries if tag == _DT_NEEDED)
        return Elf(name, needed, wants, gives)

    def _dynamic(self) -> Iterator[tuple[int, int]]:
        """Store the loaded segments, and yield tag and value of each entry of the dynamic table."""
        table: _Segment | None = None
        (start,) = struct.unpack_from("<Q", self._data, 32)
        size, count = struct.unpack_from("<HH", self._data, 54)
        for number in range(count):
            kind, _, offset, address, _, length = struct.unpack_from("<IIQQQQ", self._data, start + number * size)
            if kind == _PT_LOAD:
                self._loaded.append(_Segment(address, offset, length))
            elif kind == _PT_DYNAMIC:
                table = _Segment(address, offset, length)
        if table is None:
            return
        for number in range(min(table.size // 16, _MOST_RECORDS)):
            tag, value = struct.unpack_from("<qQ", self._data, table.offset + number * 16)
            if tag == 0:
                return
            yield tag, value

    def _offset(self, address: int) -> int:
        for each in self._loaded:
            if each.address <= address < each.address + each.size:
                return address - each.address + each.offset
        raise ElfError("it is damaged: a table is outside of what is loaded")

    def _string(self, index: int) -> str:
        start = self._strings + index
        end = self._data.find(b"\0", start, start + _LONGEST_NAME)
        if end < 0:
            raise ElfError("it is damaged: a name has no end")
        return self._data[start:end].decode("ascii")

    def _version_needs(self, start: int, count: int) -> Iterator[tuple[str, frozenset[str]]]:
        for place in self._chain(start, count, next_at=12):
            _, number, library, first = struct.unpack_from("<HHII", self._data, place)
            versions = frozenset(
                self._string(struct.unpack_from("<I", self._data, each + 8)[0])
                for each in self._chain(place + first, number, next_at=12)
            )
            yield self._string(library), versions

    def _version_names(self, start: int, count: int) -> Iterator[str]:
        for place in self._chain(start, count, next_at=16):
            (first,) = struct.unpack_from("<I", self._data, place + 12)
            yield self._string(struct.unpack_from("<I", self._data, place + first)[0])

    def _chain(self, place: int, count: int, *, next_at: int) -> Iterator[int]:
        """Yield where each record of a chain begins. A record has the distance to the next one; 0 in the last."""
        for _ in range(count):
            self._left -= 1
            if self._left < 0:
                raise ElfError("it is damaged: it has too many symbol versions")
            yield place
            (step,) = struct.unpack_from("<I", self._data, place + next_at)
            if step == 0:
                return
            place += step
