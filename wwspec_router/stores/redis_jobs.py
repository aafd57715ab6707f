"""The journal of jobs in Redis: its keys and its rules.

Each change is one script, which Redis runs as a whole, by the server's clock. A job is a hash; sorted sets of times
find the due, the claimed and the oldest. In every script the first write is one that a server without memory refuses,
so that it refuses the whole.

How the server is reached is `RedisServer`'s business. It is not aware of events.
"""

import math
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from wwspec_router.stores.base import Job, JobFigures, Outcome, StoreLimits
from wwspec_router.stores.entry import (
    full_of_jobs,
    known_job,
    new_job_size,
    not_negative,
    positive,
    storable_ids,
    storable_outcome,
)
from wwspec_router.stores.redis_server import RedisServer

NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""
"""The beginning of a script that needs the time: `now`, in milliseconds of the server's clock."""

_LONGEST = 10**15
"""Milliseconds, some 30 000 years: sums of these are exact in Lua, whose numbers are floats."""

_JOB = "wwspec:job:"
_DUE, _CLAIMED, _ADDED = "wwspec:jobs:due", "wwspec:jobs:claimed", "wwspec:jobs:added"
_BYTES, _SERIAL = "wwspec:jobs:bytes", "wwspec:jobs:serial"

# A member of the sorted sets is a serial number of 16 digits, a colon, and what follows wwspec:job: in the job's key.
# Equal times are sorted by member, so by arrival.

_ADD = f"""
{NOW}
local key, due, added, bytes, serials = unpack(KEYS)
local name, size, max_jobs, max_bytes = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if redis.call('EXISTS', key) == 1 then return 'known' end
local used = tonumber(redis.call('GET', bytes) or '0')
if redis.call('ZCARD', due) >= max_jobs or used + size > max_bytes then return 'full' end
local member = string.format('%016d', redis.call('INCR', serials)) .. ':' .. name
redis.call('INCRBY', bytes, size)
redis.call('HSET', key, 'member', member, 'size', size, 'attempt', 0, unpack(ARGV, 5))
redis.call('ZADD', due, now, member)
redis.call('ZADD', added, now, member)
return 'added'
"""
_CLAIM = f"""
{NOW}
local due, claimed, added = unpack(KEYS)
local prefix, owner, limit, ends = ARGV[1], ARGV[2], ARGV[3], now + ARGV[4]
local jobs = {{}}
for _, member in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, limit)) do
    local key = prefix .. string.sub(member, 18)
    if redis.call('EXISTS', key) == 1 then
        redis.call('ZADD', due, ends, member)
        redis.call('ZADD', claimed, ends, member)
        redis.call('HINCRBY', key, 'attempt', 1)
        redis.call('HSET', key, 'owner', owner)
        local age = now - (redis.call('ZSCORE', added, member) or now)
        jobs[#jobs + 1] = {{age, redis.call('HMGET', key, unpack(ARGV, 5))}}
    else -- someone deleted it by hand
        redis.call('ZREM', due, member)
        redis.call('ZREM', claimed, member)
        redis.call('ZREM', added, member)
    end
end
return jobs
"""
_RENEW = f"""
{NOW}
local prefix, owner, ends = ARGV[1], ARGV[2], now + ARGV[3]
local owned = {{}}
for each = 4, #ARGV do
    local key = prefix .. ARGV[each]
    if redis.call('HGET', key, 'owner') == owner then
        local member = redis.call('HGET', key, 'member')
        redis.call('ZADD', KEYS[1], ends, member)
        redis.call('ZADD', KEYS[2], ends, member)
        owned[#owned + 1] = each - 4
    end
end
return owned
"""
_KEEP = """
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'errcode', ARGV[2], 'result', ARGV[3])
return 1
"""
_POSTPONE = f"""
{NOW}
local key, due, claimed = unpack(KEYS)
if redis.call('HGET', key, 'owner') ~= ARGV[1] then return 0 end
local member = redis.call('HGET', key, 'member')
redis.call('ZADD', due, now + ARGV[2], member)
redis.call('ZREM', claimed, member)
redis.call('HDEL', key, 'owner')
return 1
"""
_FINISH = """
local key, due, claimed, added, bytes = unpack(KEYS)
if redis.call('HGET', key, 'owner') ~= ARGV[1] then return 0 end
local member, size = unpack(redis.call('HMGET', key, 'member', 'size'))
redis.call('DECRBY', bytes, size)
redis.call('ZREM', due, member)
redis.call('ZREM', claimed, member)
redis.call('ZREM', added, member)
redis.call('DEL', key)
return 1
"""
_FIGURES = f"""
{NOW}
local due, claimed, added, bytes = unpack(KEYS)
local oldest = redis.call('ZRANGE', added, 0, 0, 'WITHSCORES')[2] or now
return {{
    redis.call('ZCARD', due),
    redis.call('ZCOUNT', claimed, '(' .. string.format('%.0f', now), '+inf'),
    tonumber(redis.call('GET', bytes) or '0'),
    now - oldest,
}}
"""
_FIELDS = (
    "job_id", "corpid", "agentid", "ability_id", "job_info", "data", "notify_id", "attempt", "errcode", "result",
)  # fmt: skip


