"""HTTP for both clients: the form of a request, the meaning of a failure, and the way of the connections.

Access tokens and secrets are part of WeCom's URLs. httpx logs URLs, and tools that trace it export them, so they get a
URL without secrets. A transport of the app's own gets the whole URL.
"""

import re
import sys
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from wwspec_client.errors import NoAnswerError, NotSentError, TransportError
from wwspec_client.forks import renew_after_fork
from wwspec_client.retries import NO_ANSWER, NOT_SENT
from wwspec_client.steps import Received, Request, Send
from wwspec_contracts import __version__
from wwspec_contracts.errors import ConfigurationError
from wwspec_contracts.support.certificates import trusted

USER_AGENT = f"wwspec-client/{__version__} python/{sys.version_info[0]}.{sys.version_info[1]} httpx/{httpx.__version__}"
"""What requests say of the client, unless the app says it."""

Proxy = str | httpx.Proxy | None
"""The proxy of a client's connections; None for what the environment names, an empty text for none."""

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"(?:[!-~](?:[ \t!-~]*[!-~])?)?")
_OF_BODY = ("content-length", "content-type", "transfer-encoding")

_SECRETS = "wwspec.secrets"
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


def check_base_url(base_url: str) -> str:
    """Return a base URL without a slash at its end.

    Raises:
        ConfigurationError: It is not an http:// or https:// URL.
    """
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(f"base_url is a URL such as https://qyapi.weixin.qq.com, not {base_url!r}")
    return base_url.rstrip("/")


def proxy_of(base_url: str) -> str | None:
    """Return the proxy that the environment names for a URL, by HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY."""
    parts = urlsplit(base_url)
    if proxy_bypass(parts.netloc):
        return None
    proxies = getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")


def check_headers(headers: Mapping[str, str]) -> None:
    """Refuse headers that can't be sent. No message has a value.

    Raises:
        ConfigurationError: A name or a value has a character that no header may have, or a header is the client's own.
    """
    given: object = headers
    if not isinstance(given, Mapping) or not all(isinstance(each, str) for each in (*given, *given.values())):
        raise ConfigurationError("headers has names and values that are texts: {'X-Gateway': 'app'}")
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise ConfigurationError(f"headers: {name!r} is no name of a header")
        if name.lower() in _OF_BODY:
            raise ConfigurationError(f"headers: {name} is the client's own, since it says what a request's body is")
        if not _HEADER_VALUE.fullmatch(value):
            raise ConfigurationError(f"headers: the value of {name} has other characters than printable ASCII")


def own_headers(user_agent: str) -> dict[str, str]:
    """Return the headers of every request of a client.

    Raises:
        ConfigurationError: The User-Agent can't be sent.
    """
    headers = {"user-agent": user_agent or USER_AGENT}
    check_headers(headers)
    return headers


def chosen_proxy(base_url: str, proxy: Proxy, *, is_own: bool) -> Proxy:
    """Return the proxy of a client's connections.

    Args:
        base_url: Where requests go.
        proxy: What the app has chosen: None for what the environment names, an empty text for none.
        is_own: The app brings the transport, which has its connections made.

    Raises:
        ConfigurationError: It is not the URL of a proxy that httpx can use. No message has the URL, with its password.
    """
    if is_own:
        if proxy is not None:
            raise ConfigurationError("proxy goes without transport=: give the proxy to the transport")
        return None
    found = proxy_of(base_url) if proxy is None else proxy
    if not found:
        return None
    try:
        url = (found if isinstance(found, httpx.Proxy) else httpx.Proxy(found)).url
    except (ValueError, httpx.InvalidURL):
        url = None
    if url is None or not url.host:
        where = "proxy is" if proxy is not None else "the environment has a proxy that is not"
        said = " a URL such as http://127.0.0.1:3128"
        raise ConfigurationError(f"{where}{said}, with http, https, socks5 or socks5h") from None
    if url.scheme.startswith("socks") and find_spec("socksio") is None:
        raise ConfigurationError(f"a proxy by {url.scheme} needs the package socksio: pip install 'httpx[socks]'")
    return found


