"""A real redis-server, behind a Unix socket, with its append-only file in a directory of its own.

Tests, benchmarks and the runs of torture start it here.
"""

import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.support.waiting import DEADLINE, wait_until

DURABLE = ("--appendonly", "yes", "--appendfsync", "always")
"""Each write is synced before it is answered."""


class LocalRedis:
    """A redis-server that can be ended and started again over the same files.

    Args:
        directory: For its socket, its files and its log.
        options: Options of redis-server.

    Raises:
        RuntimeError: redis-server is not installed.
    """

    def __init__(self, directory: Path, options: Sequence[str] = DURABLE) -> None:
        if shutil.which("redis-server") is None:
            raise RuntimeError("redis-server is not on PATH; Debian's package is redis-server")
        self._directory = directory
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.path = directory / "redis.sock"
        self.url = f"unix://{self.path}"

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            RuntimeError: It ended instead.
        """
        command = ["redis-server", "--port", "0", "--unixsocket", str(self.path), "--dir", str(self._directory)]
        with (self._directory / "redis.log").open("ab") as output:
            self._process = subprocess.Popen([*command, "--save", "", *self._options], stdout=output, stderr=output)
        wait_until(self._answers)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End the server as a crash does, or with another signal, and wait until it is gone."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(DEADLINE)
            self._process = None

    def freeze(self) -> None:
        """Let the server hang: it takes connections and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def run(self, *command: str | int | bytes) -> Any:
        """Run a command as its administrator does."""
        with self.client() as client:
            return client.execute_command(*command)

    def _answers(self) -> bool:
        from redis import ConnectionError as RedisConnectionError, RedisError

        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"redis-server ended: {(self._directory / 'redis.log').read_text()[-500:]}")
        try:
            with self.client() as client:
                client.ping()
        except RedisConnectionError as error:
            return "Authentication" in type(error).__name__
        except RedisError:
            return False
        return True

    @contextmanager
    def client(self) -> Iterator[Any]:
        """Yield a connection of its own, which tries nothing twice."""
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        with closing(Redis(unix_socket_path=str(self.path), retry=Retry(NoBackoff(), 0))) as client:
            yield client


@contextmanager
def local_redis(directory: Path, *options: str) -> Iterator[LocalRedis]:
    """Run a server with these options instead of durable ones, if there are any."""
    server = LocalRedis(directory, options or DURABLE)
    try:
        server.start()
        yield server
    finally:
        server.kill()
