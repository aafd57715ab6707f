"""The Redis server of a program, for many threads: bounded connections, scripts, clear errors.

When the server is down, a call fails within seconds instead of waiting; the next call connects again, to the new
primary after a failover: a connection asks the sentinels for the address when it is opened. How durable an acknowledged
write is depends on the server's settings; `risks` lists what they do not guarantee.

It gives every key the program's prefix. Scripts and names come from its users.

Three parts of the package redis are not used: its pool that waits for a free connection does not work with sentinels;
its retries repeat all commands, even those that must not run twice; its scripts need the right to run SCRIPT LOAD, and
one more round trip before each WAIT.
"""

import math
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from hashlib import sha1
from importlib import import_module
from time import monotonic
from typing import Any, TypeVar

from wwspec_contracts.errors import StoreError
from wwspec_contracts.extras import require
from wwspec_router.stores.checks import closed
from wwspec_router.stores.redis.failures import NOT_DONE, describe, error_code
from wwspec_router.stores.redis.keys import key_prefix
from wwspec_router.stores.redis.sockets import StepDeadline, greet, with_deadline
from wwspec_router.stores.redis.url import NO_CLUSTER, Target, parse_url

T = TypeVar("T")

TIMEOUT = 2.0
"""Seconds to wait for a connection, and for each answer of the server."""
CONNECTIONS = 16
"""Most connections of one process; further threads wait `TIMEOUT` for one."""
ASKED = 0.5
"""Seconds to wait for a sentinel."""
OLDEST = (6, 2)
"""The first release of Redis that knows all commands used here."""
SETTINGS = ("appendfsync", "min-replicas-to-write")
"""The settings that only CONFIG GET returns."""
_CHECKED = ("check_text", "check_hash", "check_order")
_CHECK = """
local text, hash, order = unpack(KEYS)
redis.call('SET', text, 1)
redis.call('INCR', text)
redis.call('INCRBY', text, 1)
redis.call('DECRBY', text, 1)
redis.call('PEXPIREAT', text, 1)
redis.call('HSET', hash, 'a', 1)
redis.call('HINCRBY', hash, 'a', 1)
redis.call('HDEL', hash, 'a')
redis.call('ZADD', order, 1, 'a')
redis.call('ZREM', order, 'a')
redis.call('DEL', text)
"""
"""Does once what the other scripts do to keys, and leaves nothing."""


