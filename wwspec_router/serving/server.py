"""Serves one program with uvicorn in this process: a worker, or the only process.

On SIGTERM the port is closed at once, so that the platform's next call can't connect; calls that run can end within the
grace. This module knows neither what a call is nor who watches this process.
"""

import asyncio
import gc
import logging
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.config import HTTP_PROTOCOLS
from uvicorn.importer import import_from_string

from wwspec_contracts.errors import ConfigurationError
from wwspec_router.config import SdkSource, Settings
from wwspec_router.http1.bounds import Limits
from wwspec_router.http1.budget import BodyBudget
from wwspec_router.http1.connection import Connection
from wwspec_router.http1.turns import Turns
from wwspec_router.kernel.call_log import CALLS
from wwspec_router.kernel.observer import observer_of
from wwspec_router.logs.handlers import SdkLogHandler
from wwspec_router.logs.lines import log_stray
from wwspec_router.monitoring.shared import SharedFigures
from wwspec_router.sdk.vendor import VendorSdk
from wwspec_router.serving.accepting import Acceptor, ConnectionCounts
from wwspec_router.serving.heartbeat import CLOSED, EXHAUSTED, HELD_UP, SERVING, Heartbeat
from wwspec_router.serving.joined import Joined
from wwspec_router.serving.own_cores import take_core
from wwspec_router.serving.program import ZoneProgram, create_program
from wwspec_router.serving.supervisor import end_by

log = logging.getLogger(__name__)

BACKLOG = 2048
"""Connections that may wait to be accepted."""
KEEP_ALIVE = 75
"""Seconds that an idle connection is kept. Much longer than clients keep theirs: else a client might send on a
connection that is being closed. A client also has this time to read its reply."""
GC_THRESHOLD = 10_000
"""The garbage collector checks young objects when this many more were made than freed."""


def serve_here(settings: Settings, listening: socket.socket, on_serving: Callable[[], None]) -> None:
    """Serve in this process, without a parent that watches it, until a signal.

    Raises:
        WWSpecError: The program can't start as configured; the port was not opened.
    """
    if settings.debug:
        from wwspec_router.serving.debugger import stop_in_terminal  # pdb: 5 ms of a start

        stop_in_terminal()  # before the application is imported
    program, config = _prepare(settings)
    keep_from_children(listening)
    with suppress(KeyboardInterrupt):  # uvicorn raises the signal again that has stopped it
        _Server(program, config, on_serving).run([listening])


def work(
    settings: Settings,
    listening: socket.socket,
    heartbeat: Heartbeat,
    shared: int | None,
    counts: ConnectionCounts,
    core: int | None = None,
) -> None:
    """Serve in a worker process until SIGTERM.

    Args:
        settings: Of the program.
        listening: The bound socket that the workers share.
        heartbeat: The line to the parent.
        shared: A file in which the workers show each other their figures; see `SharedFigures`.
        counts: In which they show each other how many connections they have.
        core: The core that is this worker's own; None for none.

    Raises:
        WWSpecError: The program can't start as configured.
    """
    program, config = _prepare(
        settings, None if shared is None else SharedFigures(shared, 2 * settings.processes, heartbeat.number)
    )
    if heartbeat.predecessor:  # the platform does not collect the parent's lines of a deployed program
        log.warning("this worker process takes the place of one that %s", heartbeat.predecessor)
    program.on_held_up = partial(heartbeat.report, HELD_UP)
    program.on_exhausted = partial(heartbeat.report, EXHAUSTED)
    keep_from_children(listening, heartbeat.parent)
    if core is not None:
        take_core(core, settings.pin_workers)
    _WorkerServer(program, config, heartbeat, counts).run([listening])


def keep_from_children(listening: socket.socket, *others: socket.socket) -> None:
    """Close a port, its connections and other sockets in each process that this one forks from now on.

    Such a process may live longer than the program. If it kept the port, no other program could open it, and no client
    would see that a connection was closed. Processes that run another program, as those of `subprocess`, inherit none
    of them anyway.
    """
    port = listening.getsockname()[1]
    os.register_at_fork(after_in_child=partial(_let_go, port, [each.fileno() for each in others]))


def _let_go(port: int, others: list[int]) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for number in {*others, *_sockets_of(port)}:
        # Not closed: objects of this process still have the number, and would close the next file that gets it.
        os.dup2(nothing, number, inheritable=False)
    os.close(nothing)


def _sockets_of(port: int) -> list[int]:
    """Return the sockets of a local TCP port."""
    found = []
    for entry in _open_files():
        with suppress(OSError):  # no socket, or the folder itself
            probe = socket.socket(fileno=int(entry.name))
            try:
                if probe.family in (socket.AF_INET, socket.AF_INET6) and probe.getsockname()[1] == port:
                    found.append(probe.fileno())
            finally:
                probe.detach()
    return found


def _open_files() -> list[Path]:
    """Return a path for each open file of this process, named by its number."""
    try:
        return list(Path("/proc/self/fd").iterdir())
    except FileNotFoundError:  # not Linux
        return list(Path("/dev/fd").iterdir())


def _prepare(settings: Settings, shared: SharedFigures | None = None) -> tuple[ZoneProgram, uvicorn.Config]:
    """Build the program of this process, which runs nothing else: its log and its garbage collector are set for it."""
    gc.disable()
    program = create_program(settings, shared, is_alone=settings.processes <= 1, on_sdk=_log_to)
    config = server_config(program, settings)
    # Reference counts free nearly all objects of a call; cycles are rare, and are still found. Few objects of the
    # start-up are garbage, so a search among them is not worth its time.
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 10, 10)
    gc.enable()
    return program, config


