"""Serves one program with uvicorn, in this process or in several.

Everything that can fail is tried before the port is opened: a program that can't answer must not look alive. On
SIGTERM the port is closed at once, everywhere, so that the platform's next call fails to connect; what runs is finished
within the grace.
"""

import contextlib
import logging
import os
import resource
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import monotonic
from types import FrameType

import msgspec
import uvicorn
from starlette.types import ASGIApp
from uvicorn.config import STARTUP_FAILURE

from wwspec_router.app import ZoneProgram, create_app
from wwspec_router.config import Settings
from wwspec_router.connection import SURPLUS, Connection
from wwspec_router.errors import ConfigurationError, WWSpecError
from wwspec_router.lean import LeanConnection
from wwspec_router.logs import setup_logging
from wwspec_router.sdk.vendor import SdkSource, load_sdk
from wwspec_router.stores import open_store
from wwspec_router.supervisor import LastResort, Pulse, Supervisor, end_by
from wwspec_router.table import build_table, check_configuration

__all__ = ["serve", "server_config"]

log = logging.getLogger(__name__)

BACKLOG = 2048
"""Connections that may wait to be accepted."""
KEEP_ALIVE = 75
"""Seconds that an idle connection is kept: far longer than clients do, who would send on one that is being closed.
Also what a client has to read its reply."""
SILENCE = 60.0
"""Seconds without a sign of life after which a worker process is replaced, or `--hang-after` when that is longer."""
BOARD = "wwspec-board-"
"""What the names of the folders begin with in which worker processes show each other their figures."""
OTHER_FILES = 256
"""Open files of a process besides its connections: the store, the logs, modules, the event loop."""


def serve(settings: Settings) -> None:
    """Serve until a signal ends it.

    Raises:
        ConfigurationError: The program can't start as configured; nothing was opened.
    """
    setup_logging(settings.log_level, as_json=settings.log_json, development=settings.sdk is SdkSource.EMULATOR)
    if bool(settings.debug_token) != bool(settings.access_token):
        raise ConfigurationError("WWSPEC_DEBUG_TOKEN and WWSPEC_ACCESS_TOKEN go together (WeCom document 100083)")
    _allow_files(settings)
    if settings.workers == 1:
        program = create_app(settings)
        listening = _bind(settings)
        _announce(settings, listening)
        _OnlyServer(program, settings).run([listening])
        return
    _try_out(settings)
    listening = _bind(settings)
    _announce(settings, listening)
    _sweep_boards()
    with tempfile.TemporaryDirectory(prefix=f"{BOARD}{os.getpid()}-") as board:  # readable by this user alone
        work = partial(_work, msgspec.structs.replace(settings, board=Path(board)))
        Supervisor(work, listening, settings.workers, settings.grace, max(SILENCE, settings.hang_after)).run()


def _try_out(settings: Settings) -> None:
    """Try everything that worker processes will need.

    Raises:
        ConfigurationError: The application, the registry file, the SDK or the store can't be used, or they don't fit.
    """
    check_configuration(build_table(settings.app, settings.registry_path))
    load_sdk(settings.sdk)
    store = open_store(settings.store_url)
    try:
        if not store.shared:
            raise ConfigurationError(
                f"--store {settings.store}: worker processes don't share it, so an event stored by one would be "
                "missing in another; use a sqlite: store, or --workers 1"
            )
    finally:
        store.close()


def server_config(program: ASGIApp, settings: Settings) -> uvicorn.Config:
    """Configure uvicorn for one process of a program."""
    protocol: Callable[..., Connection] = partial(Connection, head_timeout=settings.head_timeout)
    if settings.lean_http:
        protocol = partial(
            LeanConnection,
            head_timeout=settings.head_timeout,
            body_timeout=settings.body_timeout,
            max_body=settings.max_body,
        )
    return uvicorn.Config(
        program,
        http=protocol,  # type: ignore[arg-type]  # as good as a class
        limit_concurrency=settings.connections + 1,  # uvicorn refuses from its limit on, and not beyond it
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE,
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=settings.grace,  # type: ignore[arg-type]  # fractions are understood
    )


class _Server(uvicorn.Server):
    """uvicorn's server of one program, whose stop is bounded as a whole."""

    def __init__(self, program: ZoneProgram, settings: Settings) -> None:
        super().__init__(server_config(program, settings))
        self._program = program
        self._grace = settings.grace

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish what runs: uvicorn and the program share one grace."""
        self._program.stop_by = monotonic() + self._grace
        await super().shutdown(sockets)


class _OnlyServer(_Server):
    """The server of a program in one process, which nobody supervises: it sees to its own end."""

    def __init__(self, program: ZoneProgram, settings: Settings) -> None:
        super().__init__(program, settings)
        self._last_resort = LastResort(settings.grace)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; at once, when told so again."""
        if self.should_exit:
            end_by(sig)
        super().handle_exit(sig, frame)
        self._last_resort.begin(sig)


class _WorkerServer(_Server):
    """The server of one of several processes, which tells its parent how it does."""

    def __init__(self, program: ZoneProgram, settings: Settings, pulse: Pulse) -> None:
        super().__init__(program, settings)
        program.on_held_up = pulse.held_up
        self._pulse = pulse

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve."""
        await super().startup(sockets)
        self._pulse.serving()


def _work(settings: Settings, listening: socket.socket, pulse: Pulse) -> None:
    """Serve in a worker process, which begins with nothing."""
    setup_logging(settings.log_level, as_json=settings.log_json, development=settings.sdk is SdkSource.EMULATOR)
    try:
        program = create_app(settings)
    except WWSpecError as error:
        log.error("this worker process can't start: %s", error)
        sys.exit(STARTUP_FAILURE)
    _WorkerServer(program, settings, pulse).run([listening])


def _sweep_boards() -> None:
    """Remove the folders of programs that were killed before they could."""
    for folder in Path(tempfile.gettempdir()).glob(f"{BOARD}*-*"):
        pid = folder.name.removeprefix(BOARD).partition("-")[0]
        with contextlib.suppress(OSError, ValueError):  # another user's, or swept by another program just now
            try:
                os.kill(int(pid), 0)
            except ProcessLookupError:
                shutil.rmtree(folder)


def _allow_files(settings: Settings) -> None:
    """Let the process open as many files as its limits ask for, as far as the system grants it."""
    wanted = settings.connections + SURPLUS + settings.threads + settings.job_threads + OTHER_FILES
    granted, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if granted == resource.RLIM_INFINITY or granted >= wanted:
        return
    allowed = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
    if allowed < wanted:
        log.warning(
            "this system lets a process open %d files, but --connections %d and --threads %d may need %d: "
            "raise its limit (ulimit -n), or lower these",
            allowed,
            settings.connections,
            settings.threads,
            wanted,
        )


def _bind(settings: Settings) -> socket.socket:
    """Open the port, with an error that names the mend."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((settings.host, settings.port))
    except OSError as error:
        bound.close()
        raise ConfigurationError(
            f"{settings.host}:{settings.port} can't be opened ({error.strerror}): "
            "end what listens there, or take another --port"
        ) from None
    return bound


def _announce(settings: Settings, listening: socket.socket) -> None:
    """Say where the program listens, in a line that scripts can wait for."""
    host, port = listening.getsockname()[:2]
    log.info(
        "listening on http://%s:%d/ with %d worker process(es) of %d threads, store %s",
        host,
        port,
        settings.workers,
        settings.threads,
        settings.store.rpartition("@")[2].partition("?")[0],
    )
