"""A tar as a root file system: paths are looked up as a system that starts from it would, links included."""

import gzip
import posixpath
import shutil
import tarfile
import tempfile
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from wwspec_router.errors import ImageError

__all__ = ["Archive", "open_archive"]

_GZIP = b"\x1f\x8b"
_MOST_LINKS = 40
"""Links that Linux follows in one look-up."""


class Archive:
    """The files of a tar.

    Paths have no leading slash: `app/run.sh`.
    """

    def __init__(self, tar: tarfile.TarFile) -> None:
        self.tar = tar
        self.members: Mapping[str, tarfile.TarInfo] = {_normal(each.name): each for each in tar}
        self._folders = {parent for path in self.members for parent in _parents(path)}
        self._named: dict[str, list[str]] = defaultdict(list)
        for path in self.members:
            self._named[posixpath.basename(path)].append(path)

    def named(self, name: str) -> Sequence[str]:
        """Return every path whose last part is a name."""
        return self._named.get(name, ())

    def below(self, folder: str) -> Iterator[tuple[str, tarfile.TarInfo]]:
        """Yield everything in a folder and its folders, by path."""
        for path, member in self.members.items():
            if path.startswith(f"{folder}/"):
                yield path, member

    def find(self, path: str) -> str | None:
        """Return where a path leads when every link is followed; None when that is nowhere in the tar."""
        waiting = list(reversed(path.split("/")))
        found = ""
        links = 0
        while waiting:
            part = waiting.pop()
            if part in ("", "."):
                continue
            here = posixpath.dirname(found) if part == ".." else posixpath.join(found, part)
            member = self.members.get(here)
            if member is not None and member.issym():
                links += 1
                if links > _MOST_LINKS:
                    return None
                found = "" if member.linkname.startswith("/") else found
                waiting += reversed(member.linkname.split("/"))
            elif here and member is None and here not in self._folders:
                return None
            else:
                found = here
        return found

    def file(self, path: str) -> tarfile.TarInfo | None:
        """Return the regular file that a path leads to, if there is one."""
        found = self.find(path)
        member = None if found is None else self.members.get(found)
        return member if member is not None and (member.isfile() or member.islnk()) else None

    def is_folder(self, path: str) -> bool:
        """Tell whether a path leads to a folder."""
        found = self.find(path)
        member = None if found is None else self.members.get(found)
        return found in self._folders or (member is not None and member.isdir())

    def read(self, path: str) -> bytes:
        """Return the bytes of the regular file that a path leads to; none when there is no such file."""
        member = self.file(path)
        try:
            opened = None if member is None else self.tar.extractfile(member)
        except KeyError:  # a hard link to a file that the tar lacks
            return b""
        return b"" if opened is None else opened.read()


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open a tar, as it is or compressed by gzip.

    Raises:
        ImageError: It is not there, no tar, or cut off.
    """
    with ExitStack() as opened:
        try:
            file = opened.enter_context(path.open("rb"))
            compressed = file.read(2) == _GZIP
            file.seek(0)
            plain: IO[bytes] = file
            if compressed:  # read once: looking up a file in compressed data starts from the beginning each time
                plain = opened.enter_context(tempfile.TemporaryFile())
                with gzip.open(file) as unpacked:
                    shutil.copyfileobj(unpacked, plain)
                plain.seek(0)
            tar = opened.enter_context(tarfile.open(fileobj=plain, mode="r:"))
            archive = Archive(tar)
            plain.seek(tar.offset)  # tarfile itself takes a damaged header for the end
            if plain.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
                raise tarfile.ReadError("it is damaged or cut off")
        except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ImageError(
                f"{path}: neither a whole tar nor a whole tar.gz ({error}): export it again with `wwspec image`"
            ) from None
        except OSError as error:
            raise ImageError(f"{path}: can't be read: {error.strerror or error}") from None
        yield archive


def _normal(name: str) -> str:
    path = posixpath.normpath(f"/{name}").lstrip("/")
    return path or "."


def _parents(path: str) -> Iterator[str]:
    while path := posixpath.dirname(path):
        yield path
