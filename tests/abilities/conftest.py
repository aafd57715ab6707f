"""A zone for each module, in both forms: faster than that of the plugin, which is one for each test."""

from collections.abc import Iterator

import pytest

from tests.support.apps import ROOT
from tests.support.zones import serve_zone
from wwspec_devtools.testing.zone import Zone

SERVED = pytest.param("served", marks=pytest.mark.slow)  # processes for each module; tests/scenarios has them, too


@pytest.fixture(scope="module", params=["in-process", SERVED])
def zone(request: pytest.FixtureRequest) -> Iterator[Zone]:
    """The reference program, in both forms of a zone."""
    with Zone.in_process(ROOT) if request.param == "in-process" else serve_zone(ROOT) as zone:
        yield zone
