"""The console's page, its files, and the token that marks requests of the page for the guard."""

import posixpath
import re
import secrets
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from wwspec_contracts.errcodes import ERRCODES, PROGRAM_ERRCODES, advice

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


_HEADS = {"en": ("Errcodes", "errcode", "cause", "fix"), "zh": ("错误码", "errcode", "原因", "解决办法")}


def errcodes_page(language: str, headers: Mapping[str, str]) -> Response:
    """Return the page.

    Args:
        language: `zh` for Chinese; anything else is English.
        headers: Of every page of the emulator.
    """
    is_chinese = language == "zh"
    title, *heads = _HEADS["zh" if is_chinese else "en"]
    rows = []
    own = [(key, row, advice(0, key)) for key, row in PROGRAM_ERRCODES.items()]
    of_wecom = [(str(errcode), row, advice(errcode)) for errcode, row in ERRCODES.items()]
    for errcode, row, fixes in (*own, *of_wecom):
        fix = (fixes or ("", ""))[is_chinese]
        cells = (errcode, row.chinese_cause if is_chinese else row.cause, fix)
        rows.append(f'<tr id="e{errcode}">{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>')
    return HTMLResponse(
        f'<!doctype html><html lang="{"zh-CN" if is_chinese else "en"}"><head><meta charset="utf-8">'
        f'<title>{title}</title><link rel="stylesheet" href="console/console.css"></head>'
        f'<body><main class="page errcodes"><h1>{title}</h1><table><thead><tr>'
        f"{''.join(f'<th scope=col>{head}</th>' for head in heads)}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        "</main></body></html>",
        headers=headers,
    )
