"""A proxy that leads clients with a hard-coded base URL to the emulator, and a Chromium whose pages meet it.

A client that honours HTTPS_PROXY asks for a tunnel to WeCom's host. The proxy answers as that host, with a certificate
of the emulator's own authority, and passes the decrypted requests on to the emulator. It also accepts a request with a
whole URL, as axios up to 1.15 sends it, and ends the connection after the reply. It refuses other hosts, and connects
to no other machine.

The hosts of the Chromium lead to the proxy. It trusts the proxy's own authority and has a profile of its own, so the
user's browser is as it was.
"""

import asyncio
import contextlib
import json
import logging
import re
import shutil
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import h11
from anyio.from_thread import start_blocking_portal

from wwspec_contracts.errors import ConfigurationError
from wwspec_contracts.support.loopback import is_loopback
from wwspec_devtools.emulator.proxy.authority import Authority
from wwspec_devtools.emulator.proxy.peer import HEAD_LIMIT, Peer
from wwspec_devtools.emulator.settings import LOGIN_HOST, PAGE_HOST, WECOM_HOST, host_of

_log = logging.getLogger("uvicorn.error")

HEAD_SECONDS = 10.0
"""Seconds to wait for the head of a connection."""
_OF_CONNECTION = frozenset(
    b"connection host keep-alive proxy-authorization proxy-connection te trailer upgrade".split()
)
"""Headers that are not passed on (RFC 9110, 7.6.1)."""
_CHUNK = 64 * 1024
_SHOWN = 64
STANDS_FOR = frozenset({WECOM_HOST, LOGIN_HOST, PAGE_HOST})
"""The hosts that lead to the emulator."""


class Proxy:
    """Listens within a `with` block, on a thread with its own event loop.

    Args:
        authority: Signs for the hosts.
        emulator: Host and port of the emulator.
        host: A loopback address to listen on.
        port: 0 lets the system choose.

    Raises:
        ConfigurationError: `host` is not a loopback address.
    """

    def __init__(self, authority: Authority, emulator: tuple[str, int], host: str = "127.0.0.1", port: int = 0) -> None:
        if not is_loopback(host):
            raise ConfigurationError(f"the proxy binds to loopback only, not to {host!r}")
        self._authority = authority
        self._emulator = emulator
        self._address = (host, port)
        self._stack = ExitStack()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """The value for HTTPS_PROXY."""
        if self._server is None:
            raise RuntimeError("the proxy does not listen")
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            portal = stack.enter_context(start_blocking_portal("asyncio", name="emulator-proxy"))
            try:
                self._server = portal.call(self._listen)
            except OSError as error:
                raise ConfigurationError(f"the proxy's port can't be opened ({error.strerror})") from None
            stack.callback(portal.call, self._server.close)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._accept, *self._address, limit=HEAD_LIMIT, backlog=2048)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = Peer(reader, writer)
        linger = False
        try:
            linger = await self._serve(client)
        except h11.RemoteProtocolError as error:
            with contextlib.suppress(OSError, h11.LocalProtocolError):
                await client.answer(error.error_status_hint, f"a proxy does not understand this request: {error}")
                linger = True
        except (OSError, EOFError, ValueError, TimeoutError, h11.LocalProtocolError) as error:
            _log.info("a client of the proxy was hung up on: %s", type(error).__name__)
        except asyncio.CancelledError:
            writer.transport.abort()  # the proxy ends, and does not wait until clients end their TLS
        finally:
            await client.close(linger=linger)

    async def _serve(self, client: Peer) -> bool:
        """Answer the one request of a connection; return whether to linger because the client may still send."""
        async with asyncio.timeout(HEAD_SECONDS):
            request = await client.next_event()
        if not isinstance(request, h11.Request):
            return False
        target = request.target.decode("latin-1")
        is_tunnel = request.method == b"CONNECT"
        host, path = (host_of(target), "") if is_tunnel else _url_of(target)
        if host not in STANDS_FOR:
            await self._refuse(client, target)
            return True
        try:
            emulator_reader, emulator_writer = await asyncio.open_connection(*self._emulator)
        except OSError as error:
            await client.answer(502, f"the emulator can't be reached: {error.strerror}")
            return True
        try:
            if is_tunnel:
                await self._open_tunnel(client, host)
            else:
                emulator_writer.write(_head(request, host, path) + client.unread)
            await _carry(_copy(client.reader, emulator_writer), _copy(emulator_reader, client.writer))
        finally:
            emulator_writer.close()
            with contextlib.suppress(OSError):
                await emulator_writer.wait_closed()
        return not is_tunnel

    async def _refuse(self, client: Peer, target: str) -> None:
        _log.warning("proxy: refused %r, since it leads to the emulator only", target[:_SHOWN])
        hosts = ", ".join(sorted(STANDS_FOR))
        await client.answer(
            403,
            f"this proxy answers for {hosts} only, and connects to no other machine: it is part of the emulator of "
            "WeCom. Name other hosts in NO_PROXY.",
        )

    async def _open_tunnel(self, client: Peer, host: str) -> None:
        """Be the host, at the end of a tunnel."""
        if not isinstance(await client.next_event(), h11.EndOfMessage):
            raise ValueError("the request for a tunnel has a body")
        await client.send(h11.Response(status_code=200, headers=[], reason=b"Connection established"))
        if client.unread:
            raise ValueError("bytes came before the tunnel was open")
        await client.writer.start_tls(self._authority.context(host))


