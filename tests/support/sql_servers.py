"""One PostgreSQL and one MariaDB for a run of tests, however many processes it has; each has a database of its own."""

import fcntl
import getpass
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.made_once import shared_folder
from tests.support.postgres_server import local_postgres
from tests.support.tools import tool
from tests.support.waiting import DEADLINE, wait_until

SERVERS = {
    "postgresql": pytest.mark.slow,  # a server is made and started
    "mysql": pytest.mark.nightly,  # the same tests as in PostgreSQL, once more
}
DATABASES = ["sqlite", *(pytest.param(name, marks=mark) for name, mark in SERVERS.items())]
"""For tests that run in each: SQLite needs no server."""
Serve = Callable[[], AbstractContextManager[str]]
_ADMIN = "root"
_OF_MARIADB = {
    "innodb_flush_log_at_trx_commit": "0",  # the server itself is never killed
    "innodb_buffer_pool_size": "32M",
    "performance_schema": "OFF",
}


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


@contextmanager
def local_mariadb() -> Iterator[str]:
    """Run a server with an empty database, and yield the URL that SQLAlchemy connects by."""
    server_program = tool("mariadbd")
    with tempfile.TemporaryDirectory(prefix="wwspec-mariadb-") as folder:  # the path of a socket is short
        data, socket = f"{folder}/data", f"{folder}/mariadb.sock"
        made = [tool("mariadb-install-db"), "--no-defaults", f"--datadir={data}", f"--user={getpass.getuser()}"]
        made += ["--auth-root-authentication-method=normal", "--skip-test-db"]
        subprocess.run(made, check=True, capture_output=True)
        settings = [f"--{name}={value}" for name, value in _OF_MARIADB.items()]
        command = [server_program, "--no-defaults", f"--datadir={data}", f"--socket={socket}", "--skip-networking"]
        with Path(folder, "server.log").open("wb") as log:
            server = subprocess.Popen([*command, f"--user={getpass.getuser()}", *settings], stdout=log, stderr=log)
        try:
            url = f"mysql+pymysql://{_ADMIN}@localhost/app?unix_socket={socket}"
            wait_until(lambda: _mariadb_answers(server, Path(folder, "server.log"), socket))
            yield url
        finally:
            server.terminate()
            server.wait(DEADLINE)


def _mariadb_answers(server: "subprocess.Popen[bytes]", log: Path, socket: str) -> bool:
    if server.poll() is not None:
        raise RuntimeError(f"MariaDB ended: {log.read_text()[-500:]}")
    made = [tool("mariadb"), "--no-defaults", "-uroot", f"-S{socket}", "-e", "CREATE DATABASE IF NOT EXISTS app"]
    return subprocess.run(made, check=False, capture_output=True).returncode == 0
