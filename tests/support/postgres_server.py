"""A private PostgreSQL that listens on a Unix socket only, in a folder that is gone at its end.

Tests and the runs of torture start it here.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.tools import tool
from tests.support.waiting import DEADLINE, wait_until

_SETTINGS = ("listen_addresses=", "fsync=off", "max_connections=100", "shared_buffers=32MB")
"""Without fsync, since the server itself is never killed."""


@contextmanager
def local_postgres() -> Iterator[str]:
    """Run a server with an empty database, and yield the URL that SQLAlchemy connects by."""
    initdb, postgres, ready = (tool(name) for name in ("initdb", "postgres", "pg_isready"))
    folder = Path(tempfile.mkdtemp(prefix="wwspec-pg-"))
    owner: dict[str, Any] = {}
    if os.geteuid() == 0:  # the server refuses to be root
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        owner = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    data = folder / "data"
    server: subprocess.Popen[bytes] | None = None
    try:
        made = [initdb, "--pgdata", str(data), "--auth", "trust", "--username", "postgres", "--no-sync", "-E", "UTF8"]
        subprocess.run([*made, "--no-locale"], check=True, capture_output=True, cwd=folder, **owner)
        settings = [part for setting in _SETTINGS for part in ("-c", setting)]
        with (folder / "server.log").open("wb") as log:
            command = [postgres, "-D", str(data), "-k", str(folder), *settings]
            server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **owner)

        def answers() -> bool:
            assert server is not None
            if server.poll() is not None:
                raise RuntimeError(f"PostgreSQL ended: {(folder / 'server.log').read_text()[-500:]}")
            asked = [ready, "-q", "-h", str(folder), "-U", "postgres"]
            return subprocess.run(asked, check=False).returncode == 0

        wait_until(answers)
        yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
    finally:
        if server is not None:
            server.send_signal(signal.SIGINT)  # ends its sessions first
            server.wait(DEADLINE)
        shutil.rmtree(folder)
