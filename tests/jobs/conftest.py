"""Jobs and events: what is accepted is never lost."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.support.never_lost import pytest_itemcollected as pytest_itemcollected
from tests.support.shared_stores import shared as shared, url as url
from wwspec_router.stores import Store, open_store


@pytest.fixture
def store(shared: Store) -> Store:
    return shared


@pytest.fixture
def memory() -> Iterator[Store]:
    with closing(open_store("memory:")) as opened:
        yield opened
