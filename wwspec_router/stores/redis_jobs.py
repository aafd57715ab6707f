"""The journal of jobs in Redis: its keys and its rules.

Each change is one script, which Redis runs as a whole, by the server's clock. A job is a hash; sorted sets of times
find the due, the claimed and the oldest. In every script the first write is one that a server without memory refuses,
so that it refuses the whole.

How the server is reached is `RedisServer`'s business. It is not aware of events.
"""

import json
import math
from collections.abc import Sequence
from hashlib import sha256
from urllib.parse import quote

from wwspec_router.errors import StoreError
from wwspec_router.stores.base import ORPHAN_AFTER, Job, JobFigures, Outcome, StoreLimits
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
_LANE, _HEADS = "wwspec:jobs:lane:", "wwspec:jobs:heads"
_CLAIMED, _ADDED = "wwspec:jobs:claimed", "wwspec:jobs:added"
_BYTES, _SERIAL = "wwspec:jobs:bytes", "wwspec:jobs:serial"
_PROGRAMS, _KNOWN = "wwspec:jobs:programs", "wwspec:jobs:known:"
_EARLIER = "wwspec:jobs:due"
"""Where an earlier release puts jobs, and times of those that it has; they are moved into lanes."""

_ALL = "*"
"""Who knows every ability, among the programs."""
_KEEP_KNOWN = 86_400
"""Seconds for which the server keeps the abilities that a program knows; then it is told again."""
_UNTAUGHT = b"untaught"

# A member of the sorted sets is a serial number of 16 digits, a colon, and what follows wwspec:job: in the job's key.
# Equal times are sorted by member, so by arrival.
#
# Jobs that have an owner are in `claimed` by the ends of their leases. The others of one ability are a lane: a sorted
# set by when they are due, whose name ends with the percent-encoded ability. `heads` is a sorted set of all lanes by
# their first times, so that what an owner can't run costs it nothing.

