"""What a `PendingStore` does beside, whose rows several processes share."""

from collections.abc import Callable
from typing import Any

import pytest

from wwspec_client.stores import PendingStore, Stage
from wwspec_devtools.testing.stores.pending import KEYS, PendingStoreSuite, row_of
from wwspec_devtools.testing.stores.rig import Loop


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
