"""The reference program in a zone of its own: processes, sockets, sealed calls."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from wwspec_router.testing.zone import Zone

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def zone() -> Iterator[Zone]:
    """A zone shared by scenarios that leave nothing behind."""
    with Zone(ROOT) as zone:
        yield zone


@pytest.fixture
def own_zone() -> Iterator[Zone]:
    """A zone for a scenario that breaks something."""
    with Zone(ROOT) as zone:
        yield zone
