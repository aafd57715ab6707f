"""Files that only their owner may use."""

import os
import stat
from pathlib import Path

import pytest

from wwspec_contracts.support.private_files import create_private, make_private, restrict_to_owner


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_and_its_missing_folders_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        made = make_private(tmp_path / "a" / "b" / "file")
    finally:
        os.umask(before)
    assert [mode(each) for each in (made, made.parent, made.parent.parent)] == [0o600, 0o700, 0o700]


def test_a_file_that_exists_is_taken_from_others_and_keeps_the_rights_of_its_owner(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for before, after in ((0o666, 0o600), (0o444, 0o400), (0o600, 0o600)):
        file = tmp_path / f"{before:o}"
        file.write_text("kept")
        file.chmod(before)
        assert create_private(file) == file
        assert mode(file) == before
        assert make_private(file) == file
        assert (mode(file), file.read_text()) == (after, "kept")
    assert [record.args for record in caplog.records] == [(tmp_path / "666", 0o666), (tmp_path / "444", 0o444)]


def test_a_folder_where_anybody_may_replace_the_file_is_refused_unless_it_is_sticky(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(PermissionError, match="any user may replace files in"):
        make_private(tmp_path / "file")
    tmp_path.chmod(0o1777)
    make_private(tmp_path / "file")


def test_a_file_of_another_user_and_a_path_that_is_none_are_refused(tmp_path: Path) -> None:
    file = Path("/etc/passwd")
    if os.geteuid() == 0:
        file = tmp_path / "file"
        file.touch()
        os.chown(file, 12345, -1)
    with pytest.raises(PermissionError, match=r"another user \(uid \d+\)"):
        restrict_to_owner(file)
    with pytest.raises(OSError, match="no valid path"):
        make_private(tmp_path / "a\0b")
