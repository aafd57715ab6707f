"""Reads the headers of a tar that others made: of ustar, GNU and pax what a root file system needs.

`tarfile` is not used: in older CPythons (such as 3.12.1) it never ends with some
headers, uses as much memory as a header claims, and raises errors of any class. Here each number and each name has a
bound, and no file is made. Sparse files are refused, since no engine writes them.
"""

import os
from collections.abc import Iterator
from enum import StrEnum
from typing import IO, NamedTuple

from wwspec_contracts.errors import ImageError

_BLOCK = 512
_END = bytes(_BLOCK)
_CHECKSUM = slice(148, 156)
_LONGEST_NAME = 4096
"""The most bytes of a path on Linux (PATH_MAX)."""
_LARGEST_HEADER = 1 << 20
"""The most bytes of an extended header: a name or two, and extended attributes of at most 64 KiB."""


class MemberKind(StrEnum):
    """What a member is."""

    FILE = "file"
    FOLDER = "folder"
    SYMLINK = "symbolic link"
    HARD_LINK = "hard link"
    OTHER = "device, pipe or unknown"


_KINDS = {b"0": MemberKind.FILE, b"\0": MemberKind.FILE, b"7": MemberKind.FILE, b"5": MemberKind.FOLDER}
_KINDS |= {
    b"1": MemberKind.HARD_LINK,
    b"2": MemberKind.SYMLINK,
    b"3": MemberKind.OTHER,
    b"4": MemberKind.OTHER,
    b"6": MemberKind.OTHER,
}
_EXTENDED = (b"L", b"K", b"x", b"X", b"g")
"""Headers about the member after them: GNU's long name and long link, and pax."""


class Member(NamedTuple):
    """A file, folder or link.

    Attributes:
        name: As the tar has it.
        kind: What it is.
        mode: Its rights.
        size: Bytes of its data.
        target: Where a link leads.
        offset: Where its data begin.
    """

    name: str
    kind: MemberKind
    mode: int
    size: int
    target: str
    offset: int


def read_members(file: IO[bytes]) -> Iterator[Member]:
    """Yield the members of a tar, in its order.

    Args:
        file: The tar, not compressed.

    Raises:
        ImageError: It is not a tar, is damaged or cut off, or has something that is not supported. The text says which.
    """
    end = file.seek(0, os.SEEK_END)
    extended: dict[str, bytes] = {}
    place = 0
    while (block := _read(file, place, _BLOCK, end)) != _END:
        if _number(block[_CHECKSUM]) != sum(block) - sum(block[_CHECKSUM]) + 8 * ord(" "):
            raise ImageError("it is damaged" if place else "it is no tar")
        kind, size = block[156:157], _number(block[124:136])
        place += _BLOCK
        if kind in _EXTENDED:
            if size > _LARGEST_HEADER:
                raise ImageError(f"it has an extended header of {size} bytes")
            extended |= _extension(kind, _read(file, place, size, end))
        else:
            member = _member(block, extended, place)
            extended = {}
            size = member.size
            if place + size > end:
                raise ImageError("it is cut off")
            yield member
        place += -(-size // _BLOCK) * _BLOCK


def _read(file: IO[bytes], place: int, size: int, end: int) -> bytes:
    if place + size > end:
        raise ImageError("it is cut off" if end else "it is empty")
    file.seek(place)
    return file.read(size)


def _extension(kind: bytes, data: bytes) -> dict[str, bytes]:
    """Return what an extended header says about the member after it."""
    if kind == b"L":
        return {"path": data.rstrip(b"\0")}
    if kind == b"K":
        return {"linkpath": data.rstrip(b"\0")}
    records = _pax(data)
    if kind != b"g":
        return records
    if not records.keys().isdisjoint(("path", "linkpath", "size")):
        raise ImageError("it has one name or size for all of its files")
    return {}


def _member(block: bytes, extended: dict[str, bytes], place: int) -> Member:
    name = _text(block[:100])
    if block[257:263] == b"ustar\0" and (prefix := _text(block[345:500])):
        name = prefix + b"/" + name
    name = extended.get("path", name)
    target = extended.get("linkpath", _text(block[157:257]))
    if max(len(name), len(target)) > _LONGEST_NAME or b"\0" in name + target:
        raise ImageError("it has a name that no file can have")
    letter, shown = block[156:157], name.decode("utf-8", "surrogateescape")
    if letter == b"S" or any(key.startswith("GNU.sparse.") for key in extended):
        raise ImageError(f"{shown} is a sparse file")
    kind = _KINDS.get(letter, MemberKind.OTHER)
    if letter == b"\0" and name.endswith(b"/"):  # from a time without a kind for folders
        kind = MemberKind.FOLDER
    size = 0
    if kind is MemberKind.FILE or letter not in _KINDS:
        size = _decimal(extended["size"]) if "size" in extended else _number(block[124:136])
    mode = _number(block[100:108]) & 0o7777
    return Member(shown, kind, mode, size, target.decode("utf-8", "surrogateescape"), place)


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _number(field: bytes) -> int:
    """Return a number of a header: octal, or of any size as GNU writes it."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    text = field.strip(b" \0") or b"0"
    if not text.isdigit() or text.translate(None, b"01234567"):
        raise ImageError("it is damaged")
    return int(text, 8)


def _decimal(text: bytes) -> int:
    if not text.isdigit() or len(text) > 20:
        raise ImageError("it is damaged")
    return int(text)


def _pax(data: bytes) -> dict[str, bytes]:
    """Return the records of a pax header. A record is its own length, a space, key=value and a line end."""
    found: dict[str, bytes] = {}
    place = 0
    while place < len(data) and data[place]:
        space = data.find(b" ", place, place + 21)
        end = place + _decimal(data[place : max(space, place)])
        if not space < end - 1 < len(data) or data[end - 1 : end] != b"\n":
            raise ImageError("it is damaged")
        key, _, value = data[space + 1 : end - 1].partition(b"=")
        found[key.decode("utf-8", "surrogateescape")] = value
        place = end
    return found
