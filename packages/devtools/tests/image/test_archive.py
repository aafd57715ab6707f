"""A tar is read as Python's `tarfile` reads it, in each format."""

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from wwspec_contracts.errors import ImageError
from wwspec_devtools.image.archive import open_archive
from wwspec_devtools.image.tar import MemberKind, read_members

FORMATS = {"ustar": tarfile.USTAR_FORMAT, "GNU": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
KINDS = {
    tarfile.REGTYPE: MemberKind.FILE,
    tarfile.AREGTYPE: MemberKind.FILE,
    tarfile.DIRTYPE: MemberKind.FOLDER,
    tarfile.SYMTYPE: MemberKind.SYMLINK,
    tarfile.LNKTYPE: MemberKind.HARD_LINK,
    tarfile.FIFOTYPE: MemberKind.OTHER,
    tarfile.CHRTYPE: MemberKind.OTHER,
}
_name = st.lists(st.text("ab.é数\x1b\udcff ", min_size=1, max_size=120), min_size=1, max_size=6).map("/".join)
_member = st.tuples(_name, st.sampled_from(sorted(KINDS)), _name, st.integers(0, 0o7777), st.binary(max_size=1100))


@pytest.mark.parametrize("kind", FORMATS)
@given(items=st.lists(_member, max_size=6))
def test_members_are_those_of_tarfile(kind: str, items: list[tuple[str, bytes, str, int, bytes]]) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=FORMATS[kind], errors="surrogateescape") as tar:
        for name, letter, target, mode, data in items:
            member = tarfile.TarInfo(name)
            member.type, member.mode, member.mtime = letter, mode, 1.5
            if member.isreg():
                member.size = len(data)
            elif member.issym() or member.islnk():
                member.linkname = target
            try:
                tar.addfile(member, io.BytesIO(data))
            except ValueError:  # too long for ustar
                continue
    file.seek(0)
    with tarfile.open(fileobj=file, errors="surrogateescape") as tar:
        expected = [
            (each.name, KINDS[each.type], each.mode, each.size, each.linkname, each.offset_data) for each in tar
        ]
    assert [tuple(each._replace(name=each.name.rstrip("/"))) for each in read_members(file)] == expected


@given(data=st.binary(max_size=2000))
def test_any_bytes_are_members_or_refused(data: bytes) -> None:
    try:
        list(read_members(io.BytesIO(data)))
    except ImageError:
        pass


@pytest.mark.slow  # writes 100 MB
def test_more_members_than_an_image_has_are_refused(tmp_path: Path) -> None:
    with (tmp_path / "zone.tar").open("wb") as file:
        for number in range(200_001):
            file.write(tarfile.TarInfo(f"app/{number}").tobuf(tarfile.USTAR_FORMAT))
        file.write(bytes(1024))
    with pytest.raises(ImageError, match="more than 200000 files"), open_archive(tmp_path / "zone.tar"):
        pass
