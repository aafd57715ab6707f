"""The reference program in a zone of its own: processes, sockets, sealed calls."""

from collections.abc import Iterator

import pytest

from tests.support.apps import ROOT
from wwspec_router.testing.zone import ServedZone, Zone


@pytest.fixture(scope="session", params=["in-process", "served", "connected"])
def zone(request: pytest.FixtureRequest) -> Iterator[Zone]:
    """A zone shared by scenarios that leave nothing behind, in each form."""
    if request.param == "in-process":
        with Zone.in_process(ROOT) as zone:
            yield zone
    elif request.param == "served":
        with Zone.serve(ROOT) as zone:
            yield zone
    else:
        with Zone.serve(ROOT) as served, Zone.connect(served.client.url) as zone:
            yield zone


@pytest.fixture
def own_zone() -> Iterator[ServedZone]:
    """A zone for a scenario that breaks something."""
    with Zone.serve(ROOT) as zone:
        yield zone
