"""Finding the server that keeps a program's keys, and a pool of connections to it.

All keys of a program are in one slot, so in a cluster, too, one node has them all: its primary. A connection asks for
the address when it is opened, so after a failover the next one goes to the new primary.

With sentinels the package redis does this by itself. It lacks two things, which are here: a search through a cluster
that ends in time, and the reason why sentinels name no primary. No connection repeats a command; that is the package's
default for a connection, but not for its client.
"""

from collections.abc import Sequence
from contextlib import closing
from importlib import import_module
from time import monotonic
from typing import Any

from wwspec_router.errors import StoreError
from wwspec_router.stores.redis.failures import error_code
from wwspec_router.stores.redis.url import Address, Target, Topology

ASKED = 0.5
"""Seconds to wait for a sentinel, or for a node that is asked where the keys are."""
SEARCHED = 1.5
"""Seconds after which no further node is asked."""


def open_pool(package: Any, target: Target, timeout: float, slot: int) -> Any:
    """Return a pool of connections to the server that keeps the keys; none is opened yet.

    Args:
        package: The package `redis`.
        target: What the store's URL says.
        timeout: Seconds to wait for a connection, and for each answer.
        slot: The slot of the program's keys.
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
    manager = (
        _sentinel(target) if target.kind is Topology.SENTINEL else ClusterNodes(package, target, slot, _asking(target))
    )
    managed = sentinels.SentinelManagedSSLConnection if target.tls else sentinels.SentinelManagedConnection
    return sentinels.SentinelConnectionPool(target.primary, manager, connection_class=managed, **options)


class ClusterNodes:
    """Finds the primary of one slot; takes the place of the sentinels in the package's pool.

    The package's own cluster client is not enough: it waits for each node that hangs, however many there are. It also
    asks only the nodes that the cluster named last, so it never finds a cluster whose nodes all have new addresses.

    Args:
        package: The package `redis`.
        target: What the store's URL says.
        slot: The slot.
        options: Arguments of a connection to a node that is asked.
    """

    def __init__(self, package: Any, target: Target, slot: int, options: dict[str, Any]) -> None:
        self._redis = package
        self._place = target.place
        self._slot = slot
        self._options = options
        self._given = target.addresses
        self._nodes: tuple[Address, ...] = target.addresses

    def discover_master(self, service_name: str) -> Address:
        """Return the address of the primary.

        Args:
            service_name: Not used; the package gives it to sentinels.

        Raises:
            RedisError: No node could be asked, or none has the slot.
            StoreError: This is no cluster.
        """
        failure: Exception = self._redis.ConnectionError("no node was asked")
        late = monotonic() + SEARCHED
        for node in dict.fromkeys((*self._nodes, *self._given)):
            if monotonic() > late:
                break
            # Begin with another node next time: this one may be cut off from the others without knowing it.
            self._nodes = (*(each for each in self._nodes if each != node), node)
            try:
                ranges = self._ask(node)
            except (self._redis.RedisError, OSError) as error:
                failure = error
                continue
            primary = self._find(node, ranges)
            if primary is not None:
                return primary
            failure = self._redis.exceptions.ClusterDownError("no node has the slot")
        if "cluster support disabled" in str(failure):
            failure = StoreError(f"{self._place}: this server is not part of a cluster; write redis:// in the URL")
        raise failure.with_traceback(None)

    def _ask(self, node: Address) -> Any:
        with closing(self._redis.Redis(*node, **self._options)) as client:
            return client.execute_command("CLUSTER SLOTS")

    def _find(self, asked: Address, ranges: Sequence[Any]) -> Address | None:
        """Return the primary of the slot, and note all nodes that are named."""
        primary, named = None, []
        for first, last, *nodes in ranges:
            addresses = [_named(asked, *each[:2]) for each in nodes]
            named += addresses
            if first <= self._slot <= last:
                primary = addresses[0]
        self._nodes = tuple(dict.fromkeys((*(each for each in named if each != asked), asked)))
        return primary


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
    return import_module("redis.sentinel").Sentinel(target.addresses, sentinel_kwargs=_asking(target))


def _asking(target: Target) -> dict[str, Any]:
    """Return the arguments of a connection to a sentinel or a node that is asked for the primary."""
    options = target.sentinel_options if target.kind is Topology.SENTINEL else target.options
    timeouts = {"socket_timeout": ASKED, "socket_connect_timeout": ASKED, "retry": None}
    return {**options, **timeouts, "protocol": 2, "ssl": target.tls}


def _named(asked: Address, host: bytes | None, port: int) -> Address:
    """Return the address that a node names; without a host it is the node that was asked."""
    text = (host or b"").decode()
    return (text if text not in ("", "?") else asked[0]), port
