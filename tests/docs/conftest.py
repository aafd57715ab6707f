"""The built wheel, and the zone of the reference program, for the pages that a new user follows."""

from collections.abc import Iterator

import pytest

from tests.packaging.conftest import archives, clean_env, installed
from tests.support.apps import ROOT
from tests.support.zones import serve_zone
from wwspec_devtools.testing.zone import Zone

__all__ = ["archives", "clean_env", "installed"]


@pytest.fixture(scope="session")
def served_reference() -> Iterator[Zone]:
    with serve_zone(ROOT) as zone:
        yield zone


@pytest.fixture(scope="module")
def reference_zone(served_reference: Zone) -> Zone:
    """The zone of the reference program as it is after its start: the files of this folder share one."""
    served_reference.client.reset()
    return served_reference
