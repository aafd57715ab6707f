"""Processes of `wwspec` that are forked from one that has imported all verbs: to import them takes most of a start."""

import atexit
import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from signal import SIGKILL, SIGTERM
from threading import Lock

_SIZE = struct.calcsize("i")


class ForkedProcess:
    """A process that a fork server has started, with the part of `subprocess.Popen` that `Child` uses."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = Lock()
        self.pid = self._number()
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit code; None while the process runs."""
        if self.returncode is None and self._lock.acquire(blocking=False):  # else another thread waits for it
            try:
                with suppress(BlockingIOError):
                    self._read(0.0)
            finally:
                self._lock.release()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end, and return the exit code."""
        with self._lock:
            try:
                return self._read(timeout)
            except (BlockingIOError, TimeoutError):
                raise subprocess.TimeoutExpired("wwspec", timeout or 0.0) from None

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, sig)

    def terminate(self) -> None:
        self.send_signal(SIGTERM)

    def kill(self) -> None:
        self.send_signal(SIGKILL)

    def _read(self, timeout: float | None) -> int:
        if self.returncode is None:
            self._connection.settimeout(timeout)
            self.returncode = self._number()
            self._connection.close()
        return self.returncode

    def _number(self) -> int:
        data = b""
        with suppress(ConnectionError):
            data = self._connection.recv(_SIZE, socket.MSG_WAITALL)
        if len(data) < _SIZE:
            raise RuntimeError("the fork server has ended")
        return int(struct.unpack("i", data)[0])


class ForkServer:
    """The process that all others are forked from; see `fork_server.py`.

    It ends with this one, and with all that are forked from this one, which give it orders by the same socket.
    """

    def __init__(self, measured: str) -> None:
        self._orders, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("fork_server.py")), str(theirs.fileno())],
                env={**os.environ, "PYTHONPATH": "", "COVERAGE_PROCESS_CONFIG": measured},  # orders have the path
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        atexit.register(self._close)

    def start(self, order: Mapping[str, object], streams: Sequence[int]) -> ForkedProcess:
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._orders, [b"!"], [theirs.fileno(), *streams])
        ours.sendall(json.dumps(order).encode())
        ours.shutdown(socket.SHUT_WR)
        return ForkedProcess(ours)

    def _close(self) -> None:
        self._orders.close()
        self._process.wait()


@cache
def _server(measured: str) -> ForkServer:
    """Return the server for processes that measure their coverage so, as it does itself; see conftest.py."""
    return ForkServer(measured)


_starting = Lock()


def start_server() -> None:
    """Start the server of most tests, for the processes that are forked from this one; else each starts its own."""
    _server("")


def fork(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    streams: Sequence[int],
    *,
    folder: Path | None = None,
    path: Sequence[Path] = (),
    without: Sequence[Path] = (),
    is_strict: bool = False,
    is_session: bool = False,
    module: str = "wwspec_router",
) -> ForkedProcess:
    """Start `wwspec`. It inherits cores, limits and umask of the server, whatever this process has changed.

    Args:
        arguments: Behind `wwspec`.
        environment: All of it. Of what an interpreter reads at its start only `PYTHONPATH`, `PYTHONUNBUFFERED` and
            `PYTHONDONTWRITEBYTECODE` count.
        streams: The file descriptors of standard input, output and error.
        folder: Where it runs; by default here.
        path: Where modules are looked for first; by default in that folder.
        without: Where no module is looked for.
        is_strict: Whether a warning is an error, and no bytecode is written.
        is_session: Whether it has a session of its own, as behind a login; a terminal as standard input belongs to it.
        module: What `python -m` runs.
    """
    folder = folder or Path.cwd()
    order = {
        "arguments": arguments,
        "environment": {**environment},
        "folder": str(folder),
        "path": [*map(str, path or [folder])],
        "without": [*map(str, without)],
        "is_strict": is_strict,
        "is_session": is_session,
        "module": module,
    }
    with _starting:
        server = _server(os.environ.get("COVERAGE_PROCESS_CONFIG", ""))
    return server.start(order, streams)


def start_forked(
    arguments: Sequence[str], environment: Mapping[str, str], stdin: int | None, output: int | None
) -> ForkedProcess:
    """Start `wwspec` for a `Child`; see `StartProcess`."""
    with Path(os.devnull).open() as nothing:
        reads = nothing.fileno() if stdin == subprocess.DEVNULL else 0
        streams = [reads, 1, 2] if output is None else [reads, output, output]
        return fork(arguments, environment, streams)
