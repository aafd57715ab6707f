"""What every `PendingStore` does."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from wwspec_router.client import Key, Notification, Pending, PendingStore, Stage
from wwspec_router.testing.stores.rig import SETTINGS, TEXTS, Loop, Suite

CORPS = ("corp", "Corp", "corp2")
"""All corps of these tests: names that differ by their case only are two."""
KEYS: list[Key] = [(corpid, notify_id) for corpid in CORPS for notify_id in ("n1", "N1", "n2")]
TIMES = st.integers(0, 9).map(float)
STAGES = st.sampled_from(Stage)

Opened = Callable[[], PendingStore]


def row_of(key: Key, **changes: Any) -> Pending:
    """Return a new row."""
    notification = Notification(corpid=key[0], notify_id=key[1], scene=3, create_time=7, receive_id="suite")
    return replace(Pending(notification=notification, noted=1.0, due=1.0), **changes)


ROW = row_of(KEYS[0])


def empty(store: PendingStore, call: Loop) -> None:
    """Remove all rows of these tests."""
    for corpid in CORPS:
        call(store.forget(corpid))


class PendingStoreSuite(Suite):
    """What every store of pending rows does; its fixture is `open_store`.

    `open_store` returns a function. Each call returns one more store, which nobody has opened; all have the same rows,
    none at first. A store in memory may have rows of its own.
    """

    @pytest.fixture
    def open_store(self) -> Callable[[], Any]:
        """Give the stores to try."""
        raise NotImplementedError("give the fixture open_store")

    @pytest.fixture
    def opened(self, open_store: Callable[[], Any], call: Loop) -> Iterator[Callable[[], Any]]:
        """Open stores, and close them after the test."""
        stores: list[PendingStore] = []

        def opened() -> PendingStore:
            store: PendingStore = open_store()
            call(store.open())
            stores.append(store)
            return store

        yield opened
        for each in stores:
            call(each.close())

    @pytest.fixture
    def store(self, opened: Callable[[], Any]) -> Any:
        """Return an open store without rows."""
        return opened()

    def test_a_lone_process_works_on_rows(self, store: PendingStore, call: Loop) -> None:
        assert call(store.lead()) is True

    def test_a_row_is_added_once(self, store: PendingStore, call: Loop) -> None:
        assert call(store.get(ROW.key)) is None
        assert call(store.add(ROW)) is True
        assert call(store.add(replace(ROW, attempts=9, event="other"))) is False
        assert call(store.get(ROW.key)) == ROW

    def test_keys_that_differ_in_anything_are_of_two_rows(self, store: PendingStore, call: Loop) -> None:
        others = [("corp ", "n1"), ("corp", "n1 "), ("corp", "n" * 128), ("corp", "n" * 127)]
        keys = [*KEYS, *others]
        assert [call(store.add(row_of(key))) for key in keys] == [True] * len(keys)
        assert [call(store.get(key)) for key in keys] == [row_of(key) for key in keys]
        assert call(store.get(("corp", "n3"))) is None

    @SETTINGS
    @given(data=st.data(), stage=STAGES, event=TEXTS, reason=TEXTS)
    def test_a_row_is_read_as_it_was_put(
        self, store: PendingStore, call: Loop, data: st.DataObject, stage: Stage, event: str, reason: str
    ) -> None:
        empty(store, call)
        times = data.draw(st.tuples(*[st.floats(0, 2**33)] * 2))
        notification = Notification(
            corpid="corp",
            notify_id="n1",
            scene=data.draw(st.integers(0, 2**53)),
            create_time=data.draw(st.integers(0, 2**53)),
            receive_id=data.draw(TEXTS),
            agentid=data.draw(TEXTS),
        )
        first = Pending(notification=notification, noted=times[0], due=times[1], stage=stage, event=event)
        assert call(store.add(first))
        assert call(store.get(first.key)) == first
        changed = replace(first, stage=data.draw(STAGES), due=times[0], attempts=data.draw(st.integers(0, 2**31 - 1)))
        changed = replace(changed, event=reason, reason=reason)
        call(store.put(changed))
        assert call(store.get(first.key)) == changed
        assert list(call(store.due(changed.stage, math.inf, 2**31))) == [changed]

    def test_a_long_event_is_kept_whole(self, store: PendingStore, call: Loop) -> None:
        long = replace(ROW, event="消息🙂" * 100_000)
        call(store.add(ROW))
        call(store.put(long))
        assert call(store.get(ROW.key)) == long

    def test_a_row_that_is_not_stored_is_not_put(self, store: PendingStore, call: Loop) -> None:
        call(store.put(ROW))
        assert call(store.get(ROW.key)) is None

    def test_rows_of_a_stage_are_due_in_the_order_of_their_arrival(self, store: PendingStore, call: Loop) -> None:
        rows = [row_of(key, due=9.0 - number) for number, key in enumerate(KEYS[:4])]
        for each in rows:
            call(store.add(each))
        assert list(call(store.due(Stage.NOTED, 9.0, 9))) == rows
        assert list(call(store.due(Stage.NOTED, 9.0, 2))) == rows[:2]
        assert list(call(store.due(Stage.NOTED, 7.9, 9))) == rows[2:]
        assert list(call(store.due(Stage.FETCHED, 9.0, 9))) == []
        again = replace(rows[0], stage=Stage.FETCHED)
        for each in (replace(rows[3], stage=Stage.FETCHED), again):
            call(store.put(each))
        assert [each.key for each in call(store.due(Stage.FETCHED, math.inf, 2**31))] == [rows[0].key, rows[3].key]

    def test_old_rows_of_a_stage_are_removed(self, store: PendingStore, call: Loop) -> None:
        done = [row_of(key, stage=Stage.DONE, due=float(number)) for number, key in enumerate(KEYS[:4])]
        for each in (*done, row_of(KEYS[4], due=0.0)):
            call(store.add(each))
        assert call(store.prune(Stage.DONE, 2.0)) == 2
        assert call(store.prune(Stage.DONE, 2.0)) == 0
        assert list(call(store.due(Stage.DONE, 9.0, 9))) == done[2:]
        assert call(store.get(KEYS[4])) is not None
        assert call(store.add(done[0])) is True

    def test_all_rows_of_a_corp_are_forgotten_and_no_others(self, store: PendingStore, call: Loop) -> None:
        for key, stage in zip(KEYS, [*Stage, *Stage], strict=False):
            call(store.add(row_of(key, stage=stage)))
        assert call(store.forget("corp")) == 3
        assert call(store.forget("corp")) == 0
        assert [key[0] for key in KEYS if call(store.get(key))] == ["Corp"] * 3 + ["corp2"] * 3

    def test_rows_are_there_after_a_restart_if_the_store_says_so(
        self, opened: Callable[[], PendingStore], call: Loop
    ) -> None:
        store = opened()
        call(store.add(ROW))
        call(store.put(replace(ROW, attempts=1)))
        call(store.close())
        if store.durable:
            again = opened()
            assert call(again.get(ROW.key)) == replace(ROW, attempts=1)
            assert call(again.add(ROW)) is False

    def test_of_many_threads_that_add_a_row_one_does(self, store: PendingStore, call: Loop) -> None:
        for number in range(self.rounds):
            row = row_of(("corp", f"n{number}"))
            added = self.together(partial(self._add, store, call, row))
            assert sorted(added) == [False] * (self.threads - 1) + [True]
            assert call(store.get(row.key)) == replace(row, attempts=added.index(True))

    @staticmethod
    def _add(store: PendingStore, call: Loop, row: Pending, thread: int) -> bool:
        return call(store.add(replace(row, attempts=thread)))

    def test_in_every_history_it_does_the_same_as_a_dict(self, store: PendingStore, call: Loop) -> None:
        class Machine(_Machine):
            def __init__(self) -> None:
                super().__init__(store, call)

        self.try_histories(Machine)


class _Machine(RuleBasedStateMachine):
    """Compares a store with a dict, whose order is that of the arrival."""

    def __init__(self, store: PendingStore, call: Loop) -> None:
        super().__init__()
        self.store = store
        self.call = call
        self.rows: dict[Key, Pending] = {}
        empty(store, call)

    @rule(key=st.sampled_from(KEYS), stage=STAGES, due=TIMES)
    def add(self, key: Key, stage: Stage, due: float) -> None:
        row = row_of(key, stage=stage, due=due)
        assert self.call(self.store.add(row)) is (key not in self.rows)
        self.rows.setdefault(key, row)

    @rule(key=st.sampled_from(KEYS), stage=STAGES, due=TIMES, event=TEXTS)
    def put(self, key: Key, stage: Stage, due: float, event: str) -> None:
        row = row_of(key, stage=stage, due=due, event=event, attempts=1)
        self.call(self.store.put(row))
        if key in self.rows:
            self.rows[key] = row

    @precondition(lambda self: self.rows)
    @rule(stage=STAGES, before=TIMES)
    def prune(self, stage: Stage, before: float) -> None:
        old = [key for key, row in self.rows.items() if row.stage is stage and row.due < before]
        assert self.call(self.store.prune(stage, before)) == len(old)
        for key in old:
            del self.rows[key]

    @rule(corpid=st.sampled_from(CORPS))
    def forget(self, corpid: str) -> None:
        gone = [key for key in self.rows if key[0] == corpid]
        assert self.call(self.store.forget(corpid)) == len(gone)
        for key in gone:
            del self.rows[key]

    @rule(stage=STAGES, now=TIMES, limit=st.integers(1, 5))
    def ask(self, stage: Stage, now: float, limit: int) -> None:
        due = [row for row in self.rows.values() if row.stage is stage and row.due <= now]
        assert list(self.call(self.store.due(stage, now, limit))) == due[:limit]

    @invariant()
    def has_the_same_rows(self) -> None:
        found = [self.call(self.store.get(key)) for key in KEYS]
        assert [row for row in found if row] == [self.rows[key] for key in KEYS if key in self.rows]
