"""A real redis-server, behind a Unix socket and perhaps a port, with its append-only file in a directory of its own.

Tests, benchmarks and the runs of torture start it here.
"""

import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.support.tools import tool
from tests.support.waiting import DEADLINE, wait_until

DURABLE = ("--appendonly", "yes", "--appendfsync", "always")
"""Each write is synced before it is answered."""


class LocalRedis:
    """A redis-server that can be ended and started again over the same files.

    Args:
        directory: For its socket, its files and its log; it is made if need be.
        options: Options of redis-server.
        port: Where it listens beside its socket; 0 is nowhere.
        tls: Options that name its certificate; then the port speaks TLS only, with other servers as well.
        program: What is started: redis-server, or one that takes the same options.

    Raises:
        MissingToolError: It is not installed.
    """

    def __init__(
        self,
        directory: Path,
        options: Sequence[str] = DURABLE,
        *,
        port: int = 0,
        tls: Sequence[str] = (),
        program: str = "redis-server",
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._options = options
        tool(program)
        self._program = program
        self._listens = ["--port", str(port)]
        if tls:
            self._listens = ["--port", "0", "--tls-port", str(port), *tls, "--tls-replication", "yes"]
        self._process: subprocess.Popen[bytes] | None = None
        self._frozen = False
        self.port = port
        self.path = directory / "redis.sock"
        self.url = f"unix://{self.path}"

    def start(self, *options: str) -> None:
        """Start the server, with further options, and wait until it answers."""
        self.begin(*options)
        wait_until(self.answers)

    def begin(self, *options: str) -> None:
        with (self._directory / "redis.log").open("ab") as output:
            self._process = subprocess.Popen([*self._command(), *options], stdout=output, stderr=output)

    def _command(self) -> list[str]:
        command = [self._program, *self._listens, "--bind", "127.0.0.1", "--unixsocket", str(self.path)]
        return [*command, "--dir", str(self._directory), "--save", "", *self._options]

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            if self._frozen:
                self.thaw()
            self._process.wait(DEADLINE)
            self._process = None

    @property
    def runs(self) -> bool:
        return self._process is not None and not self._frozen

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        self._frozen = True

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)
        self._frozen = False

    def run(self, *command: str | int | bytes) -> Any:
        """Run a command as its administrator does."""
        with self.client() as client:
            return client.execute_command(*command)

    def answers(self) -> bool:
        """Tell whether it takes commands."""
        from redis import ConnectionError as RedisConnectionError, RedisError

        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"{self._program} ended: {(self._directory / 'redis.log').read_text()[-500:]}")
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
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        options: Any = {"retry": Retry(NoBackoff(), 0), "driver_info": None}  # it would read a file for each connection
        with closing(Redis(unix_socket_path=str(self.path), **options)) as client:
            yield client


@contextmanager
def local_redis(
    directory: Path, *options: str, port: int = 0, tls: Sequence[str] = (), program: str = "redis-server"
) -> Iterator[LocalRedis]:
    """Run a server with these options instead of durable ones, if there are any; see `LocalRedis`."""
    server = LocalRedis(directory, options or DURABLE, port=port, tls=tls, program=program)
    try:
        server.start()
        yield server
    finally:
        server.kill()
