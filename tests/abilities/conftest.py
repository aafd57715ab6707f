"""A zone that ends with each module, unlike that of the plugin: its threads are not to meet tests that fork."""

from collections.abc import Iterator

import pytest

from tests.support.apps import ROOT
from wwspec_router.testing.zone import Zone


@pytest.fixture(scope="module", params=["in-process", "served"])
def zone(request: pytest.FixtureRequest) -> Iterator[Zone]:
    """The reference program, in both forms of a zone."""
    with Zone.in_process(ROOT) if request.param == "in-process" else Zone.serve(ROOT) as zone:
        yield zone
