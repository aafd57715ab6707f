"""Tars made to write outside of the folder of who extracts them, or to fill memory and disk."""

import io
import random
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.support.image_tars import add, image

Trick = Callable[[tarfile.TarFile, str], None]
"""Adds members to a tar that aim at a folder outside, which has a file `victim`."""


def put(tar: tarfile.TarFile, name: str, kind: bytes = tarfile.REGTYPE, target: str = "", **fields: object) -> None:
    """Add a member; a file has the text `hostile`."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.mode = kind, target, 0o6777
    data = b"hostile" if kind == tarfile.REGTYPE else b""
    member.size = len(data)
    for field, value in fields.items():
        setattr(member, field, value)
    tar.addfile(member, io.BytesIO(data))


def _through(*links: tuple[str, bytes, str]) -> Trick:
    """Return a trick of links, in whose targets `@` is the folder outside; then files over and below the last one."""

    def trick(tar: tarfile.TarFile, outside: str) -> None:
        for name, kind, target in links:
            put(tar, name, kind, target.replace("@", outside))
        put(tar, f"{links[-1][0]}/new")
        put(tar, links[-1][0])

    return trick


def _over(target: str, kind: bytes) -> Trick:
    """Return a trick that links to the victim, and then has a file of the link's name."""

    def trick(tar: tarfile.TarFile, outside: str) -> None:
        put(tar, "app/over", kind, target.replace("@", outside))
        put(tar, "app/over")

    return trick


def _past_path_max(tar: tarfile.TarFile, outside: str) -> None:
    """Links whose whole path is longer than PATH_MAX: `os.path.realpath` gives up, the kernel goes on."""
    folder, step = "d" * 247, ""
    for letter in "abcdefghijklmnop":
        put(tar, step + folder, tarfile.DIRTYPE)
        put(tar, step + letter, tarfile.SYMTYPE, folder)
        step += f"{folder}/"
    long = f"{'/'.join('abcdefghijklmnop')}/{'l' * 254}"
    put(tar, long, tarfile.SYMTYPE, "../" * 16)
    put(tar, "escape", tarfile.SYMTYPE, f"{long}/{'../' * 12}{outside}")
    put(tar, "escape/new")
    put(tar, "flag", tarfile.LNKTYPE, "escape/victim")
    put(tar, "flag")


def _becomes_a_link(tar: tarfile.TarFile, outside: str) -> None:
    put(tar, "app/folder", tarfile.DIRTYPE)
    put(tar, "app/folder/first")
    put(tar, "app/folder", tarfile.SYMTYPE, outside)
    put(tar, "app/folder/new")


def _names(*names: str) -> Trick:
    def trick(tar: tarfile.TarFile, outside: str) -> None:
        for name in names:
            put(tar, name.replace("@", outside))

    return trick


def _pax(**headers: str) -> Trick:
    def trick(tar: tarfile.TarFile, outside: str) -> None:
        member = tarfile.TarInfo("app/pax")
        member.size = len(b"hostile")
        member.pax_headers = {key.replace("_", "."): value.replace("@", outside) for key, value in headers.items()}
        assert tar.fileobj is not None
        data = member.tobuf(tarfile.PAX_FORMAT)
        tar.fileobj.write(data + b"hostile".ljust(512, b"\0"))
        tar.offset += len(data) + 512

    return trick


def _special(tar: tarfile.TarFile, outside: str) -> None:
    for name, kind in {"pipe": tarfile.FIFOTYPE, "disk": tarfile.BLKTYPE, "memory": tarfile.CHRTYPE}.items():
        put(tar, f"app/{name}", kind, devmajor=1, devminor=1)
        put(tar, f"app/{name}")
        put(tar, f"app/{name}-2", kind, devmajor=1, devminor=1)


