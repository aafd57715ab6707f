"""Serves the emulator. The command line uses this module."""

import logging
import socket
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from wwspec_contracts.support.signals import until_interrupted
from wwspec_devtools.emulator.http.app import create_app
from wwspec_devtools.emulator.program.launch import Launch
from wwspec_devtools.emulator.proxy.authority import Authority, default_folder
from wwspec_devtools.emulator.proxy.proxy import Proxy
from wwspec_devtools.emulator.settings import EmulatorSettings, machine_url

BACKLOG = 2048
HTTP = "h11"
"""uvicorn's protocol class that also reads the body of a request with an `Upgrade` header, which Java's HttpClient
sends in each request."""
KEEP_ALIVE = 75
"""Seconds that an idle connection stays open. Clients close theirs much earlier: otherwise a client might send on a
connection that the server is closing."""

_log = logging.getLogger("uvicorn.error")


def serve(
    settings: EmulatorSettings,
    program: str = "",
    proxy_port: int | None = None,
    state: Path | None = None,
    on_start: Callable[[str], object] | None = None,
) -> None:
    """Serve the emulator until it is interrupted.

    Args:
        settings: How to build it.
        program: The command line of a zone program that runs as long as the emulator does; see `launch`.
        proxy_port: The port of the HTTPS proxy; see `proxy`. None: no proxy.
        state: Folder of the proxy's certificate authority; see `default_folder` for None.
        on_start: Called with the URL of the console once it is served.

    Raises:
        ConfigurationError: See `create_app`; or the program can't be started, or the proxy.
        ProgramEndedError: The program ended by itself, so the emulator ended too.
    """
    server = Server(create_app(settings), settings.host, settings.port, on_start)
    if not program and proxy_port is None:
        with suppress(KeyboardInterrupt):  # uvicorn raises the signal again that has stopped it
            server.run()
        return
    with until_interrupted(), ExitStack() as stack:
        bound = stack.enter_context(server.config.bind_socket())
        bound.listen(BACKLOG)
        port = bound.getsockname()[1]
        if proxy_port is not None:
            authority = Authority(state or default_folder())
            proxy = stack.enter_context(Proxy(authority, (settings.host, port), settings.host, proxy_port))
            _log.info("proxy: HTTPS_PROXY=%s, trusting %s", proxy.url, authority.certificate)
        url = f"http://{f'[{settings.host}]' if ':' in settings.host else settings.host}:{port}"
        # Uvicorn raises SIGTERM again after its end: without a handler the program would stay.
        stop = partial(setattr, server, "should_exit", True)
        numbers = range(1, settings.machines + 1) if program else ()
        launches = [
            stack.enter_context(
                Launch(program, url, machine_url(settings.program_url, n), stop, n if settings.machines > 1 else 0)
            )
            for n in numbers
        ]
        server.run(sockets=[bound])
        for launch in launches:
            launch.check()


class Server(uvicorn.Server):
    """uvicorn's server, which also names the console's URL and ends the streams when it stops.

    Args:
        app: From `create_app`.
        host: Where to listen.
        port: Where to listen.
        on_start: See `serve`.
    """

    def __init__(
        self, app: Starlette, host: str = "127.0.0.1", port: int = 0, on_start: Callable[[str], object] | None = None
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=HTTP,
                ws="none",
                host=host,
                port=port,
                backlog=BACKLOG,
                access_log=False,
                log_config=None,
                timeout_keep_alive=KEEP_ALIVE,
            )
        )
        self._end_streams: Callable[[], None] = app.state.streams.end
        self._on_start = on_start

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until a signal; one that comes before the loop runs is only noted, and then ends the server as well."""
        with self.capture_signals():
            super().run(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve."""
        await super().startup(sockets)
        if not self.started or self.should_exit:
            return
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        url = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
        _log.info("console: %s", url)
        if self._on_start is not None:
            self._on_start(url)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop, and end the streams: the server waits for the end of each response, and a stream has no end."""
        self._end_streams()
        await super().shutdown(sockets)
        if self.force_exit:  # after a second Ctrl-C uvicorn leaves the application's end out, and prints a traceback
            await self.lifespan.shutdown()
