"""SQLite files that are locked, deleted, replaced or read-only; time, and what has expired."""

import logging
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.stores.suites.job_samples import job
from tests.stores.suites.kept_values import text_of, write
from tests.stores.suites.rig import ManualClock, in_threads, refusal
from tests.support.apps import ROOT
from tests.support.processes import UNMEASURED, WITH_ROUTER, finished, waiting
from tests.support.waiting import DEADLINE, wait_until
from wwspec_contracts.errors import StoreError
from wwspec_router.process import names
from wwspec_router.stores.job import Outcome
from wwspec_router.stores.kept import KeptKey
from wwspec_router.stores.sqlite.events import SqliteStore
from wwspec_router.stores.sqlite.removal import Housekeeping

HERE = Path(__file__).parent
LOCKER = HERE / "locker.py"
SUFFIXES = ["", "-wal", "-shm"]


def run_unprivileged(*arguments: object, **environment: str) -> str:
    """Run Python bound by the modes of files; root, who owns the file here, gives up the right to pass over them."""
    bound = ["setpriv", "--bounding-set=-dac_override"] if os.getuid() == 0 else []
    done = finished(*bound, sys.executable, *map(str, arguments), env={**WITH_ROUTER, **UNMEASURED, **environment})
    return done.stdout + done.stderr


def test_a_lock_held_by_another_process_refuses_an_event_within_three_seconds(path: Path, store: SqliteStore) -> None:
    store.put("corp", 1, "before", "text", 100)

    def put(number: int) -> float:
        threading.Event().wait(number / 10)  # so that they come one after the other, while others wait
        begun = time.monotonic()
        assert "locked" in refusal(lambda: store.put("corp", 1, str(number), "text", 100))
        return time.monotonic() - begun

    with waiting("locked", LOCKER, path):
        waited = in_threads(put, 16)
        assert store.get("corp", 1, "before") == "text"
    assert all(2.5 < each < 5.0 for each in waited), waited
    store.put("corp", 1, "after", "text", 100)
    assert store.figures().rows == 2


def test_a_write_whose_lock_comes_in_time_is_done(path: Path, store: SqliteStore) -> None:
    with waiting("locked", LOCKER, path):
        threads = [
            threading.Thread(target=store.put, args=("corp", 1, str(number), "text", 100)) for number in range(8)
        ]
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert store.figures().rows == 8


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_is_deleted_or_replaced_is_noticed_logged_and_answered_as_failed(
    tmp_path: Path, path: Path, suffix: str, replaced: bool, caplog: pytest.LogCaptureFixture
) -> None:
    lost = Path(f"{path}{suffix}")
    with closing(SqliteStore(path)) as store:
        store.put("corp", 1, "id", "text", 1000)
        lost.rename(tmp_path / "away")
        if replaced:
            shutil.copy(tmp_path / "away", lost)
        wait_until(lambda: refusal(lambda: store.get("corp", 1, "id")))  # nobody asks it to look
        for call in (
            lambda: store.put("corp", 1, "new", "text", 1000),
            lambda: store.add(job("a")),
            lambda: store.claim("one", 1, 100),
            lambda: store.get("corp", 1, "id"),
            store.figures,
            store.check,
        ):
            assert f"{lost} was deleted or replaced under the running program" in refusal(call)
        assert [record.levelno for record in caplog.records] == [logging.ERROR]
        assert "put the file back, or restart the program" in caplog.text
        (tmp_path / "away").rename(lost)
        wait_until(lambda: not refusal(store.check))
        assert store.get("corp", 1, "id") == "text"
        store.put("corp", 1, "new", "text", 1000)
        assert store.figures().rows == 2


def test_no_event_that_is_put_after_the_file_was_deleted_counts_as_stored(path: Path, store: SqliteStore) -> None:
    store.put("corp", 1, "id", "text", 1000)
    wait_until(lambda: time.time() > path.parent.stat().st_mtime + 0.05)  # a folder's time has its own small steps
    path.unlink()
    assert "deleted" in refusal(lambda: store.put("corp", 1, "new", "text", 1000)), "the first one already"


@pytest.mark.parametrize("first_page", [0, 1, 40])
def test_a_file_that_was_overwritten_while_it_runs_takes_nothing_more_and_its_check_says_so(
    path: Path, first_page: int
) -> None:
    with closing(SqliteStore(path)) as store:
        for number in range(300):
            store.add(job(str(number), data="text" * 100))
    with closing(SqliteStore(path)) as store:
        store.check()
        with path.open("r+b") as file:
            begin = file.seek(first_page * 4096)
            file.write(b"x" * (path.stat().st_size - begin))
        found = refusal(lambda: store.claim("one", 1, 100))  # as each program does all the time
        assert "the file is damaged" in found or "this is not a SQLite file" in found
        for call in (store.check, lambda: store.put("corp", 1, "new", "text", 1000), lambda: store.add(job("new"))):
            assert refusal(call) == found


