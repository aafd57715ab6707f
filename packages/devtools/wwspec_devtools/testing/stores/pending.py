"""What every `PendingStore` does, and what one does whose rows several processes share."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from threading import Lock
from typing import Any

import pytest
from hypothesis import given, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from wwspec_client import Notification
from wwspec_client.stores import Key, Pending, PendingStore, Stage
from wwspec_devtools.testing.stores.rig import SETTINGS, TEXTS, Loop, Suite

CORPS = ("corp", "Corp", "corp2")
"""All corps of these tests: names that differ by their case only are two."""
KEYS: list[Key] = [(corpid, notify_id) for corpid in CORPS for notify_id in ("n1", "N1", "n2")]
STAGES = st.sampled_from(Stage)


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

    @pytest.fixture
    def stores(self, store: Any) -> list[Any]:
        """Return all stores over the same rows that a test uses."""
        return [store]

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

    def test_a_row_is_had_until_its_time_is_over(self, store: PendingStore, call: Loop) -> None:
        first, second = rows = [row_of(key) for key in KEYS[:2]]
        for row in rows:
            call(store.add(row))
        assert call(store.claim(Stage.FETCHED, 2.0, 32.0)) is None
        assert call(store.claim(Stage.NOTED, 0.9, 32.0)) is None
        assert call(store.claim(Stage.NOTED, 2.0, 32.0)) == first
        assert call(store.claim(Stage.NOTED, 3.0, 33.0)) == second
        assert call(store.claim(Stage.NOTED, 31.9, 90.0)) is None
        assert call(store.claim(Stage.NOTED, 32.5, 90.0)) == first
        assert call(store.claim(Stage.NOTED, 33.5, 90.0)) == second

    def test_a_row_is_had_for_longer_or_until_it_is_released(self, store: PendingStore, call: Loop) -> None:
        call(store.add(ROW))
        assert set(call(store.renew([ROW.key], 62.0))) == set(), "nobody has claimed it"
        call(store.claim(Stage.NOTED, 2.0, 32.0))
        assert set(call(store.renew([ROW.key, KEYS[1]], 62.0))) == {ROW.key}
        assert set(call(store.renew([], 62.0))) == set()
        assert call(store.claim(Stage.NOTED, 40.0, 70.0)) is None
        assert set(call(store.renew([ROW.key], 92.0))) == {ROW.key}, "a late renewal counts, as nobody has the row"
        fetched = replace(ROW, stage=Stage.FETCHED)
        call(store.put(fetched))
        assert call(store.claim(Stage.FETCHED, 70.0, 100.0)) is None, "to put a row has released it"
        call(store.release(ROW.key))
        assert set(call(store.renew([ROW.key], 99.0))) == set()
        assert call(store.claim(Stage.FETCHED, 70.0, 100.0)) == fetched

    def test_of_many_threads_each_row_has_one_at_a_time(self, stores: list[PendingStore], call: Loop) -> None:
        held: set[Key] = set()
        done: list[Key] = []
        lock = Lock()
        rows = [row_of(("corp", f"n{number}")) for number in range(self.rounds)]
        for row in rows:
            call(stores[0].add(row))

        def work(thread: int) -> None:
            store = stores[thread % len(stores)]
            while (row := call(store.claim(Stage.NOTED, 2.0, 32.0))) is not None:
                with lock:
                    assert row.key not in held, "two have the row"
                    held.add(row.key)
                call(store.put(replace(row, stage=Stage.NOTED if not row.attempts else Stage.DONE, attempts=1)))
                with lock:
                    held.remove(row.key)
                    done.append(row.key)
                call(store.release(row.key))

        while len(done) < 2 * len(rows):
            before = len(done)
            self.together(work)
            assert len(done) > before, "rows are left that nobody gets"
        assert sorted(done) == sorted([row.key for row in rows] * 2)

    def test_in_every_history_it_does_the_same_as_a_dict(self, stores: list[PendingStore], call: Loop) -> None:
        self.try_histories(_Machine, stores, call)


class SharedPendingStoreSuite(PendingStoreSuite):
    """What every store does whose rows several processes share; `open_store` is that of `PendingStoreSuite`."""

    @pytest.fixture
    def stores(self, store: Any, opened: Callable[[], Any]) -> list[Any]:
        """Return the stores of two processes."""
        return [store, opened()]

    def test_a_row_of_one_whose_clock_is_a_day_ahead_is_for_anybody(
        self, stores: list[PendingStore], call: Loop
    ) -> None:
        one, other = stores
        row = row_of(KEYS[0])
        call(one.add(row))
        assert call(one.claim(Stage.NOTED, 86400.0, 86430.0)) == row
        assert call(other.claim(Stage.NOTED, 2.0, 32.0)) == row
        call(other.release(row.key))
        assert call(one.claim(Stage.NOTED, 31.0, 61.0)) == row
        assert call(other.claim(Stage.NOTED, 2.0, 32.0)) is None, (
            "a clock that is less than a lease ahead did not count"
        )

    def test_a_row_that_is_released_is_for_anybody(self, stores: list[PendingStore], call: Loop) -> None:
        one, other = stores
        row = row_of(KEYS[0])
        call(one.add(row))
        call(one.claim(Stage.NOTED, 2.0, 32.0))
        call(other.release(row.key))
        assert call(other.claim(Stage.NOTED, 2.0, 32.0)) is None, "another one's release counted"
        call(one.release(row.key))
        assert call(other.claim(Stage.NOTED, 2.0, 32.0)) == row
        call(one.release(row.key))
        assert call(one.claim(Stage.NOTED, 2.0, 32.0)) is None, "a release of what was had before counted"

    def test_a_row_that_another_one_has_got_meanwhile_is_lost(self, stores: list[PendingStore], call: Loop) -> None:
        one, other = stores
        keys = KEYS[:4]
        for key in keys:
            call(one.add(row_of(key)))
            call(one.claim(Stage.NOTED, 2.0, 32.0))
        assert call(other.claim(Stage.NOTED, 33.0, 63.0)) == row_of(keys[0])
        assert call(other.claim(Stage.NOTED, 33.0, 63.0)) == row_of(keys[1])
        call(other.put(row_of(keys[1], stage=Stage.DONE)))
        call(other.release(keys[1]))
        call(one.release(keys[2]))
        assert set(call(one.renew(keys, 99.0))) == {keys[3]}
        assert set(call(other.renew(keys, 99.0))) == {keys[0]}
        call(other.forget(keys[0][0]))
        assert set(call(other.renew(keys, 99.0))) == set()


NUMBERS = st.integers(0, 1)
LEASE = 30.5


class _Machine(RuleBasedStateMachine):
    """Compares stores over the same rows with a dict, in the order of arrival, and one of who has them until when."""

    def __init__(self, stores: list[PendingStore], call: Loop) -> None:
        super().__init__()
        self.stores = [stores[0], stores[-1]]
        self.is_shared = len(stores) > 1
        self.call = call
        self.now = 10.0
        self.rows: dict[Key, Pending] = {}
        self.held: dict[Key, tuple[int, float]] = {}
        empty(stores[0], call)

    @rule(seconds=st.sampled_from([1.0, 10.0, 31.0]))
    def let_time_pass(self, seconds: float) -> None:
        self.now += seconds

    @rule(number=NUMBERS, key=st.sampled_from(KEYS), stage=STAGES)
    def add(self, number: int, key: Key, stage: Stage) -> None:
        row = row_of(key, stage=stage, due=self.now)
        assert self.call(self.stores[number].add(row)) is (key not in self.rows)
        self.rows.setdefault(key, row)

    @rule(number=NUMBERS, key=st.sampled_from(KEYS), stage=STAGES, pause=st.sampled_from([0.0, 20.0]), event=TEXTS)
    def put(self, number: int, key: Key, stage: Stage, pause: float, event: str) -> None:
        row = row_of(key, stage=stage, due=self.now + pause, event=event, attempts=1)
        self.call(self.stores[number].put(row))
        if key in self.rows:
            self.rows[key] = row

    @rule(number=NUMBERS, stage=STAGES)
    def claim(self, number: int, stage: Stage) -> None:
        free = next((key for key in self._due(stage, self.now) if self._is_free(key)), None)
        found = self.call(self.stores[number].claim(stage, self.now, self.now + LEASE))
        assert found == (self.rows[free] if free else None)
        if free:
            self.held[free] = number * self.is_shared, self.now + LEASE

    @rule(number=NUMBERS, keys=st.sets(st.sampled_from(KEYS), max_size=4))
    def renew(self, number: int, keys: set[Key]) -> None:
        mine = {key for key in keys if self._has(number, key)}
        assert set(self.call(self.stores[number].renew(keys, self.now + LEASE + 10))) == mine
        self.held.update({key: (self.held[key][0], self.now + LEASE + 10) for key in mine})

    @rule(number=NUMBERS, key=st.sampled_from(KEYS))
    def release(self, number: int, key: Key) -> None:
        self.call(self.stores[number].release(key))
        if self._has(number, key):
            del self.held[key]

    @precondition(lambda self: self.rows)
    @rule(number=NUMBERS, stage=STAGES, age=st.sampled_from([0.0, 15.0]))
    def prune(self, number: int, stage: Stage, age: float) -> None:
        before = self.now - age
        old = [key for key, row in self.rows.items() if row.stage is stage and row.due < before]
        assert self.call(self.stores[number].prune(stage, before)) == len(old)
        self._remove(old)

    @rule(number=NUMBERS, corpid=st.sampled_from(CORPS))
    def forget(self, number: int, corpid: str) -> None:
        gone = [key for key in self.rows if key[0] == corpid]
        assert self.call(self.stores[number].forget(corpid)) == len(gone)
        self._remove(gone)

    @rule(number=NUMBERS, stage=STAGES, later=st.sampled_from([-5.0, 0.0, 20.0]), limit=st.integers(1, 5))
    def ask(self, number: int, stage: Stage, later: float, limit: int) -> None:
        due = [self.rows[key] for key in self._due(stage, self.now + later)]
        assert list(self.call(self.stores[number].due(stage, self.now + later, limit))) == due[:limit]

    @invariant()
    def all_have_the_same_rows(self) -> None:
        for store in self.stores[: 1 + self.is_shared]:
            found = [self.call(store.get(key)) for key in KEYS]
            assert [row for row in found if row] == [self.rows[key] for key in KEYS if key in self.rows]

    def _due(self, stage: Stage, now: float) -> list[Key]:
        return [key for key, row in self.rows.items() if row.stage is stage and row.due <= now]

    def _is_free(self, key: Key) -> bool:
        return key not in self.held or self.held[key][1] <= self.now

    def _has(self, number: int, key: Key) -> bool:
        return key in self.held and self.held[key][0] == number * self.is_shared

    def _remove(self, keys: list[Key]) -> None:
        for key in keys:
            del self.rows[key]
            self.held.pop(key, None)
