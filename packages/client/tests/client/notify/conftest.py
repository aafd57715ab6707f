"""Notifications of an app: none is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.never_lost import pytest_itemcollected as pytest_itemcollected
from wwspec_client.stores import SqlitePendingStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a `SqlitePendingStore`."""
    return tmp_path / "pending.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqlitePendingStore]:
    """The rows of the file, as another process has them."""
    store = SqlitePendingStore(path)
    store.open()
    yield store
    store.close()
