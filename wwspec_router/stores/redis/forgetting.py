"""Removes all that belongs to a corp from Redis, in many short scripts, so that the server serves others in between."""

from collections.abc import Sequence

from wwspec_router.stores.redis.connection import RedisServer

_AT_ONCE = 200
"""Members that one script looks at, about."""

SCAN = """
local corp = ARGV[3]
local cursor, members = unpack(redis.call('ZSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2]))
"""
"""The beginning of a script that goes through a sorted set: `corp`, the next `cursor`, and `members` with scores."""

OF_CORP = "string.sub(name, 1, #corp) == corp"
"""Whether a name begins with the corp and a colon; both are percent-encoded."""


def run_through(server: RedisServer, script: str, keys: Sequence[str], corp: str) -> int:
    """Run a script for each part of a sorted set, again until it finds nothing; return how many it has removed.

    One round may miss something: a cursor means nothing to the server that takes over in a failover.

    Args:
        server: The server.
        script: Its text: it begins with `SCAN`, and returns the cursor and how many it has removed.
        keys: Its keys; the first is the sorted set.
        corp: What `corp` is in the script.
    """
    removed = 0
    while found := _run_once_through(server, script, keys, corp):
        removed += found
    return removed


def _run_once_through(server: RedisServer, script: str, keys: Sequence[str], corp: str) -> int:
    removed = 0
    cursor: int | None = None
    while cursor != 0:
        following, count = server.run(script, keys, [cursor or 0, _AT_ONCE, corp], again=True)
        removed, cursor = removed + int(count), int(following)
    return removed
