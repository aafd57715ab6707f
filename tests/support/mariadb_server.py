"""A private MariaDB that listens on a Unix socket only, in a folder that is gone at its end."""

import getpass
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.tools import tool
from tests.support.waiting import DEADLINE, wait_until

_ADMIN = "root"
_SETTINGS = {
    "innodb_flush_log_at_trx_commit": "0",  # the server itself is never killed
    "innodb_buffer_pool_size": "32M",
    "performance_schema": "OFF",
}


@contextmanager
def local_mariadb() -> Iterator[str]:
    """Run a server with an empty database, and yield the URL that SQLAlchemy connects by."""
    server_program = tool("mariadbd")
    with tempfile.TemporaryDirectory(prefix="wwspec-mariadb-") as folder:  # the path of a socket is short
        data, socket = f"{folder}/data", f"{folder}/mariadb.sock"
        made = [tool("mariadb-install-db"), "--no-defaults", f"--datadir={data}", f"--user={getpass.getuser()}"]
        made += ["--auth-root-authentication-method=normal", "--skip-test-db"]
        subprocess.run(made, check=True, capture_output=True)
        settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
        command = [server_program, "--no-defaults", f"--datadir={data}", f"--socket={socket}", "--skip-networking"]
        with Path(folder, "server.log").open("wb") as log:
            server = subprocess.Popen([*command, f"--user={getpass.getuser()}", *settings], stdout=log, stderr=log)
        try:
            url = f"mysql+pymysql://{_ADMIN}@localhost/app?unix_socket={socket}"
            wait_until(lambda: _answers(server, Path(folder, "server.log"), socket))
            yield url
        finally:
            server.terminate()
            server.wait(DEADLINE)


def _answers(server: "subprocess.Popen[bytes]", log: Path, socket: str) -> bool:
    if server.poll() is not None:
        raise RuntimeError(f"MariaDB ended: {log.read_text()[-500:]}")
    made = [tool("mariadb"), "--no-defaults", "-uroot", f"-S{socket}", "-e", "CREATE DATABASE IF NOT EXISTS app"]
    return subprocess.run(made, check=False, capture_output=True).returncode == 0