_LANES = f"""
{NOW}
local function escaped(text)
    return (string.gsub(text, '[^A-Za-z0-9_.~-]', function(each)
        return string.format('%%%02X', string.byte(each))
    end))
end
local function lane_of(key)
    return escaped(redis.call('HGET', key, 'ability_id') or '')
end
local function note_head(lane)
    local first = redis.call('ZRANGE', '{_LANE}' .. lane, 0, 0, 'WITHSCORES')
    if first[1] then
        redis.call('ZADD', '{_HEADS}', first[2], lane)
    else
        redis.call('ZREM', '{_HEADS}', lane)
    end
end
local function wait(key, member, due)
    local lane = lane_of(key)
    redis.call('ZADD', '{_LANE}' .. lane, due, member)
    note_head(lane)
end
"""
_OWNED = """
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
"""
_ADD = f"""
{_LANES}
local key, added, bytes, serials = unpack(KEYS)
local name, size, max_jobs, max_bytes = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if redis.call('EXISTS', key) == 1 then return 'known' end
local used = tonumber(redis.call('GET', bytes) or '0')
if redis.call('ZCARD', added) >= max_jobs or used + size > max_bytes then return 'full' end
local member = string.format('%016d', redis.call('INCR', serials)) .. ':' .. name
redis.call('INCRBY', bytes, size)
redis.call('HSET', key, 'member', member, 'size', size, 'attempt', 0, unpack(ARGV, 5))
redis.call('ZADD', added, now, member)
wait(key, member, now)
return 'added'
"""
_CLAIM = f"""
{_LANES}
local claimed, added, earlier, programs = unpack(KEYS)
local owner, limit, ends = ARGV[1], tonumber(ARGV[2]), now + ARGV[3]
local orphaned, suspects, program = now - ARGV[4], tonumber(ARGV[5]), ARGV[6]
local taught = '{_KNOWN}' .. program
if program ~= '{_ALL}' and redis.call('EXISTS', taught) == 0 then return 'untaught' end
if (tonumber(redis.call('ZSCORE', programs, program)) or 0) < now - ARGV[4] / 8 then
    redis.call('ZADD', programs, now, program)
end

local function key_of(member)
    return '{_JOB}' .. string.sub(member, 18)
end
local function drop(member)
    for _, each in ipairs({{claimed, added, earlier}}) do redis.call('ZREM', each, member) end
end
local moved = redis.call('ZRANGE', earlier, 0, 99, 'WITHSCORES')
for each = 1, #moved, 2 do
    local member, due = moved[each], moved[each + 1]
    if redis.call('HEXISTS', key_of(member), 'owner') == 1 then
        redis.call('ZADD', claimed, due, member)
    elseif redis.call('EXISTS', key_of(member)) == 1 then
        redis.call('ZREM', claimed, member)
        wait(key_of(member), member, due)
    else
        drop(member)
    end
    redis.call('ZREM', earlier, member)
end

local others = redis.call('ZRANGEBYSCORE', programs, orphaned - ARGV[4] / 4, '+inf')
local function until_when(lane)
    if program == '{_ALL}' or redis.call('SISMEMBER', taught, lane) == 1 then return now end
    for _, each in ipairs(others) do
        if each == '{_ALL}' or redis.call('SISMEMBER', '{_KNOWN}' .. each, lane) == 1 then return -1 end
    end
    return orphaned
end

local found = {{}}
local left_behind = redis.call('ZRANGEBYSCORE', claimed, '-inf', now, 'WITHSCORES')
for each = 1, limit > 0 and #left_behind or 0, 2 do
    local member, due = left_behind[each], tonumber(left_behind[each + 1])
    local key = key_of(member)
    if redis.call('EXISTS', key) == 0 then -- someone deleted it by hand
        drop(member)
    elseif redis.call('HGET', key, 'owner') == false then -- a process of an earlier release gave it back
        redis.call('ZREM', claimed, member)
    elseif due <= until_when(lane_of(key)) then
        found[#found + 1] = {{due = due, member = member, suspect = redis.call('HGET', key, 'running') == '1'}}
    end
end
-- The first jobs of all are in the lanes with the first heads, so no more lanes are needed than jobs.
local from, lanes = 0, 0
while lanes < limit do
    local heads = redis.call('ZRANGEBYSCORE', '{_HEADS}', '-inf', now, 'WITHSCORES', 'LIMIT', from, 100)
    for each = 1, #heads, 2 do
        local lane, latest = heads[each], until_when(heads[each])
        if lanes < limit and tonumber(heads[each + 1]) <= latest then
            lanes = lanes + 1
            local due = redis.call('ZRANGEBYSCORE', '{_LANE}' .. lane, '-inf', latest, 'WITHSCORES', 'LIMIT', 0, limit)
            for one = 1, #due, 2 do
                found[#found + 1] = {{due = tonumber(due[one + 1]), member = due[one], lane = lane}}
            end
        end
    end
    if #heads < 200 then break end
    from = from + 100
end
table.sort(found, function(one, other)
    return one.due < other.due or (one.due == other.due and one.member < other.member)
end)

local jobs, changed = {{}}, {{}}
for _, each in ipairs(found) do
    if #jobs == limit then break end
    local key = key_of(each.member)
    local exists = redis.call('EXISTS', key) == 1
    if exists and not (each.suspect and suspects <= 0) then
        if each.suspect then suspects = suspects - 1 end
        redis.call('ZADD', claimed, ends, each.member)
        redis.call('HINCRBY', key, 'attempt', 1)
        redis.call('HSET', key, 'owner', owner)
        local age = now - (redis.call('ZSCORE', added, each.member) or now)
        jobs[#jobs + 1] = {{age, redis.call('HMGET', key, unpack(ARGV, 7))}}
    end
    if each.lane then
        redis.call('ZREM', '{_LANE}' .. each.lane, each.member)
        changed[each.lane] = true
        if not exists then drop(each.member) end -- someone deleted it by hand
    end
end
for lane in pairs(changed) do note_head(lane) end
return jobs
"""
_TEACH = """
redis.call('SADD', KEYS[1], '*') -- no ability: it would be escaped. So the set exists, whatever is known
for _, ability in ipairs(cjson.decode(ARGV[1])) do redis.call('SADD', KEYS[1], ability) end
redis.call('EXPIRE', KEYS[1], ARGV[2])
"""
_BEGIN = f"""
{_OWNED}
redis.call('HINCRBY', KEYS[1], 'attempts', 1)
redis.call('HSET', KEYS[1], 'running', 1)
return 1
"""
_RENEW = f"""
{NOW}
local claimed, owner, ends = KEYS[1], ARGV[1], now + ARGV[2]
local renewed = {{}}
for each = 3, #ARGV do
    local key = '{_JOB}' .. ARGV[each]
    if redis.call('HGET', key, 'owner') == owner then
        redis.call('ZADD', claimed, ends, redis.call('HGET', key, 'member'))
        renewed[#renewed + 1] = each - 3
    end
end
return renewed
"""
_EXCUSE = f"""
for each = 2, #ARGV do
    local key = '{_JOB}' .. ARGV[each]
    if redis.call('HGET', key, 'owner') == ARGV[1] then redis.call('HSET', key, 'running', 0) end
end
"""
_KEEP = f"""
{_OWNED}
redis.call('HSET', KEYS[1], 'errcode', ARGV[2], 'result', ARGV[3], 'running', 0)
return 1
"""
_POSTPONE = f"""
{_OWNED}
{_LANES}
local key, claimed = unpack(KEYS)
local member = redis.call('HGET', key, 'member')
redis.call('HSET', key, 'running', 0)
wait(key, member, now + ARGV[2])
redis.call('ZREM', claimed, member)
redis.call('HDEL', key, 'owner')
return 1
"""
_FINISH = f"""
{_OWNED}
local key, claimed, added, bytes, earlier = unpack(KEYS)
local member, size = unpack(redis.call('HMGET', key, 'member', 'size'))
redis.call('DECRBY', bytes, size)
for _, each in ipairs({{claimed, added, earlier}}) do redis.call('ZREM', each, member) end
redis.call('DEL', key)
return 1
"""
_HAS = "return redis.call('EXISTS', KEYS[1])"
_FIGURES = f"""
{NOW}
local claimed, added, bytes = unpack(KEYS)
local oldest = redis.call('ZRANGE', added, 0, 0, 'WITHSCORES')[2] or now
return {{
    redis.call('ZCARD', added),
    redis.call('ZCOUNT', claimed, '(' .. string.format('%.0f', now), '+inf'),
    tonumber(redis.call('GET', bytes) or '0'),
    now - oldest,
}}
"""
_FIELDS = (
    "job_id", "corpid", "agentid", "ability_id", "job_info", "data", "notify_id",
    "attempt", "attempts", "running", "errcode", "result",
)  # fmt: skip
"""Of a job's hash. `attempt` counts claims: an earlier release named it so."""
_TEXTS = 7
"""How many of them are of the job as it was added."""


