"""A file, and the store that opens it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from wwspec_router.stores.sqlite.events import SqliteStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "notify.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(path)) as store:
        yield store
