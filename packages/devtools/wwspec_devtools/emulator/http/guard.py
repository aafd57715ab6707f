"""Who may call the emulator: clients on this machine that use one of its names.

A web page in a browser on this machine can send requests to it, too. Such a request has the page's host as its Origin
or, if that name now leads to this machine (DNS rebinding), as its Host. Requests for an image, a script or a frame have
no Origin, but browsers mark them as from another site. A page of another server on this machine has an allowed host: so
a request that changes something also needs the token of the console's page. This module does not know the requests.
"""

import hmac
from collections.abc import Iterable

import msgspec
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wwspec_contracts.support.loopback import is_loopback
from wwspec_devtools.emulator.console.page import TOKEN_HEADER
from wwspec_devtools.emulator.settings import LOGIN_HOST, PAGE_HOST, WECOM_HOST, host_of

APP_SIDE = "/cgi-bin/"
"""The paths that WeCom has under its own name."""

CONTROL = "/emulator/"
"""The paths by which a test or the console controls the emulator."""

FOR_PAGES = "/wwopen/"
"""The paths that the page of an app has in a frame, or loads a script from."""

_OF_WECOM = {WECOM_HOST: APP_SIDE, LOGIN_HOST: "/connect/", PAGE_HOST: FOR_PAGES}
"""WeCom's own hosts, each with the paths that it has here."""

REFUSED = 48002
"""The app has no right to call the API."""

FOR_BROWSERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
"""The headers of each answer that does not set them itself: no other page may show or use it."""

_OTHER_SITES = ("cross-site", "same-site")
_READING = frozenset({"GET", "HEAD"})
_SHOWN = 64


class Guard:
    """Refuses forbidden requests with 403, and passes the rest on.

    Args:
        app: The application to guard.
        allowed: Names of this machine besides its loopback names and addresses.
        token: Of the console's page.
    """

    def __init__(self, app: ASGIApp, allowed: Iterable[str], token: str) -> None:
        self._app = app
        self._token = token.encode()
        self._allowed = frozenset(host.lower() for host in allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in FOR_BROWSERS.items():
                    headers.setdefault(name, value)
            await send(message)

        app = self._app
        if reason := self._refusal(scope):
            answer = {"errcode": REFUSED, "errmsg": f"refused by the emulator: {reason}"}
            app = Response(msgspec.json.encode(answer), 403, media_type="application/json")
        await app(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> str:
        """Return why a request is refused; empty when it is not."""
        headers, path = Headers(scope=scope), scope["path"]
        host, origin = (", ".join(headers.getlist(name)) for name in ("host", "origin"))
        page = host_of(origin.partition("://")[2])
        if not self._is_own(host_of(host), path):
            return f"the request is for the host {_shown(host)}; {_advice(host_of(host))}"
        if "origin" in headers and not self._is_own(page, path):
            return f"the request comes from a web page of {_shown(origin)}; {_advice(page)}"
        is_embedded = host_of(host) == PAGE_HOST  # in a page of this machine, in a browser that the proxy leads here
        is_of_other_site = headers.get("sec-fetch-site") in _OTHER_SITES and not is_embedded
        if is_of_other_site and not _is_followed_link(scope["method"], headers):
            return "the request comes from another web page, and not from a link that somebody follows"
        client = scope["client"]
        if not (client and is_loopback(client[0])):
            return "the request comes from another machine"
        if scope["method"] not in _READING and path.startswith(CONTROL) and self._is_foreign_page(headers):
            return (
                "the request comes from a web page that is not the console, or from one of an earlier emulator: reload"
            )
        return ""

    def _is_foreign_page(self, headers: Headers) -> bool:
        """Return whether a browser sends a request for another page than the console."""
        from_browser = "origin" in headers or headers.get("sec-fetch-site", "none") != "none"
        return from_browser and not hmac.compare_digest(headers.get(TOKEN_HEADER, "").encode(), self._token)

    def _is_own(self, host: str, path: str) -> bool:
        of_wecom = host in _OF_WECOM and path.startswith(_OF_WECOM[host])
        return is_loopback(host) or host in self._allowed or of_wecom


def _is_followed_link(method: str, headers: Headers) -> bool:
    """Return whether a browser asks for a whole page, outside of a frame."""
    is_page = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) == ("navigate", "document")
    return is_page and method in _READING


def _shown(text: str) -> str:
    return repr(text[:_SHOWN])


def _advice(host: str) -> str:
    return f"if that is a name of this machine, start the emulator with --allow-host {host[:_SHOWN] or 'NAME'}"
