"""What the SQLite file promises between processes; `PendingStoreSuite` has what all stores do."""

import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.client.test_forks import child
from wwspec_client import Notification
from wwspec_client.stores import Pending, SqlitePendingStore, Stage
from wwspec_contracts.errors import ConfigurationError, StoreError

ROW = Pending(notification=Notification(corpid="c", notify_id="n1", scene=3), noted=1.0, due=5.0)


CLAIMS = """
import sys
from wwspec_client.stores import SqlitePendingStore, Stage
store = SqlitePendingStore(sys.argv[1])
store.open()
print(store.claim(Stage.NOTED, 10.0, 40.0).key, flush=True)
sys.stdin.read()
"""


def test_the_row_of_a_process_that_is_killed_is_claimed_when_its_lease_is_over(
    store: SqlitePendingStore, path: Path
) -> None:
    store.add(ROW)
    command = [sys.executable, "-c", CLAIMS, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{ROW.key}\n"
        process.kill()
    assert store.claim(Stage.NOTED, 39.9, 70.0) is None
    assert store.claim(Stage.NOTED, 40.0, 70.0) == ROW


def test_a_forked_child_does_not_use_the_file(store: SqlitePendingStore) -> None:
    def add() -> None:
        with pytest.raises(StoreError, match="before a fork"):
            store.add(ROW)

    with child(add):
        pass
    assert store.add(ROW)


def test_a_process_that_finds_nothing_due_waits_for_no_other_that_writes(store: SqlitePendingStore, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert store.claim(Stage.NOTED, 10.0, 40.0) is None
    other.close()


def test_files_that_others_may_use_are_taken_from_them(store: SqlitePendingStore, path: Path) -> None:
    store.add(ROW)
    files = [path.with_name(f"pending.db{suffix}") for suffix in ("", "-wal", "-shm")]
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}
    for each in files:
        each.chmod(0o666)
    again = SqlitePendingStore(path)
    again.open()
    assert again.get(("c", "n1")) == ROW
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}
    again.close()


@pytest.mark.parametrize("number", [0, 2])
def test_a_file_of_another_layout_is_refused_with_both_numbers_and_left_alone(
    store: SqlitePendingStore, path: Path, number: int
) -> None:
    store.add(ROW)
    store.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")  # so that all of it is in the one file
        connection.execute(f"PRAGMA user_version = {number}")
    before = path.read_bytes()
    said = rf"{path}: .* has the number {number}, .* knows only 1: .* name another"
    with pytest.raises(ConfigurationError, match=said):
        store.open()
    assert path.read_bytes() == before


def test_a_file_that_is_not_the_store_s_own_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE messages (text)")
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match="belongs to another program: name another file"):
        SqlitePendingStore(path).open()
    assert path.read_bytes() == before
    (tmp_path / "text").write_text("no database at all, but long enough to look at" * 10)
    for path in (tmp_path / "text", tmp_path, tmp_path / "missing" / "pending.db"):
        with pytest.raises(ConfigurationError, match=str(path)):
            SqlitePendingStore(path).open()


def test_a_file_that_any_user_may_replace_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(ConfigurationError, match="any user may replace"):
        SqlitePendingStore(tmp_path / "pending.db").open()


def test_a_store_that_fails_or_is_closed_says_so(store: SqlitePendingStore, path: Path) -> None:
    with pytest.raises(StoreError, match="UnicodeEncodeError"):
        store.add(replace(ROW, reason="\ud800"))
    with sqlite3.connect(path) as other:
        other.execute("DROP TABLE wwspec_notifications")
    other.close()
    with pytest.raises(StoreError, match="check the disk"):
        store.add(ROW)
    store.close()
    with pytest.raises(StoreError, match="not open"):
        store.add(ROW)


def test_nothing_of_a_forgotten_corp_is_left_in_the_file_and_beside_it(store: SqlitePendingStore, path: Path) -> None:
    for number in range(50):
        row = Pending(notification=Notification(corpid="gone-corp", notify_id=f"n{number}"), noted=1.0, due=1.0)
        store.add(row)
        store.put(replace(row, stage=Stage.FETCHED, event="secret-text" * 10 * number, reason="secret-text"))
        store.put(replace(row, stage=Stage.DONE))
    store.add(ROW)
    assert b"secret-text" in b"".join(each.read_bytes() for each in path.parent.iterdir())
    assert store.forget("gone-corp") == 50
    for each in path.parent.iterdir():
        content = each.read_bytes()
        assert (content.count(b"secret-text"), content.count(b"gone-corp")) == (0, 0), each.name
    assert store.get(ROW.key) == ROW


def test_a_forget_whose_traces_another_process_keeps_in_the_wal_fails_and_can_be_repeated(
    store: SqlitePendingStore, path: Path
) -> None:
    store.add(ROW)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT * FROM wwspec_notifications").fetchall()
    with pytest.raises(StoreError, match="another process reads the file: call forget again"):
        store.forget("c")
    other.close()
    assert store.forget("c") == 0
    assert (path.with_name("pending.db-wal")).stat().st_size == 0
