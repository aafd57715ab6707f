"""Serves one program with uvicorn, in this process or in several.

Everything that can fail is tried before the port is opened: a program that can't answer must not look alive.
"""

import logging
import socket
from collections.abc import Sequence
from functools import partial

import uvicorn
from starlette.types import ASGIApp
from uvicorn.supervisors import Multiprocess

from wwspec_router.app import create_app
from wwspec_router.config import Settings
from wwspec_router.errors import ConfigurationError
from wwspec_router.logs import setup_logging
from wwspec_router.sdk.vendor import load_sdk
from wwspec_router.stores import open_store
from wwspec_router.table import build_table, check_configuration

__all__ = ["check_program", "serve"]

log = logging.getLogger(__name__)

BACKLOG = 2048
"""Connections that may wait to be accepted."""
KEEP_ALIVE = 75
"""Seconds that an idle connection is kept: far longer than clients do, who would send on one that is being closed."""


def serve(settings: Settings) -> None:
    """Serve until a signal ends it.

    Raises:
        ConfigurationError: The program can't start as configured; nothing was opened.
    """
    setup_logging(settings.log_level, as_json=settings.log_json)
    check_program(settings)
    if settings.workers == 1:
        config = _config(create_app(settings), settings)
        sockets = [_bind(config)]
        _announce(settings, sockets)
        uvicorn.Server(config).run(sockets)
    else:
        config = _config(partial(_create_worker_app, settings), settings)
        sockets = [_bind(config)]
        _announce(settings, sockets)
        Multiprocess(config, sockets=sockets).run()


def check_program(settings: Settings) -> None:
    """Try everything that a worker process will need.

    Raises:
        ConfigurationError: The application, the registry file, the SDK or the store can't be used, or they don't fit.
    """
    check_configuration(build_table(settings.app, settings.registry_path))
    load_sdk(settings.sdk)
    store = open_store(settings.store_url)
    try:
        if settings.workers > 1 and not store.shared:
            raise ConfigurationError(
                f"--store {settings.store}: worker processes don't share it, so an event stored by one would be "
                "missing in another; use a sqlite: store, or --workers 1"
            )
    finally:
        store.close()
    if bool(settings.debug_token) != bool(settings.access_token):
        raise ConfigurationError("--debug-token and --access-token go together (WeCom document 100083)")


def _create_worker_app(settings: Settings) -> ASGIApp:
    """Build the application in a worker process, which begins with nothing."""
    setup_logging(settings.log_level, as_json=settings.log_json)
    return create_app(settings)


def _config(app: object, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # an application, or with several workers a factory of one
        factory=settings.workers > 1,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE,
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=max(1, round(settings.grace)),
    )


def _bind(config: uvicorn.Config) -> socket.socket:
    """Open the port, with an error that names the mend."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((config.host, config.port))
    except OSError as error:
        bound.close()
        raise ConfigurationError(
            f"{config.host}:{config.port} can't be opened ({error.strerror}): "
            "end what listens there, or take another --port"
        ) from None
    bound.set_inheritable(True)
    return bound


def _announce(settings: Settings, sockets: Sequence[socket.socket]) -> None:
    """Say where the program listens, in a line that scripts can wait for."""
    host, port = sockets[0].getsockname()[:2]
    log.info(
        "listening on http://%s:%d/ with %d worker process(es) of %d threads, store %s",
        host,
        port,
        settings.workers,
        settings.threads,
        settings.store.partition("@")[2] or settings.store,
    )
