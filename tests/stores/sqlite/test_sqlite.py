import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from pathlib import Path

import pytest

from tests.stores.suites.job_samples import ageless, ids, job
from tests.stores.suites.kept_values import text_of, write
from tests.stores.suites.rig import THREADS, ManualClock, StoreFactory, in_threads, refused
from tests.stores.suites.store import StoreSuite
from tests.support.apps import ROOT
from tests.support.processes import WITH_ROUTER
from tests.support.waiting import DEADLINE, Gate
from wwspec_contracts.errors import StoreError
from wwspec_router.stores import StoreLimits
from wwspec_router.stores.base import Demand
from wwspec_router.stores.job import Outcome
from wwspec_router.stores.sqlite import jobs as sqlite_jobs
from wwspec_router.stores.sqlite.events import LAYOUT, SCHEMA, SqliteStore
from wwspec_router.stores.sqlite.file import SqliteFile

WRITER = Path(__file__).with_name("writer.py")
CLAIMER = ROOT / "tests" / "support" / "claimer.py"


class TestSqliteStore(StoreSuite):
    @pytest.fixture(scope="class")
    @classmethod
    def empty(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """A file to copy: to make the tables takes longer than most tests."""
        path = tmp_path_factory.mktemp("empty") / "empty.db"
        SqliteStore(path).close()
        return path

    @pytest.fixture
    def store_factory(self, clock: ManualClock, tmp_path: Path, empty: Path) -> StoreFactory:
        numbers = count()

        def open_empty(limits: StoreLimits) -> SqliteStore:
            path = tmp_path / f"{next(numbers)}.db"
            shutil.copyfile(empty, path)
            return SqliteStore(path, limits, clock=clock)

        return open_empty


@contextmanager
def writer(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(WRITER), *map(str, arguments)]
    with subprocess.Popen(command, env=WITH_ROUTER, stdout=subprocess.PIPE, text=True) as process:
        timer = threading.Timer(DEADLINE, process.kill)
        timer.start()
        try:
            yield process
        finally:
            timer.cancel()
            timer.join()
            process.kill()


def table_rows(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        counted = "SELECT (SELECT count(*) FROM notify) + (SELECT count(*) FROM notify_new)"
        rows: int = db.execute(counted).fetchone()[0]
        return rows


def usage(path: Path) -> tuple[int, int]:
    with closing(sqlite3.connect(path)) as db:
        rows, size = db.execute("SELECT rows, bytes FROM notify_usage").fetchone()
        newest, newest_size = db.execute("SELECT count(*), ifnull(sum(size), 0) FROM notify_new").fetchone()
        return rows + newest, size + newest_size


def test_processes_that_open_and_write_one_new_file_at_once_lose_nothing(tmp_path: Path) -> None:
    """They write so few that none waits for the others longer than a write may wait, also on a slow disk."""
    path = tmp_path / "var" / "notify.db"
    agentids, numbers = range(6), range(10)
    with ExitStack() as stack:
        processes = [stack.enter_context(writer(path, agentid, len(numbers))) for agentid in agentids]
        outputs = [process.communicate(timeout=DEADLINE)[0] for process in processes]
    assert outputs == ["".join(f"{number}\n" for number in numbers)] * len(agentids)
    with closing(SqliteStore(path)) as store:
        assert store.figures().rows == len(numbers) * len(agentids)
        for agentid in agentids:
            for number in numbers:
                assert (store.get("corp", agentid, str(number)) or "").startswith(f"secret {number} ")


def test_what_a_killed_process_had_put_is_readable(path: Path) -> None:
    with writer(path, 1, 1_000_000) as process:
        assert process.stdout is not None
        reported = [process.stdout.readline() for _ in range(100)]
        process.kill()
        reported += process.stdout.readlines()
    numbers = [line.strip() for line in reported if line.endswith("\n")]
    assert len(numbers) >= 100
    with closing(SqliteStore(path)) as store:
        assert all(store.get("corp", 1, number) for number in numbers)
        assert store.figures().rows in {len(numbers), len(numbers) + 1}
        assert usage(path)[0] == table_rows(path)
        store.put("corp", 1, "after", "text", 100)


def test_a_disk_that_refuses_to_write_is_a_clear_error_that_repeats_no_text(path: Path) -> None:
    with writer(path, 1, 1_000_000, 300_000) as process:
        output, _ = process.communicate(timeout=DEADLINE)
    *stored, refused, readable = output.splitlines()
    assert process.returncode == 3
    assert "disk" in refused
    assert "SQLITE_IOERR" in refused
    assert refused.endswith(" None None")
    assert "secret" not in refused
    assert readable == "readable True"
    with closing(SqliteStore(path)) as store:
        assert len(stored) > 5
        assert all(store.get("corp", 1, number) for number in stored)


def test_commits_wait_for_the_disk_and_the_wal_is_emptied_unless_somebody_reads_or_the_file_is_closed(
    path: Path,
) -> None:
    with closing(SqliteFile(path, LAYOUT, SCHEMA)) as file:
        full = 2
        assert file.write(lambda db: db.execute("PRAGMA synchronous").fetchone()) == (full,)
        assert file.read("PRAGMA journal_mode") == [("wal",)]
        with closing(sqlite3.connect(path)) as other:
            other.execute("BEGIN")
            other.execute("SELECT count(*) FROM notify").fetchone()
            assert not file.empty_wal()
        assert file.empty_wal()
        assert Path(f"{path}-wal").stat().st_size == 0
    assert not file.empty_wal()


@pytest.mark.parametrize("number", [LAYOUT - 1, LAYOUT + 1, 0])
def test_a_file_of_another_layout_is_refused_with_both_numbers_and_left_alone(path: Path, number: int) -> None:
    with closing(SqliteStore(path)) as store:
        store.put("corp", 1, "id", "text", 100)
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {number}")
        db.execute("PRAGMA journal_mode = DELETE")  # so that all of it is in the one file
    before = path.read_bytes()
    said = rf"^{path}: .* has the number {number}, .* knows only {LAYOUT}: .* finish .* name another path, or delete"
    with pytest.raises(StoreError, match=said):
        SqliteStore(path)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["notify.db"]


def test_files_are_private_whatever_the_umask_and_closing_leaves_one_also_when_it_is_closed_again(
    tmp_path: Path,
) -> None:
    path = tmp_path / "var" / "lib" / "notify.db"
    before = os.umask(0)
    try:
        with closing(SqliteStore(path)) as store:
            store.put("corp", 1, "id", "text", 100)
            modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
            store.close()
    finally:
        os.umask(before)
    assert modes == {"notify.db": 0o600, "notify.db-wal": 0o600, "notify.db-shm": 0o600}
    assert [stat.S_IMODE(each.stat().st_mode) for each in (path.parent, path.parent.parent)] == [0o700, 0o700]
    assert [each.name for each in path.parent.iterdir()] == ["notify.db"]


def test_a_link_to_a_missing_file_makes_a_private_file(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "target.db")
    with closing(SqliteStore(tmp_path / "link.db")):
        assert stat.S_IMODE((tmp_path / "target.db").stat().st_mode) == 0o600


def test_a_file_that_is_no_database_is_refused_and_left_alone_without_an_open_connection(path: Path) -> None:
    path.write_bytes(b"secret" * 1000)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        with refused("not a SQLite file"):
            SqliteStore(path)
    assert path.read_bytes() == b"secret" * 1000
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_damaged_file_is_a_clear_error(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        for number in range(100):
            store.put("corp", 1, str(number), "secret" * 200, 100)
    with closing(SqliteStore(path)) as store:
        content = path.read_bytes()
        path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
        for call in (store.figures, lambda: store.get("corp", 1, "1"), lambda: store.put("corp", 1, "n", "secret", 9)):
            with refused("damaged"):
                call()
    with pytest.raises(StoreError, match="damaged"):
        SqliteStore(path)


def test_text_that_was_spoilt_from_outside_is_not_repeated_in_the_error(path: Path, store: SqliteStore) -> None:
    store.put("corp", 1, "id", "text", 100)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE notify SET text = CAST(x'736563726574ff' AS TEXT)")
        db.execute("UPDATE notify_new SET text = CAST(x'736563726574ff' AS TEXT)")
    with refused():
        store.get("corp", 1, "id")
    with closing(sqlite3.connect(path)) as db:  # which a reader that still holds a snapshot would keep from it
        assert db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)


def test_the_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE other (x)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        SqliteStore(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("below", "said"),
    [(below, "can't be created") for below in ("file/notify.db", "file/var/notify.db", "nul\x00.db", "x" * 300)]
    + [("", "can't be opened")],
)
def test_a_path_that_cannot_be_created_and_a_directory_are_clear_errors(tmp_path: Path, below: str, said: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=said):
        SqliteStore(tmp_path / below)


def test_expired_rows_leave_the_table_over_time(tmp_path: Path) -> None:
    clock, path, here = ManualClock(), tmp_path / "notify.db", threading.get_ident()
    begun = clock()
    # For the store's own thread nothing expires, so what is removed here is removed by puts.
    with closing(SqliteStore(path, clock=lambda: clock() if threading.get_ident() == here else begun)) as store:
        for number in range(100):
            store.put("corp", 1, f"old {number}", "text", 10)
        clock.advance(10)
        assert table_rows(path) == 100
        for number in range(8):
            store.put("corp", 1, f"new {number}", "text", 1000)
        assert 8 < table_rows(path) < 100
        for number in range(8, 20):
            store.put("corp", 1, f"new {number}", "text", 1000)
        assert table_rows(path) == 20
        assert usage(path) == (20, 80)


def test_opening_waits_while_another_process_prepares_the_file(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other, ThreadPoolExecutor(1) as pool:
        other.execute("BEGIN EXCLUSIVE")
        opening = pool.submit(SqliteStore, path)
        with pytest.raises(TimeoutError):
            opening.result(timeout=0.1)
        other.execute("ROLLBACK")
        with closing(opening.result(timeout=DEADLINE)) as store:
            store.put("corp", 1, "id", "text", 100)


def test_a_write_that_fails_midway_leaves_nothing_behind_and_raises_its_own_error(tmp_path: Path) -> None:
    with closing(SqliteFile(tmp_path / "file.db", 1, ["CREATE TABLE numbers (number INTEGER)"])) as file:

        def work(number: int) -> bool:
            def insert(db: sqlite3.Connection) -> None:
                db.execute("INSERT INTO numbers VALUES (?)", (number,))
                if number % 4 == 0:
                    raise LookupError(str(number))

            try:
                for _ in range(10):
                    file.write(insert)
            except LookupError as error:
                return str(error) == str(number)
            return number % 4 != 0

        assert all(in_threads(work))
        rows = file.read("SELECT number FROM numbers ORDER BY number")
        assert rows == [(number,) for number in range(THREADS) if number % 4 for _ in range(10)]


def test_what_comes_alone_may_be_one_statement_and_else_runs_in_a_transaction(tmp_path: Path) -> None:
    with closing(SqliteFile(tmp_path / "file.db", 1, ["CREATE TABLE numbers (number INTEGER UNIQUE)"])) as file:

        def insert(number: int) -> str:
            def alone(db: sqlite3.Connection) -> str:
                assert not db.in_transaction
                return "alone" * db.execute("INSERT OR IGNORE INTO numbers VALUES (?)", (number,)).rowcount

            def work(db: sqlite3.Connection) -> str:
                assert db.in_transaction
                db.execute("REPLACE INTO numbers VALUES (?)", (number,))
                return "in a transaction"

            return file.write(work, alone=alone)

        assert insert(1) == "alone"
        assert insert(1) == "in a transaction"
        with pytest.raises(StoreError, match=r"file\.db"):
            file.write(lambda db: 1, alone=lambda db: db.execute("no statement").rowcount)
        assert set(in_threads(lambda number: insert(10 + number))) <= {"alone", "in a transaction"}
        rows = file.read("SELECT number FROM numbers ORDER BY number")
        assert rows == [(1,), *((10 + number,) for number in range(THREADS))]
        insert(2)  # the last of them may have been several in a transaction
        assert insert(3) == "alone"


def test_a_reopened_journal_keeps_jobs_their_attempts_outcomes_steps_and_values(tmp_path: Path) -> None:
    clock, path = ManualClock(), tmp_path / "notify.db"
    outcome = Outcome(errcode=0, result="result")
    with closing(SqliteStore(path, clock=clock)) as store:
        store.add(job("a"))
        store.add(job("b"))
        store.claim("one", 1, 100)
        store.keep_outcome("one", "a", outcome, [write("1")])
        store.keep_step("one", "a", "fetch", "2")
    with closing(SqliteStore(path, clock=clock)) as store:
        assert (text_of(store), store.steps("a")) == ("1", {"fetch": "2"})
        assert ageless(store.claim("two", 2, 100)) == [job("b", claims=1)]
        assert store.renew("one", ["a"], 100) == {"a"}
        clock.advance(100)
        assert [each for each in ageless(store.claim("two", 2, 100)) if each.job_id == "a"] == [
            job("a", claims=2, outcome=outcome)
        ]


def test_processes_that_claim_at_once_get_each_job_exactly_once(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        for number in range(200):
            store.add(job(str(number)))
    command = [sys.executable, str(CLAIMER), f"sqlite:{path}", *"abcd"]
    claimed = subprocess.run(command, env=WITH_ROUTER, stdout=subprocess.PIPE, text=True, timeout=DEADLINE, check=True)
    assert sorted(map(int, claimed.stdout.splitlines())) == list(range(200))
    with closing(SqliteStore(path)) as store:
        assert store.job_figures().waiting == store.job_figures().claimed == 0


def test_due_jobs_are_found_by_index_and_in_its_order(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "notify.db")) as store:
        for number in range(100):
            store.add(job(str(number)))
    with closing(sqlite3.connect(tmp_path / "notify.db")) as db:

        def steps(statement: str, *parameters: int | str) -> set[str]:
            plan = db.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            return {row[-1] for row in plan if " jobs" in row[-1]}

        assert steps(sqlite_jobs.DUE, "", 0, 1) == {"SEARCH jobs USING INDEX jobs_waiting (claim_name=? AND due<?)"}
        assert steps(sqlite_jobs.FIRST, 0) == {
            "SEARCH jobs USING COVERING INDEX jobs_waiting",
            "SEARCH jobs USING COVERING INDEX jobs_waiting (claim_name>?)",
            "SEARCH jobs USING COVERING INDEX jobs_waiting (claim_name=?)",
            "SEARCH jobs USING INDEX jobs_claimed (due<?)",
        }


def test_a_finished_job_leaves_no_row_behind(path: Path, store: SqliteStore) -> None:
    for each in "abc":
        store.add(job(each))
    store.claim("one", 2, 100)
    assert store.finish("one", "a")
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM job_texts").fetchone() == (2,)
        assert db.execute("SELECT rows, bytes FROM job_usage").fetchone() == (2, store.job_figures().bytes)
    store.add(job("d"))
    assert ids(store.claim("two", 9, 100)) == ["c", "d"]


def test_looking_for_jobs_where_none_is_due_waits_for_no_lock(path: Path) -> None:
    with closing(SqliteStore(path)) as store, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert store.claim("one", 1, 100) == []
        other.execute("ROLLBACK")


def test_jobs_that_are_claimed_to_run_at_once_are_begun_in_the_same_transaction(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        for each in ("a", "b"):
            store.add(job(each))
        [first] = store.claim("one", 1, 100, Demand(begins=True))
        [second] = store.claim("one", 1, 100)
        assert (first.begun, second.begun) == (True, False)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT attempts, running FROM jobs ORDER BY serial").fetchall() == [(1, 1), (0, 0)]


def test_what_nobody_waits_for_is_written_before_the_file_is_closed_and_its_failure_is_told(tmp_path: Path) -> None:
    gate = Gate()
    errors: list[Exception] = []
    file = SqliteFile(tmp_path / "notify.db", LAYOUT, SCHEMA)
    closes = threading.Thread(target=file.close)

    def note(error: Exception) -> None:
        errors.append(error)
        file.write_soon(lambda db: db.execute("INSERT INTO clock VALUES ('soon', 1.0)"), errors.append)
        closes.start()
        closes.join(0.2)  # comes to its end if it does not wait for that write

    writing = threading.Thread(target=file.write, args=(gate.hold,))
    writing.start()
    assert gate.begun.wait(DEADLINE)
    file.write_soon(lambda db: db.execute("INSERT INTO nowhere VALUES (1)"), note)
    gate.go_on.set()
    writing.join(DEADLINE)
    closes.join(DEADLINE)
    assert [str(error).endswith("(SQLITE_ERROR)") for error in errors] == [True]
    with closing(sqlite3.connect(tmp_path / "notify.db")) as db:
        assert db.execute("SELECT machine_run FROM clock").fetchall() == [("soon",)]
    file.write_soon(lambda db: None, errors.append)
    assert "closed" in str(errors[-1])