def sent(base_url: str, step: Send) -> dict[str, Any]:
    """Return the arguments of `httpx.Client.request` for a step."""
    request, headers, (connect, read) = step.request, step.headers, step.timeout
    body: dict[str, Any] = {}
    if request.file is not None:
        body["files"] = {"media": (request.file.name, request.file.content, "application/octet-stream")}
    elif request.body is not None:
        body["content"] = request.body
        headers = {**headers, "content-type": "application/json"}
    return {
        "method": "POST" if body else "GET",
        "headers": headers,
        "url": f"{base_url}/cgi-bin/{request.api}",
        "params": dict(request.query),
        "timeout": httpx.Timeout(read, connect=connect),
        "extensions": {_SECRETS: request.secrets},
        **body,
    }


def received(response: httpx.Response) -> Received:
    """Return the parts of a response that the core reads."""
    return Received(response.status_code, response.headers, response.content)


def transport_error(request: Request, error: httpx.HTTPError | httpx.InvalidURL) -> TransportError:
    """Return the error of the client that an error of httpx means."""
    name, reason = request.called or request.api, f"{type(error).__name__}: {error}".removesuffix(": ")
    if isinstance(error, _NOT_SENT):
        return NotSentError(name, f"WeCom can't be reached ({reason})", **NOT_SENT._asdict())
    return NoAnswerError(name, f"no answer came ({reason})", **NO_ANSWER._asdict())


Reveal = Callable[[httpx.Request], httpx.Request]
"""Returns a request with its secrets."""


def in_url(request: httpx.Request) -> httpx.Request:
    """Return a request whose URL has its secrets."""
    secrets: Mapping[str, str] = request.extensions.get(_SECRETS, {})
    extensions = {name: value for name, value in request.extensions.items() if name != _SECRETS}
    url = request.url.copy_merge_params(dict(secrets))
    return httpx.Request(request.method, url, headers=request.headers, stream=request.stream, extensions=extensions)


class _Url(httpx.URL):
    """A URL without the secrets; only its `raw_path`, which httpx's own transports send, has them."""

    def __init__(self, url: httpx.URL, raw_path: bytes) -> None:
        super().__init__(url)
        self._sent = raw_path

    @property
    def raw_path(self) -> bytes:
        return self._sent


def in_path(request: httpx.Request) -> httpx.Request:
    """Return a request whose secrets are only in the path that is sent."""
    revealed = in_url(request)
    revealed.url = _Url(request.url, revealed.url.raw_path)
    return revealed


class Hiding(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Adds the secrets to a request when it is sent; no code above this sees them.

    Args:
        transport: Sends it; for threads, or for an event loop.
        reveal: Puts the secrets in.
    """

    def __init__(self, transport: Any, reveal: Reveal) -> None:
        self._transport = transport
        self._reveal = reveal

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """See `httpx.BaseTransport`."""
        response: httpx.Response = self._transport.handle_request(self._reveal(request))
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See `httpx.AsyncBaseTransport`."""
        response: httpx.Response = await self._transport.handle_async_request(self._reveal(request))
        return response

    def close(self) -> None:
        """Close the connections of threads."""
        self._transport.close()

    async def aclose(self) -> None:
        """Close the connections of an event loop."""
        await self._transport.aclose()


_PARENTS: list[httpx.AsyncHTTPTransport] = []
"""Those of the process that this one was forked from. They are kept, since asyncio ends TLS when one is dropped."""


class OwnHiding(Hiding):
    """Has connections of its own; a forked process gets others.

    Args:
        kind: Makes the transport that has them.
        limits: Of the connections.
        proxy: What they go through.
    """

    def __init__(
        self, kind: type[httpx.HTTPTransport | httpx.AsyncHTTPTransport], limits: httpx.Limits, proxy: Proxy
    ) -> None:
        self._make = partial(kind, verify=trusted(), limits=limits, proxy=proxy)
        super().__init__(self._make(), in_path)
        renew_after_fork(self)

    def renew(self) -> None:
        """See `Renewable`. The parent's connections are not closed by TLS, which would end them for the parent."""
        if isinstance(self._transport, httpx.AsyncHTTPTransport):
            _PARENTS.append(self._transport)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            self._transport = self._make()
