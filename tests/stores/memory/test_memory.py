import tracemalloc

import pytest

from tests.stores.suites.job_samples import job
from tests.stores.suites.rig import ManualClock, StoreFactory
from tests.stores.suites.store import StoreSuite
from wwspec_router.stores.memory.events import MemoryStore


@pytest.mark.slow  # the suites over SQLite prove nearly the same
class TestMemoryStore(StoreSuite):
    @pytest.fixture
    def store_factory(self, clock: ManualClock) -> StoreFactory:
        return lambda limits: MemoryStore(limits, clock=clock)


def test_an_entry_replaced_many_times_outlives_the_ttl_of_its_first_text() -> None:
    clock = ManualClock()
    store = MemoryStore(clock=clock)
    store.put("corp", 1, "other", "text", 50)
    for number in range(1000):
        store.put("corp", 1, "id", str(number), 10 + number % 7)
    clock.advance(13)
    assert store.get("corp", 1, "id") == "999"
    assert store.figures().rows == 2
    clock.advance(4)
    assert store.figures().rows == 1


def test_replacing_an_entry_again_and_again_takes_no_more_memory() -> None:
    store = MemoryStore()
    store.put("corp", 1, "id", "text", 1000)
    tracemalloc.start()
    try:
        for _ in range(20_000):
            store.put("corp", 1, "id", "text", 1000)
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 200_000


def test_renewing_a_lease_again_and_again_takes_no_more_memory() -> None:
    store = MemoryStore()
    store.add(job("a"))
    store.claim("one", 1, 1000)
    tracemalloc.start()
    try:
        for _ in range(20_000):
            store.renew("one", ["a"], 1000)
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 200_000


def test_it_is_not_shared() -> None:
    assert MemoryStore.shared is False