def _links_to_themselves(tar: tarfile.TarFile, outside: str) -> None:
    put(tar, "app/a", tarfile.LNKTYPE, "app/b")
    put(tar, "app/b", tarfile.LNKTYPE, "app/a")
    put(tar, "app/c", tarfile.SYMTYPE, "c")


TRICKS: dict[str, Trick] = {
    "hard link, absolute": _over("@/victim", tarfile.LNKTYPE),
    "hard link, relative": _over("../../../../../../../../../..@/victim", tarfile.LNKTYPE),
    "link, absolute": _over("@/victim", tarfile.SYMTYPE),
    "link, relative": _over("../../../../../../../../../../..@/victim", tarfile.SYMTYPE),
    "folder, absolute": _through(("app/out", tarfile.SYMTYPE, "@")),
    "folder, relative": _through(("app/out", tarfile.SYMTYPE, "../../../../../../../../../../..@")),
    "links of links": _through(("up", tarfile.SYMTYPE, ".."), ("app/out", tarfile.SYMTYPE, "../up/../../../../..@")),
    "hard link to a link": _through(("app/s", tarfile.SYMTYPE, "@"), ("app/h", tarfile.LNKTYPE, "app/s")),
    "hard link through a link": _through(("app/s", tarfile.SYMTYPE, "@"), ("app/v", tarfile.LNKTYPE, "app/s/victim")),
    "root becomes a link": _through((".", tarfile.SYMTYPE, "@")),
    "application becomes a link": _through(("app", tarfile.SYMTYPE, "@")),
    "folders of the system": _through(*((name, tarfile.SYMTYPE, "@") for name in ("dev", "proc", "tmp", "app/var"))),
    "null device": _through(("dev", tarfile.DIRTYPE, ""), ("dev/null", tarfile.SYMTYPE, "@/new")),
    "past PATH_MAX": _past_path_max,
    "folder becomes a link": _becomes_a_link,
    "names": _names("../../../../../../../../../../..@/new", "@/new", "..", ".", "/", "a/../../b", "app//x/./y"),
    "long names": _names("n" * 300, f"{'p' * 200}/" * 30 + "x", "d/" * 1500 + "x"),
    "odd names": _names("app/\x1b[2Jcleared", "app/two\nlines", "app/\u202eback", "app/\udcff", "app/ "),
    "pax path": _pax(path="../../../../../../../../..@/new"),
    "pax path of nothing": _pax(path=""),
    "pax link": _pax(linkpath="@/victim", path="app/run.sh"),
    "pax size": _pax(size="99999999999999"),
    "pax size below nothing": _pax(size="-1024"),
    "pax of digits": _pax(comment="1" * 60_000),
    "pax, too large": _pax(comment="x" * 3_000_000),
    "pax, sparse": _pax(GNU_sparse_major="1", GNU_sparse_minor="0", GNU_sparse_realsize="99999999999"),
    "special files": _special,
    "links to themselves": _links_to_themselves,
    "sparse": lambda tar, _: put(tar, "app/sparse", tarfile.GNUTYPE_SPARSE),
    "unknown kind": lambda tar, _: put(tar, "app/unknown", b"Z"),
    "right to be another user": lambda tar, _: put(tar, "app/su", mode=0o7777),
}


def write_hostile_tar(path: Path, outside: Path, tricks: Sequence[str], source: random.Random | None = None) -> Path:
    """Write the tar of an image with tricks in it; with a source of chance also in any format, and damaged."""
    kind = source.choice([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]) if source else None
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=kind, errors="surrogateescape") as tar:
        add(tar, image())
        for name in tricks:
            try:
                TRICKS[name](tar, str(outside))
            except ValueError:  # ustar has no place for such a name
                put(tar, "app/left-out")
    data = bytearray(written.getvalue())
    if source and source.random() < 0.2:
        for _ in range(source.randint(1, 8)):
            data[source.randrange(len(data))] = source.randrange(256)
    if source and source.random() < 0.1:
        del data[source.randrange(len(data)) :]
    path.write_bytes(data)
    return path
