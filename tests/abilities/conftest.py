"""A zone that ends with each module, unlike that of the plugin: its threads are not to meet tests that fork."""

from collections.abc import Iterator

import pytest

from tests.support.apps import ROOT
from wwspec_router.testing.zone import Zone


@pytest.fixture(scope="module")
def zone() -> Iterator[Zone]:
    with Zone.in_process(ROOT) as zone:
        yield zone
