"""The newest events of a SQLite file: one page of their own, until they are moved to their table."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import product
from pathlib import Path

import pytest

from tests.stores.suites.rig import ManualClock
from tests.support.waiting import wait_until
from wwspec_contracts.errors import StoreFullError
from wwspec_router.stores import StoreLimits
from wwspec_router.stores.capacity import StoreFigures
from wwspec_router.stores.sqlite.events import SqliteStore

EVENT = "x" * 125
TEXTS = ("", EVENT, "x" * 760, "x" * 761, "事件" * 100, "x" * 5000)
IDS = ("id", "0" * 39, "1" * 200, "号" * 90)


@pytest.fixture
def unwatched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is moved once a second."""
    monkeypatch.setattr("wwspec_router.stores.sqlite.removal.EVERY", 3600.0)


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(path, clock=ManualClock())) as store:
        yield store


def selected(path: Path, statement: str) -> int:
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute(statement).fetchone()[0])


def newest(path: Path) -> int:
    return selected(path, "SELECT count(*) FROM notify_new")


@pytest.mark.usefixtures("unwatched")
@pytest.mark.parametrize(("first", "second"), list(product(TEXTS, TEXTS)))
def test_an_event_is_found_and_replaced_wherever_it_is(store: SqliteStore, path: Path, first: str, second: str) -> None:
    for notify_id in IDS:
        store.put("corp", 1, notify_id, first, 1000)
        store.put("corp", 2, notify_id, EVENT, 1000)
    assert [store.get("corp", 1, each) for each in IDS] == [first] * len(IDS)
    for notify_id in IDS:
        store.put("corp", 1, notify_id, second, 1000)
        assert store.get("corp", 1, notify_id) == second
        assert store.get("corp", 2, notify_id) == EVENT
        assert store.get("another corp", 1, notify_id) is None
    size = len(IDS) * (len(second.encode()) + len(EVENT))
    assert store.figures() == StoreFigures(rows=2 * len(IDS), bytes=size)
    store.close()
    assert newest(path) == 0
    assert selected(path, "SELECT rows FROM notify_usage") == 2 * len(IDS)
    with closing(SqliteStore(path, clock=ManualClock())) as reopened:
        assert reopened.figures() == StoreFigures(rows=2 * len(IDS), bytes=size)
        assert [reopened.get("corp", 1, each) for each in IDS] == [second] * len(IDS)


@pytest.mark.usefixtures("unwatched")
@pytest.mark.parametrize(("rows", "size"), [(50, 1 << 20), (1000, 50 * len(EVENT))])
def test_bounds_are_exact_for_all_stores_of_a_file(path: Path, rows: int, size: int) -> None:
    limits, clock = StoreLimits(max_rows=rows, max_bytes=size), ManualClock()
    with (
        closing(SqliteStore(path, limits, clock=clock)) as one,
        closing(SqliteStore(path, limits, clock=clock)) as other,
    ):
        for number in range(50):
            (one if number % 3 else other).put("corp", 1, str(number), EVENT, 10 if number % 2 else 1000)
        for each in (one, other):
            with pytest.raises(StoreFullError):
                each.put("corp", 1, "too many", EVENT, 1000)
            assert each.figures() == StoreFigures(rows=50, bytes=50 * len(EVENT))
        one.put("corp", 1, "49", EVENT, 10)  # it replaces one
        clock.advance(10)
        assert other.figures().rows == 25
        for number in range(25):
            other.put("corp", 1, f"new {number}", EVENT, 1000)
        with pytest.raises(StoreFullError):
            one.put("corp", 1, "too many", EVENT, 1000)
        assert one.figures().rows == 50


def test_the_newest_events_are_moved_without_a_further_put(store: SqliteStore, path: Path) -> None:
    store.put("corp", 1, "id", EVENT, 1000)
    wait_until(lambda: newest(path) == 0)
    assert store.get("corp", 1, "id") == EVENT
    assert store.figures() == StoreFigures(rows=1, bytes=len(EVENT))
