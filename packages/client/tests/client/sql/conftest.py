"""Each store on each database, by a driver for threads and one for an event loop."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tests.support.never_lost import pytest_itemcollected as pytest_itemcollected
from tests.support.sql_servers import DATABASES, SERVERS
from wwspec_client.sql import METADATA, create_tables
from wwspec_devtools.testing.stores.rig import Loop

ASYNC = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg", "mysql": "mysql+aiomysql"}
KINDS = [(name, is_async) for name in ASYNC for is_async in (False, True)]


def _param(kind: tuple[str, bool], *values: Any) -> Any:
    name, is_async = kind
    parts = (name, "async" if is_async else "sync", *values)
    return pytest.param(kind, *values, marks=SERVERS.get(name, ()), id="-".join(map(str, parts)))


ENGINES = [_param(kind) for kind in KINDS]


def with_each_engine(fixture: str, one: Any, other: Any) -> pytest.MarkDecorator:
    """Run the tests of a class with each engine: for threads with one value of a fixture, else with the other one."""
    pairs = [_param(kind, other if kind[1] else one) for kind in KINDS]
    return pytest.mark.parametrize(("engine", fixture), pairs, indirect=["engine"])


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have histories run with the slow tests: each of their steps reads all rows by a statement for each."""
    for item in items:
        if item.path.parent == Path(__file__).parent and "in_every_history" in item.name:
            item.add_marker("slow")


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'app.db'}"


@contextmanager
def opened(url: str, **options: Any) -> Iterator[Engine]:
    engine = create_engine(url, **options)
    quicken(engine)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def with_tables(url: str, **options: Any) -> Iterator[Engine]:
    """Yield an engine for threads over a database that has the tables."""
    with opened(url, **options) as engine:
        with engine.begin() as connection:
            create_tables(connection)
        yield engine


@contextmanager
def statements(engine: Engine | type[Engine]) -> Iterator[list[str]]:
    """Yield what an engine executes, or any engine does."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        found.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


def quicken(engine: Engine) -> None:
    """Let SQLite not wait for the disk."""
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def connect(connection: Any, _: object) -> None:
            cursor = connection.cursor()
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute("PRAGMA synchronous = OFF")
            cursor.close()


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Engine]]:
    """Return the engine for threads of a server, whose database has the tables."""
    with ExitStack() as stack:

        @cache
        def server(name: str) -> Engine:
            return stack.enter_context(with_tables(request.getfixturevalue(name)))

        yield server


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of SQLite to copy: to make the tables takes longer than most tests."""
    path = tmp_path_factory.mktemp("empty") / "app.db"
    with with_tables(f"sqlite:///{path}"):
        return path


@pytest.fixture
def engine_of(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Engine]]:
    """Return an engine for threads over a database of a kind, with empty tables."""
    with ExitStack() as stack:

        def engine_of(name: str) -> Engine:
            if request.instance is not None:  # of a suite: a statement costs a millisecond, of a server more
                request.instance.histories, request.instance.rounds = 1 if name in SERVERS else 5, 5
            if name in SERVERS:
                engine: Engine = request.getfixturevalue("servers")(name)
                with engine.begin() as connection:
                    for table in METADATA.tables.values():
                        connection.execute(table.delete())
                return engine
            url = request.getfixturevalue(name)
            shutil.copyfile(request.getfixturevalue("empty"), url.removeprefix("sqlite:///"))
            return stack.enter_context(opened(url))

        yield engine_of


@pytest.fixture(params=DATABASES)
def sync_engine(request: pytest.FixtureRequest, engine_of: Callable[[str], Engine]) -> Engine:
    """An engine for threads over each database, with empty tables."""
    return engine_of(request.param)


@pytest.fixture(params=ENGINES)
def engine(
    request: pytest.FixtureRequest, engine_of: Callable[[str], Engine], call: Loop
) -> Iterator[Engine | AsyncEngine]:
    """An engine over each database with empty tables, for threads and for the event loop of `call`."""
    name, is_async = request.param
    engine = engine_of(name)
    if not is_async:
        yield engine
        return
    if request.instance is not None:  # of a suite: its statements are those of threads
        request.instance.histories = 1
    at_loop = create_async_engine(engine.url.set(drivername=ASYNC[name]))
    quicken(at_loop.sync_engine)
    yield at_loop
    closing: Any = at_loop.dispose()
    call(closing)


@pytest.fixture
def call() -> Iterator[Loop]:
    """Gives the results of methods, whether these are plain or `async def`."""
    with Loop.running() as loop:
        yield loop


@pytest.fixture
def database() -> Iterator[Engine]:
    """An engine for threads over tables in memory."""
    with with_tables("sqlite://") as engine:
        yield engine
