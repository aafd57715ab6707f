"""Values that an application keeps, in Redis.

A value is a hash that the server removes by itself at its end. Changes are one script, with the server's clock; with a
change of a job they are one script, too. `RedisServer` connects to the server. This module knows neither events nor
jobs.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any
from urllib.parse import quote

from msgspec import UNSET, UnsetType
from msgspec.json import encode

from wwspec_contracts.errors import KeptConflictError
from wwspec_router.stores.capacity import StoreLimits
from wwspec_router.stores.checks import full_of_kept, kept_value_size, no_counts, storable_kept, storable_writes
from wwspec_router.stores.kept import LARGEST_VALUE, KeptKey, KeptValue, KeptWrite
from wwspec_router.stores.redis.connection import RedisServer
from wwspec_router.stores.redis.expiring import SWEPT_PER_CHANGE, ExpiringEntries, milliseconds
from wwspec_router.stores.redis.forgetting import OF_CORP

_COUNT_CORP = """
local function count_corp(name, more)
    local corps, corp = prefix .. 'kept:corps', string.match(name, '^[^:]*')
    if redis.call('HINCRBY', corps, corp, more) <= 0 then redis.call('HDEL', corps, corp) end
end
"""
VALUES = ExpiringEntries("kept", belongs=OF_CORP, before=_COUNT_CORP, uncount="count_corp(name, 0 - (size or 0))")

_ANY, _NONE, _VERSION = "any", "none", "="
_FOR_EVER, _REMOVED = "", "removed"
_PARTS = 7
"""Arguments of each write."""

# As `stores.kept.merged`; numbers are written by hand, since cjson writes large ones with an exponent.
_MERGED = f"""
local function merged(text, counts, most)
    local is_json, totals = pcall(cjson.decode, text)
    if not is_json or type(totals) ~= 'table' then return nil end
    for name, count in pairs(totals) do
        if type(name) ~= 'string' or type(count) ~= 'number' or count % 1 ~= 0 then return nil end
    end
    for name, count in pairs(cjson.decode(counts)) do totals[name] = (totals[name] or 0) + count end
    local names = {{}}
    for name in pairs(totals) do names[#names + 1] = name end
    table.sort(names, function(one, other)
        if totals[one] ~= totals[other] then return totals[one] > totals[other] end
        return one < other
    end)
    local parts, size = {{}}, 1
    for _, name in ipairs(names) do
        local part = cjson.encode(name) .. ':' .. string.format('%.0f', totals[name])
        size = size + #part + 1
        if #parts >= most or size > {LARGEST_VALUE} then break end
        parts[#parts + 1] = part
    end
    return '{{' .. table.concat(parts, ',') .. '}}'
end
"""
_READ = "return redis.call('HMGET', KEYS[1], 'text', 'version')"
_ONLY_WRITES = "return 1"


@cache
def _with_writes(script: str, guard: str) -> str:
    """Return a script that makes changes of kept values if and only if another script makes its own.

    Args:
        script: The other script. It returns 1 or `added` when it has changed something.
        guard: A script that returns nothing if the other one may run; else its result is returned.
    """
    return f"""
{VALUES.script}
{_MERGED}
local function guard(KEYS, ARGV) {guard} end
local function change(KEYS, ARGV) {script} end
local count, max_bytes, max_of_corp, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local last = 4 + {_PARTS} * count
local other_keys, others = {{unpack(KEYS, {len(VALUES.counts) + 1})}}, {{unpack(ARGV, last + 1)}}
local refused = guard(other_keys, others)
if refused then return refused end

local swept = sweep(limit)
local writes, total, grown = {{}}, 0, {{}}
for each = 5, last, {_PARTS} do
    local name, version, expected, size, _, text, most = unpack(ARGV, each, each + {_PARTS - 1})
    local ends, entry = redis.call('ZSCORE', expiry, name), prefix .. '{VALUES.key("")}' .. name
    local found = ends and tonumber(ends) > now and redis.call('HGET', entry, 'version')
    if found ~= version then
        local there = found and '{_VERSION}' .. found or '{_NONE}'
        if expected ~= '{_ANY}' and expected ~= there then return 'conflict' end
        if most ~= '' then
            text = merged(found and redis.call('HGET', entry, 'text') or '{{}}', text, tonumber(most))
            if not text then return 'no counts' end
            size = size + #text
            ARGV[each + 3], ARGV[each + 5] = size, text
        end
        local more, corp = size - (redis.call('HGET', sizes, name) or 0), string.match(name, '^[^:]*')
        total, grown[corp] = total + more, (grown[corp] or 0) + more
        writes[#writes + 1] = each
    end
end
local full = total > math.max(0, max_bytes - (redis.call('GET', bytes) or 0))
for corp, more in pairs(grown) do
    full = full or more > math.max(0, max_of_corp - (redis.call('HGET', prefix .. 'kept:corps', corp) or 0))
end
if full then return swept > 0 and 'again' or 'full of kept' end

local done = change(other_keys, others)
if done ~= 1 and done ~= 'added' then return done end
for _, each in ipairs(writes) do
    local name, version, _, size, lifetime, text = unpack(ARGV, each, each + 5)
    remove({{name}})
    if lifetime ~= '{_REMOVED}' then
        local entry, ends = prefix .. '{VALUES.key("")}' .. name, '+inf'
        redis.call('HSET', entry, 'version', version, 'text', text)
        if lifetime ~= '{_FOR_EVER}' then
            ends = now + lifetime
            redis.call('PEXPIREAT', entry, string.format('%.0f', ends - 1)) -- when it still lives
        end
        redis.call('ZADD', expiry, ends, name)
        redis.call('HSET', sizes, name, size)
        redis.call('INCRBY', bytes, size)
        count_corp(name, size)
    end
end
return done
"""


class RedisKept:
    """Keeps them in a Redis server, for all processes that use it. A base of `RedisStore`.

    Args:
        server: The server.
        limits: Bounds, for all processes together.
    """

    def __init__(self, server: RedisServer, limits: StoreLimits) -> None:
        self._server = server
        self._limits = limits

    def read_kept(self, key: KeptKey) -> KeptValue | None:
        """Return a value; see `KeptStore.read_kept`."""
        storable_kept(key)
        text, version = self._server.run(_READ, [VALUES.key(_name(key))], [], again=True, durable=False)
        return None if version is None else KeptValue(self._server.text(text), self._server.text(version))

    def write_kept(self, writes: Sequence[KeptWrite]) -> None:
        """Change values; see `KeptStore.write_kept`. That is as durable as the server is."""
        storable_writes(writes)
        if writes:
            self._run_with(writes, _ONLY_WRITES, [], [], again=True)

    def _run_with(
        self,
        writes: Sequence[KeptWrite],
        script: str,
        keys: Sequence[str],
        arguments: Sequence[str | int],
        *,
        guard: str = "",
        again: bool = False,
        durable: bool = True,
    ) -> Any:
        """Run a script, and with it the changes of kept values, if there are any; return what the script returns.

        Raises:
            KeptConflictError: See `KeptStore.write_kept`; as the others.
        """
        if writes:
            script, durable = _with_writes(script, guard), True
            again = again and all(map(_is_repeatable, writes))
            limits = self._limits
            bounds = [len(writes), limits.max_kept_bytes, limits.max_kept_bytes_of_corp, SWEPT_PER_CHANGE]
            keys = [*VALUES.counts, *keys]
            arguments = [*bounds, *(part for write in writes for part in _parts(write)), *arguments]
        done: Any = b"again"
        while done == b"again":
            done = self._server.run(script, keys, arguments, again=again, durable=durable)
        if done == b"conflict":
            raise KeptConflictError()
        if done == b"full of kept":
            raise full_of_kept(self._limits)
        if done == b"no counts":
            raise no_counts()
        return done


def _name(key: KeptKey) -> str:
    """Return a key as one string: its parts percent-encoded, so that different keys have different strings."""
    corpid, space, name = (quote(each, safe="") for each in (key.corpid, key.space, key.name))
    return f"{corpid}:{key.agentid}:{space}:{name}"


def _parts(write: KeptWrite) -> Sequence[str | int]:
    """Return the arguments for a write."""
    text = write.text if write.counts is None else encode(write.counts).decode()
    return (
        _name(write.key),
        write.version,
        _expected(write.expected),
        kept_value_size(write) if write.counts is None else len(write.key.name.encode()),
        _REMOVED if text is None else _FOR_EVER if write.ttl is None else milliseconds(write.ttl),
        text or "",
        "" if write.counts is None else write.most,
    )


def _expected(version: str | UnsetType | None) -> str:
    if version is UNSET:
        return _ANY
    return _NONE if version is None else f"{_VERSION}{version}"


def _is_repeatable(write: KeptWrite) -> bool:
    """Return whether a write that was made already is recognized, or may be made again."""
    return write.counts is None and (write.text is not None or write.expected is UNSET)
