"""Entries in Redis that expire by themselves, and their counts.

The server removes an entry at its end. The counts of rows and bytes follow later: they come from a member of a sorted
set and a field of a hash for each entry, under its name.
"""

import math

from wwspec_router.stores.capacity import StoreFigures
from wwspec_router.stores.redis.connection import RedisServer
from wwspec_router.stores.redis.forgetting import SCAN, run_through
from wwspec_router.stores.redis.job_scripts import NOW
from wwspec_router.stores.redis.keys import PREFIX

SWEPT_PER_CHANGE = 100
"""How many ended entries each new entry removes from the counts; more than one, so that the backlog shrinks."""
_SWEPT_PER_FIGURES = 1000

_LONGEST = 10**15
"""Milliseconds, some 30 000 years: sums of these are exact in Lua, whose numbers are floats."""


def milliseconds(seconds: float) -> int:
    """Return a time in the unit of the scripts, rounded up, so that no lifetime becomes 0."""
    return min(math.ceil(seconds * 1000), _LONGEST) if seconds < _LONGEST else _LONGEST


class ExpiringEntries:
    """The entries of one kind.

    Args:
        kind: The beginning of the names of their keys.
        belongs: A Lua expression: whether the entry with this `name` belongs to the corp `corp`, in the form that
            `forget` is given.
        before: Lua statements between the names below and the functions.
        uncount: Lua statements that are run for each entry that is removed, with its `name` and `size`.

    Attributes:
        counts: The first three keys of each script: when entries end, their sizes, and the sum of these.
        script: The beginning of each script: `now`, `prefix`, `expiry`, `sizes`, `bytes`; `remove(names)`, which
            removes entries with their counts; and `sweep(limit)`, which does so with up to so many ended entries and
            returns how many those were.
    """

    def __init__(self, kind: str, *, belongs: str, before: str = "", uncount: str = "") -> None:
        self._entry = f"{kind}:entry:"
        self.counts = (f"{kind}:expiry", f"{kind}:sizes", f"{kind}:bytes")
        self.script = f"""
{NOW}
{PREFIX}
local expiry, sizes, bytes = KEYS[1], KEYS[2], KEYS[3]
{before}
local function remove(names)
    if #names == 0 then return end
    local freed = 0
    for each, size in ipairs(redis.call('HMGET', sizes, unpack(names))) do
        local name = names[each]
        freed = freed + (size or 0)
        {uncount}
    end
    redis.call('DECRBY', bytes, freed)
    redis.call('HDEL', sizes, unpack(names))
    redis.call('ZREM', expiry, unpack(names))
    for _, name in ipairs(names) do -- ended ones, too: the server's clock may have been set back
        redis.call('DEL', prefix .. '{self._entry}' .. name)
    end
end
local function sweep(limit)
    local gone = redis.call('ZRANGEBYSCORE', expiry, '-inf', now, 'LIMIT', 0, limit)
    remove(gone)
    return #gone
end
"""
        self._figures = f"""
{self.script}
local swept = sweep(ARGV[1])
return {{swept, redis.call('ZCARD', expiry), tonumber(redis.call('GET', bytes) or '0')}}
"""
        self._forget = f"""
{self.script}
{SCAN}
local found, live = {{}}, 0
for each = 1, #members, 2 do
    local name, ends = members[each], tonumber(members[each + 1])
    if {belongs} then
        found[#found + 1] = name
        if ends > now then live = live + 1 end
    end
end
remove(found)
return {{cursor, live}}
"""

    def key(self, name: str) -> str:
        """Return the key of the entry with this name."""
        return self._entry + name

    def figures(self, server: RedisServer) -> StoreFigures:
        """Return how many live entries there are, and how many bytes they hold."""
        while True:
            limit = [_SWEPT_PER_FIGURES]
            swept, rows, size = server.run(self._figures, self.counts, limit, again=True, durable=False)
            if swept < _SWEPT_PER_FIGURES:
                return StoreFigures(rows=rows, bytes=size)

    def forget(self, server: RedisServer, corp: str) -> int:
        """Remove the entries of a corp; return how many were live."""
        return run_through(server, self._forget, self.counts, corp)
