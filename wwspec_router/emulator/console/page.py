"""The console's page, its files, and the token that marks requests of the page for the guard."""

import secrets
from html import escape
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wwspec_router.emulator.console.errcodes import errcodes_page

TOKEN_HEADER = "x-wwspec-token"  # noqa: S105 - the name of a header
"""The header of the token, in each request of the page; see `Guard`."""

_FOLDER = Path(__file__).parent

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
"""The page runs only its own scripts, loads nothing from other hosts, and can't be in a frame."""


def page_token() -> str:
    """Return a new token for the page of one emulator."""
    return secrets.token_urlsafe(24)


def console_routes(token: str) -> list[BaseRoute]:
    """Return the routes of the page `/`, of `/errcodes`, and of their files below `/console/`.

    Args:
        token: From `page_token`.
    """
    page = (_FOLDER / "shell.html").read_text("utf-8").replace("{{ token }}", escape(token))

    async def show(request: Request) -> Response:
        return HTMLResponse(page, headers=_HEADERS)

    async def show_errcodes(request: Request) -> Response:
        return errcodes_page(request.query_params.get("lang", ""), _HEADERS)

    return [
        Route("/", show, methods=["GET"]),
        Route("/errcodes", show_errcodes, methods=["GET"]),
        Mount("/console", _Guarded(StaticFiles(directory=_FOLDER / "static"))),
    ]


class _Guarded:
    """Adds the headers of the page to its files."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_headers)
