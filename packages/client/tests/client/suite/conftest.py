"""An app of a provider, by both suites."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from tests.client.suite.stand import Corp, Down, Kind, Stand
from tests.support.never_lost import pytest_itemcollected as pytest_itemcollected
from wwspec_contracts.errors import StoreError

Make = Callable[..., Stand]


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


@pytest.fixture
def unstored(make: Make) -> tuple[Corp, str]:
    """A corp, and its code that could not be stored while the store was down; the store is up again."""
    store = Down()
    corp = make(installations=store).corp()
    code = corp.code()
    store.is_down = True
    with pytest.raises(StoreError):
        corp.exchange(code)
    store.is_down = False
    return corp, code