async def _carry(*ways: Coroutine[None, None, None]) -> None:
    """Pass on what comes, both ways, until one of them ends."""
    tasks = [asyncio.create_task(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()


def _url_of(target: str) -> tuple[str, str]:
    """Return host, path and query of a URL; the host is empty when the URL is malformed."""
    scheme, _, rest = target.partition("#")[0].partition("://")
    authority = re.split("[/?]", rest, maxsplit=1)[0]
    path = rest[len(authority) :]
    host = host_of(authority) if scheme.lower() in ("http", "https") else ""
    return host, path if path.startswith("/") else f"/{path}"


def _head(request: h11.Request, host: str, path: str) -> bytes:
    """Return the head of a request with a whole URL as the host itself gets it. The connection ends after it."""
    kept = [each for each in request.headers if each[0] not in _OF_CONNECTION]
    headers = [(b"host", host.encode()), *kept, (b"connection", b"close")]
    first = b"%s %s HTTP/%s" % (request.method, path.encode("latin-1"), request.http_version)
    return b"\r\n".join([first, *(b"%s: %s" % each for each in headers), b"", b""])


NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
"""The programs that are looked for in PATH."""
HOSTS = ("127.0.0.1", "localhost")
"""The hosts of pages, which the browser reaches besides WeCom's."""
_MAC = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
_QUIET = (
    *("--no-first-run", "--no-default-browser-check", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--disable-quic", "--disable-extensions", "--disable-default-apps"),
)
_PREFERENCES = {
    "profile": {"block_third_party_cookies": False, "cookie_controls_mode": 0},
    "signin": {"allowed": False, "allowed_on_next_startup": False},
}
"""The frame needs the cookie of the login, which Debian's Chromium keeps from the frame of another site."""


@contextmanager
def page_browser(emulator_url: str, authority: Authority, profile: Path) -> Iterator[list[str]]:
    """Lead a Chromium to an emulator, within a `with` block, and yield the flags that it needs.

    Args:
        emulator_url: Of the emulator.
        authority: Signs for WeCom's hosts.
        profile: The folder of the browser's new profile.

    Raises:
        ConfigurationError: The proxy can't be opened.

    Examples:
        >>> with page_browser(emulator.url, Authority(folder), profile) as flags:  # doctest: +SKIP
        ...     context = playwright.chromium.launch_persistent_context(profile, args=flags)
    """
    (profile / "Default").mkdir(parents=True, exist_ok=True)
    (profile / "Default" / "Preferences").write_text(json.dumps(_PREFERENCES), "utf-8")
    parts = urlsplit(emulator_url)
    with Proxy(authority, (parts.hostname or "", parts.port or 80)) as proxy:
        yield [
            f"--proxy-server={proxy.url}",
            f"--host-resolver-rules=MAP * ~NOTFOUND, {', '.join(f'EXCLUDE {host}' for host in HOSTS)}",
            f"--ignore-certificate-errors-spki-list={authority.key_hash()}",
            *_QUIET,
        ]


def find_browser() -> str:
    """Return the Chromium of this machine.

    Raises:
        ConfigurationError: There is none.
    """
    found = next(filter(None, map(shutil.which, NAMES)), "") or next((each for each in _MAC if Path(each).exists()), "")
    if not found:
        raise ConfigurationError(
            f"no Chromium is found ({', '.join(NAMES)} in PATH): install one, such as Debian's package chromium or "
            "Google Chrome, or name one with --browser"
        )
    return found
