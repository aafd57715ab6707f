"""The contract of a notify store as tests that every backend runs."""

from collections.abc import Sequence
from contextlib import closing

import pytest
from hypothesis import given, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.stores.suites.rig import SETTINGS, THREADS, ManualClock, StoreFactory, StoreFixtures, accepted, in_threads
from wwspec_contracts.errors import StoreError, StoreFullError
from wwspec_router.stores.base import NotifyStore
from wwspec_router.stores.capacity import StoreFigures, StoreLimits

TTL = 1200.0


class NotifyStoreSuite(StoreFixtures):
    """What every notify store must do. Subclass it and override `store_factory`."""

    @SETTINGS
    @given(text=st.text(), notify_id=st.text(), corpid=st.text(), agentid=st.integers(-(2**63), 2**63 - 1))
    def test_a_text_comes_back(self, store: NotifyStore, text: str, notify_id: str, corpid: str, agentid: int) -> None:
        store.put(corpid, agentid, notify_id, text, TTL)
        assert store.get(corpid, agentid, notify_id) == text

    @pytest.mark.parametrize("text", ["", "😀 群聊", "a\x00b", '{"msg": "\\u0000"}', "x" * 300_000])
    def test_an_unusual_text_comes_back_as_it_was_put(self, store: NotifyStore, text: str) -> None:
        store.put("corp", 1, "id", text, TTL)
        assert store.get("corp", 1, "id") == text
        assert store.figures() == StoreFigures(rows=1, bytes=len(text.encode()))

    def test_another_corp_app_or_id_gets_nothing(self, store: NotifyStore) -> None:
        store.put("corp", 1, "id", "text", TTL)
        others = [("corp2", 1, "id"), ("CORP", 1, "id"), ("", 1, "id"), ("corp", 2, "id"), ("corp", 0, "id")]
        others += [("corp", 1, "id2"), ("corp", 1, "ID"), ("corp", 1, "id\x00"), ("corp", 1, ""), ("corp", 1, "i%")]
        assert [store.get(*other) for other in others] == [None] * len(others)

    def test_a_put_replaces_text_and_lifetime(self, store: NotifyStore, clock: ManualClock) -> None:
        store.put("corp", 1, "id", "a long first text", 100)
        store.put("corp", 1, "id", "second", 300)
        store.put("corp", 1, "shorter", "first", 300)
        store.put("corp", 1, "shorter", "second", 100)
        clock.advance(200)
        assert (store.get("corp", 1, "id"), store.get("corp", 1, "shorter")) == ("second", None)
        assert store.figures() == StoreFigures(rows=1, bytes=6)

    def test_the_bound_on_bytes_refuses_and_loses_nothing(self, store_factory: StoreFactory) -> None:
        with closing(store_factory(StoreLimits(max_bytes=10))) as store:
            store.put("corp", 1, "0", "事事", TTL)
            store.put("corp", 1, "1", "1234", TTL)
            with pytest.raises(StoreFullError):
                store.put("corp", 1, "2", "x", TTL)
            with pytest.raises(StoreFullError):
                store.put("corp", 1, "1", "12345", TTL)
            assert [store.get("corp", 1, each) for each in "012"] == ["事事", "1234", None]
            store.put("corp", 1, "0", "12345", TTL)
            assert store.figures() == StoreFigures(rows=2, bytes=9)

    @pytest.mark.parametrize("limits", [StoreLimits(max_rows=200), StoreLimits(max_bytes=800)])
    def test_expired_entries_make_room(
        self, store_factory: StoreFactory, clock: ManualClock, limits: StoreLimits
    ) -> None:
        with closing(store_factory(limits)) as store:
            store.put("corp", 1, "live", "text", 1000)
            for number in range(199):
                store.put("corp", 1, str(number), "text", 100)
            clock.advance(100)
            store.put("corp", 1, "large", "y" * min(796, limits.max_bytes - 4), 1000)
            assert store.get("corp", 1, "live") == "text"
            assert store.figures().rows == 2

    def test_concurrent_puts_and_gets_lose_nothing(self, store: NotifyStore) -> None:
        def work(number: int) -> Sequence[str | None]:
            for step in range(8):
                store.put(f"corp{number % 4}", number, str(step), f"{number}/{step}", TTL)
                assert store.get(f"corp{number % 4}", number, str(step)) == f"{number}/{step}"
            return [store.get(f"corp{number % 4}", number, str(step)) for step in range(8)]

        results = in_threads(work)
        assert results == [[f"{number}/{step}" for step in range(8)] for number in range(THREADS)]
        assert store.figures().rows == THREADS * 8

    def test_concurrent_puts_never_pass_a_bound(self, store_factory: StoreFactory) -> None:
        with closing(store_factory(StoreLimits(max_rows=THREADS))) as store:

            def work(number: int) -> list[str]:
                return accepted(lambda name: store.put("corp", number, name, "text", TTL), "0123")

            results = in_threads(work)
            assert sum(len(stored) for stored in results) == THREADS
            assert store.figures().rows == THREADS
            assert all(store.get("corp", n, each) == "text" for n, stored in enumerate(results) for each in stored)

    def test_closing_during_work_hangs_no_thread(self, store_factory: StoreFactory) -> None:
        store = store_factory(StoreLimits())

        def work(number: int) -> bool:
            if number == 0:
                store.close()
            try:
                for step in range(10_000):
                    store.put("corp", number, str(step), "text", TTL)
                    assert store.get("corp", number, str(step)) == "text"
            except StoreError:
                return True
            return False

        assert all(in_threads(work))

    def test_it_behaves_as_a_dict_per_corp_and_app(self, store_factory: StoreFactory, clock: ManualClock) -> None:
        self.run_machine(lambda: NotifyMachine(store_factory, clock))


