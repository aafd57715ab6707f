"""The URL of a Redis store: one server, or a primary that sentinels name.

The schemes are those of redis-py, and of the packages limits (Flask-Limiter) and redis-sentinel-url for sentinels. It
connects nowhere.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from wwspec_contracts.errors import ConfigurationError, did_you_mean

LONGEST_WAIT = 1.5
"""Most seconds that a write may wait for replicas: less than the time within which the server must answer."""
MOST_REPLICAS = 100
FORMS = (
    "redis://[user:password@]host[:port][/db], redis+sentinel://[user:password@]host:port,host:port/primary[?db=0], "
    "(rediss://, rediss+sentinel:// for TLS), or unix://[user:password@]/path/to.sock[?db=1]"
)
NO_CLUSTER = (
    "a Redis cluster is not supported; use a server of its own (redis://host:port), or a primary with replicas and "
    "sentinels (redis+sentinel://host:port,host:port/primary)"
)

Address = tuple[str, int]
"""A host and a port."""


class Target(NamedTuple):
    """What a URL says."""

    place: str
    """Its name in errors: never with a password."""
    addresses: tuple[Address, ...]
    """The addresses of the server or the sentinels; none with a Unix socket."""
    primary: str
    """The sentinels' name of the primary; empty where the URL names the server itself."""
    tls: bool
    options: dict[str, Any]
    """Arguments of a connection to a server that keeps data."""
    sentinel_options: dict[str, Any]
    """Arguments of a connection to a sentinel."""
    prefix: str | None
    """The beginning of the names of keys; None for the program's name."""
    replicas: int
    """How many replicas a write waits for."""
    wait: float
    """The most seconds that a write waits for them."""


_FOR_ALL = ("prefix", "wait", "wait_timeout")
_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")


def parse_url(url: str) -> Target:
    """Parse a URL.

    Raises:
        ConfigurationError: It has another form than those of `RedisStore`, or names a file that is not there; the text
            does not repeat the URL.
    """
    try:
        return _parse(url)
    except (ValueError, KeyError):
        pass  # raised below, because the error at hand may carry the URL
    raise _refusal("its parts do not fit")


def _refusal(reason: str) -> ConfigurationError:
    """Return the error for a URL; the reason repeats nothing that may be part of a password."""
    return ConfigurationError(f"the Redis store's URL can't be read: {reason}; write {FORMS}")


def _parse(url: str) -> Target:
    parts = _split(url)
    has_sentinels, tls = parts.scheme.endswith("+sentinel"), parts.scheme.startswith("rediss")
    given = _parameters(parts, has_sentinels, tls)
    files: dict[str, Any] = {name: _readable(name, given[name]) for name in _FILES if name in given}
    if ("ssl_keyfile" in files) > ("ssl_certfile" in files):
        raise _refusal("ssl_keyfile needs ssl_certfile")
    shared = {**files, "ssl_check_hostname": True} if tls else {}
    user, addresses, path = _credentials(parts), _addresses(parts, has_sentinels), unquote(parts.path)
    sentinel = {name.removeprefix("sentinel_"): text for name, text in given.items() if name.startswith("sentinel_")}
    place, primary = ",".join(f"{host}:{port}" for host, port in addresses), ""
    if parts.scheme == "unix":
        if not path.startswith("/") or path == "/":
            raise _refusal("it names no socket")
        place, user = path, {**user, "path": path}
    elif not has_sentinels:
        given = {**given, "db": path.removeprefix("/") or "0"}
    else:
        primary = path.removeprefix("/")
        if not primary or "/" in primary:
            raise _refusal("its path must be the name that the sentinels have for the primary")
        place = f"{primary} of the sentinels {place}"
    return Target(
        place=place,
        addresses=addresses,
        primary=primary,
        tls=tls,
        options={**user, "db": _whole("the database", given.get("db", "0"), 999_999), **shared},
        sentinel_options={**sentinel, **shared},
        prefix=given.get("prefix"),
        replicas=_whole("wait", given.get("wait", "0"), MOST_REPLICAS),
        wait=_seconds("wait_timeout", given.get("wait_timeout", "1")),
    )


def _split(url: str) -> SplitResult:
    """Return the parts of a URL. Not every `urlsplit` takes several hosts of which one is in brackets."""
    scheme, separator, rest = url.partition("://")
    hosts = re.match(r"[^/?#]*", rest)
    if not separator or hosts is None:
        return urlsplit(url)
    place = hosts[0]
    return urlsplit(f"{scheme}://{'host' if place else ''}{rest[len(place) :]}")._replace(netloc=place)


def _parameters(parts: SplitResult, has_sentinels: bool, tls: bool) -> Mapping[str, str]:
    known = [*_FOR_ALL, *(_FILES if tls else ())]
    known += ["db"] if has_sentinels or parts.scheme == "unix" else []
    known += ["sentinel_username", "sentinel_password"] if has_sentinels else []
    pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True) if parts.query else []
    given = dict(pairs)
    unknown = [name for name in given if name not in known]
    if parts.fragment or unknown:
        meant = did_you_mean(unknown[0], known) if unknown else ""
        hint = f"{f'{meant} ' if meant else ''}it takes {', '.join(sorted(known))}"
        raise _refusal(f"it has a parameter that {parts.scheme}:// does not take ({hint})")
    if len(given) < len(pairs):
        raise _refusal("it has a parameter twice")
    return given


def _credentials(parts: SplitResult) -> dict[str, Any]:
    found = {"username": parts.username, "password": parts.password}
    return {name: unquote(text) for name, text in found.items() if text}


def _addresses(parts: SplitResult, has_sentinels: bool) -> tuple[Address, ...]:
    hosts = parts.netloc.rpartition("@")[2]
    if parts.scheme == "unix":
        if hosts:
            raise _refusal("a socket has no host")
        return ()
    each = hosts.split(",")
    if not has_sentinels and len(each) > 1:
        raise _refusal("a single server has one host")
    return tuple(_address(host, 26379 if has_sentinels else 6379) for host in each)


def _address(text: str, default: int) -> Address:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise _refusal("it has no host")
    try:
        port = parts.port
    except ValueError:
        port = -1
    if port == -1:
        raise _refusal("a port must be a number up to 65535")
    return parts.hostname, default if port is None else port


def _whole(name: str, text: str, most: int) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) > most:
        raise _refusal(f"{name} must be a number from 0 to {most}")
    return int(text)


def _seconds(name: str, text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,6})?", text) or not 0.001 <= float(text) <= LONGEST_WAIT:
        raise _refusal(f"{name} must be from 0.001 to {LONGEST_WAIT:g} seconds")
    return float(text)


def _readable(name: str, text: str) -> str:
    if not Path(text).is_file():
        raise _refusal(f"{name} names no file")
    return text
