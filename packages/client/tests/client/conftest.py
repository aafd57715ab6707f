"""A zone of the reference program, and clients of an enterprise app that do not wait long."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

import pytest
from Crypto.PublicKey import RSA

from tests.support.apps import ROOT
from tests.support.emulator import SealedProgram
from tests.support.rsa_keys import new_rsa_key
from tests.support.sql_servers import DATABASES, SERVERS, new_database
from wwspec_client import RetryPolicy, ZoneClient
from wwspec_devtools.testing.zone import Zone

QUICK = RetryPolicy(first_pause=0.0)
"""Retries without pauses."""


@pytest.fixture(scope="session", autouse=True)
def quick_rsa_keys() -> Iterator[None]:
    """Make keys in a tenth of the time. `wwspec keys`, in processes of its own, makes them as ever."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RSA, "generate", new_rsa_key)
        yield


@pytest.fixture(scope="module")
def module_zone() -> Iterator[Zone]:
    """A zone that lets as many pulls through as tests make."""
    with Zone.in_process(ROOT, messages=60, tokenless_pulls=1_000_000) as zone:
        yield zone


@pytest.fixture
def zone(module_zone: Zone) -> Zone:
    """The module's zone, as if just started."""
    module_zone.client.reset()
    module_zone.client.clear_faults()
    return module_zone


@pytest.fixture
def app(zone: Zone) -> Iterator[ZoneClient]:
    with zone.app_client(retries=QUICK) as client:
        yield client


@pytest.fixture(params=["wsgi", "asgi"])
def kind(request: pytest.FixtureRequest) -> Literal["wsgi", "asgi"]:
    """For threads, or for an event loop."""
    found: Literal["wsgi", "asgi"] = request.param
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a pull keeps its cursor."""
    return tmp_path / "messages.cursor"


@pytest.fixture(params=DATABASES)
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of each kind."""
    if request.param in SERVERS:
        return new_database(request.getfixturevalue(request.param))
    return f"sqlite:///{tmp_path}/app.db"


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def program(stack: ExitStack) -> SealedProgram:
    """A program that answers what a test says."""
    return SealedProgram(stack)


def asked(zone: Zone, name: str = "sync_msg", kind: str = "sdk") -> list[dict[str, Any]]:
    """Return what the emulator has recorded of each call of an API since the zone's reset."""
    return [each for each in zone.client.traffic(kind=kind) if each["name"] == name]