corpids = st.sampled_from(["ww1", "ww2", "WW1", ""])
agentids = st.sampled_from([0, 1, 1000002, -1])
notify_ids = st.sampled_from(["a", "b", "a\x00", "😀"])
texts = st.text(max_size=12)
minutes = st.integers(1, 40)


class NotifyMachine(RuleBasedStateMachine):
    LIMITS = StoreLimits(max_rows=6, max_bytes=60)

    def __init__(self, store_factory: StoreFactory, clock: ManualClock) -> None:
        super().__init__()
        self._clock = clock
        self._store = store_factory(self.LIMITS)
        self._model: dict[tuple[str, int, str], tuple[str, float]] = {}

    def teardown(self) -> None:
        self._store.close()

    @rule(corpid=corpids, agentid=agentids, notify_id=notify_ids, text=texts, ttl=minutes)
    def put(self, corpid: str, agentid: int, notify_id: str, text: str, ttl: int) -> None:
        """Put for some minutes, or be refused exactly when a bound would be passed."""
        after = {**self._live(), (corpid, agentid, notify_id): (text, self._clock() + ttl * 60)}
        if self._fits(after):
            self._store.put(corpid, agentid, notify_id, text, ttl * 60)
            self._model = after
        else:
            with pytest.raises(StoreFullError):
                self._store.put(corpid, agentid, notify_id, text, ttl * 60)

    @rule(corpid=corpids, agentid=agentids, notify_id=notify_ids)
    def get_any(self, corpid: str, agentid: int, notify_id: str) -> None:
        """Get what is there, and nothing of another corp or app."""
        expected = self._live().get((corpid, agentid, notify_id), (None, 0))[0]
        assert self._store.get(corpid, agentid, notify_id) == expected

    @precondition(lambda self: self._model)
    @rule(data=st.data())
    def get_stored(self, data: st.DataObject) -> None:
        """Get an entry that was put, live or expired."""
        self.get_any(*data.draw(st.sampled_from(sorted(self._model))))

    @rule(passed=st.integers(1, 25))
    def let_time_pass(self, passed: int) -> None:
        self._clock.advance(passed * 60)

    @invariant()
    def figures_are_exact(self) -> None:
        live = self._live()
        size = sum(len(text.encode()) for text, _ in live.values())
        assert self._store.figures() == StoreFigures(rows=len(live), bytes=size)

    def _live(self) -> dict[tuple[str, int, str], tuple[str, float]]:
        return {key: entry for key, entry in self._model.items() if entry[1] > self._clock()}

    def _fits(self, entries: dict[tuple[str, int, str], tuple[str, float]]) -> bool:
        size = sum(len(text.encode()) for text, _ in entries.values())
        return len(entries) <= self.LIMITS.max_rows and size <= self.LIMITS.max_bytes
