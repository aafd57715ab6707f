"""What a process has claimed is free when the process is gone, not only when its leases end."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.stores.suites.job_samples import job
from tests.support.processes import waiting
from tests.support.waiting import wait_until
from wwspec_router.stores.once import OnceClaim
from wwspec_router.stores.sqlite.events import SqliteStore

HOLDER = Path(__file__).with_name("holder.py")
"""Claims the job and a key."""
CLAIM = OnceClaim(key="a1", token="2", request="f00d")  # noqa: S106 - no secret


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "jobs.db"
    with closing(SqliteStore(path)) as store:
        store.add(job("a"))
    return path


def is_free(store: SqliteStore) -> bool:
    """Return whether the job and the key are free, and neither is alone."""
    found, holder = store.claim("the next", 1, 3600), store.claim_once(CLAIM, 3600)
    assert bool(found) == (holder is None)
    return bool(found)


def rename(path: Path, old: str, new: str) -> None:
    """Change the names of the processes that have claimed something."""
    with closing(sqlite3.connect(path)) as db:
        for table in ("jobs", "once"):
            db.execute(f"UPDATE {table} SET process = replace(process, ?, ?)", (old, new))  # noqa: S608 - our tables
        db.commit()


def test_the_next_process_has_the_claims_of_one_that_was_killed_at_once(path: Path) -> None:
    with waiting("claimed", HOLDER, path):
        pass
    with closing(SqliteStore(path)) as store:
        [found] = store.claim("the next", 1, 3600)
        assert (found.job_id, found.suspect, found.attempt, found.claims) == ("a", True, 1, 2)
        assert store.claim_once(CLAIM, 3600) is None
        assert not store.begin("the holder", "a"), "it owns the job no more"


def test_a_job_that_ends_one_process_after_the_other_waits_longer_each_time(path: Path) -> None:
    for _ in range(2):
        with waiting("claimed", HOLDER, path):
            pass
    with closing(SqliteStore(path)) as store:
        assert not store.claim("the next", 1, 3600)
        assert store.claim_once(CLAIM, 3600) is None, "a call waits for its key"
    with closing(SqliteStore(path, clock=lambda: time.time() + 3.5)) as store:
        assert store.claim("the next", 1, 3600)


def test_a_process_that_runs_has_them_within_a_second_and_not_while_the_other_lives(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        with waiting("claimed", HOLDER, path):
            with closing(SqliteStore(path)) as another:
                assert not is_free(another)
            assert not is_free(store)
        wait_until(lambda: store.claim("the next", 1, 3600))
        assert store.claim_once(CLAIM, 3600) is None, "both are freed together"


def test_a_later_process_of_the_same_pid_is_another_one(path: Path) -> None:
    with waiting("claimed", HOLDER, path) as process:
        rename(path, f" {process.pid} ", f" {process.pid} 1")
        with closing(SqliteStore(path)) as store:
            assert is_free(store)


@pytest.mark.parametrize("place", ["pid:[", "-"])
def test_of_another_namespace_or_start_of_the_machine_the_leases_count(path: Path, place: str) -> None:
    with waiting("claimed", HOLDER, path):
        rename(path, place, f"{place}1")
    with closing(SqliteStore(path)) as store:
        assert not is_free(store)
