"""Jobs that failed for good, and the results of parts of jobs, in Redis.

A failed job stays the hash that it was, without an owner and with its `error`. It is in none of the sorted sets of the
journal but in one of its own, whose members are corp, app and job, sorted by the times when they failed. The steps of a
job are fields of its hash, so that they leave with it.
"""

from urllib.parse import quote

from wwspec_router.stores.checks import storable_failure, storable_ids, storable_key, storable_step
from wwspec_router.stores.failed import FailedJob, Failure
from wwspec_router.stores.redis import job_scripts as scripts
from wwspec_router.stores.redis.forgetting import OF_CORP, SCAN, run_through
from wwspec_router.stores.redis.jobs import RedisJobs, job_key
from wwspec_router.stores.redis.keys import PREFIX

_KEEP_STEP = f"""
{scripts.OWNED}
redis.call('HSET', KEYS[1], 'step:' .. ARGV[2], ARGV[3])
return 1
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
{scripts.LANES}
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
{scripts.LANES}
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
{scripts.LANES}
{SCAN}
local added, claimed, bytes = unpack(KEYS)
local removed = 0
for each = 1, #members, 2 do
    local member = members[each]
    local key = prefix .. '{scripts.JOB}' .. string.sub(member, 18)
    if redis.call('HGET', key, 'corpid') == corp then
        local lane, notification = lane_of(key), redis.call('HGET', key, 'unfetched')
        redis.call('DECRBY', bytes, redis.call('HGET', key, 'size'))
        for _, set in ipairs({{claimed, added, prefix .. '{scripts.LANE}' .. lane}}) do
            redis.call('ZREM', set, member)
        end
        note_head(lane)
        if notification then redis.call('DEL', prefix .. '{scripts.UNFETCHED_JOB}' .. notification) end
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


class RedisFailed(RedisJobs):
    """Keeps them beside the journal, on the same server."""

    def keep_step(self, owner: str, job_id: str, name: str, text: str) -> bool:
        """Keep a part of the job's result; see `JobJournal.keep_step`. It is as durable as the server is."""
        storable_ids(owner, job_id)
        storable_step(name, text)
        return bool(self._server.run(_KEEP_STEP, [job_key(job_id)], [owner, name, text], again=True))

    def steps(self, job_id: str) -> dict[str, str]:
        """Return what was kept of a job; see `JobJournal.steps`."""
        storable_ids("", job_id)
        found = self._server.run(_STEPS, [job_key(job_id)], [], again=True, durable=False)
        return {self._server.text(name): self._server.text(text) for name, text in found}

    def set_aside(self, owner: str, job_id: str, failure: Failure) -> bool:
        """Move a job to those that failed; see `FailedJobs.set_aside`. It is as durable as the server is."""
        storable_ids(owner, job_id)
        storable_failure(failure)
        sums = [scripts.BYTES, scripts.FAILED, scripts.FORGOTTEN]
        keys = [job_key(job_id), scripts.CLAIMED, scripts.ADDED, *sums, scripts.UNFETCHED]
        arguments: list[str | int] = [owner, failure.error, failure.errcode, self._limits.max_failed]
        return bool(self._server.run(_SET_ASIDE, keys, arguments))

    def failed_jobs(self, corpid: str, agentid: int, limit: int) -> list[FailedJob]:
        """Return the jobs that failed; see `FailedJobs.failed_jobs`."""
        arguments: list[str | int] = [_member(corpid, agentid, ""), max(0, limit)]
        text = self._server.text
        return [
            FailedJob(
                job_id=text(job_id),
                name=text(name),
                attempt=int(attempts or 0),
                failure=Failure(error=text(error), errcode=int(errcode)),
                age=max(0, age) / 1000,
            )
            for age, (job_id, name, attempts, error, errcode) in self._server.run(
                _LIST, [scripts.FAILED], arguments, again=True, durable=False
            )
        ]

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