class RedisServer:
    """The server that keeps a program's keys, behind a bounded pool of connections.

    Args:
        url: Its URL; see `RedisStore`.
        program: The prefix of all keys, unless the URL has one.

    Attributes:
        prefix: The beginning of the names of the program's keys.
        place: Its name in errors.
        risks: How the server's settings may lose acknowledged data; one line each, with the fix.

    Raises:
        ExtraMissingError: The extra `redis` is not installed.
        ConfigurationError: The URL has another form.
        StoreError: The server can't be used; the text says why, without the URL.
    """

    def __init__(self, url: str, program: str) -> None:
        self._redis = _package()
        self._target = parse_url(url)
        self.place = self._target.place
        self.prefix = key_prefix(program if self._target.prefix is None else self._target.prefix)
        self.risks: Sequence[str] = ()
        self._step = StepDeadline()
        self._pool = _open_pool(self._redis, self._target, TIMEOUT, self._step)
        self._client: Any = self._redis.Redis(connection_pool=self._pool)
        self._digests: dict[str, str] = {}
        self._changed = threading.Condition()
        self._running = 0
        self._closed = False
        try:
            self._connect()
            self._check_server()
        except BaseException:
            self.close()
            raise

    def run(
        self,
        script: str,
        keys: Sequence[str],
        arguments: Sequence[str | int],
        *,
        again: bool = False,
        durable: bool = True,
    ) -> Any:
        """Run a Lua script as one atomic step, and return its result.

        Args:
            script: Its text.
            keys: Its KEYS, without the prefix; at least one.
            arguments: Its ARGV.
            again: Whether to run it a second time when the connection broke; set where running twice does no harm.
            durable: Whether its writes must reach as many replicas as the URL says.

        Raises:
            StoreError: It failed, or it may have run: there was no answer, or too few replicas have its writes.
        """
        digest = self._digests.get(script)
        if digest is None:
            digest = self._digests[script] = sha1(script.encode(), usedforsecurity=False).hexdigest()
        full = [self.prefix + each for each in keys]
        tail = (len(full), *full, *arguments)
        replicas = self._target.replicas if durable else 0

        def step() -> Any:
            try:
                return self._execute(replicas, "EVALSHA", digest, *tail)
            except self._redis.exceptions.NoScriptError:
                pass  # this server does not have it; not in the handler above, so that no error holds another one
            return self._execute(replicas, "EVAL", script, *tail)

        return self._clearly(step, again=again)

    def check(self) -> None:
        """Return when the server stores what the program writes, on as many replicas as the URL says.

        Raises:
            StoreError: It does not.
        """
        self.run(_CHECK, _CHECKED, (), again=True)

    def get(self, key: str) -> bytes | None:
        """Return the string under `key`, which is given without the prefix, or None.

        Raises:
            StoreError: It could not be read.
        """
        value: bytes | None = self._clearly(lambda: self._client.get(self.prefix + key), again=True)
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
        raise StoreError(f"{self.place}: what is stored there is not valid Unicode; another program wrote to it")

    def close(self) -> None:
        """Wait for running commands, then close all connections. Closing again does nothing."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._running == 0)
        self._pool.disconnect()

    def _execute(self, replicas: int, *command: str | int) -> Any:
        """Run a command and wait until so many replicas have its writes."""
        if not replicas:
            return self._client.execute_command(*command)
        wait = self._target.wait
        with self._client.pipeline(transaction=False) as pipe:  # WAIT asks about the connection that wrote
            pipe.execute_command(*command)
            pipe.execute_command("WAIT", replicas, round(wait * 1000))
            answer, reached = pipe.execute(raise_on_error=False)
        for each in (answer, reached):
            if isinstance(each, Exception):
                raise each.with_traceback(None)
        if reached < replicas:
            raise StoreError(
                f"{self.place}: {reached} of {replicas} replicas had this within {wait:g} seconds (wait=); it may "
                "be kept all the same; check the replicas"
            )
        return answer

    def _clearly(self, step: Callable[[], T], *, again: bool) -> T:
        """Run `step` with one of the connections, twice if that helps, unless the store is closed.

        An error of the package or the system becomes a StoreError. It is raised outside of the `except` block, so that
        the other error is not its context: that may hold what was sent.
        """
        reason = ""
        with self._connection():
            late = monotonic() + TIMEOUT
            for _ in range(2):
                self._step.ends = monotonic() + TIMEOUT
                try:
                    return step()
                except (self._redis.RedisError, OSError) as error:
                    reason = describe(self._redis, self._target, error, TIMEOUT)
                    repeat = self._may_repeat(error, again=again)
                finally:
                    self._step.ends = math.inf
                if not repeat or monotonic() >= late:
                    break
        raise StoreError(f"{self.place}: {reason}")

    def _may_repeat(self, error: Exception, *, again: bool) -> bool:
        """Return whether a step that failed may run once more; if so, find the right one of several servers again."""
        not_done = False
        if self._target.primary:
            # Connections in use notice by themselves. Each idle one would cost a call that waits in vain.
            self._pool.disconnect(inuse_connections=False)
            not_done = error_code(error) in NOT_DONE
        return not_done or (again and isinstance(error, self._redis.ConnectionError))

    @contextmanager
    def _connection(self) -> Iterator[None]:
        """Let a caller have one of the connections."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._running < CONNECTIONS, TIMEOUT)
            if self._closed:
                raise closed()
            if self._running >= CONNECTIONS:
                raise StoreError(
                    f"{self.place}: all {CONNECTIONS} connections to the server were in use for {TIMEOUT:g} seconds; "
                    "it is slow, or has too much to do"
                )
            self._running += 1
        try:
            yield
        finally:
            self._free_connection()

    def _free_connection(self) -> None:
        with self._changed:
            self._running -= 1
            if self._closed:
                self._changed.notify_all()  # to `close` as well
            else:
                self._changed.notify()

    def _connect(self) -> None:
        try:
            self._clearly(self._client.ping, again=True)
        except StoreError:
            reason = _explain_sentinels(self._redis, self._target) if self._target.primary else None
            if reason is None:
                raise
        else:
            return
        raise StoreError(f"{self.place}: {reason}")

    def _check_server(self) -> None:
        facts = self._clearly(lambda: self._ask_if_allowed(self._client.info), again=True)
        found = str(facts.get("redis_version", "unknown"))
        if facts and _version(found) < OLDEST:
            raise StoreError(f"{self.place}: Redis {'.'.join(map(str, OLDEST))} or later is needed, this is {found}")
        if facts.get("cluster_enabled"):
            raise StoreError(f"{self.place}: {NO_CLUSTER}")
        settings = self._clearly(lambda: self._ask_if_allowed(self._client.config_get, *SETTINGS), again=True)
        self.risks = _find_risks(self._target, facts, settings)

    def _ask_if_allowed(self, ask: Callable[..., dict[str, Any]], *arguments: str) -> dict[str, Any]:
        """Return the server's answer; an empty one when the ACL or the operator of the server forbids the command."""
        try:
            return ask(*arguments)
        except self._redis.ResponseError as error:
            if error_code(error) in NOT_DONE:
                raise
            return {}


def _package() -> Any:
    require("redis", "a Redis store", unused=("hiredis",))  # without it the package reads answers itself, more slowly
    return import_module("redis")


