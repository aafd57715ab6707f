"""The program as an ASGI application, for servers other than `wwspec serve`.

It changes nothing of the process: the log, the garbage collector, signals and the event loop are the server's.
"""

from ipaddress import ip_address

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from wwspec_contracts.errors import ConfigurationError
from wwspec_contracts.extras import require
from wwspec_router.config import SdkSource, variable
from wwspec_router.config.reading import read_settings
from wwspec_router.serving.asgi import ZoneApplication
from wwspec_router.serving.program import create_program

__all__ = ["create_app"]


def create_app() -> Starlette:
    """Build the program as an ASGI application, to be served by any server.

    The settings come from wwspec.toml and from the environment, as for `wwspec serve`; the application folder is
    WWSPEC_APP, or the folder that the server is started in. The program starts and stops with the application's
    lifespan, so the server must run that. An application of Starlette under which this one is mounted does not: let its
    own lifespan enter `app.router.lifespan_context(app)`.

    Middleware, routes and mounts can be added before the start, as to any application of Starlette. Without middleware
    a call takes less time.

    A store that processes don't share is refused, unless `workers = 1` or WWSPEC_WORKERS=1 says that there is one
    process. With the emulator's SDK only this machine is answered, unless WWSPEC_ALLOW_REMOTE is set.

    Raises:
        ConfigurationError: The settings, the application, the registry file, the SDK or the store can't be used.
        StoreError: The store does not work.
    """
    settings, given = read_settings()
    if settings.debug_fault:
        raise ConfigurationError(settings.debug_fault)
    if settings.sdk is SdkSource.EMULATOR:
        require("zone", f"wwspec_router.asgi with {variable('sdk')}={SdkSource.EMULATOR}")
    app = ZoneApplication(create_program(settings, is_alone="workers" in given and settings.processes <= 1))
    if settings.sdk is SdkSource.EMULATOR and not settings.allow_remote:
        app.add_middleware(_ThisMachineOnly)
    return app


class _ThisMachineOnly:
    """Refuses other machines, since the server decides where it listens, and the emulator's key is no secret."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _is_remote(scope.get("client")):
            fix = f"set {variable('allow-remote')}=1 to let other machines call it"
            refusal = PlainTextResponse(f"a program with the emulator's SDK answers this machine only: {fix}\n", 403)
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _is_remote(client: tuple[str, int] | None) -> bool:
    """Return whether a client may be on another machine. A client in memory has a name, and no address."""
    if client is None:
        return True
    try:
        return not ip_address(client[0]).is_loopback
    except ValueError:
        return False
