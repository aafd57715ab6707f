"""Several real redis-servers on loopback: three sentinels with a primary and a replica.

Tests and the runs of torture start them here.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.support.redis_server import DURABLE, LocalRedis
from tests.support.waiting import wait_until
from wwspec_devtools.testing.ports import held_ports

__all__ = ["LATE", "LocalSentinels", "local_sentinels"]

NAME = "main"
"""What the sentinels call the primary."""
QUICK = ("--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1")
"""Lets a replica have its primary's data at once."""
DOWN_AFTER, LATE = 500, 5000
"""Milliseconds of silence after which a server is held to be down: where a test ends one, and where a slow disk must
not look like an end."""
FAILOVER_TIMEOUT = 2000
"""Milliseconds that sentinels give a failover."""


class LocalSentinels:
    """Three sentinels that watch a primary and a replica.

    The options are those of the two servers, and the lines further ones of the sentinels' configuration; `tls` names
    the certificate of all, and after `down_after` milliseconds of silence a server is held to be down.
    """

    def __init__(
        self,
        directory: Path,
        options: Sequence[str] = DURABLE,
        tls: Sequence[str] = (),
        lines: Sequence[str] = (),
        down_after: int = DOWN_AFTER,
    ) -> None:
        self._held = ExitStack()
        ports = self._held.enter_context(held_ports(5))
        self.servers = [
            LocalRedis(directory / f"server-{port}", [*options, *QUICK], port=port, tls=tls) for port in ports[:2]
        ]
        self.sentinels = [
            _Sentinel(directory / f"sentinel-{port}", port, ports[0], tls, lines, down_after) for port in ports[2:]
        ]
        places = ",".join(f"127.0.0.1:{each.port}" for each in self.sentinels)
        self.url = f"redis+sentinel://{places}/{NAME}"

    def start(self) -> None:
        first, second = self.servers
        first.start()
        second.start("--replicaof", "127.0.0.1", str(first.port))
        for each in self.sentinels:
            each.start()
        wait_until(lambda: all(each.knows_all() for each in self.sentinels) and self.is_replicated())

    def close(self) -> None:
        for each in (*self.sentinels, *self.servers):
            each.kill()
        self._held.close()

    def primary(self) -> LocalRedis:
        seen = [each.primary_port() for each in self.sentinels]
        port = max(seen, key=seen.count)
        return next(each for each in self.servers if each.port == port)

    def switch(self) -> None:
        self.sentinels[0].run("SENTINEL", "FAILOVER", NAME)

    def restart(self, server: LocalRedis) -> None:
        port = self.primary().port
        server.start(*(() if port == server.port else ("--replicaof", "127.0.0.1", str(port))))

    def is_replicated(self) -> bool:
        return _has_replica(self.primary()) and all(
            each.primary_port() == self.primary().port for each in self.sentinels
        )


class _Sentinel(LocalRedis):
    """One sentinel; it rewrites its configuration file."""

    def __init__(
        self, directory: Path, port: int, primary: int, tls: Sequence[str], lines: Sequence[str], down_after: int
    ) -> None:
        super().__init__(directory, (), port=port, tls=tls)
        self._file = directory / "sentinel.conf"
        words = " ".join(self._listens).removeprefix("--").split(" --")
        self._file.write_text(
            "\n".join([*words, *lines])
            + f"""
bind 127.0.0.1
unixsocket {self.path}
dir {directory}
sentinel monitor {NAME} 127.0.0.1 {primary} 2
sentinel down-after-milliseconds {NAME} {down_after}
sentinel failover-timeout {NAME} {FAILOVER_TIMEOUT}
"""
        )

    def _command(self) -> list[str]:
        return ["redis-server", str(self._file), "--sentinel"]

    def primary_port(self) -> int:
        with self.client() as client:
            return int(client.sentinel_get_master_addr_by_name(NAME)[1])

    def knows_all(self) -> bool:
        with self.client() as client:
            state = client.sentinel_master(NAME)
        return bool(state["num-other-sentinels"] == 2 and state["num-slaves"] == 1 and not state["is_sdown"])


def _has_replica(server: LocalRedis) -> bool:
    facts: dict[str, Any] = {}
    with suppress(Exception), server.client() as client:  # it is down
        facts = client.info("replication")
    return facts.get("role") == "master" and facts.get("slave0", {}).get("state") == "online"


@contextmanager
def local_sentinels(
    directory: Path,
    *options: str,
    tls: Sequence[str] = (),
    lines: Sequence[str] = (),
    down_after: int = DOWN_AFTER,
) -> Iterator[LocalSentinels]:
    """Run sentinels with servers of durable and these options; see `LocalSentinels`."""
    group = LocalSentinels(directory, (*DURABLE, *options), tls, lines, down_after)
    try:
        group.start()
        yield group
    finally:
        group.close()
