"""A zone of the reference program, in each form that a test starts by itself."""

from collections.abc import Iterator

import pytest

from tests.support.apps import ROOT
from tests.support.zones import serve_zone
from wwspec_devtools.testing.zone import Zone


@pytest.fixture(scope="module", params=["in-process", "served"])
def module_zone(request: pytest.FixtureRequest) -> Iterator[Zone]:
    with Zone.in_process(ROOT) if request.param == "in-process" else serve_zone(ROOT) as zone:
        yield zone


@pytest.fixture
def zone(module_zone: Zone) -> Zone:
    module_zone.client.reset()
    return module_zone
