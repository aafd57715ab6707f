"""What the SQLite file promises between processes; `PendingStoreSuite` has what all stores do."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.waiting import wait_until
from wwspec_router.client import Notification, Pending, SqlitePendingStore, Stage
from wwspec_router.errors import ConfigurationError, StoreError

ROW = Pending(notification=Notification(corpid="c", notify_id="n1", scene=3), noted=1.0, due=5.0)


def test_one_of_those_that_share_a_file_leads_until_it_ends(tmp_path: Path) -> None:
    first, second = (SqlitePendingStore(tmp_path / "pending.db") for _ in range(2))
    for each in (first, second):
        each.open()
    assert [first.lead(), second.lead(), first.lead()] == [True, False, True]
    assert second.add(ROW)
    assert list(first.due(Stage.NOTED, 9.0, 10)) == [ROW]
    first.close()
    assert second.lead()
    second.close()
    assert (tmp_path / "pending.db").stat().st_mode & 0o777 == 0o600
    with pytest.raises(StoreError, match="not open"):
        first.add(ROW)


LEADER = """
import multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor
from wwspec_router.client import SqlitePendingStore
store = SqlitePendingStore(sys.argv[1])
store.open()
assert store.lead()
pool = ProcessPoolExecutor(2, multiprocessing.get_context("fork"))
list(pool.map(abs, range(2)))
print(*pool._processes, flush=True)
sys.stdin.read()
"""


def test_a_leader_that_is_killed_leaves_nothing_to_the_processes_of_its_pool(tmp_path: Path) -> None:
    store = SqlitePendingStore(tmp_path / "pending.db")
    store.open()
    leader = subprocess.Popen(
        [sys.executable, "-c", LEADER, str(tmp_path / "pending.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with leader:
        assert leader.stdout is not None
        children = [int(pid) for pid in leader.stdout.readline().split()]
        assert not store.lead()
        leader.kill()
    try:
        for child in children:
            os.kill(child, 0)  # it lives
        wait_until(store.lead)
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
        store.close()


def test_a_forked_child_neither_leads_nor_uses_the_file(tmp_path: Path) -> None:
    store = SqlitePendingStore(tmp_path / "pending.db")
    store.open()
    assert store.lead()
    child = os.fork()
    if child == 0:
        refused = False
        try:
            store.add(ROW)
        except StoreError as error:
            refused = "before a fork" in str(error)
        os._exit(0 if refused and not store.lead() else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert store.lead()
    other = SqlitePendingStore(tmp_path / "pending.db")
    other.open()
    other.close()  # of one more handle, which takes no lock from the first
    assert not _leads_elsewhere(tmp_path / "pending.db")
    store.close()
    assert _leads_elsewhere(tmp_path / "pending.db")


def _leads_elsewhere(path: Path) -> bool:
    code = "import sys; from wwspec_router.client import SqlitePendingStore as S; s = S(sys.argv[1]); s.open(); "
    code += "print(s.lead())"
    asked = subprocess.run([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True, check=True)
    return asked.stdout == "True\n"


def test_files_that_others_may_use_are_taken_from_them(tmp_path: Path) -> None:
    store = SqlitePendingStore(tmp_path / "pending.db")
    store.open()
    store.add(ROW)
    files = [tmp_path / f"pending.db{suffix}" for suffix in ("", "-wal", "-shm", ".lock")]
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}
    for each in files:
        each.chmod(0o666)
    again = SqlitePendingStore(tmp_path / "pending.db")
    again.open()
    assert again.get(("c", "n1")) == ROW
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}
    again.close()
    store.close()


@pytest.mark.parametrize("number", [0, 2])
def test_a_file_of_another_layout_is_refused_with_both_numbers_and_left_alone(tmp_path: Path, number: int) -> None:
    path = tmp_path / "pending.db"
    store = SqlitePendingStore(path)
    store.open()
    store.add(ROW)
    store.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")  # so that all of it is in the one file
        connection.execute(f"PRAGMA user_version = {number}")
    before = path.read_bytes()
    with pytest.raises(
        ConfigurationError, match=rf"{path}: .* has the number {number}, .* knows only 1: .* name another"
    ):
        store.open()
    assert path.read_bytes() == before


def test_the_file_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE messages (text)")
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match="belongs to another program: name another file"):
        SqlitePendingStore(path).open()
    assert path.read_bytes() == before


def test_a_text_that_can_not_be_stored_is_an_error_of_the_store(tmp_path: Path) -> None:
    store = SqlitePendingStore(tmp_path / "pending.db")
    store.open()
    with pytest.raises(StoreError, match="UnicodeEncodeError"):
        store.add(replace(ROW, reason="\ud800"))
    store.close()


def test_nothing_of_a_forgotten_corp_is_left_in_the_file_and_beside_it(tmp_path: Path) -> None:
    store = SqlitePendingStore(tmp_path / "pending.db")
    store.open()
    for number in range(50):
        row = Pending(notification=Notification(corpid="gone-corp", notify_id=f"n{number}"), noted=1.0, due=1.0)
        store.add(row)
        store.put(replace(row, stage=Stage.FETCHED, event="secret-text" * 10 * number, reason="secret-text"))
        store.put(replace(row, stage=Stage.DONE))
    store.add(ROW)
    assert b"secret-text" in b"".join(each.read_bytes() for each in tmp_path.iterdir())
    assert store.forget("gone-corp") == 50
    for each in tmp_path.iterdir():
        content = each.read_bytes()
        assert (content.count(b"secret-text"), content.count(b"gone-corp")) == (0, 0), each.name
    assert store.get(ROW.key) == ROW
    store.close()


def test_a_forget_whose_traces_another_process_keeps_in_the_wal_fails_and_can_be_repeated(tmp_path: Path) -> None:
    store = SqlitePendingStore(tmp_path / "pending.db")
    store.open()
    store.add(ROW)
    other = sqlite3.connect(tmp_path / "pending.db", isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT * FROM wwspec_notifications").fetchall()
    with pytest.raises(StoreError, match="another process reads the file: call forget again"):
        store.forget("c")
    other.close()
    assert store.forget("c") == 0
    assert (tmp_path / "pending.db-wal").stat().st_size == 0
    store.close()


def test_a_file_that_any_user_may_replace_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(ConfigurationError, match="any user may replace"):
        SqlitePendingStore(tmp_path / "pending.db").open()


def test_a_file_that_is_none_of_sqlite_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database at all, but long enough to look at" * 10)
    for path in (tmp_path / "text", tmp_path, tmp_path / "missing" / "pending.db"):
        with pytest.raises(ConfigurationError, match=str(path)):
            SqlitePendingStore(path).open()


def test_a_file_that_fails_says_what_to_check(tmp_path: Path) -> None:
    store = SqlitePendingStore(tmp_path / "pending.db")
    store.open()
    with sqlite3.connect(tmp_path / "pending.db") as other:
        other.execute("DROP TABLE wwspec_notifications")
    other.close()
    with pytest.raises(StoreError, match="check the disk"):
        store.add(ROW)
    store.close()
