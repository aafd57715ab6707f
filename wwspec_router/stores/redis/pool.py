"""A pool of connections to the server that keeps a program's keys, and why sentinels name none.

A connection asks the sentinels for the address when it is opened, so after a failover the next one goes to the new
primary. The package redis does that. No connection repeats a command; that is the package's default for a connection,
but not for its client.
"""

from importlib import import_module
from typing import Any

from wwspec_router.stores.redis.failures import error_code
from wwspec_router.stores.redis.url import Target, Topology

ASKED = 0.5
"""Seconds to wait for a sentinel."""


def open_pool(package: Any, target: Target, timeout: float) -> Any:
    """Return a pool of connections to the server that keeps the keys; none is opened yet.

    Args:
        package: The package `redis`.
        target: What the store's URL says.
        timeout: Seconds to wait for a connection, and for each answer.
    """
    options = {**target.options, "socket_timeout": timeout, "protocol": 2}
    if "path" in options:
        return package.ConnectionPool(connection_class=package.UnixDomainSocketConnection, **options)
    options |= {"socket_connect_timeout": timeout, "socket_keepalive": True}
    if target.kind is Topology.SERVER:
        [(host, port)] = target.addresses
        single = package.SSLConnection if target.tls else package.Connection
        return package.ConnectionPool(connection_class=single, host=host, port=port, **options)
    sentinels = import_module("redis.sentinel")
    managed = sentinels.SentinelManagedSSLConnection if target.tls else sentinels.SentinelManagedConnection
    return sentinels.SentinelConnectionPool(target.primary, _sentinel(target), connection_class=managed, **options)


def explain_sentinels(package: Any, target: Target) -> str | None:
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
