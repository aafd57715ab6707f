"""A tar as a root file system: paths and links lead where they would in a system that starts from it.

Nothing is extracted.
"""

import gzip
import os
import posixpath
import tempfile
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from wwspec_contracts.errors import ImageError
from wwspec_devtools.image.tar import Member, MemberKind, read_members

_MOST_BYTES = 8 << 30
"""The most bytes of an unpacked tar, on the disk of the machine that checks it."""
_SMALL, _MOST_RATIO = 64 << 20, 100
"""A tar.gz may unpack to the first, in bytes, or to so many times its own size. For an image that is 2 to 5 times."""
_MOST_MEMBERS = 200_000
_MOST_IN_NAMES = 64 << 20
"""Characters of all names; those of a Debian with Python are 3 million."""
_MOST_READ = 256 << 20
"""The most bytes of one file that are read."""
_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"
_MOST_LINKS = 40
"""Links that Linux follows in one look-up."""


class Archive:
    """The files of a tar.

    Paths have no leading slash: `app/run.sh`.
    """

    def __init__(self, file: IO[bytes]) -> None:
        """Read the headers.

        Raises:
            ImageError: It is not a whole tar, or is larger than the limits.
        """
        self._file = file
        self.members: dict[str, Member] = {}
        self._folders: set[str] = set()
        self._named: dict[str, list[str]] = defaultdict(list)
        in_names = 0
        for member in read_members(file):
            path = _normal(member.name)
            if path not in self.members:
                self._named[posixpath.basename(path)].append(path)
                in_names += len(path)
            self.members[path] = member
            for parent in _parents(path):
                if parent in self._folders:
                    break
                self._folders.add(parent)
                in_names += len(parent)
            if len(self.members) > _MOST_MEMBERS or in_names > _MOST_IN_NAMES:
                raise ImageError(
                    f"more than {_MOST_MEMBERS} files, or {_MOST_IN_NAMES >> 20} MiB of their names: too many to read"
                )

    def named(self, name: str) -> Sequence[str]:
        """Return every path that ends with this name."""
        return self._named.get(name, ())

    def below(self, folder: str) -> Iterator[tuple[str, Member]]:
        """Yield everything in a folder and its folders, by path."""
        for path, member in self.members.items():
            if path.startswith(f"{folder}/"):
                yield path, member

    def find(self, path: str) -> str | None:
        """Follow every link of a path and return where it leads; None when the tar does not have it."""
        waiting = list(reversed(path.split("/")))
        found = ""
        links = 0
        while waiting:
            part = waiting.pop()
            if part in ("", "."):
                continue
            here = posixpath.dirname(found) if part == ".." else posixpath.join(found, part)
            member = self.members.get(here)
            if member is not None and member.kind is MemberKind.SYMLINK:
                links += 1
                if links > _MOST_LINKS:
                    return None
                found = "" if member.target.startswith("/") else found
                waiting += reversed(member.target.split("/"))
            elif here and member is None and here not in self._folders:
                return None
            else:
                found = here
        return found

    def _original(self, path: str) -> Member | None:
        """Return the member that a hard link is another name of; None when the tar does not have it."""
        for _ in range(_MOST_LINKS):
            member = self.members.get(path)
            if member is None or member.kind is not MemberKind.HARD_LINK:
                return member
            path = _normal(member.target)
        return None

    def file(self, path: str) -> Member | None:
        """Return the regular file that a path leads to, if there is one."""
        found = self.find(path)
        member = None if found is None else self._original(found)
        return member if member is not None and member.kind is MemberKind.FILE else None

    def is_folder(self, path: str) -> bool:
        """Return whether a path leads to a folder."""
        found = self.find(path)
        member = None if found is None else self.members.get(found)
        return found in self._folders or (member is not None and member.kind is MemberKind.FOLDER)

    def read(self, path: str) -> bytes:
        """Return the bytes of the regular file that a path leads to; none when there is no such file.

        Raises:
            ImageError: It is too large.
        """
        member = self.file(path)
        if member is None:
            return b""
        if member.size > _MOST_READ:
            raise ImageError(f"/{path} has {member.size} bytes, too many to look into it: at most {_MOST_READ}")
        self._file.seek(member.offset)
        return self._file.read(member.size)


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open a tar, as it is or compressed by gzip.

    Raises:
        ImageError: It is not there, no tar, cut off, or too large.
    """
    with ExitStack() as opened:
        try:
            file: IO[bytes] = opened.enter_context(path.open("rb"))
            compressed = file.read(2) == _GZIP
            if compressed:  # unpacked once: each look-up in compressed data starts from the beginning
                plain = opened.enter_context(tempfile.TemporaryFile())
                _unpack(file, plain)
                file = plain
            archive = Archive(file)
        except (ImageError, EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ImageError(
                f"{path}: not a tar or tar.gz that can be read ({error}): export it again with `wwspec image`"
            ) from None
        except OSError as error:
            raise ImageError(f"{path}: can't be read: {error.strerror or error}") from None
        yield archive


def _unpack(file: IO[bytes], plain: IO[bytes]) -> None:
    most = min(_MOST_BYTES, _SMALL + _MOST_RATIO * file.seek(0, os.SEEK_END))
    file.seek(0)
    with gzip.open(file) as unpacked:
        while chunk := unpacked.read(_CHUNK):
            if plain.tell() + len(chunk) > most:
                raise ImageError(f"it unpacks to more than {most >> 20} MiB")
            plain.write(chunk)


def _normal(name: str) -> str:
    path = posixpath.normpath(f"/{name}").lstrip("/")
    return path or "."


def _parents(path: str) -> Iterator[str]:
    """Yield the folders that a path is in, the innermost first."""
    while path := posixpath.dirname(path):
        yield path
