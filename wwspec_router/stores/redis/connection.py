"""One Redis server for many threads: its URL, bounded connections, scripts, clear errors.

When the server is down, a call fails within seconds instead of waiting; the next call connects again. How durable an
acknowledged write is depends on the server's settings, so what they lack is logged once at the start.

It gives every key the program's prefix. Scripts and names come from its users.
"""

import logging
import re
import threading
from collections.abc import Callable, Sequence
from importlib import import_module
from queue import Empty
from time import monotonic
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from wwspec_router.errors import ConfigurationError, StoreError
from wwspec_router.extras import require
from wwspec_router.stores.checks import closed
from wwspec_router.stores.redis.keys import Keys

log = logging.getLogger(__name__)

T = TypeVar("T")

TIMEOUT = 2.0
"""Seconds to wait for a connection, and for each answer of the server."""
CONNECTIONS = 16
"""Most connections of one process; further threads wait `TIMEOUT` for one."""
OLDEST = (6, 2)
"""The first release of Redis that knows all commands used here."""

_FORMS = "redis://[user:password@]host[:port][/db], rediss:// likewise, or unix://[user:password@]/path/to.sock[?db=1]"
_OPTIONS = {
    "redis": frozenset[str](),
    "rediss": frozenset({"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"}),
    "unix": frozenset({"db"}),
}
_FIXES = {
    "WRONGPASS": "the server asks for a password, or refused the user or password; check the store's URL",
    "NOPERM": "this user may not run a command that is needed; widen its ACL",
    "OOM": "the server's memory is full; raise its maxmemory or lower the store's bounds",
    "READONLY": "this is a replica; name the primary server in the store's URL",
    "MISCONF": "the server can't save to its disk and takes no writes; see its log",
    "LOADING": "the server is still loading its data; try again in a moment",
    "MOVED": "this is a node of a Redis cluster, which is not supported; name a single server",
    "CROSSSLOT": "this is a Redis cluster, which is not supported; name a single server",
    "CERTIFICATE_VERIFY_FAILED": "the server's certificate is not trusted, or is another host's; see ssl_ca_certs",
    "WRONGTYPE": "another program uses the same keys; give each a database of its own",
}
_CODES = {
    "AuthenticationError": "WRONGPASS",
    "BusyLoadingError": "LOADING",
    "NoPermissionError": "NOPERM",
    "OutOfMemoryError": "OOM",
    "ReadOnlyError": "READONLY",
}


class Server(NamedTuple):
    """What a URL says."""

    scheme: str
    place: str
    """What errors call it: never with the password."""
    prefix: str | None
    """What the names of keys begin with; None leaves that to the program's name."""
    options: dict[str, Any]
    """Arguments of a connection."""


class RedisServer:
    """A Redis server behind a bounded pool of connections.

    Args:
        url: Its URL; see `RedisStore`.
        program: The prefix of all keys, unless the URL says another.

    Raises:
        ExtraMissingError: The extra `redis` is not installed.
        ConfigurationError: The URL has another form.
        StoreError: The server can't be used; the text says why, without the URL.
    """

    def __init__(self, url: str, program: str) -> None:
        self._redis = _package()
        scheme, self._place, prefix, options = parse_url(url)
        self.keys = Keys(program if prefix is None else prefix)
        classes = {
            "redis": self._redis.Connection,
            "rediss": self._redis.SSLConnection,
            "unix": self._redis.UnixDomainSocketConnection,
        }
        pool = self._redis.BlockingConnectionPool(
            max_connections=CONNECTIONS,
            timeout=TIMEOUT,
            connection_class=classes[scheme],
            socket_timeout=TIMEOUT,
            protocol=2,
            retry=import_module("redis.retry").Retry(import_module("redis.backoff").NoBackoff(), 0),
            **options,
        )
        self._client: Any = self._redis.Redis(connection_pool=pool)
        self._pool = pool
        self._scripts: dict[str, Any] = {}
        self._changed = threading.Condition()
        self._running = 0
        self._closed = False
        try:
            self.ping()
            self._check_server()
        except BaseException:
            self.close()
            raise

    def run(self, script: str, keys: Sequence[str], arguments: Sequence[str | int], *, again: bool = False) -> Any:
        """Run a Lua script, which Redis does as a whole or not at all, and return its result.

        Args:
            script: Its text.
            keys: Its KEYS, without the prefix.
            arguments: Its ARGV.
            again: Whether to run it a second time when the connection broke; set where running twice does no harm.

        Raises:
            StoreError: It failed, or there was no answer: then it may have run.
        """
        prepared = self._scripts.get(script)
        if prepared is None:
            prepared = self._scripts[script] = self._client.register_script(script)
        return self._clearly(
            lambda: prepared(keys=[self.keys.full(each) for each in keys], args=arguments), again=again
        )

    def ping(self) -> None:
        """Return when the server answers.

        Raises:
            StoreError: It does not.
        """
        self._clearly(self._client.ping, again=True)

    def get(self, key: str) -> bytes | None:
        """Return the string under `key`, which is given without the prefix, or None.

        Raises:
            StoreError: It could not be read.
        """
        value: bytes | None = self._clearly(lambda: self._client.get(self.keys.full(key)), again=True)
        return value

    def text(self, value: bytes) -> str:
        """Return what the server keeps as a string.

        Raises:
            StoreError: Another program changed it.
        """
        try:
            return value.decode()
        except UnicodeDecodeError:
            pass  # raised below, outside of this handler, because a UnicodeDecodeError carries the whole string
        raise StoreError(f"{self._place}: what is stored there is not valid Unicode; another program wrote to it")

    def close(self) -> None:
        """Wait for what runs, then close all connections. Closing again does nothing."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: self._running == 0)
        self._pool.disconnect()

    def _clearly(self, step: Callable[[], T], *, again: bool) -> T:
        """Run `step`, unless the store is closed; what the package or the system raises becomes a StoreError.

        The StoreError is raised outside of the handler, so that it does not carry the other as its context: that may
        hold what was sent.
        """
        reason = ""
        with self._changed:
            if self._closed:
                raise closed()
            self._running += 1
        try:
            late = monotonic() + TIMEOUT
            for _ in range(2 if again else 1):
                try:
                    return step()
                except (self._redis.RedisError, OSError) as error:
                    reason = self._reason(error)
                    broke = isinstance(error, self._redis.ConnectionError) and not _all_in_use(error)
                    if not broke or monotonic() >= late:
                        break
        finally:
            with self._changed:
                self._running -= 1
                if not self._running:
                    self._changed.notify_all()
        raise StoreError(f"{self._place}: {reason}")

    def _reason(self, error: Exception) -> str:
        if _all_in_use(error):
            return (
                f"all {CONNECTIONS} connections to the server were in use for {TIMEOUT:g} seconds; "
                "it is slow, or has too much to do"
            )
        if isinstance(error, self._redis.TimeoutError):
            return f"the server did not answer within {TIMEOUT:g} seconds"
        code = _error_code(error)
        if code is not None:
            return f"{_FIXES[code]} ({code})"
        if isinstance(error, self._redis.ConnectionError | OSError):
            return "the server can't be reached, or closed the connection; check that it runs, and its address"
        return f"Redis failed ({type(error).__name__})"

    def _check_server(self) -> None:
        facts = self._clearly(self._facts, again=True)
        found = str(facts.get("redis_version", "unknown"))
        if facts and _version(found) < OLDEST:
            raise StoreError(f"{self._place}: Redis {'.'.join(map(str, OLDEST))} or later is needed, this is {found}")
        if facts:
            _warn(self._place, facts)

    def _facts(self) -> dict[str, Any]:
        """Return what the server says about itself; nothing when the user's ACL does not allow that."""
        try:
            facts: dict[str, Any] = self._client.info()
        except self._redis.ResponseError:
            return {}
        return facts


