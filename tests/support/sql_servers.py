"""One PostgreSQL and one MariaDB for a run of tests, however many processes it has; each has a database of its own."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.made_once import shared_folder
from tests.support.mariadb_server import local_mariadb
from tests.support.postgres_server import local_postgres

SERVERS = {
    "postgresql": pytest.mark.slow,  # a server is made and started
    "mysql": pytest.mark.nightly,  # the same tests as in PostgreSQL, once more
}
DATABASES = ["sqlite", *(pytest.param(name, marks=mark) for name, mark in SERVERS.items())]
"""For tests that run in each: SQLite needs no server."""
Serve = Callable[[], AbstractContextManager[str]]


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with _shared("postgresql", local_postgres, tmp_path_factory) as url:
        yield new_database(url)


@pytest.fixture(scope="session")
def mysql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with _shared("mysql", local_mariadb, tmp_path_factory) as url:
        yield new_database(url)


def new_database(url: str) -> str:
    from sqlalchemy import create_engine, make_url, text  # here, since most runs have no server

    name = f"t{uuid4().hex[:12]}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@contextmanager
def _shared(name: str, serve: Serve, factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the URL of a server: the first process of a run starts it, and ends it when no other one uses it."""
    folder = shared_folder(factory)
    noted, lock, users = (folder / f"{name}.{each}" for each in ("url", "lock", "users"))
    with ExitStack() as server, users.open("w") as using:
        with _alone(lock):
            if is_first := not noted.exists():
                noted.write_text(server.enter_context(serve()))
            url = noted.read_text()
            fcntl.flock(using, fcntl.LOCK_SH)
        try:
            yield url
        finally:
            if is_first:
                with _alone(lock):
                    noted.unlink()
                fcntl.flock(using, fcntl.LOCK_EX)  # when all others have ended


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
