"""Entries in Redis that expire by themselves, and their counts.

The server removes an entry at its end. The counts of rows and bytes follow later: they come from a member of a sorted
set and a field of a hash for each entry, under its name.
"""

from wwspec_router.stores.redis.connection import RedisServer
from wwspec_router.stores.redis.job_scripts import NOW
from wwspec_router.stores.redis.keys import PREFIX

SWEPT_PER_CHANGE = 100
"""How many ended entries each new entry removes from the counts; more than one, so that the backlog shrinks."""
_SWEPT_PER_FIGURES = 1000


class ExpiringEntries:
    """The entries of one kind.

    Args:
        kind: The beginning of the names of their keys.

    Attributes:
        counts: The first three keys of each script: when entries end, their sizes, and the sum of these.
        script: The beginning of each script: `now`, `prefix`, `expiry`, `sizes`, `bytes`, and `sweep(limit)`, which
            removes up to so many ended entries from the counts and returns how many those were.
    """

    def __init__(self, kind: str) -> None:
        self._entry = f"{kind}:entry:"
        self.counts = (f"{kind}:expiry", f"{kind}:sizes", f"{kind}:bytes")
        self.script = f"""
{NOW}
{PREFIX}
local expiry, sizes, bytes = KEYS[1], KEYS[2], KEYS[3]
local function sweep(limit)
    local gone = redis.call('ZRANGEBYSCORE', expiry, '-inf', now, 'LIMIT', 0, limit)
    if #gone == 0 then return 0 end
    local freed = 0
    for _, size in ipairs(redis.call('HMGET', sizes, unpack(gone))) do freed = freed + (size or 0) end
    redis.call('DECRBY', bytes, freed)
    redis.call('HDEL', sizes, unpack(gone))
    redis.call('ZREM', expiry, unpack(gone))
    for _, name in ipairs(gone) do -- in case its clock was set back
        redis.call('DEL', prefix .. '{self._entry}' .. name)
    end
    return #gone
end
"""
        self._figures = f"""
{self.script}
local swept = sweep(ARGV[1])
return {{swept, redis.call('ZCARD', expiry), tonumber(redis.call('GET', bytes) or '0')}}
"""

    def key(self, name: str) -> str:
        """Return the key of the entry with this name."""
        return self._entry + name

    def figures(self, server: RedisServer) -> tuple[int, int]:
        """Return how many live entries there are, and how many bytes they hold."""
        while True:
            limit = [_SWEPT_PER_FIGURES]
            swept, rows, size = server.run(self._figures, self.counts, limit, again=True, durable=False)
            if swept < _SWEPT_PER_FIGURES:
                return rows, size