def parse_url(url: str) -> Server:
    """Parse a URL.

    Raises:
        ConfigurationError: It has another form than those of `RedisStore`; the text does not repeat the URL.
    """
    try:
        return _parse(url)
    except (ValueError, KeyError):
        pass  # raised below, because the error at hand carries the URL
    raise ConfigurationError(f"the Redis store's URL can't be read; write {_FORMS}")


def _parse(url: str) -> Server:
    parts = urlsplit(url)
    given = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True) if parts.query else []
    options: dict[str, Any] = dict(given)
    prefix = options.pop("prefix", None)
    if not options.keys() <= _OPTIONS[parts.scheme] or len(dict(given)) < len(given) or parts.fragment:
        raise ValueError("an option that is not known")
    if parts.username:
        options["username"] = unquote(parts.username)
    if parts.password:
        options["password"] = unquote(parts.password)
    path = unquote(parts.path)
    if parts.scheme == "unix":
        if parts.hostname or not path.startswith("/") or path == "/":
            raise ValueError("no path")
        options["path"] = path
        options["db"] = _database(options.get("db", "0"))
        return Server(parts.scheme, path, prefix, options)
    if not parts.hostname:
        raise ValueError("no host")
    options["host"] = parts.hostname
    options["port"] = 6379 if parts.port is None else parts.port
    options["db"] = _database(path.removeprefix("/") or "0")
    options["socket_connect_timeout"] = TIMEOUT
    options["socket_keepalive"] = True
    if parts.scheme == "rediss":
        options["ssl_check_hostname"] = True
    return Server(parts.scheme, f"{options['host']}:{options['port']}", prefix, options)


def _database(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text):
        raise ValueError("no number of a database")
    return int(text)


def _package() -> Any:
    require("redis", "a Redis store")
    return import_module("redis")


def _error_code(error: Exception) -> str | None:
    """Return the known code in an error of Redis, if any; the rest of its text may hold what was sent."""
    by_type = _CODES.get(type(error).__name__)  # the package cuts these codes off
    words = re.findall(r"\b[A-Z_]{3,}\b", str(error)[:200])
    return by_type or next((each for each in words if each in _FIXES), None)


def _all_in_use(error: Exception) -> bool:
    """Return whether no connection became free in time: the package raises `ConnectionError`, although none broke."""
    return isinstance(error.__context__, Empty)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\d+", text)[:2])


def _warn(place: str, facts: dict[str, Any]) -> None:
    lacks = []
    if not facts.get("aof_enabled"):
        lacks.append("it keeps no append-only file, so a restart loses what it acknowledged (set appendonly yes)")
    if facts.get("maxmemory") and facts.get("maxmemory_policy") != "noeviction":
        lacks.append("it drops live entries when its memory is full (set maxmemory-policy noeviction)")
    if lacks:
        log.warning("the Redis server %s is not a durable store: %s", place, "; ".join(lacks))
