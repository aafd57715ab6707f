"""An app of a provider, by both suites."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from tests.client.suite.stand import Corp, Kind, Stand
from tests.support.never_lost import pytest_itemcollected as pytest_itemcollected

Make = Callable[..., Stand]


@pytest.fixture(params=["wsgi", "asgi"])
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


@pytest.fixture
def make(kind: Kind, stack: ExitStack) -> Make:
    def make(**options: Any) -> Stand:
        stand = Stand(kind, stack, **options)
        stand.listen()
        return stand

    return make


@pytest.fixture
def stand(make: Make) -> Stand:
    """An app that has its defaults."""
    return make()


@pytest.fixture
def corp(stand: Stand) -> Corp:
    return stand.corp()
