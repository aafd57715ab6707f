"""The clock by which the same line may be logged again; it stands still until a test moves it."""

import pytest

from tests.stores.suites.rig import ManualClock
from wwspec_contracts.support import rare_lines


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    clock = ManualClock()
    monkeypatch.setattr(rare_lines, "monotonic", clock)
    return clock