def _log_to(sdk: VendorSdk) -> None:
    if sdk.source is SdkSource.VENDOR:  # the stand-in prints to the stream of our own log
        logging.getLogger().addHandler(SdkLogHandler(sdk.log))
    elif (observer := observer_of(sdk.trace)) is not None:
        observer.watch_process(CALLS)


def server_config(program: ZoneProgram, settings: Settings) -> uvicorn.Config:
    """Configure uvicorn for one process of a program.

    Raises:
        ConfigurationError: The setting `wrap` can't be used.
    """
    limits = Limits(settings.connections, settings.head_timeout, settings.body_timeout, settings.max_body)
    application: Any = program  # uvicorn wants one; only `Connection` is asked
    http: Any = partial(Connection, program=program, limits=limits, bodies=BodyBudget(settings.max_body), turns=Turns())
    if settings.wrap:
        from wwspec_router.serving.asgi import wrapped  # Starlette, which most programs do without

        application, http = wrapped(program), partial(Joined, import_from_string(HTTP_PROTOCOLS["httptools"]))
    return uvicorn.Config(
        application,
        interface="asgi3",
        http=http,
        limit_concurrency=settings.connections + 1,  # of uvicorn's HTTP, which counts the connection that is refused
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE,
        ws="none",
        lifespan="on" if settings.wrap else "off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=settings.grace,  # type: ignore[arg-type]  # fractions are understood
    )


class _Server(uvicorn.Server):
    """uvicorn's server of one program. The time of its whole stop is bounded.

    Args:
        program: What is served.
        config: See `server_config`.
        on_serving: Called once it accepts connections.
    """

    def __init__(self, program: ZoneProgram, config: uvicorn.Config, on_serving: Callable[[], None]) -> None:
        super().__init__(config)
        self._program = program
        self._on_serving = on_serving
        self._signals: set[int] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve.

        Raises:
            WWSpecError: The program can't start; the text says why.
        """
        handler = partial(log_stray, with_text=self._program.is_emulated)
        asyncio.get_running_loop().set_exception_handler(handler)
        await self._program.start()
        try:
            await self._open(sockets or [])
        except SystemExit:
            await self._program.stop()
            raise ConfigurationError(
                f"--wrap {self._program.settings.wrap}: the lifespan of the application that it returns failed, as the "
                "log says: it gets the scope `lifespan`, too, and hands it to the application that it wraps"
            ) from None
        self._on_serving()

    async def _open(self, sockets: list[socket.socket]) -> None:
        """Begin to accept connections."""
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish what runs: uvicorn and the program share one grace."""
        self._program.stop_by = monotonic() + self._program.settings.grace
        await super().shutdown(sockets)
        await self._program.stop()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop. At once on a second signal of the kind, and on Ctrl-C at the prompt of a debugger.

        A terminal sends Ctrl-C to all its processes; the SIGTERM by which `wwspec dev` then ends its own is no second.
        """
        if sig in self._signals or (sig == signal.SIGINT and self._program.settings.debug and _prompt_is_open()):
            end_by(sig)
        self._signals.add(sig)
        if not self.should_exit:
            self._begin_stop(sig, frame)

    def _begin_stop(self, sig: int, frame: FrameType | None) -> None:
        self._program.is_stopping = True
        super().handle_exit(sig, frame)


def _prompt_is_open() -> bool:
    from wwspec_router.serving.debugger import prompt_is_open

    return prompt_is_open()


class _WorkerServer(_Server):
    """The server of a worker process; its parent signals it to stop, and kills it when it does not.

    Args:
        program: What is served.
        config: See `server_config`.
        heartbeat: The line to the parent.
        counts: How many connections each worker process has.
    """

    def __init__(
        self, program: ZoneProgram, config: uvicorn.Config, heartbeat: Heartbeat, counts: ConnectionCounts
    ) -> None:
        super().__init__(program, config, partial(heartbeat.report, SERVING))
        self._heartbeat = heartbeat
        self._counts = counts
        self._is_alone = program.settings.processes == 1
        self._acceptor: Acceptor | None = None

    async def _open(self, sockets: list[socket.socket]) -> None:
        """Begin to accept connections: the event loop does by itself, unless there are others to share them with."""
        if self._is_alone:
            await super()._open(sockets)
            return
        await super()._open([])
        (listening,) = sockets
        listening.listen(BACKLOG)
        loop = asyncio.get_running_loop()
        self._acceptor = Acceptor(
            loop, listening, self._new_connection, self.server_state, self._counts, self._heartbeat.number
        )

    def _new_connection(self) -> asyncio.Protocol:
        make: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
        return make(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the port, and finish what runs. The parent closes the port too, after all workers."""
        for server in self.servers:
            server.close()
        if self._acceptor is not None:
            self._acceptor.close()
        for each in sockets or []:
            each.close()
        self._heartbeat.report(CLOSED)
        if self._acceptor is not None:
            await self._acceptor.wait_closed()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop on SIGTERM. A terminal sends Ctrl-C to all; the parent passes it on."""
        if sig != signal.SIGINT and not self.should_exit:
            self._begin_stop(sig, frame)  # a second SIGTERM may come in the midst of this, and must not end the process
