"""Puts the emulator together and serves it.

The command line stands on `EmulatorSettings`, `load_contracts`, `create_app` and `serve`; it is not known
here.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
import uvicorn
from starlette.applications import Starlette

from wwspec_router.emulator.callbacks import CallbackCrypto
from wwspec_router.emulator.channel import HttpChannel
from wwspec_router.emulator.clock import Clock
from wwspec_router.emulator.courier import Courier
from wwspec_router.emulator.platform import Platform
from wwspec_router.emulator.qyapi import Endpoints
from wwspec_router.emulator.seal import require_cipher
from wwspec_router.emulator.settings import (
    STANDIN_DIRECTORY,
    AbilityContract,
    EmulatorSettings,
    load_contracts,
)

__all__ = [
    "STANDIN_DIRECTORY",
    "AbilityContract",
    "EmulatorSettings",
    "create_app",
    "load_contracts",
    "serve",
]

BACKLOG = 2048


def create_app(settings: EmulatorSettings) -> Starlette:
    """Return the emulator as an ASGI application; `app.state.platform` is its `Platform`.

    Its threads and connections start and end with the application's lifespan, once.

    Raises:
        ConfigurationError: The EncodingAESKey is none, or the extra `emulator` is not installed.
    """
    require_cipher()
    clock = Clock(settings.clock_start)
    courier = _courier(settings, clock)
    channel = HttpChannel(settings.connect_timeout, settings.call_timeout)
    deliver = courier.deliver if courier else None
    platform = Platform(settings, channel, clock=clock, deliver=deliver)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        if courier:
            courier.start(platform.world.settle)
        try:
            yield
        finally:
            if courier:
                await anyio.to_thread.run_sync(courier.stop)
            channel.close()

    app = Starlette(routes=Endpoints(platform).routes(), lifespan=lifespan)
    app.state.platform = platform
    return app


def serve(settings: EmulatorSettings) -> None:
    """Serve the emulator until it is interrupted.

    Raises:
        ConfigurationError: See `create_app`.
    """
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        backlog=BACKLOG,
        access_log=False,
    )


def _courier(settings: EmulatorSettings, clock: Clock) -> Courier | None:
    if not settings.callback_url:
        return None
    crypto = CallbackCrypto(settings.callback_token, settings.encoding_aes_key, settings.corpid)
    return Courier(settings.callback_url, crypto, clock)
