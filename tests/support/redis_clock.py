"""A clock for stores over a real redis-server, whose own clock can't be set."""

from tests.stores.suites.rig import ManualClock
from tests.support.redis_server import LocalRedis

_REWIND = """
local past = tonumber(ARGV[1])
for _, key in ipairs(redis.call('KEYS', '*')) do
    local expires = redis.call('PEXPIRETIME', key)
    if redis.call('TYPE', key).ok == 'zset' then
        for _, member in ipairs(redis.call('ZRANGE', key, 0, -1)) do
            redis.call('ZINCRBY', key, -past, member)
        end
    elseif expires >= 0 then
        redis.call('PEXPIREAT', key, string.format('%.0f', expires - past))
    end
end
"""


class RewindingClock(ManualClock):
    """Lets the server's clock run, and moves every time that it keeps into the past instead of the clock ahead."""

    def __init__(self, server: LocalRedis) -> None:
        super().__init__()
        self._server = server

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        self._server.run("EVAL", _REWIND, 0, round(seconds * 1000))
