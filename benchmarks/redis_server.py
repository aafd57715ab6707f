"""A redis-server of the benchmark's own, behind a Unix socket, that syncs each write to its append-only file."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["redis_server"]

DEADLINE = 20.0


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Run a server and yield the path of its socket.

    Raises:
        FileNotFoundError: redis-server is not installed.
        RuntimeError: It did not come up.
    """
    binary = shutil.which("redis-server")
    if binary is None:
        raise FileNotFoundError("redis-server")
    socket = folder / "redis.sock"
    command = [binary, "--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", ""]
    command += ["--appendonly", "yes", "--appendfsync", "always"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + DEADLINE
        while not socket.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("redis-server did not come up")
            time.sleep(0.01)
        yield str(socket)
    finally:
        process.terminate()
        process.wait(DEADLINE)
