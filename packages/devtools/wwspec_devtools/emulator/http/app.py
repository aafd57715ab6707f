"""The emulator as an ASGI application. It is served by `server`, and without a socket by a test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import anyio.to_thread
from starlette.applications import Starlette
from starlette.middleware import Middleware

from wwspec_contracts.callbacks import CallbackCrypto
from wwspec_devtools.emulator.callbacks.delivery import COMMANDS, DATA, Courier, Kind
from wwspec_devtools.emulator.console.page import console_routes, page_token
from wwspec_devtools.emulator.http.endpoints import Endpoints
from wwspec_devtools.emulator.http.guard import Guard
from wwspec_devtools.emulator.page.login_page import login_routes
from wwspec_devtools.emulator.page.routes import page_routes
from wwspec_devtools.emulator.platform import Platform
from wwspec_devtools.emulator.program.programs import HttpChannel
from wwspec_devtools.emulator.settings import CallbackSpec, EmulatorSettings
from wwspec_devtools.emulator.state.clock import Clock
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
    clock = Clock(settings.clock_start)
    way_to_program = channel or HttpChannel(settings.connect_timeout, settings.call_timeout)
    courier = _courier(settings, settings.callback, clock, DATA) if settings.callback_url else None
    commands = _courier(settings, settings.command_callback, clock, COMMANDS) if settings.command_url else None
    platform = Platform(settings, way_to_program, clock=clock, callbacks=courier, commands=commands)

    def connect(kind: Kind, spec: CallbackSpec) -> Courier:
        courier = _courier(settings, spec, clock, kind)
        courier.start(platform.record_callback)
        return courier

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        for each in filter(None, (courier, commands)):
            each.start(platform.record_callback)
        platform.start()
        try:
            yield
        finally:
            await anyio.to_thread.run_sync(platform.stop)
            for way in filter(None, (platform.callbacks, platform.commands)):
                await anyio.to_thread.run_sync(way.stop)
            if isinstance(way_to_program, HttpChannel):
                way_to_program.close()

    token = page_token()
    guard = Middleware(Guard, settings.allowed_hosts, token)
    endpoints = Endpoints(platform, partial(connect, DATA), partial(connect, COMMANDS))
    routes = [*endpoints.routes(), *login_routes(platform), *page_routes(platform), *console_routes(token)]
    app = Starlette(routes=routes, middleware=[guard], lifespan=lifespan)
    app.state.platform = platform
    app.state.streams = endpoints.streams
    return app


def _courier(settings: EmulatorSettings, spec: CallbackSpec, clock: Clock, kind: Kind) -> Courier:
    """Return the way to a callback URL. What verifies that of a provider's app is for the provider's corp."""
    is_corps_own = kind is DATA and settings.app_type in ("", "self")
    corpid = settings.corpid if is_corps_own else settings.provider_corpid
    english, chinese = ("the corpid", "corpid") if is_corps_own else ("the provider's corpid", "服务商的 corpid")
    crypto = CallbackCrypto(spec.token, spec.encoding_aes_key, corpid)
    return Courier(spec.url, crypto, clock, (f"{english} {corpid}", f"{chinese} {corpid}"), kind)
