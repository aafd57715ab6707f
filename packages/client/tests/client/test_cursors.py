"""`FileCursor`: the cursor in a file that is whole at any time, and never silently another one."""

import resource
import signal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, strategies as st

from tests.support.tables import for_each
from wwspec_client.stores import CursorStoreError, FileCursor, Position

FIRST = Position("s1", 1_700_000_000, 1)
SECOND = Position("s2", 1_700_000_060, 2)


def test_what_is_kept_is_loaded_again_and_only_the_lock_is_left_in_the_folder(file: Path) -> None:
    cursors = FileCursor(str(file))
    assert cursors.load() is None
    cursors.keep(None, FIRST, commit=True)
    cursors.keep(FIRST, SECOND, commit=False)
    cursors.keep(FIRST, SECOND, commit=False)  # as after an error that came too late
    assert FileCursor(file).load() == SECOND
    assert sorted(file.parent.iterdir()) == [file.with_name(".messages.cursor.lock"), file]
    assert file.with_name(".messages.cursor.lock").stat().st_mode & 0o777 == 0o600
    assert repr(cursors) == f"FileCursor('{file}')"


def test_a_link_leads_to_the_file_and_stays_a_link(file: Path) -> None:
    link = file.with_name("link")
    link.symlink_to(file)
    FileCursor(link).keep(None, FIRST, commit=True)
    assert link.is_symlink()
    assert FileCursor(file).load() == FIRST


@for_each(["", "{", "[]", '{"cursor":"x"}', '{"cursor":"x","covered_until":1,"pages":1,"x":1}'])
def test_a_damaged_file_is_an_error_that_names_the_fix_and_no_new_start(content: str, file: Path) -> None:
    file.write_text(content, "utf-8")
    said = f"{file}: is not a cursor file, or damaged .* or remove it to pull all of"
    for use in (FileCursor(file).load, lambda: FileCursor(file).keep(None, FIRST, commit=True)):
        with pytest.raises(CursorStoreError, match=said):
            use()
    assert file.read_text("utf-8") == content


@given(st.binary(max_size=80))
def test_no_content_of_the_file_is_taken_for_a_first_pull(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    file = tmp_path_factory.mktemp("cursor") / "cursor"
    file.write_bytes(content)
    try:
        assert FileCursor(file).load() == msgspec.json.decode(content, type=Position)
    except CursorStoreError:
        pass


def test_a_place_that_can_not_be_used_is_named_before_anything_is_pulled(tmp_path: Path) -> None:
    with pytest.raises(CursorStoreError, match="nowhere/cursor: the folder does not exist: make it, or"):
        FileCursor(tmp_path / "nowhere" / "cursor").load()
    with pytest.raises(CursorStoreError, match=f"{tmp_path}: can't be read: Is a directory"):
        FileCursor(tmp_path).load()


def test_a_full_disk_leaves_the_old_file_whole(file: Path) -> None:
    cursors = FileCursor(file)
    cursors.keep(None, FIRST, commit=True)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8, limits[1]))
        with pytest.raises(CursorStoreError, match=f"{file}: can't be written: File too large"):
            cursors.keep(FIRST, SECOND, commit=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert FileCursor(file).load() == FIRST
    assert sorted(each.name for each in file.parent.iterdir()) == [".messages.cursor.lock", "messages.cursor"]