def _open_pool(package: Any, target: Target, timeout: float, step: StepDeadline) -> Any:
    """Return a pool of connections to the server that keeps the keys; none is opened yet.

    Args:
        package: The package `redis`.
        target: What the store's URL says.
        timeout: Seconds to wait for a connection, and for each answer.
        step: When all answers of a step must be there.
    """
    options = {**target.options, "socket_timeout": timeout, "protocol": 2}
    options["redis_connect_func"] = partial(greet, package)
    if "path" in options:
        unix = with_deadline(package.UnixDomainSocketConnection, step)
        return package.ConnectionPool(connection_class=unix, **options)
    options |= {"socket_connect_timeout": timeout, "socket_keepalive": True}
    if not target.primary:
        [(host, port)] = target.addresses
        single = package.SSLConnection if target.tls else package.Connection
        return package.ConnectionPool(connection_class=with_deadline(single, step), host=host, port=port, **options)
    sentinels = import_module("redis.sentinel")
    managed = sentinels.SentinelManagedSSLConnection if target.tls else sentinels.SentinelManagedConnection
    asked = _sentinel(target)
    for each in asked.sentinels:
        pool = each.connection_pool
        pool.connection_class = with_deadline(pool.connection_class, step)
    managed = with_deadline(managed, step)
    return sentinels.SentinelConnectionPool(target.primary, asked, connection_class=managed, **options)


def _explain_sentinels(package: Any, target: Target) -> str | None:
    """Ask each sentinel about the primary, and return why it can't be found; None when that is not clear."""
    reasons, known = [], set[str]()
    for sentinel in _sentinel(target).sentinels:
        try:
            masters = sentinel.sentinel_masters()
        except (package.RedisError, OSError) as error:
            reasons.append(_sentinel_fault(error))
            continue
        if target.primary in masters:
            return None
        known |= masters.keys()
    if len(reasons) == len(target.addresses):
        return f"no sentinel can be asked: {reasons[0]}"
    names = ", ".join(sorted(known)) or "none"
    return f"the sentinels know no primary of this name, they know {names}; check the end of the URL's path"


def _sentinel_fault(error: Exception) -> str:
    code = error_code(error)
    if "unknown command" in str(error):
        return "what answers is no sentinel; the port of sentinels is usually 26379"
    if code == "WRONGPASS":
        return "it asks for a password, or refused it; see sentinel_username and sentinel_password (WRONGPASS)"
    if code == "NOPERM":
        return "its user needs +sentinel|masters (NOPERM)"
    if code is not None:
        return f"TLS or the connection failed; see ssl_ca_certs, ssl_certfile and ssl_keyfile ({code})"
    return "none can be reached; check that they run, and their addresses"


def _sentinel(target: Target) -> Any:
    timeouts = {"socket_timeout": ASKED, "socket_connect_timeout": ASKED, "retry": None}
    options = {**target.sentinel_options, **timeouts, "protocol": 2, "ssl": target.tls}
    return import_module("redis.sentinel").Sentinel(target.addresses, sentinel_kwargs=options)


def _version(text: str) -> tuple[int, ...]:
    """Return the first two numbers of a version."""
    return tuple(int(each) for each in re.findall(r"\d+", text)[:2])


def _find_risks(target: Target, facts: Mapping[str, Any], settings: Mapping[str, Any]) -> Sequence[str]:
    """Return how acknowledged data may be lost; one line each, with the fix.

    Args:
        target: What the store's URL says.
        facts: The answer to INFO; empty when it was refused.
        settings: The answer to CONFIG GET; empty when it was refused.
    """
    found = [*_unknown(facts, settings), *_persistence(facts, settings)]
    if facts.get("maxmemory") and facts.get("maxmemory_policy", "noeviction") != "noeviction":
        found.append("it drops live entries when its memory is full: set maxmemory-policy noeviction")
    return tuple(found + _replication(target, facts, settings))


def _unknown(facts: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    refused = [name for name, answer in (("INFO", facts), ("CONFIG GET", settings)) if not answer]
    if not refused:
        return []
    what = "its settings are" if not facts else f"{' and '.join(SETTINGS)} are"
    return [f"{' and '.join(refused)} not allowed, so {what} not checked: give this user +info +config|get, or look"]


def _persistence(facts: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    if facts and not facts.get("aof_enabled"):
        return ["it keeps no append-only file, so a restart loses what it acknowledged: set appendonly yes"]
    sync = settings.get("appendfsync", "always")
    if sync == "everysec":
        return ["a crash of its machine loses what it acknowledged in the last second: set appendfsync always"]
    if sync != "always":
        return ["a crash of its machine loses what it acknowledged in the last half a minute: set appendfsync always"]
    return []


def _replication(target: Target, facts: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    connected = facts.get("connected_slaves", target.replicas or 1)
    if target.replicas > connected:
        return [f"wait={target.replicas} and {connected} replicas are connected, so all is refused: start replicas"]
    if target.replicas or not target.primary:
        return []
    if not connected:
        return ["no replica is connected, so nothing takes over from it: start a replica"]
    found = ["a failover loses what no replica had when it was acknowledged: add wait=1 to the store's URL"]
    if str(settings.get("min-replicas-to-write", "1")) == "0":
        found.append(
            "a primary that is cut off from its replicas goes on taking writes, and a failover loses them: set "
            "min-replicas-to-write 1 and min-replicas-max-lag 10"
        )
    return found
