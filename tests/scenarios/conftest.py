"""The reference program in a zone of its own: processes, sockets, sealed calls."""

from collections.abc import Iterator

import pytest

from tests.support.apps import ROOT
from tests.support.shared_stores import url as url
from tests.support.zones import serve_zone
from wwspec_devtools.testing.zone import ServedZone, Zone

PATIENCE = 60.0
"""Seconds: one of 256 calls at once waits longer than usual on a busy machine."""
PATIENT_PROGRAM = ("--queue-timeout", f"{PATIENCE}")
PATIENT_EMULATOR = ("--call-timeout", f"{PATIENCE}")


CONNECTED = pytest.param("connected", marks=pytest.mark.slow)  # nearly the same as a served one


@pytest.fixture(scope="session")
def served() -> Iterator[ServedZone]:
    """The processes that the served zone and the connected one share."""
    with serve_zone(ROOT, serve=PATIENT_PROGRAM, emulate=PATIENT_EMULATOR) as zone:
        yield zone


@pytest.fixture(scope="session", params=["in-process", "served", CONNECTED])
def zone(request: pytest.FixtureRequest) -> Iterator[Zone]:
    """A zone shared by scenarios that leave nothing behind, in each form."""
    if request.param == "in-process":
        with Zone.in_process(ROOT, call_timeout=PATIENCE) as zone:
            yield zone
        return
    served: ServedZone = request.getfixturevalue("served")
    if request.param == "served":
        yield served
        return
    with Zone.connect(served.client.url) as zone:
        yield zone