class RedisJobs:
    """Keeps jobs in a Redis server, for all processes that use it.

    Args:
        server: The server.
        limits: Bounds in jobs and bytes, for all processes together.
    """

    def __init__(self, server: RedisServer, limits: StoreLimits) -> None:
        self._server = server
        self._limits = limits
        self._named: tuple[frozenset[str], str] = frozenset(), sha256(b"[]").hexdigest()

    def add(self, job: Job) -> None:
        """Keep a new job; see `JobJournal.add`. It is as durable as the server is."""
        size, limits, name = new_job_size(job), self._limits, quote(job.job_id, safe="")
        fields: list[str | int] = [part for each in _FIELDS[:_TEXTS] for part in (each, getattr(job, each))]
        arguments: list[str | int] = [name, size, limits.max_jobs, limits.max_job_bytes, *fields]
        done = self._server.run(_ADD, [_JOB + name, _ADDED, _BYTES, _SERIAL], arguments)
        if done == b"known":
            raise known_job()
        if done == b"full":
            raise full_of_jobs(limits)

    def claim(
        self,
        owner: str,
        limit: int,
        lease: float,
        *,
        known: frozenset[str] | None = None,
        orphan_after: float = ORPHAN_AFTER,
        suspects: int | None = None,
    ) -> list[Job]:
        """Take jobs that are due; see `JobJournal.claim`."""
        storable_ids(owner)
        length, orphan = milliseconds(positive("lease", lease)), milliseconds(positive("orphan_after", orphan_after))
        most = min(max(0, limit), self._limits.max_jobs)
        few = most if suspects is None else max(0, suspects)
        program = _ALL if known is None else self._program_of(known)
        keys = [_CLAIMED, _ADDED, _EARLIER, _PROGRAMS]
        arguments: list[str | int] = [owner, most, length, orphan, few, program, *_FIELDS]
        found = self._server.run(_CLAIM, keys, arguments)
        if found == _UNTAUGHT and known is not None:
            names = json.dumps([quote(each, safe="", errors="surrogatepass") for each in known])
            self._server.run(_TEACH, [_KNOWN + program], [names, _KEEP_KNOWN], again=True)
            found = self._server.run(_CLAIM, keys, arguments)
        if found == _UNTAUGHT:
            raise StoreError("the Redis server forgets what it is told; set maxmemory-policy noeviction")
        return [self._job(age, row) for age, row in found]

    def begin(self, owner: str, job_id: str) -> bool:
        """Note that a job runs; see `JobJournal.begin`. It is as durable as the server is."""
        storable_ids(owner, job_id)
        return bool(self._server.run(_BEGIN, [_key(job_id)], [owner]))

    def renew(self, owner: str, job_ids: Sequence[str], lease: float) -> set[str]:
        """Prolong leases; see `JobJournal.renew`."""
        storable_ids(owner, *job_ids)
        length = milliseconds(positive("lease", lease))
        names = [quote(each, safe="") for each in job_ids]
        renewed = self._server.run(_RENEW, [_CLAIMED], [owner, length, *names], again=True)
        return {job_ids[number] for number in renewed}

    def excuse(self, owner: str, job_ids: Sequence[str]) -> None:
        """Clear jobs of suspicion; see `JobJournal.excuse`."""
        storable_ids(owner, *job_ids)
        self._server.run(_EXCUSE, [], [owner, *(quote(each, safe="") for each in job_ids)], again=True)

    def keep_outcome(self, owner: str, job_id: str, outcome: Outcome) -> bool:
        """Keep what the ability answered; see `JobJournal.keep_outcome`. It is as durable as the server is."""
        storable_ids(owner, job_id)
        arguments: list[str | int] = [owner, *storable_outcome(outcome)]
        return bool(self._server.run(_KEEP, [_key(job_id)], arguments, again=True))

    def postpone(self, owner: str, job_id: str, delay: float) -> bool:
        """Give a job back; see `JobJournal.postpone`."""
        storable_ids(owner, job_id)
        length = milliseconds(not_negative("delay", delay))
        return bool(self._server.run(_POSTPONE, [_key(job_id), _CLAIMED], [owner, length]))

    def finish(self, owner: str, job_id: str) -> bool:
        """Remove a job; see `JobJournal.finish`."""
        storable_ids(owner, job_id)
        keys = [_key(job_id), _CLAIMED, _ADDED, _BYTES, _EARLIER]
        return bool(self._server.run(_FINISH, keys, [owner]))

    def has_job(self, job_id: str) -> bool:
        """Return whether there is such a job; see `JobJournal.has_job`."""
        storable_ids("", job_id)
        return bool(self._server.run(_HAS, [_key(job_id)], [], again=True))

    def job_figures(self) -> JobFigures:
        """Return how full the journal is; see `JobJournal.job_figures`."""
        rows, claimed, size, age = self._server.run(_FIGURES, [_CLAIMED, _ADDED, _BYTES], [], again=True)
        return JobFigures(waiting=rows - claimed, claimed=claimed, bytes=size, oldest_age=max(0, age) / 1000)

    def _program_of(self, known: frozenset[str]) -> str:
        """Return a name for the programs that know just these abilities."""
        if known is not self._named[0]:
            names = json.dumps(sorted(known))
            self._named = known, sha256(names.encode("utf-8", "surrogatepass")).hexdigest()
        return self._named[1]

    def _job(self, age: int, row: Sequence[bytes | None]) -> Job:
        fields: dict[str, str] = {
            name: self._server.text(value) for name, value in zip(_FIELDS, row, strict=True) if value is not None
        }
        errcode, result = fields.pop("errcode", None), fields.pop("result", "")
        return Job(
            **{name: fields[name] for name in _FIELDS[:_TEXTS] if name != "agentid"},
            agentid=int(fields["agentid"]),
            attempt=int(fields.get("attempts", 0)),
            claims=int(fields["attempt"]),
            suspect=fields.get("running") == "1",
            age=max(0, age) / 1000,
            outcome=None if errcode is None else Outcome(errcode=int(errcode), result=result),
        )


def milliseconds(seconds: float) -> int:
    """Return a positive time in the unit of the scripts: rounded up, so that no lifetime becomes none."""
    return min(math.ceil(seconds * 1000), _LONGEST) if seconds < _LONGEST else _LONGEST


def _key(job_id: str) -> str:
    return _JOB + quote(job_id, safe="")
