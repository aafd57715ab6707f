"""A zone of three corps, an app's database, and archivers of both kinds."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.client.archive.world import KINDS, Kind, Rig, Tenants, made_tables
from tests.support.apps import ROOT
from tests.support.never_lost import pytest_itemcollected as pytest_itemcollected
from wwspec_devtools.testing.zone import Zone


@pytest.fixture(scope="module")
def module_zone() -> Iterator[Zone]:
    with Zone.in_process(ROOT, messages=20, corps=3, tokenless_pulls=1_000_000) as zone:
        yield zone


@pytest.fixture
def tenants(zone: Zone) -> Tenants:
    return Tenants(zone)


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database to copy: to make the tables takes longer than most tests."""
    path = tmp_path_factory.mktemp("empty") / "app.db"
    made_tables(f"sqlite:///{path}")
    return path


@pytest.fixture
def url(tmp_path: Path, empty: Path) -> str:
    return f"sqlite:///{shutil.copy(empty, tmp_path)}"


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    kind: Kind = request.param
    return kind


@pytest.fixture
def rig(kind: Kind, url: str, zone: Zone, stack: ExitStack) -> Rig:
    return Rig(zone, kind, url, stack)
