"""Each store on each database, by a driver for threads and one for an event loop."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData, create_engine, event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tests.support.mariadb_server import local_mariadb
from tests.support.postgres_server import local_postgres
from wwspec_router.client.sql import create_tables
from wwspec_router.testing.stores.rig import Loop

ASYNC = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg", "mysql": "mysql+aiomysql"}
SERVERS = ("postgresql", "mysql")
slow = pytest.mark.slow  # a server is made and started
DATABASES = [pytest.param(name, marks=slow if name in SERVERS else ()) for name in ASYNC]
ENGINES = [
    pytest.param(
        (name, is_async), marks=slow if name in SERVERS else (), id=f"{name}-{'async' if is_async else 'sync'}"
    )
    for name in ASYNC
    for is_async in (False, True)
]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a database in PostgreSQL."""
    with local_postgres() as url:
        yield url


@pytest.fixture(scope="session")
def mysql() -> Iterator[str]:
    """The URL of a database in MariaDB."""
    with local_mariadb() as url:
        yield url


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    """The URL of a new file of SQLite."""
    return f"sqlite:///{tmp_path / 'app.db'}"


@contextmanager
def opened(url: str, **options: Any) -> Iterator[Engine]:
    """Yield an engine for threads."""
    engine = create_engine(url, **options)
    quicken(engine)
    try:
        yield engine
    finally:
        engine.dispose()


def quicken(engine: Engine) -> None:
    """Let SQLite not wait for the disk."""
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def connect(connection: Any, _: object) -> None:
            cursor = connection.cursor()
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute("PRAGMA synchronous = OFF")
            cursor.close()


@pytest.fixture
def empty_url(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Return the URL of a database of a kind, without tables."""

    def empty_url(name: str) -> str:
        url: str = request.getfixturevalue(name)
        with opened(url) as engine, engine.begin() as connection:
            found = MetaData()
            found.reflect(connection)
            found.drop_all(connection)
        return url

    return empty_url


@pytest.fixture
def url_of(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Return the URL of a database of a kind, with empty tables."""

    def url_of(name: str) -> str:
        url: str = request.getfixturevalue(name)
        with opened(url) as engine, engine.begin() as connection:
            create_tables(connection)
            found = MetaData()
            found.reflect(connection)
            for table in found.sorted_tables:
                connection.execute(table.delete())
        return url

    return url_of


@pytest.fixture(params=DATABASES)
def sync_engine(request: pytest.FixtureRequest, url_of: Callable[[str], str]) -> Iterator[Engine]:
    """An engine for threads over each database, with empty tables."""
    with opened(url_of(request.param)) as engine:
        yield engine


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, url_of: Callable[[str], str], call: Loop) -> Iterator[Engine | AsyncEngine]:
    """An engine over each database with empty tables, for threads and for the event loop of `call`."""
    name, is_async = request.param
    url = url_of(name)
    if not is_async:
        with opened(url) as engine:
            yield engine
        return
    at_loop = create_async_engine(make_url(url).set(drivername=ASYNC[name]))
    quicken(at_loop.sync_engine)
    yield at_loop
    call(at_loop.dispose())


@pytest.fixture
def call() -> Iterator[Loop]:
    """Gives the results of methods, whether these are plain or `async def`."""
    with Loop().running() as loop:
        yield loop
