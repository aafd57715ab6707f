from contextlib import closing
from pathlib import Path

import pytest
from msgspec import UNSET

from tests.stores.suites.job_samples import ids, job
from tests.stores.suites.keeping import check_kept_with_jobs, keeping
from tests.stores.suites.kept_values import write
from tests.stores.suites.rig import ManualClock, in_threads
from wwspec_contracts.errors import KeptConflictError
from wwspec_router.stores.base import Forgotten
from wwspec_router.stores.kept import KeptKey
from wwspec_router.stores.sqlite.events import SqliteStore


@pytest.mark.parametrize("_kill", range(8))
def test_a_process_that_is_killed_has_kept_values_with_their_jobs_or_not_at_all(path: Path, _kill: int) -> None:
    with keeping(f"sqlite:{path}") as process:
        process.kill()
        with closing(SqliteStore(path)) as store:
            check_kept_with_jobs(process, store)


def test_a_conflict_costs_no_other_write_of_its_transaction(store: SqliteStore) -> None:
    store.write_kept([write("0")])

    def work(number: int) -> bool:
        try:
            for step in range(10):
                store.add(job(f"{number} {step}"), [write(str(number), expected=None if number % 2 else UNSET)])
        except KeptConflictError:
            return number % 2 == 1
        return number % 2 == 0

    assert all(in_threads(work))
    assert store.job_figures().waiting == 16 * 10


MANY = 600
"""More than one transaction removes."""


def test_a_corp_with_much_is_forgotten_and_another_is_not(store: SqliteStore) -> None:
    for number in range(MANY):
        for corpid in ("corp", "other"):
            store.put(corpid, 1, str(number), "text", 1000)
            store.add(job(f"{corpid} {number}", corpid=corpid))
    store.write_kept([write("1", KeptKey("corp", number, "app", "n")) for number in range(MANY)])
    assert store.forget("corp") == Forgotten(events=MANY, jobs=MANY, kept=MANY, replies=0)
    assert store.figures().rows == store.job_figures().waiting == MANY
    assert all(each.startswith("other") for each in ids(store.claim("one", MANY, 100)))


def test_what_has_expired_is_removed_and_not_counted(tmp_path: Path) -> None:
    clock = ManualClock()
    with closing(SqliteStore(tmp_path / "notify.db", clock=clock)) as store:
        store.put("corp", 1, "n", "text", 60)
        store.write_kept([write("1", ttl=60)])
        clock.advance(60)
        assert store.forget("corp") == Forgotten(events=0, jobs=0, kept=0, replies=0)
