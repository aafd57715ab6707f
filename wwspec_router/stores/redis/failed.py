"""Jobs that failed for good, and the results of parts of jobs, in Redis.

A failed job stays the hash that it was, without an owner and with its `error`. It is in none of the sorted sets of the
journal but in one of its own, whose members are corp, app and job, sorted by the times when they failed. The steps of a
job are fields of its hash, so that they leave with it.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, unquote

from wwspec_router.stores.checks import storable_failure, storable_key, storable_step
from wwspec_router.stores.failed import NO_ABILITY, FailedJob, Failure
from wwspec_router.stores.job import Job
from wwspec_router.stores.redis import job_scripts as scripts
from wwspec_router.stores.redis.forgetting import OF_CORP, SCAN, run_through
from wwspec_router.stores.redis.jobs import RedisJobs, job_key, known_names, quoted
from wwspec_router.stores.redis.keys import PREFIX

_KEEP_STEP = f"""
{scripts.OWNED}
redis.call('HSET', KEYS[1], 'step:' .. ARGV[2], ARGV[3])
return 1
"""
_ADD_ONCE = f"""
{scripts.OWNED}
local function add(KEYS, ARGV) {scripts.ADD} end
local step, notify_id = 'step:' .. ARGV[2], ARGV[3]
local first = redis.call('HGET', KEYS[1], step)
if first then return {{first}} end
local done = add({{unpack(KEYS, 2)}}, {{unpack(ARGV, 4)}})
if done ~= 'added' then return done end
redis.call('HSET', KEYS[1], step, notify_id)
return {{notify_id}}
"""
_STEPS = """
local steps = {}
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    if string.sub(field, 1, 5) == 'step:' then
        steps[#steps + 1] = {string.sub(field, 6), redis.call('HGET', KEYS[1], field)}
    end
end
return steps
"""
_SET_ASIDE = f"""
{scripts.OWNED}
{scripts.NOW}
{PREFIX}
local function escaped(text)
    return (string.gsub(text, '[^A-Za-z0-9_.~-]', function(each)
        return string.format('%%%02X', string.byte(each))
    end))
end
local key, claimed, added, bytes, failed, forgotten, unfetched = unpack(KEYS)
{scripts.LEAVE}
local corp, agentid = unpack(redis.call('HMGET', key, 'corpid', 'agentid'))
redis.call('HSET', key, 'error', ARGV[2], 'error_errcode', ARGV[3])
redis.call('HDEL', key, 'owner')
redis.call('ZADD', failed, now, escaped(corp) .. ':' .. agentid .. ':' .. string.sub(member, 18))
local over = redis.call('ZCARD', failed) - ARGV[4]
if over > 0 then
    for _, each in ipairs(redis.call('ZRANGE', failed, 0, over - 1)) do
        redis.call('ZREM', failed, each)
        redis.call('DEL', prefix .. '{scripts.JOB}' .. string.match(each, '[^:]*$'))
    end
    redis.call('INCRBY', forgotten, over)
end
return 1
"""
_LIST = f"""
{scripts.NOW}
{PREFIX}
local corp, limit = ARGV[1], tonumber(ARGV[2])
local jobs, from = {{}}, 0
while #jobs < limit do
    local found = redis.call('ZRANGE', KEYS[1], from, from + 999, 'REV', 'WITHSCORES')
    for each = 1, #found, 2 do
        local name = found[each]
        if #jobs < limit and {OF_CORP} then
            local key = prefix .. '{scripts.JOB}' .. string.match(name, '[^:]*$')
            local job = redis.call('HMGET', key, 'job_id', 'ability_id', 'attempts', 'error', 'error_errcode')
            if job[4] then jobs[#jobs + 1] = {{now - found[each + 1], job}} end
        end
    end
    if #found < 2000 then break end
    from = from + 1000
end
return jobs
"""
_RETRY = f"""
{scripts.WAITERS}
local key, added, bytes, serials, failed, unfetched = unpack(KEYS)
local failure, name, max_jobs, max_bytes = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local size = redis.call('ZSCORE', failed, failure) and redis.call('HGET', key, 'size')
if not size then return 'none' end
{scripts.CHECK_BOUNDS}
local member = string.format('%016d', redis.call('INCR', serials)) .. ':' .. name
redis.call('INCRBY', bytes, size)
redis.call('HSET', key, 'member', member, 'attempt', 0, 'attempts', 0, 'running', 0)
redis.call('HDEL', key, 'error', 'error_errcode')
redis.call('ZREM', failed, failure)
local notification = redis.call('HGET', key, 'unfetched')
redis.call('ZADD', notification and unfetched or added, now, member)
if notification then redis.call('SET', prefix .. '{scripts.UNFETCHED_JOB}' .. notification, name) end
wait(key, member, now)
return 'added'
"""
_DROP = """
local key, failed = unpack(KEYS)
if redis.call('ZREM', failed, ARGV[1]) == 0 then return 0 end
redis.call('DEL', key)
return 1
"""
_FORGET = f"""
{scripts.WAITERS}
{SCAN}
local added, claimed, bytes = unpack(KEYS)
local removed = 0
for each = 1, #members, 2 do
    local member = members[each]
    local key = prefix .. '{scripts.JOB}' .. string.sub(member, 18)
    if redis.call('HGET', key, 'corpid') == corp then
        local unfetched = added -- KEYS[1] has jobs of one kind
        {scripts.LEAVE}
        stop_waiting(redis.call('HGET', key, 'claim_name'), member)
        redis.call('DEL', key)
        removed = removed + 1
    end
end
return {{cursor, removed}}
"""
_FORGET_FAILED = f"""
{PREFIX}
{SCAN}
local removed = 0
for each = 1, #members, 2 do
    local name = members[each]
    if {OF_CORP} then
        redis.call('ZREM', KEYS[1], name)
        redis.call('DEL', prefix .. '{scripts.JOB}' .. string.match(name, '[^:]*$'))
        removed = removed + 1
    end
end
return {{cursor, removed}}
"""

_UNKNOWN_NAMES = f"""
{scripts.NOW}
{PREFIX}
local known = ARGV[1]
{scripts.IS_KNOWN}
local counts = {{}}
local function count(name, jobs)
    if name and not is_known(name) then counts[name] = (counts[name] or 0) + jobs end
end
for _, name in ipairs(redis.call('ZRANGE', prefix .. '{scripts.NAMES}', 0, -1)) do
    count(name, redis.call('ZCARD', prefix .. '{scripts.WAITING}' .. name))
end
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now)) do
    count(redis.call('HGET', prefix .. '{scripts.JOB}' .. string.sub(member, 18), 'claim_name'), 1)
