"""The console's page, its files, and the token that marks requests of the page for the guard."""

import posixpath
import re
import secrets
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from wwspec_devtools.emulator.console.errcodes import errcodes_page

TOKEN_HEADER = "x-wwspec-token"  # noqa: S105 - the name of a header
"""The header of the token, in each request of the page; see `Guard`."""

_FOLDER = Path(__file__).parent
_STATIC = _FOLDER / "static"
_MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}

_FIRST = ("record.js", "app.js", "views/timeline.js")
_IMPORT = re.compile(r'^import (?:[^;]* from )?"(\..*)";$', re.MULTILINE)

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

    async def show(request: Request) -> Response:
        return HTMLResponse(_page().replace("{{ token }}", escape(token)), headers=_HEADERS)

    async def show_errcodes(request: Request) -> Response:
        return errcodes_page(request.query_params.get("lang", ""), _HEADERS)

    return [
        Route("/", show, methods=["GET"]),
        Route("/errcodes", show_errcodes, methods=["GET"]),
        Route("/console/{name:path}", _show_file, methods=["GET"]),
    ]


async def _show_file(request: Request) -> Response:
    """Return a file whole. The page has a hundred small ones: to open and read each on a thread takes far longer."""
    path = _files().get(request.path_params["name"])
    if path is None:
        return Response("there is no such file\n", 404, media_type="text/plain")
    content = path.read_bytes()
    headers = {**_HEADERS, "ETag": f'"{sha256(content).hexdigest()}"'}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=_MEDIA_TYPES[path.suffix], headers=headers)


@cache  # at the first request: most emulators of tests show no page
def _files() -> dict[str, Path]:
    """Return the page's files by the names in requests."""
    return {path.relative_to(_STATIC).as_posix(): path for path in _STATIC.rglob("*.*")}


@cache
def _page() -> str:
    """Return the page, with a place for the token."""
    preloads = (f'<link rel="modulepreload" href="console/{name}">' for name in _first_modules())
    return (_FOLDER / "shell.html").read_text("utf-8").replace("{{ modules }}", "\n    ".join(preloads))


def _first_modules() -> list[str]:
    """Return the modules of the first view, in the order in which they are needed.

    Named in the page they are fetched at once; else the browser finds those of each level only when it has read the
    level above.
    """
    found = list(_FIRST)
    for name in found:  # which grows meanwhile
        imports = _IMPORT.findall((_STATIC / name).read_text("utf-8"))
        paths = (posixpath.normpath(posixpath.join(posixpath.dirname(name), each)) for each in imports)
        found += [path for path in dict.fromkeys(paths) if path not in found]
    return found