def test_the_check_of_an_idle_store_reads_all_tables(path: Path) -> None:
    with closing(SqliteStore(path)):
        pass
    with closing(SqliteStore(path)) as store, path.open("r+b") as file:
        store.check()
        file.seek(4096)
        file.write(b"x" * (path.stat().st_size - 4096))
        file.flush()
        assert "the file is damaged" in refusal(store.check)


def test_events_of_a_wal_that_was_deleted_are_in_the_file_after_the_end(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        store.put("corp", 1, "id", "text", 1000)
        Path(f"{path}-wal").unlink()
        assert refusal(lambda: store.put("corp", 1, "new", "text", 1000))
    with closing(SqliteStore(path)) as store:
        assert store.get("corp", 1, "id") == "text"


@pytest.mark.slow  # waits until the store looks again
def test_a_store_that_could_not_write_serves_again_when_it_can(path: Path, store: SqliteStore) -> None:
    store.check()
    with waiting("locked", LOCKER, path):
        store.check()  # as far as anybody knows
        assert "locked" in refusal(lambda: store.put("corp", 1, "id", "text", 1000))
        assert "locked" in refusal(store.check)
    store.check()


def test_a_file_that_is_not_closed_keeps_no_process_alive(tmp_path: Path) -> None:
    code = "import sys; from wwspec_router.stores import open_store; store = open_store(sys.argv[1])"
    command = [sys.executable, "-c", code, f"sqlite:{tmp_path / 'notify.db'}"]
    assert subprocess.run(command, env=WITH_ROUTER, timeout=DEADLINE, check=False).returncode == 0


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with a store of one event, whose modes a test may change."""
    path = tmp_path / "store"
    path.mkdir()
    with closing(SqliteStore(path / "notify.db")) as store:
        store.put("corp", 1, "id", "text", 1000)
    yield path
    path.chmod(0o700)


def test_a_file_that_can_not_be_written_is_refused_as_is_what_a_refused_start_has_left(folder: Path) -> None:
    file = folder / "notify.db"
    file.chmod(0o400)
    [said] = run_unprivileged(HERE / "unprivileged.py", file).splitlines()
    assert said.startswith(f"refused {file}: the file or its directory can't be written; check their owner and mode")
    file.chmod(0o600)
    left = folder / "notify.db-shm"
    assert left.stat().st_mode & 0o777 == 0o400
    said = run_unprivileged(HERE / "unprivileged.py", file)
    assert said.startswith(f"refused {left}: the file or its directory can't be written")
    left.chmod(0o600)
    assert run_unprivileged(HERE / "unprivileged.py", file) == "opened\n"


def test_a_folder_that_can_not_be_written_is_refused_when_the_file_is_opened(folder: Path) -> None:
    folder.chmod(0o500)
    said = run_unprivileged(HERE / "unprivileged.py", folder / "notify.db")
    assert said.startswith(f"refused {folder}: ")
    assert "check" in said


def test_a_disk_that_takes_nothing_is_found_out_when_the_file_is_opened(folder: Path) -> None:
    size = (folder / "notify.db").stat().st_size
    said = run_unprivileged(HERE / "unprivileged.py", folder / "notify.db", WWSPEC_FILE_BYTES="16")
    assert said.startswith("refused ")
    assert "disk" in said
    assert (folder / "notify.db").stat().st_size == size


def test_a_program_whose_file_can_not_be_written_opens_no_port(folder: Path) -> None:
    (folder / "notify.db").chmod(0o400)
    serve = ("-m", "wwspec_router", "serve", "--sdk", "emulator", "--port", "0")
    said = run_unprivileged(*serve, "--app", ROOT, "--store", f"sqlite:{folder / 'notify.db'}")
    assert "can't be written" in said
    assert "Traceback" not in said
    assert "http://" not in said


def rows(path: Path, *tables: str) -> list[int]:
    with closing(sqlite3.connect(path)) as db:
        return [db.execute(f"SELECT count(*) FROM {each}").fetchone()[0] for each in tables]  # noqa: S608 - our tables


def test_expired_events_and_values_leave_the_file_without_a_further_write(tmp_path: Path) -> None:
    path, clock = tmp_path / "notify.db", ManualClock()
    with closing(SqliteStore(path, clock=clock)) as store:
        for number in range(300):
            store.put("corp", 1, str(number), "text", 100 if number else 1000)
        store.write_kept([write("1", KeptKey("corp", number, "app", "n"), ttl=100) for number in range(200)])
        store.write_kept([write("2")])
        clock.advance(100)
        wait_until(lambda: rows(path, "notify", "kept") == [1, 1])
        assert (store.get("corp", 1, "0"), text_of(store)) == ("text", "2")
        assert store.figures().rows == 1
        assert rows(path, "kept_corps") == [1]


def test_a_clock_that_is_set_ahead_ends_no_event_and_no_lease(path: Path, store: SqliteStore) -> None:
    store.put("corp", 1, "id", "text", 1200)
    store.add(job("claimed"))
    store.claim("one", 1, 600)
    store.add(job("waiting"))
    done = finished(sys.executable, HERE / "other_clock.py", path, "1800", env=WITH_ROUTER)
    assert (done.stdout, done.stderr) == ("text ['waiting']\n", "")
    assert store.renew("one", ["claimed"], 600) == {"claimed"}


def test_a_clock_that_is_set_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    right = time.time
    with closing(SqliteStore(tmp_path / "notify.db")) as store:
        store.put("corp", 1, "id", "text", 1200)
        monkeypatch.setattr(time, "time", lambda: right() + 1800)
        wait_until(lambda: caplog.records)
        assert "the system's clock was set by +1800 s, not for stored events and jobs" in caplog.text
        assert store.get("corp", 1, "id") == "text"


def test_where_the_machine_does_not_say_when_it_was_started_times_follow_its_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(names, "_BOOT", tmp_path / "none")
    ahead, right = 0.0, time.time
    monkeypatch.setattr(time, "time", lambda: right() + ahead)
    with closing(SqliteStore(tmp_path / "notify.db")) as store:
        store.put("corp", 1, "id", "text", 1200)
        ahead = 1800.0
        assert store.get("corp", 1, "id") is None
        wait_until(lambda: caplog.records)
        assert "the system's clock was set by +1800 s, also for stored events and jobs" in caplog.text


def test_the_time_for_which_a_machine_was_off_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, boot, right = tmp_path / "notify.db", tmp_path / "boot_id", time.time
    monkeypatch.setattr(names, "_BOOT", boot)
    boot.write_text("first")
    with closing(SqliteStore(path)) as store:
        store.put("corp", 1, "short", "text", 1200)
        store.put("corp", 1, "long", "text", 3600)
    boot.write_text("second")
    monkeypatch.setattr(time, "time", lambda: right() + 1800)
    with closing(SqliteStore(path)) as store:
        assert (store.get("corp", 1, "short"), store.get("corp", 1, "long")) == (None, "text")


def test_texts_of_what_left_the_store_leave_file_and_wal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wwspec_router.stores.sqlite.events.WAL_KEPT", 0.0)
    path, clock = tmp_path / "notify.db", ManualClock()
    texts = [f"<{kind} {number}>" for kind in ("event", "request", "reply") for number in range(16)]
    with closing(SqliteStore(path, clock=clock)) as store:
        for event, request, reply in zip(texts[:16], texts[16:32], texts[32:], strict=True):
            store.put("corp", 1, event, event * 50, 10)
            store.add(job(request, data=request * 900))
            store.claim("owner", 1, 100)
            store.keep_outcome("owner", request, Outcome(errcode=0, result=reply * 900))
        for request in texts[16:32]:
            store.finish("owner", request)
        clock.advance(11)

        def readable() -> list[str]:
            kept = b"".join(Path(f"{path}{suffix}").read_bytes() for suffix in SUFFIXES)
            return [text for text in texts if text.encode() in kept]

        wait_until(lambda: not readable())


class Failing:
    """Something to look after that fails the first time."""

    def __init__(self, error: Exception) -> None:
        self._error: Exception | None = error
        self.worked = threading.Event()

    def work(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error
        self.worked.set()


@pytest.mark.parametrize(("error", "is_logged"), [(ValueError("a secret"), True), (StoreError("known"), False)])
def test_a_failure_is_followed_by_a_retry(error: Exception, is_logged: bool, caplog: pytest.LogCaptureFixture) -> None:
    failing = Failing(error)
    housekeeping = Housekeeping(failing.work)
    assert failing.worked.wait(DEADLINE)
    housekeeping.close()
    housekeeping.close()
    assert ("housekeeping of the store failed: ValueError" in caplog.text) is is_logged
    assert "secret" not in caplog.text
