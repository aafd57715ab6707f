"""The store for several machines: a Redis server that all instances of a program share.

How the server is reached is in `RedisServer`, jobs are in `RedisJobs`; here are the keys of events and their rules.
"""

import re
from urllib.parse import quote

from wwspec_router.stores.base import StoreFigures, StoreLimits
from wwspec_router.stores.checks import Key, encoded, full, positive, storable_key
from wwspec_router.stores.redis.connection import RedisServer
from wwspec_router.stores.redis.job_scripts import NOW
from wwspec_router.stores.redis.jobs import RedisJobs, milliseconds
from wwspec_router.stores.redis.once import RedisOnce

_ENTRY = "wwspec:notify:entry:"
_EXPIRY, _SIZES, _BYTES = "wwspec:notify:expiry", "wwspec:notify:sizes", "wwspec:notify:bytes"

_is_plain = re.compile(r"[A-Za-z0-9_.~-]*").fullmatch

_SWEPT_PER_PUT = 100
"""Expired entries that each put removes from the counts; more than one, so that the backlog shrinks."""
_SWEPT_PER_FIGURES = 1000

# The server removes an expired entry by itself. The counts of rows and bytes follow later: they come from a member of
# the sorted set and a field of the hash for each entry, named by what follows wwspec:notify:entry: in its key.
_SWEEP = f"""
{NOW}
local expiry, sizes, bytes = KEYS[1], KEYS[2], KEYS[3]
local function sweep(prefix, limit)
    local gone = redis.call('ZRANGEBYSCORE', expiry, '-inf', now, 'LIMIT', 0, limit)
    if #gone == 0 then return 0 end
    local freed = 0
    for _, size in ipairs(redis.call('HMGET', sizes, unpack(gone))) do freed = freed + (size or 0) end
    redis.call('DECRBY', bytes, freed)
    redis.call('HDEL', sizes, unpack(gone))
    redis.call('ZREM', expiry, unpack(gone))
    for _, name in ipairs(gone) do redis.call('DEL', prefix .. name) end -- in case its clock was set back
    return #gone
end
"""
# In Redis an entry is live up to and including its expiry; here it is gone at its expiry, hence the 1.
_PUT = f"""
{_SWEEP}
local prefix, name, text, size, ttl = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local max_rows, max_bytes, limit = tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8]
local swept = sweep(prefix, limit)
local old = redis.call('HGET', sizes, name)
local rows = redis.call('ZCARD', expiry) + (old and 0 or 1)
local change = size - (old or 0)
if rows > max_rows or tonumber(redis.call('GET', bytes) or '0') + change > max_bytes then
    return swept > 0 and 'again' or 'full'
end
redis.call('INCRBY', bytes, change)
redis.call('SET', prefix .. name, text, 'PXAT', string.format('%.0f', now + ttl - 1))
redis.call('ZADD', expiry, now + ttl, name)
redis.call('HSET', sizes, name, size)
return 'kept'
"""
_FIGURES = f"""
{_SWEEP}
local swept = sweep(ARGV[1], ARGV[2])
return {{swept, redis.call('ZCARD', expiry), tonumber(redis.call('GET', bytes) or '0')}}
"""


class RedisStore(RedisJobs, RedisOnce):
    """Keeps entries and jobs in a Redis server, with the server's clock: those of the instances may differ.

    What was acknowledged is as durable as the server's settings make it. With `appendonly yes` and `appendfsync always`
    it is on the server's disk; with `appendfsync everysec`, Redis's default, a crash of the machine loses up to a
    second; with no append-only file, a restart loses what came after the last snapshot, and a warning says so at the
    start. Fail-over to a replica loses what had not reached it. Redis 6.2 or later, a single server, no cluster; each
    program uses a database of its own.

    Args:
        url: `redis://[user:password@]host[:port][/db]`, `rediss://` for TLS, which takes the options `ssl_ca_certs`,
            `ssl_certfile` and `ssl_keyfile`, or `unix://[user:password@]/path/to.sock[?db=1]`.
        limits: Bounds in rows, jobs and bytes, for all processes together.

    Raises:
        ConfigurationError: The package `redis` is missing, or the URL is none of these.
        StoreError: The server can't be used; the text says why, without the URL.
    """

    shared = True

    def __init__(self, url: str, limits: StoreLimits | None = None) -> None:
        super().__init__(RedisServer(url), limits or StoreLimits())

    def put(self, corpid: str, agentid: int, notify_id: str, text: str, ttl: float) -> None:
        """Keep `text` for `ttl` seconds; see `NotifyStore.put`. It is as durable as the server is."""
        name, limits = _name(storable_key(corpid, agentid, notify_id)), self._limits
        size, lifetime = len(encoded("text", text)), milliseconds(positive("ttl", ttl))
        bounds = (limits.max_rows, limits.max_bytes)
        arguments: list[str | int] = [_ENTRY, name, text, size, lifetime, *bounds, _SWEPT_PER_PUT]
        done = b"again"
        while done == b"again":
            done = self._server.run(_PUT, [_EXPIRY, _SIZES, _BYTES, _ENTRY + name], arguments, again=True)
        if done == b"full":
            raise full(limits)

    def get(self, corpid: str, agentid: int, notify_id: str) -> str | None:
        """Return the text or None; see `NotifyStore.get`."""
        value = self._server.get(_ENTRY + _name(storable_key(corpid, agentid, notify_id)))
        return None if value is None else self._server.text(value)

    def figures(self) -> StoreFigures:
        """Return how many live entries there are and how many bytes they hold."""
        while True:
            swept, rows, size = self._server.run(
                _FIGURES, [_EXPIRY, _SIZES, _BYTES], [_ENTRY, _SWEPT_PER_FIGURES], again=True
            )
            if swept < _SWEPT_PER_FIGURES:
                return StoreFigures(rows=rows, bytes=size)

    def check(self) -> None:
        """Return when the server answers; see `Readiness.check`."""
        self._server.ping()

    def close(self) -> None:
        """Wait for what runs, then close the connections; further calls raise StoreError."""
        self._server.close()


def _name(key: Key) -> str:
    """Return the key as one string: its parts percent-encoded, so that no two keys have the same."""
    corpid, agentid, notify_id = key
    if not (_is_plain(corpid) and _is_plain(notify_id)):  # rarely
        corpid, notify_id = quote(corpid, safe=""), quote(notify_id, safe="")
    return f"{corpid}:{agentid}:{notify_id}"
