"""What is special to `memory:`; all else is proved by the suite over a SQLite file that stays."""

import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.stores.suites.job_samples import job
from tests.stores.suites.rig import in_threads
from tests.support.processes import waiting
from tests.support.skips import only_where
from wwspec_contracts.errors import StoreError
from wwspec_router.stores import Store, open_store
from wwspec_router.stores.sqlite.events import LAYOUT
from wwspec_router.stores.sqlite.file import SqliteFile

CHILD = """
import sys
from wwspec_router.stores import open_store

store = open_store("memory:")
store.put("corp", 1, "id", "a text of a tenant", 100)
print(store.get("corp", 1, "id"), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files of this process and of those that it starts."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def memory(temporary: Path) -> Iterator[Store]:
    with closing(open_store("memory:")) as store:
        yield store


def test_nothing_lies_in_a_folder_while_it_is_open_nor_after_its_process_was_killed(temporary: Path) -> None:
    only_where(sys.platform != "darwin", "an open SQLite file may be deleted")
    with waiting("a text of a tenant", "-c", CHILD):
        while_open = list(temporary.rglob("*"))
    assert while_open == list(temporary.rglob("*")) == []


def test_nothing_is_left_of_one_that_is_closed_or_not_opened(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store("memory:").close()
    broken = ["CREATE TABLE"]
    with pytest.raises(StoreError, match="SQLite failed"):
        SqliteFile(None, LAYOUT, broken)
    assert list(temporary.rglob("*")) == []


def test_its_open_files_are_its_owners_only_whatever_the_umask(temporary: Path) -> None:
    only_where(sys.platform == "linux", "a process sees its open files in /proc")
    before = os.umask(0)
    try:
        with closing(open_store("memory:")) as store:
            store.put("corp", 1, "id", "text", 100)
            links = {each: str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()}
            files = {each: name for each, name in links.items() if name.startswith(str(temporary))}
            states = [os.fstat(int(each.name)) for each in files]
    finally:
        os.umask(before)
    assert {Path(name.removesuffix(" (deleted)")).name for name in files.values()} == {
        *("memory.db", "memory.db-wal", "memory.db-shm")
    }
    assert {(stat.S_IMODE(state.st_mode), state.st_nlink) for state in states} == {(0o600, 0)}


def test_many_threads_share_it_while_its_log_is_moved_into_its_file(memory: Store, temporary: Path) -> None:
    """What they write is several times what SQLite keeps in the WAL, so that a late connection would miss some."""
    before = list(temporary.rglob("*"))
    text = "x" * 50_000

    def work(number: int) -> list[str | None]:
        ids = [f"{number}-{each}" for each in range(25)]
        for each in ids:
            memory.put("corp", 1, each, text + each, 100)
        return [memory.get("corp", 1, each) for each in ids]

    assert in_threads(work, 8) == [[f"{text}{number}-{each}" for each in range(25)] for number in range(8)]
    assert memory.figures().rows == 200
    memory.check()
    assert list(temporary.rglob("*")) == before, "no second file was made"


def test_each_is_empty_and_sees_nothing_of_another(memory: Store) -> None:
    memory.put("corp", 1, "id", "text", 100)
    memory.add(job("a"))
    with closing(open_store("memory:")) as other:
        assert other.get("corp", 1, "id") is None
        assert other.job_figures().waiting == 0
    assert memory.get("corp", 1, "id") == "text"
    assert memory.job_figures().waiting == 1


def test_an_unusable_temporary_folder_is_named_with_the_fix(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(temporary / "missing"))
    with pytest.raises(StoreError, match=r"can't be created in .*/missing: No such file.*; set TMPDIR to a folder"):
        open_store("memory:")
