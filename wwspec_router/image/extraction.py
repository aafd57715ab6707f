"""Extracts a tar that others made. No name or link in it leads out of the folder.

The order makes that safe: first folders and files, by paths that have no `..` and, at that time, no links. Links come
last, when nothing else is written.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from wwspec_router.errors import ImageError
from wwspec_router.image.archive import MOST_BYTES, Archive, parents
from wwspec_router.image.tar import MemberKind


def extract(archive: Archive, root: Path, needed: Iterable[str] = ()) -> None:
    """Write the folders, files and links of a tar; devices and pipes are left out.

    All of them belong to the user who extracts. Of their modes only the right to execute is kept.

    Args:
        archive: The tar.
        root: The folder to make; it must not exist.
        needed: Folders to make even if the tar does not have them.

    Raises:
        ImageError: It is too large, has a link or file where a folder must be, or a file can't be written.
    """
    size = sum(each.size for each in archive.members.values())
    if size > MOST_BYTES:
        raise ImageError(f"it unpacks to {size >> 20} MiB, and at most {MOST_BYTES >> 20} MiB are extracted")
    folders = archive.folders | {path for path, each in archive.members.items() if each.kind is MemberKind.FOLDER}
    folders |= {each for path in needed for each in (path, *parents(path))}
    files = [path for path, each in archive.members.items() if each.kind is MemberKind.FILE]
    hard_links, symlinks = _links(archive)
    path = ""
    try:
        root.mkdir(0o700)
        for path in sorted(folders - {"."}):
            if path in archive.members and archive.members[path].kind is not MemberKind.FOLDER:
                raise ImageError(f"/{path} is a {archive.members[path].kind}, where a folder must be")
            (root / path).mkdir(0o700)
        for path in files:
            _write(archive, path, root)
        for path, original in hard_links.items():
            (root / path).hardlink_to(root / original)
        for path, target in symlinks.items():
            (root / path).symlink_to(target)
    except OSError as error:
        raise ImageError(f"/{path} can't be extracted here: {error.strerror or error}") from None


def _links(archive: Archive) -> tuple[dict[str, str], dict[str, str]]:
    """Return the hard links to files, and the symbolic links. A hard link to a symbolic link is a symbolic link."""
    hard_links, symlinks = {}, {}
    for path, member in archive.members.items():
        original = archive.original(path)
        found = member if original is None else archive.members[original]
        if found.kind is MemberKind.SYMLINK:
            symlinks[path] = found.target
        elif member.kind is MemberKind.HARD_LINK:
            if original is None or found.kind is not MemberKind.FILE:
                raise ImageError(f"/{path} is a hard link to a file that the tar lacks")
            hard_links[path] = original
    return hard_links, symlinks


def _write(archive: Archive, path: str, root: Path) -> None:
    member = archive.members[path]
    rights = 0o700 if member.mode & 0o100 else 0o600
    descriptor = os.open(root / path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, rights)
    with os.fdopen(descriptor, "wb") as file:
        for chunk in archive.chunks(member):
            file.write(chunk)
