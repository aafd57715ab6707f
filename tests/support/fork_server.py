"""Runs `wwspec` in forked processes: all that verbs import is imported once. See `tests.support.forks`.

An order is one byte on the socket that this process inherits, with four file descriptors: a connection for this order,
and what is standard input, output and error of its process. The process reads from the connection what it shall be. The
server writes two numbers to it, the process id at once and the exit code at the end. It never starts a thread.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterable
from contextlib import suppress
from fcntl import ioctl
from termios import TIOCSCTTY
from typing import Any

LIBRARIES = (
    "Crypto.Cipher.AES",
    "encodings.idna",
    "httpcore",
    "httptools",
    "redis",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "wwspec_devtools.emulator.http.server",
    "wwspec_router.registry.table",
    "wwspec_router.serving.program",
    "wwspec_router.serving.server",
    "wwspec_router.stores.sqlite.file",
    "wwspec_devtools.testing.zone",
)
"""What verbs, and sessions of pytest, import in functions."""
SECONDS = 20.0
"""What runs when nobody gives orders any more has so long to end after SIGTERM."""


def import_verbs() -> None:
    """Import pytest, every verb, the libraries and all contracts of WeCom, and make what these keep for later."""
    gc.disable()
    main = importlib.import_module("wwspec_router.cli.main")
    for verb in main.VERBS:
        main.command_of(verb)
    sys.modules["httpx._main"] = None  # type: ignore[assignment]  # as in a process of `wwspec`
    contracts = importlib.import_module("wwspec_contracts")
    plugins = importlib.import_module("_pytest.config").default_plugins
    for name in (*LIBRARIES, *(f"_pytest.{plugin}" for plugin in plugins)):
        importlib.import_module(name)
    for found in pkgutil.walk_packages(contracts.__path__, "wwspec_contracts."):
        importlib.import_module(found.name)
    importlib.import_module("wwspec_devtools.console_contracts.described").describe_apis()
    importlib.import_module("wwspec_contracts.support.certificates").trusted()
    importlib.import_module("wwspec_devtools.direct").direct()
    emulator = importlib.import_module("wwspec_devtools.emulator.settings").EmulatorSettings()
    importlib.import_module("wwspec_devtools.emulator.http.app").create_app(emulator)  # which compiles its routes
    gc.freeze()
    gc.enable()


def become(order: Any) -> None:
    """Make this process what a new interpreter would be in a folder, with an environment and a search path."""
    if order["is_session"]:
        os.setsid()
        if os.isatty(0):
            ioctl(0, TIOCSCTTY, 0)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    tempfile.tempdir = None
    inherited = [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each]
    rest = [each for each in sys.path[1:] if each not in order["without"]]
    sys.path[:] = [*order["path"], *inherited, *rest]
    sys.argv[1:] = order["arguments"]
    # A text file here, which the type of sys.stdout does not promise.
    sys.stdout.reconfigure(line_buffering=os.isatty(1) or "PYTHONUNBUFFERED" in os.environ)  # type: ignore[union-attr]
    sys.dont_write_bytecode = order["is_strict"] or "PYTHONDONTWRITEBYTECODE" in os.environ
    if order["is_strict"]:
        warnings.simplefilter("error")


def run(module: str, *, is_strict: bool) -> None:
    """Run a module, and end this process as an interpreter does, but let the kernel free the memory.

    To free what the server has imported takes five times as long as a short verb, since its pages are copied first.
    """
    code, imported = None, {*sys.modules}
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if isinstance(end.code, str):
            raise
        code = end.code
    # Private, but what an interpreter does at its end before the functions of atexit: it waits for the threads.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    if is_strict:  # what the module and those that it has imported left open is a warning now
        for name in {*sys.modules} - imported:
            del sys.modules[name]
        gc.collect()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code or 0)


class Server:
    """Forks for orders."""

    def __init__(self, orders: socket.socket) -> None:
        self._orders = orders
        self._woken, self._wake = os.pipe()
        self._connections: dict[int, socket.socket] = {}
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wake, False)
        self._signals = {
            signal.SIGINT: signal.signal(signal.SIGINT, signal.SIG_IGN),  # a terminal sends it to the processes, too
            signal.SIGCHLD: signal.signal(signal.SIGCHLD, lambda *_: None),
        }
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)

    def serve(self) -> Any:
        """Fork until nobody gives orders any more; return in a forked process its order, and in this one None."""
        while True:
            ready, _, _ = select.select([self._orders.fileno(), self._woken], [], [])
            self._reap()
            if self._orders.fileno() not in ready:
                continue
            byte, descriptors, _, _ = socket.recv_fds(self._orders, 1, 4)
            if not byte:
                self._end()
                return None
            connection = socket.socket(fileno=descriptors[0])
            if not (pid := os.fork()):
                return self._forked(connection, descriptors[1:])
            for each in descriptors[1:]:
                os.close(each)
            self._connections[pid] = connection
            self._write(connection, pid)

    def _forked(self, connection: socket.socket, streams: Iterable[int]) -> Any:
        signal.set_wakeup_fd(-1)
        for number, handler in self._signals.items():
            signal.signal(number, handler)
        for target, stream in enumerate(streams):
            os.dup2(stream, target)
            os.close(stream)
        for each in (self._woken, self._wake):
            os.close(each)
        for other in (self._orders, *self._connections.values()):
            other.close()
        with connection, connection.makefile() as order:
            return json.load(order)

    def _reap(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._woken, 1 << 10)
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                with self._connections.pop(ended[0]) as connection:
                    self._write(connection, os.waitstatus_to_exitcode(ended[1]))

    def _write(self, connection: socket.socket, number: int) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # nobody asks
            connection.sendall(struct.pack("i", number))

    def _end(self) -> None:
        deadline = time.monotonic() + SECONDS
        for pid in self._connections:
            os.kill(pid, signal.SIGTERM)
            os.kill(pid, signal.SIGCONT)
        while self._connections and (left := deadline - time.monotonic()) > 0:
            select.select([self._woken], [], [], left)
            self._reap()
        for pid in self._connections:
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    server = Server(socket.socket(fileno=int(sys.argv.pop())))
    import_verbs()
    if given := server.serve():
        del server
        become(given)
        run(given["module"], is_strict=given["is_strict"])
