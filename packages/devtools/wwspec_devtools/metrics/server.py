"""Serves the metrics of an exporter over HTTP until it is interrupted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from prometheus_client import CollectorRegistry, make_asgi_app
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from wwspec_contracts.support.signals import until_interrupted
from wwspec_devtools.metrics.exporter import Exporter
from wwspec_router.logs.lines import setup_logging

GRACE = 3
"""Seconds that a scrape has to take its answer when the exporter ends."""


def create_app(exporter: Exporter) -> Starlette:
    """Return the ASGI application; the exporter polls as long as its lifespan lasts."""
    registry = CollectorRegistry()
    registry.register(exporter)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        exporter.start()
        try:
            yield
        finally:
            exporter.stop()

    return Starlette(routes=[Route("/metrics", _Metrics(registry)), Route("/", _index)], lifespan=lifespan)


def serve(exporter: Exporter, host: str, port: int) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Args:
        exporter: Whose metrics.
        host: Where to listen.
        port: Where to listen; 0 lets the system choose.
    """
    setup_logging()
    config = uvicorn.Config(
        create_app(exporter),
        http="httptools",
        ws="none",
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=GRACE,
    )
    with until_interrupted():
        uvicorn.Server(config).run()


class _Metrics:
    """Prometheus' own application as an endpoint, which Starlette knows by its class."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._app: ASGIApp = make_asgi_app(registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


async def _index(request: Request) -> PlainTextResponse:
    return PlainTextResponse("the metrics are at /metrics\n")