class RedisJobs:
    """Keeps jobs in a Redis server, for all processes that use it.

    Args:
        server: The server.
        limits: Bounds in jobs and bytes, for all processes together.
    """

    def __init__(self, server: RedisServer, limits: StoreLimits) -> None:
        self._server = server
        self._limits = limits

    def add(self, job: Job) -> None:
        """Keep a new job; see `JobJournal.add`. It is as durable as the server is."""
        size, limits, name = new_job_size(job), self._limits, quote(job.job_id, safe="")
        fields: list[str | int] = [part for each in _FIELDS[:7] for part in (each, getattr(job, each))]
        arguments: list[str | int] = [name, size, limits.max_jobs, limits.max_job_bytes, *fields]
        done = self._server.run(_ADD, [_JOB + name, _DUE, _ADDED, _BYTES, _SERIAL], arguments)
        if done == b"known":
            raise known_job()
        if done == b"full":
            raise full_of_jobs(limits)

    def claim(self, owner: str, limit: int, lease: float) -> list[Job]:
        """Take jobs that are due; see `JobJournal.claim`."""
        storable_ids(owner)
        length = milliseconds(positive("lease", lease))
        arguments: list[str | int] = [_JOB, owner, min(max(0, limit), self._limits.max_jobs), length, *_FIELDS]
        return [self._job(age, row) for age, row in self._server.run(_CLAIM, [_DUE, _CLAIMED, _ADDED], arguments)]

    def renew(self, owner: str, job_ids: Sequence[str], lease: float) -> set[str]:
        """Prolong leases; see `JobJournal.renew`."""
        storable_ids(owner, *job_ids)
        length = milliseconds(positive("lease", lease))
        names = [quote(each, safe="") for each in job_ids]
        owned = self._server.run(_RENEW, [_DUE, _CLAIMED], [_JOB, owner, length, *names], again=True)
        return {job_ids[number] for number in owned}

    def keep_outcome(self, owner: str, job_id: str, outcome: Outcome) -> bool:
        """Keep what the ability answered; see `JobJournal.keep_outcome`. It is as durable as the server is."""
        storable_ids(owner, job_id)
        arguments: list[str | int] = [owner, *storable_outcome(outcome)]
        return bool(self._server.run(_KEEP, [_key(job_id)], arguments, again=True))

    def postpone(self, owner: str, job_id: str, delay: float) -> bool:
        """Give a job back; see `JobJournal.postpone`."""
        storable_ids(owner, job_id)
        length = milliseconds(not_negative("delay", delay))
        return bool(self._server.run(_POSTPONE, [_key(job_id), _DUE, _CLAIMED], [owner, length]))

    def finish(self, owner: str, job_id: str) -> bool:
        """Remove a job; see `JobJournal.finish`."""
        storable_ids(owner, job_id)
        return bool(self._server.run(_FINISH, [_key(job_id), _DUE, _CLAIMED, _ADDED, _BYTES], [owner]))

    def job_figures(self) -> JobFigures:
        """Return how full the journal is; see `JobJournal.job_figures`."""
        rows, claimed, size, age = self._server.run(_FIGURES, [_DUE, _CLAIMED, _ADDED, _BYTES], [], again=True)
        return JobFigures(waiting=rows - claimed, claimed=claimed, bytes=size, oldest_age=max(0, age) / 1000)

    def _job(self, age: int, row: Sequence[bytes | None]) -> Job:
        fields: dict[str, Any] = {
            name: self._server.text(value) for name, value in zip(_FIELDS, row, strict=True) if value is not None
        }
        errcode, result = fields.pop("errcode", None), fields.pop("result", "")
        outcome = None if errcode is None else Outcome(errcode=int(errcode), result=result)
        fields |= {"agentid": int(fields["agentid"]), "attempt": int(fields["attempt"])}
        return Job(**fields, age=max(0, age) / 1000, outcome=outcome)


def milliseconds(seconds: float) -> int:
    """Return a positive time in the unit of the scripts: rounded up, so that no lifetime becomes none."""
    return min(math.ceil(seconds * 1000), _LONGEST) if seconds < _LONGEST else _LONGEST


def _key(job_id: str) -> str:
    return _JOB + quote(job_id, safe="")