end
local found = {{}}
for name, jobs in pairs(counts) do found[#found + 1] = {{name, jobs}} end
return found
"""
_UNKNOWN_JOBS = f"""
{scripts.NOW}
{PREFIX}
local added, from, known = KEYS[2], tonumber(ARGV[1]), ARGV[4]
{scripts.IS_KNOWN}
local members = redis.call('ZRANGE', KEYS[1], from, from + 999, 'WITHSCORES')
local jobs = {{}}
for each = 1, #members, 2 do
    local member, due = members[each], tonumber(members[each + 1])
    local corp, agentid, name, owner, job_id, ability, attempts = unpack(redis.call(
        'HMGET', prefix .. '{scripts.JOB}' .. string.sub(member, 18),
        'corpid', 'agentid', 'claim_name', 'owner', 'job_id', 'ability_id', 'attempts'
    ))
    if corp == ARGV[2] and agentid == ARGV[3] and not is_known(name) and (not owner or due <= now) then
        local shown = {{job_id, ability, attempts, '{NO_ABILITY.error}', 0}}
        jobs[#jobs + 1] = {{now - (redis.call('ZSCORE', added, member) or now), shown}}
    end
end
return {{#members, jobs}}
"""
_DROP_UNKNOWN = f"""
{scripts.WAITERS}
local key, claimed, added, bytes, unfetched = unpack(KEYS)
local known = ARGV[3]
{scripts.IS_KNOWN}
local corp, agentid, name, owner, failed, member =
    unpack(redis.call('HMGET', key, 'corpid', 'agentid', 'claim_name', 'owner', 'error', 'member'))
if corp ~= ARGV[1] or agentid ~= ARGV[2] or failed or is_known(name) then return 0 end
if owner and tonumber(redis.call('ZSCORE', claimed, member) or 0) > now then return 0 end
{scripts.LEAVE}
stop_waiting(name, member)
redis.call('DEL', key)
return 1
"""


class RedisFailed(RedisJobs):
    """Keeps them beside the journal, on the same server."""

    def keep_step(self, owner: str, job_id: str, name: str, text: str) -> bool:
        """Keep a part of the job's result; see `JobJournal.keep_step`. It is as durable as the server is."""
        storable_step(name, text)
        return bool(self._server.run(_KEEP_STEP, [job_key(job_id)], [owner, name, text], again=True))

    def add_once(self, owner: str, job_id: str, name: str, new: Job, *, delay: float = 0.0) -> str | None:
        """Keep a job and a step of another; see `JobJournal.add_once`. Both are as durable as the server is."""
        storable_step(name, new.notify_id)
        keys, arguments = self._addition(new, delay)
        both = [owner, name, new.notify_id, *arguments]
        done = self._server.run(_ADD_ONCE, [job_key(job_id), *keys], both, again=True)
        if isinstance(done, list):
            return self._server.text(done[0])
        self._check_added(done)
        return None

    def steps(self, job_id: str) -> dict[str, str]:
        """Return what was kept of a job; see `JobJournal.steps`."""
        found = self._server.run(_STEPS, [job_key(job_id)], [], again=True, durable=False)
        return {self._server.text(name): self._server.text(text) for name, text in found}

    def set_aside(self, owner: str, job_id: str, failure: Failure) -> bool:
        """Move a job to those that failed; see `FailedJobs.set_aside`. It is as durable as the server is."""
        storable_failure(failure)
        sums = [scripts.BYTES, scripts.FAILED, scripts.FORGOTTEN]
        keys = [job_key(job_id), scripts.CLAIMED, scripts.ADDED, *sums, scripts.UNFETCHED]
        arguments: list[str | int] = [owner, failure.error, failure.errcode, self._limits.max_failed]
        return bool(self._server.run(_SET_ASIDE, keys, arguments))

    def failed_jobs(self, corpid: str, agentid: int, limit: int) -> list[FailedJob]:
        """Return the jobs that failed; see `FailedJobs.failed_jobs`."""
        arguments: list[str | int] = [_member(corpid, agentid, ""), max(0, limit)]
        return self._jobs_of(self._server.run(_LIST, [scripts.FAILED], arguments, again=True, durable=False))

    def retry(self, corpid: str, agentid: int, job_id: str) -> bool:
        """Move a job back to the journal; see `FailedJobs.retry`. It is as durable as the server is."""
        member, bounds = _member(corpid, agentid, job_id), (self._limits.max_jobs, self._limits.max_job_bytes)
        keys = [job_key(job_id), scripts.ADDED, scripts.BYTES, scripts.SERIAL, scripts.FAILED, scripts.UNFETCHED]
        arguments: list[str | int] = [member, quote(job_id, safe=""), *bounds]
        done = self._server.run(_RETRY, keys, arguments)
        self._check_added(done)
        return bool(done == b"added")

    def drop(self, corpid: str, agentid: int, job_id: str) -> bool:
        """Remove a job that failed; see `FailedJobs.drop`. That is as durable as the server is."""
        member = _member(corpid, agentid, job_id)
        return bool(self._server.run(_DROP, [job_key(job_id), scripts.FAILED], [member]))

    def unknown_names(self, known: frozenset[str]) -> dict[str, int]:
        """Return the names that are not `known`; see `JobJournal.unknown_names`."""
        found = self._server.run(_UNKNOWN_NAMES, [scripts.CLAIMED], [known_names(known)], again=True, durable=False)
        return {unquote(self._server.text(name)): count for name, count in found}

    def unknown_jobs(self, known: frozenset[str], corpid: str, agentid: int, limit: int) -> list[FailedJob]:
        """Return jobs of such names; see `JobJournal.unknown_jobs`. Each script looks at some of them only."""
        storable_key(corpid, agentid, "")
        jobs: list[FailedJob] = []
        for jobs_of in (scripts.CLAIMED, *(scripts.WAITING + quoted(each) for each in self.unknown_names(known))):
            seen = more = 0
            while len(jobs) < limit and (more or not seen):
                arguments: list[str | int] = [seen, corpid, agentid, known_names(known)]
                keys = [jobs_of, scripts.ADDED]
                more, found = self._server.run(_UNKNOWN_JOBS, keys, arguments, again=True, durable=False)
                seen += 1000
                jobs += self._jobs_of(found)
        return jobs[: max(0, limit)]

    def _jobs_of(self, rows: Sequence[Any]) -> list[FailedJob]:
        text = self._server.text
        return [
            FailedJob(
                text(job_id), text(name), int(attempts or 0), Failure(text(error), int(errcode)), max(0, age) / 1000
            )
            for age, (job_id, name, attempts, error, errcode) in rows
        ]

    def drop_unknown(self, known: frozenset[str], corpid: str, agentid: int, job_id: str) -> bool:
        """Remove such a job; see `JobJournal.drop_unknown`. That is as durable as the server is."""
        storable_key(corpid, agentid, job_id)
        keys = [job_key(job_id), scripts.CLAIMED, scripts.ADDED, scripts.BYTES, scripts.UNFETCHED]
        return bool(self._server.run(_DROP_UNKNOWN, keys, [corpid, agentid, known_names(known)]))

    def _forget_jobs(self, corpid: str, corp: str) -> int:
        """Remove the jobs of a corp, whose failed ones have names that begin with `corp`; return their number."""
        removed = sum(
            run_through(self._server, _FORGET, [jobs, scripts.CLAIMED, scripts.BYTES], corpid)
            for jobs in (scripts.ADDED, scripts.UNFETCHED)
        )
        return removed + run_through(self._server, _FORGET_FAILED, [scripts.FAILED], corp)


def _member(corpid: str, agentid: int, job_id: str) -> str:
    """Return how a failed job is called; of an empty `job_id` the beginning of all names of a corp and an app."""
    storable_key(corpid, agentid, job_id)
    return f"{quote(corpid, safe='')}:{agentid}:{quote(job_id, safe='')}"
