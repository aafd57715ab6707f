"""What the settings of a Redis server mean for acknowledged data: one line for each setting that may lose it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from wwspec_router.stores.redis.url import Target, Topology

OLDEST = (6, 2)
"""The first release of Redis that knows all commands used here."""
SETTINGS = ("appendfsync", "min-replicas-to-write")
"""The settings that only CONFIG GET returns."""


def version(text: str) -> tuple[int, ...]:
    """Return the first two numbers of a version."""
    return tuple(int(each) for each in re.findall(r"\d+", text)[:2])


def find_risks(target: Target, facts: Mapping[str, Any], settings: Mapping[str, Any]) -> Sequence[str]:
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
    if target.replicas or target.kind is Topology.SERVER:
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
