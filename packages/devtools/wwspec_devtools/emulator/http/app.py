"""The emulator as an ASGI application. It is served by `server`, and without a socket by a test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from starlette.applications import Starlette
from starlette.middleware import Middleware

from wwspec_devtools.emulator.console.page import console_routes, page_token
from wwspec_devtools.emulator.http.endpoints import Endpoints
from wwspec_devtools.emulator.http.guard import Guard
from wwspec_devtools.emulator.page.login_page import login_routes
from wwspec_devtools.emulator.page.routes import page_routes
from wwspec_devtools.emulator.platform import Platform
from wwspec_devtools.emulator.program.programs import HttpChannel
from wwspec_devtools.emulator.settings import EmulatorSettings
from wwspec_devtools.emulator.state.world import Channel


def create_app(settings: EmulatorSettings, channel: Channel | None = None) -> Starlette:
    """Return the emulator as an ASGI application; `app.state.platform` is its `Platform`.

    Its threads and connections start and end with the application's lifespan, once.

    Args:
        settings: How to build it.
        channel: The way to the program; by default HTTP, closed with the application.

    Raises:
        ConfigurationError: The EncodingAESKey is malformed, or a fault of the settings makes no sense.
    """
    way_to_program = channel or HttpChannel(settings.connect_timeout, settings.call_timeout)
    platform = Platform(settings, way_to_program)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        platform.start()
        try:
            yield
        finally:
            await anyio.to_thread.run_sync(platform.stop)
            if isinstance(way_to_program, HttpChannel):
                way_to_program.close()

    token = page_token()
    guard = Middleware(Guard, settings.allowed_hosts, token)
    endpoints = Endpoints(platform)
    routes = [*endpoints.routes(), *login_routes(platform), *page_routes(platform), *console_routes(token)]
    app = Starlette(routes=routes, middleware=[guard], lifespan=lifespan)
    app.state.platform = platform
    app.state.streams = endpoints.streams
    return app
