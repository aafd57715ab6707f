"""Both stores keep the same promises; the SQLite file also those between processes."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from wwspec_router.client import MemoryPendingStore, Notification, Pending, PendingStore, SqlitePendingStore
from wwspec_router.client.notify.models import Stage
from wwspec_router.errors import ConfigurationError, StoreError

ROW = Pending(notification=Notification(corpid="c", notify_id="n1", scene=3), noted=1.0, due=5.0)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> PendingStore:
    found = MemoryPendingStore() if request.param == "memory" else SqlitePendingStore(tmp_path / "pending.db")
    found.open()
    request.addfinalizer(found.close)
    return found


def test_a_row_is_added_once_changed_found_when_it_is_due_and_pruned(store: PendingStore) -> None:
    other = replace(ROW, notification=Notification(corpid="d", notify_id="n1"))
    assert [store.add(ROW), store.add(replace(ROW, due=9.0)), store.add(other)] == [True, False, True]
    assert store.get(("c", "n1")) == ROW
    assert store.get(("c", "n2")) is None
    assert list(store.due(Stage.NOTED, 4.9, 10)) == []
    assert list(store.due(Stage.NOTED, 5.0, 10)) == [ROW, other]
    assert list(store.due(Stage.NOTED, 5.0, 1)) == [ROW]
    fetched = replace(ROW, stage=Stage.FETCHED, event='{"a": "中"}', attempts=2, reason="r", due=6.0)
    store.put(fetched)
    assert list(store.due(Stage.NOTED, 9.0, 10)) == [other]
    assert list(store.due(Stage.FETCHED, 9.0, 10)) == [fetched]
    assert [store.prune(Stage.FETCHED, 6.0), store.prune(Stage.FETCHED, 6.1)] == [0, 1]
    assert store.get(("c", "n1")) is None


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
