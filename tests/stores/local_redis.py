"""Starts a real redis-server for tests: behind a Unix socket, with its append-only file in a directory of its own.

Where it is not installed, tests are skipped; under CI they fail.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from wwspec_router.testing.store_suite import ManualClock

DEADLINE = 30.0
DURABLE = ("--appendonly", "yes", "--appendfsync", "always")

_REWIND = """
local past = tonumber(ARGV[1])
for _, key in ipairs(redis.call('KEYS', '*')) do
    local expires = redis.call('PEXPIRETIME', key)
    if redis.call('TYPE', key).ok == 'zset' then
        for _, member in ipairs(redis.call('ZRANGE', key, 0, -1)) do
            redis.call('ZINCRBY', key, -past, member)
        end
    elseif expires >= 0 then
        redis.call('PEXPIREAT', key, string.format('%.0f', expires - past))
    end
end
"""


def require(found: bool, what: str) -> None:
    """Skip the test, or let it fail under CI, when something it needs is missing."""
    if found:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing; CI has to test the Redis store")
    pytest.skip(f"{what} is missing")


class LocalRedis:
    """A redis-server that can be stopped and started again over the same files."""

    def __init__(self, directory: Path, options: Sequence[str] = DURABLE) -> None:
        require(shutil.which("redis-server") is not None, "redis-server")
        require(importlib.util.find_spec("redis") is not None, "the package redis")
        self._directory = directory
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.path = directory / "redis.sock"
        self.url = f"unix://{self.path}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        command = ["redis-server", "--port", "0", "--unixsocket", str(self.path), "--dir", str(self._directory)]
        with (self._directory / "redis.log").open("ab") as output:
            self._process = subprocess.Popen([*command, "--save", "", *self._options], stdout=output, stderr=output)
        deadline = time.monotonic() + DEADLINE
        while not self._answers():
            assert self._process.poll() is None, (self._directory / "redis.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End the server as a crash does, or otherwise."""
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
        with self._client() as client:
            return client.execute_command(*command)

    def _answers(self) -> bool:
        from redis import ConnectionError as RedisConnectionError, RedisError

        try:
            with self._client() as client:
                client.ping()
        except RedisConnectionError as error:
            return "Authentication" in type(error).__name__
        except RedisError:
            return False
        return True

    @contextmanager
    def _client(self) -> Iterator[Any]:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        with closing(Redis(unix_socket_path=str(self.path), retry=Retry(NoBackoff(), 0))) as client:
            yield client


@contextmanager
def local_redis(directory: Path, *options: str) -> Iterator[LocalRedis]:
    """Run a server with these options instead of durable ones, if there are any."""
    server = LocalRedis(directory, options or DURABLE)
    server.start()
    try:
        yield server
    finally:
        server.kill()


class RewindingClock(ManualClock):
    """Lets the server's clock run, and moves every time that it keeps into the past instead of the clock ahead."""

    def __init__(self, server: LocalRedis) -> None:
        super().__init__()
        self._server = server

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        self._server.run("EVAL", _REWIND, 0, round(seconds * 1000))
