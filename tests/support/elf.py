"""Small ELF files for tests: 64-bit libraries with what the dynamic loader reads of one, and nothing else."""

import struct
from collections.abc import Mapping, Sequence

X86_64, AARCH64 = 0x3E, 0xB7
_HEADER, _PROGRAM = 64, 56
_NEEDED, _STRTAB, _VERDEF, _VERDEFNUM, _VERNEED, _VERNEEDNUM = 1, 5, 0x6FFFFFFC, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF


def library(
    *,
    machine: int = X86_64,
    needed: Sequence[str] = (),
    wants: Mapping[str, Sequence[str]] | None = None,
    gives: Sequence[str] = (),
) -> bytes:
    """Return a library that loads others, wants symbol versions of them, and gives its own."""
    names = _Names()
    needs = _version_needs(wants or {}, names)
    definitions = _version_definitions(gives, names)
    entries = [(_NEEDED, names.place(name)) for name in needed]
    body = _HEADER + 2 * _PROGRAM
    places = {_VERNEED: body, _VERDEF: body + len(needs), _STRTAB: body + len(needs) + len(definitions)}
    if wants:
        entries += [(_VERNEED, places[_VERNEED]), (_VERNEEDNUM, len(wants))]
    if gives:
        entries += [(_VERDEF, places[_VERDEF]), (_VERDEFNUM, len(gives))]
    entries += [(_STRTAB, places[_STRTAB]), (0, 0)]
    dynamic = b"".join(struct.pack("<qQ", *entry) for entry in entries)
    start = places[_STRTAB] + len(names.table)
    end = start + len(dynamic)
    header = struct.pack("<4sBBB9xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 3, machine, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    loaded = struct.pack("<IIQQQQQQ", 1, 4, 0, 0, 0, end, end, 1)
    pointed = struct.pack("<IIQQQQQQ", 2, 4, start, start, start, len(dynamic), len(dynamic), 1)
    return header + loaded + pointed + needs + definitions + names.table + dynamic


class _Names:
    def __init__(self) -> None:
        self.table = b"\0"

    def place(self, name: str) -> int:
        self.table += name.encode() + b"\0"
        return len(self.table) - len(name) - 1


def _version_needs(wants: Mapping[str, Sequence[str]], names: _Names) -> bytes:
    made = b""
    for left, (name, versions) in zip(reversed(range(len(wants))), wants.items(), strict=True):
        step = 16 + 16 * len(versions) if left else 0
        made += struct.pack("<HHIII", 1, len(versions), names.place(name), 16, step)
        for after, version in zip(reversed(range(len(versions))), versions, strict=True):
            made += struct.pack("<IHHII", 0, 0, 2, names.place(version), 16 if after else 0)
    return made


def _version_definitions(gives: Sequence[str], names: _Names) -> bytes:
    return b"".join(
        struct.pack("<HHHHIII", 1, 0, 1, 1, 0, 20, 28 if left else 0) + struct.pack("<II", names.place(version), 0)
        for left, version in zip(reversed(range(len(gives))), gives, strict=True)
    )
