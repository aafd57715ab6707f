"""A zone whose app is a provider's, and that app by both classes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.client.provider.stand import Kind, Stand
from tests.support.apps import ROOT
from wwspec_devtools.testing.zone import Zone

Make = Callable[..., Stand]


@pytest.fixture(scope="module")
def module_zone() -> Iterator[Zone]:
    with Zone.in_process(ROOT, messages=0, app_type="third", corps=2, tokenless_pulls=1_000_000) as zone:
        yield zone


@pytest.fixture
def make(kind: Kind, zone: Zone, tmp_path: Path, stack: ExitStack) -> Make:
    """Return an app that is served, with a ticket; no corp has installed it."""

    def make(**options: Any) -> Stand:
        stand = Stand(kind, zone, f"sqlite:///{tmp_path}/app.db", stack, **options)
        stand.listen()
        return stand

    return make
