"""What a `SharedPendingStore` does beside a `PendingStore`."""

from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from wwspec_router.client import Key, Pending, SharedPendingStore, Stage
from wwspec_router.testing.stores.pending import CORPS, KEYS, PendingStoreSuite, empty, row_of
from wwspec_router.testing.stores.rig import Loop


class SharedPendingStoreSuite(PendingStoreSuite):
    """What every store of pending rows for many machines does; `open_store` is that of `PendingStoreSuite`."""

    @pytest.fixture
    def stores(self, opened: Callable[[], Any]) -> list[Any]:
        """Return the stores of two machines."""
        return [opened(), opened()]

    def test_all_machines_work_on_rows(self, stores: list[SharedPendingStore], call: Loop) -> None:
        assert [call(each.lead()) for each in stores] == [True, True]

    def test_a_row_is_had_by_one_until_its_time_is_over(self, stores: list[SharedPendingStore], call: Loop) -> None:
        one, other = stores
        first, second = rows = [row_of(key) for key in KEYS[:2]]
        for row in rows:
            call(one.add(row))
        assert call(one.claim(Stage.FETCHED, 2.0, 32.0)) is None
        assert call(one.claim(Stage.NOTED, 0.9, 32.0)) is None
        assert call(one.claim(Stage.NOTED, 2.0, 32.0)) == first
        assert call(other.claim(Stage.NOTED, 3.0, 33.0)) == second
        assert [call(each.claim(Stage.NOTED, 31.9, 90.0)) for each in stores] == [None, None]
        assert call(other.claim(Stage.NOTED, 32.5, 90.0)) == first
        assert call(one.claim(Stage.NOTED, 33.5, 90.0)) == second

    def test_a_row_of_one_whose_clock_is_a_day_ahead_is_for_anybody(
        self, stores: list[SharedPendingStore], call: Loop
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

    def test_a_row_that_is_released_is_for_anybody(self, stores: list[SharedPendingStore], call: Loop) -> None:
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

    def test_what_is_put_stays_with_the_one_that_has_it(self, stores: list[SharedPendingStore], call: Loop) -> None:
        one, other = stores
        row = row_of(KEYS[0])
        call(one.add(row))
        call(one.claim(Stage.NOTED, 2.0, 32.0))
        fetched = replace(row, stage=Stage.FETCHED)
        call(one.put(fetched))
        assert [call(each.claim(Stage.FETCHED, 3.0, 33.0)) for each in stores] == [None, None]
        call(one.release(row.key))
        assert call(other.claim(Stage.FETCHED, 3.0, 33.0)) == fetched

    def test_a_row_is_had_for_longer(self, stores: list[SharedPendingStore], call: Loop) -> None:
        one, other = stores
        row = row_of(KEYS[0])
        call(one.add(row))
        call(one.claim(Stage.NOTED, 2.0, 32.0))
        assert set(call(one.renew([row.key], 62.0))) == {row.key}
        assert set(call(one.renew([], 62.0))) == set()
        assert call(other.claim(Stage.NOTED, 40.0, 70.0)) is None
        assert set(call(one.renew([row.key], 92.0))) == {row.key}, "a late renewal counts, as nobody has the row"

    def test_a_row_that_another_one_has_got_meanwhile_is_lost(
        self, stores: list[SharedPendingStore], call: Loop
    ) -> None:
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

    def test_of_many_threads_on_two_machines_each_row_has_one_at_a_time(
        self, stores: list[SharedPendingStore], call: Loop
    ) -> None:
        held: set[Key] = set()
        done: list[Key] = []
        lock = Lock()
        rows = [row_of(("corp", f"n{number}")) for number in range(self.rounds)]
        for row in rows:
            call(stores[0].add(row))

        def work(thread: int) -> None:
            store = stores[thread % 2]
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

    def test_in_every_history_rows_are_had_as_in_a_dict(self, stores: list[SharedPendingStore], call: Loop) -> None:
        class Machine(_Machine):
            def __init__(self) -> None:
                super().__init__(stores, call)

        self.try_histories(Machine)


NUMBERS = st.integers(0, 1)
STAGES = st.sampled_from([Stage.NOTED, Stage.RECEIVED])


class _Machine(RuleBasedStateMachine):
    """Compares two stores over the same rows with a dict of rows and one of who has them until when."""

    def __init__(self, stores: list[SharedPendingStore], call: Loop) -> None:
        super().__init__()
        self.stores = stores
        self.call = call
        self.now = 10.0
        self.rows: dict[Key, Pending] = {}
        self.held: dict[Key, tuple[int, float]] = {}
        empty(stores[0], call)

    @rule(number=NUMBERS, key=st.sampled_from(KEYS), stage=STAGES)
    def add(self, number: int, key: Key, stage: Stage) -> None:
        row = row_of(key, stage=stage, due=self.now)
        assert self.call(self.stores[number].add(row)) is (key not in self.rows)
        self.rows.setdefault(key, row)

    @rule(seconds=st.sampled_from([1.0, 10.0, 31.0]))
    def let_time_pass(self, seconds: float) -> None:
        self.now += seconds

    @rule(number=NUMBERS, stage=STAGES)
    def claim(self, number: int, stage: Stage) -> None:
        free = [key for key, row in self.rows.items() if row.stage is stage and self._is_free(key)]
        found = self.call(self.stores[number].claim(stage, self.now, self.now + 30.5))
        assert found == (self.rows[free[0]] if free else None)
        if free:
            self.held[free[0]] = number, self.now + 30.5

    @rule(number=NUMBERS, key=st.sampled_from(KEYS), stage=STAGES, pause=st.sampled_from([0.0, 20.0]))
    def put(self, number: int, key: Key, stage: Stage, pause: float) -> None:
        row = row_of(key, stage=stage, due=self.now + pause, attempts=1)
        self.call(self.stores[number].put(row))
        if key in self.rows:
            self.rows[key] = row

    @rule(number=NUMBERS, keys=st.sets(st.sampled_from(KEYS), max_size=4))
    def renew(self, number: int, keys: set[Key]) -> None:
        mine = {key for key in keys if key in self.held and self.held[key][0] == number}
        assert set(self.call(self.stores[number].renew(keys, self.now + 40.5))) == mine
        self.held.update(dict.fromkeys(mine, (number, self.now + 40.5)))

    @rule(number=NUMBERS, key=st.sampled_from(KEYS))
    def release(self, number: int, key: Key) -> None:
        self.call(self.stores[number].release(key))
        if key in self.held and self.held[key][0] == number:
            del self.held[key]

    @rule(number=NUMBERS, corpid=st.sampled_from(CORPS))
    def forget(self, number: int, corpid: str) -> None:
        gone = [key for key in self.rows if key[0] == corpid]
        assert self.call(self.stores[number].forget(corpid)) == len(gone)
        for key in gone:
            del self.rows[key]
            self.held.pop(key, None)

    @invariant()
    def both_have_the_same_rows(self) -> None:
        for store in self.stores:
            found = [self.call(store.get(key)) for key in KEYS]
            assert [row for row in found if row] == [self.rows[key] for key in KEYS if key in self.rows]

    def _is_free(self, key: Key) -> bool:
        return self.rows[key].due <= self.now and (key not in self.held or self.held[key][1] <= self.now)
