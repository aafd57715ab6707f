"""Calls that run once, in Redis.

An entry is a hash that the server removes by itself when it no longer holds its key. Each change is one script, with
the server's clock. `RedisServer` connects to the server. This module knows neither events nor jobs.
"""

from collections.abc import Sequence
from typing import Any

from wwspec_router.stores.capacity import StoreLimits
from wwspec_router.stores.checks import full_of_replies, kept_size, positive, storable_claim, storable_hashes
from wwspec_router.stores.once import KeptReply, OnceClaim, OnceEntry
from wwspec_router.stores.redis.connection import RedisServer
from wwspec_router.stores.redis.expiring import SWEPT_PER_CHANGE, ExpiringEntries, milliseconds

REPLIES = ExpiringEntries("once", belongs="redis.call('HGET', prefix .. 'once:entry:' .. name, 'corp') == corp")

_COMMON = f"""
{REPLIES.script}
local function find(entry, name) -- what holds the key: token, request, errcode, text
    local ends = redis.call('ZSCORE', expiry, name)
    if not ends or tonumber(ends) <= now then return nil end
    local found = redis.call('HMGET', entry, 'token', 'request', 'errcode', 'text')
    return found[1] and found or nil
end
-- In Redis a key is live up to and including its expiry; here it is gone at its expiry, hence the 1.
local function hold(entry, name, size, lifetime, ...)
    redis.call('INCRBY', bytes, size - (redis.call('HGET', sizes, name) or 0))
    redis.call('DEL', entry)
    redis.call('HSET', entry, ...)
    redis.call('PEXPIREAT', entry, string.format('%.0f', now + lifetime - 1))
    redis.call('ZADD', expiry, now + lifetime, name)
    redis.call('HSET', sizes, name, size)
end
local function hold_unless_held(entry, name, token, request, corp, lease)
    local found = find(entry, name)
    if found and (found[1] ~= token or found[3]) then return found end
    hold(entry, name, 0, lease, 'token', token, 'request', request, 'corp', corp)
    return nil
end
"""
_CLAIM = f"""
{_COMMON}
local entry, name, token, request, corp, lease = KEYS[4], unpack(ARGV, 1, 5)
local swept = sweep(ARGV[8])
if not find(entry, name) then
    local rows = redis.call('ZCARD', expiry) - (redis.call('ZSCORE', expiry, name) and 1 or 0)
    if rows >= tonumber(ARGV[6]) or tonumber(redis.call('GET', bytes) or '0') >= tonumber(ARGV[7]) then
        return swept > 0 and 'again' or 'full'
    end
end
return hold_unless_held(entry, name, token, request, corp, lease) or 'held'
"""
_RENEW = f"""
{_COMMON}
local held = {{}}
for each = 4, #KEYS do
    local first = 4 * each - 14
    local name, token, request, corp = unpack(ARGV, first, first + 3)
    if not hold_unless_held(KEYS[each], name, token, request, corp, ARGV[1]) then held[#held + 1] = token end
end
return held
"""
_KEEP = f"""
{_COMMON}
local entry, name, token, request, corp, lifetime, size = KEYS[4], unpack(ARGV, 1, 6)
local found = find(entry, name)
if found and found[1] ~= token then return 0 end
hold(entry, name, size, lifetime, 'token', token, 'request', request, 'corp', corp, 'errcode', ARGV[7], 'text', ARGV[8])
return 1
"""
_RELEASE = f"""
{_COMMON}
local entry, name = KEYS[4], ARGV[1]
local found = find(entry, name)
if found and found[1] == ARGV[2] and not found[3] then
    redis.call('DEL', entry)
    redis.call('ZREM', expiry, name)
    redis.call('HDEL', sizes, name)
end
"""


class RedisOnce:
    """Keeps them in a Redis server, for all processes that use it. A base of `RedisStore`, which has the server."""

    _server: RedisServer
    _limits: StoreLimits

    def claim_once(self, claim: OnceClaim, lease: float) -> OnceEntry | None:
        """Take a key; see `OnceStore.claim_once`."""
        storable_claim(claim)
        bounds = (self._limits.max_once, self._limits.max_once_bytes)
        length = milliseconds(positive("lease", lease))
        arguments: list[str | int] = [*_parts(claim), length, *bounds, SWEPT_PER_CHANGE]
        found: Any = b"again"
        while found == b"again":
            found = self._server.run(_CLAIM, [*REPLIES.counts, REPLIES.key(claim.key)], arguments, again=True)
        if found == b"full":
            raise full_of_replies(self._limits)
        return None if found == b"held" else self._entry(found)

    def renew_once(self, claims: Sequence[OnceClaim], lease: float) -> set[str]:
        """Extend leases; see `OnceStore.renew_once`."""
        for claim in claims:
            storable_claim(claim)
        keys = [REPLIES.key(claim.key) for claim in claims]
        arguments: list[str | int] = [milliseconds(positive("lease", lease))]
        for claim in claims:
            arguments += _parts(claim)
        held = self._server.run(_RENEW, [*REPLIES.counts, *keys], arguments, again=True, durable=False)
        return {self._server.text(token) for token in held}

    def keep_once(self, claim: OnceClaim, reply: KeptReply, ttl: float) -> bool:
        """Keep a reply; see `OnceStore.keep_once`. It is as durable as the server is."""
        storable_claim(claim)
        size, lifetime = kept_size(reply), milliseconds(positive("ttl", ttl))
        arguments: list[str | int] = [*_parts(claim), lifetime, size, reply.errcode, reply.text]
        return bool(self._server.run(_KEEP, [*REPLIES.counts, REPLIES.key(claim.key)], arguments, again=True))

    def release_once(self, key: str, token: str) -> None:
        """Free a key; see `OnceStore.release_once`."""
        storable_hashes(key=key, token=token)
        self._server.run(_RELEASE, [*REPLIES.counts, REPLIES.key(key)], [key, token], again=True)

    def _entry(self, found: Sequence[bytes | None]) -> OnceEntry:
        token, request, errcode, text = (None if each is None else self._server.text(each) for each in found)
        reply = None if errcode is None else KeptReply(text=text or "", errcode=int(errcode))
        return OnceEntry(token=token or "", request=request or "", reply=reply)


def _parts(claim: OnceClaim) -> Sequence[str]:
    """Return the arguments for a claim."""
    return claim.key, claim.token, claim.request, claim.corp
