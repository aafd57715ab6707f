"""The scripts that keep jobs in Redis, and their keys.

Each change is one script, which Redis runs as a whole, with the server's clock. A job is a hash; sorted sets of times
find the due, the claimed and the oldest. The first write of every script is one that a server refuses when it has no
memory left; then nothing is written.

The KEYS and ARGV of a script come from the caller. Keys are named without their prefix here; see `keys`.
"""

from wwspec_router.stores.redis.keys import PREFIX

NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""
"""The beginning of a script that needs the time: `now`, in milliseconds of the server's clock."""

JOB = "job:"
WAITING, NAMES = "jobs:waiting:", "jobs:names"
CLAIMED, ADDED = "jobs:claimed", "jobs:added"
UNFETCHED, UNFETCHED_JOB = "jobs:unfetched", "jobs:unfetched:"
BYTES, SERIAL = "jobs:bytes", "jobs:serial"
FAILED, FORGOTTEN = "jobs:failed", "jobs:forgotten"

ALL = "*"
"""The argument of a program that knows every name; see `IS_KNOWN`."""

# A member of the sorted sets is a serial number of 16 digits, a colon, and what follows job: in the job's key.
# Equal times are sorted by member, so by arrival.
#
# Jobs that have an owner are in `claimed`, sorted by the ends of their leases. The others of one name are in `waiting:`
# and the name, sorted by due times. `names` has all such names, percent-encoded as in the field `claim_name` of a job,
# sorted by the times of their first jobs, so that jobs which an owner can't run cost it nothing.
#
# A notification is in `unfetched` in place of `added`. The field `unfetched` of its hash has the end of the name of a
# key, which leads from the app's notify_id to the job.

WAITERS = f"""
{NOW}
{PREFIX}
local function note_first(name)
    local first = redis.call('ZRANGE', prefix .. '{WAITING}' .. name, 0, 0, 'WITHSCORES')
    if first[1] then
        redis.call('ZADD', prefix .. '{NAMES}', first[2], name)
    else
        redis.call('ZREM', prefix .. '{NAMES}', name)
    end
end
local function wait(key, member, due)
    local name = redis.call('HGET', key, 'claim_name')
    redis.call('ZADD', prefix .. '{WAITING}' .. name, due, member)
    note_first(name)
end
local function stop_waiting(name, member)
    redis.call('ZREM', prefix .. '{WAITING}' .. name, member)
    note_first(name)
end
"""
IS_KNOWN = f"""
local function is_known(name)
    return known == '{ALL}' or string.find(known, '<' .. name .. '>', 1, true)
end
"""
"""Says whether a percent-encoded name is in `known`, which has each of them in angle brackets."""
OWNED = """
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
"""
CHECK_BOUNDS = """
local used = tonumber(redis.call('GET', bytes) or '0')
local jobs = redis.call('ZCARD', added) + redis.call('ZCARD', unfetched)
if jobs >= max_jobs or used + size > max_bytes then return 'full of jobs' end
"""
CHECK_ROOM = f"""
local key, added, bytes, serials, unfetched = unpack(KEYS)
local name, size, max_jobs, max_bytes = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if redis.call('EXISTS', key) == 1 then return 'known' end
{CHECK_BOUNDS}
"""
ADD = f"""
{WAITERS}
{CHECK_ROOM}
local member = string.format('%016d', redis.call('INCR', serials)) .. ':' .. name
redis.call('INCRBY', bytes, size)
redis.call('HSET', key, 'member', member, 'size', size, 'attempt', 0, unpack(ARGV, 7))
if ARGV[6] == '' then
    redis.call('ZADD', added, now, member)
else
    redis.call('HSET', key, 'unfetched', ARGV[6])
    redis.call('ZADD', unfetched, now, member)
    redis.call('SET', prefix .. '{UNFETCHED_JOB}' .. ARGV[6], name)
end
wait(key, member, now + ARGV[5])
return 'added'
"""
CLAIM = f"""
{WAITERS}
local claimed, added, unfetched = unpack(KEYS)
local owner, limit, ends = ARGV[1], tonumber(ARGV[2]), now + ARGV[3]
local suspects, known = tonumber(ARGV[4]), ARGV[5]
{IS_KNOWN}
local function key_of(member)
    return prefix .. '{JOB}' .. string.sub(member, 18)
end
local function drop(member)
    for _, each in ipairs({{claimed, added, unfetched}}) do redis.call('ZREM', each, member) end
end

local found = {{}}
local left_behind = redis.call('ZRANGEBYSCORE', claimed, '-inf', now, 'WITHSCORES')
for each = 1, limit > 0 and #left_behind or 0, 2 do
    local member, due = left_behind[each], tonumber(left_behind[each + 1])
    local key = key_of(member)
    if redis.call('EXISTS', key) == 0 then -- someone deleted it by hand
        drop(member)
    elseif is_known(redis.call('HGET', key, 'claim_name')) then
        found[#found + 1] = {{due = due, member = member, suspect = redis.call('HGET', key, 'running') == '1'}}
    end
end
-- The jobs that are due first have the names whose first ones are, so no more names are needed than jobs.
local from, names = 0, 0
while names < limit do
    local some = redis.call('ZRANGEBYSCORE', prefix .. '{NAMES}', '-inf', now, 'LIMIT', from, 100)
    for _, name in ipairs(some) do
        if names < limit and is_known(name) then
            names = names + 1
            local key = prefix .. '{WAITING}' .. name
            local due = redis.call('ZRANGEBYSCORE', key, '-inf', now, 'WITHSCORES', 'LIMIT', 0, limit)
            for one = 1, #due, 2 do
                found[#found + 1] = {{due = tonumber(due[one + 1]), member = due[one], name = name}}
            end
        end
    end
    if #some < 100 then break end
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
        local since = redis.call('ZSCORE', added, each.member) or redis.call('ZSCORE', unfetched, each.member)
        local age = now - (since or now)
        jobs[#jobs + 1] = {{age, redis.call('HMGET', key, unpack(ARGV, 6))}}
    end
    if each.name then
        redis.call('ZREM', prefix .. '{WAITING}' .. each.name, each.member)
        changed[each.name] = true
        if not exists then drop(each.member) end -- someone deleted it by hand
    end
end
for name in pairs(changed) do note_first(name) end
return jobs
"""
BEGIN = f"""
{OWNED}
redis.call('HINCRBY', KEYS[1], 'attempts', 1)
redis.call('HSET', KEYS[1], 'running', 1)
return 1
"""
RENEW = f"""
{NOW}
{PREFIX}
local claimed, owner, ends = KEYS[1], ARGV[1], now + ARGV[2]
local renewed = {{}}
for each = 3, #ARGV do
    local key = prefix .. '{JOB}' .. ARGV[each]
    if redis.call('HGET', key, 'owner') == owner then
        redis.call('ZADD', claimed, ends, redis.call('HGET', key, 'member'))
        renewed[#renewed + 1] = each - 3
    end
end
return renewed
"""
EXCUSE = f"""
{PREFIX}
for each = 2, #ARGV do
    local key = prefix .. '{JOB}' .. ARGV[each]
    if redis.call('HGET', key, 'owner') == ARGV[1] then redis.call('HSET', key, 'running', 0) end
end
"""
KEEP = f"""
{OWNED}
redis.call('HSET', KEYS[1], 'errcode', ARGV[2], 'result', ARGV[3], 'running', 0)
return 1
"""
POSTPONE = f"""
{OWNED}
{WAITERS}
local key, claimed = unpack(KEYS)
local member = redis.call('HGET', key, 'member')
redis.call('HSET', key, 'running', 0)
if ARGV[3] == '1' and tonumber(redis.call('HGET', key, 'attempts') or 0) > 0 then
    redis.call('HINCRBY', key, 'attempts', -1)
end
wait(key, member, now + ARGV[2])
redis.call('ZREM', claimed, member)
redis.call('HDEL', key, 'owner')
return 1
"""
LEAVE = f"""
local member, size, notification = unpack(redis.call('HMGET', key, 'member', 'size', 'unfetched'))
redis.call('DECRBY', bytes, size)
redis.call('ZREM', claimed, member)
redis.call('ZREM', notification and unfetched or added, member)
if notification then
    redis.call('DEL', string.match(key, '^{{[^}}]*}}:') .. '{UNFETCHED_JOB}' .. notification)
end
"""
"""Takes a job that has an owner out of the journal, except for its hash."""
FINISH = f"""
{OWNED}
local key, claimed, added, bytes, unfetched = unpack(KEYS)
{LEAVE}
redis.call('DEL', key)
return 1
"""
REPLACE_NOTIFY_ID = f"""
{OWNED}
{PREFIX}
local key, owner, notification = KEYS[1], unpack(ARGV)
local old = redis.call('HGET', key, 'unfetched')
redis.call('HSET', key, 'unfetched', notification, unpack(ARGV, 3))
redis.call('SET', prefix .. '{UNFETCHED_JOB}' .. notification, string.sub(redis.call('HGET', key, 'member'), 18))
if old ~= notification then redis.call('DEL', prefix .. '{UNFETCHED_JOB}' .. old) end
return 1
"""
HAS = "return redis.call('EXISTS', KEYS[1]) - redis.call('HEXISTS', KEYS[1], 'error')"
FIGURES = f"""
{NOW}
local claimed, added, bytes, failed, forgotten, unfetched = unpack(KEYS)
local oldest = redis.call('ZRANGE', added, 0, 0, 'WITHSCORES')[2] or now
local leased = 0
for _, member in ipairs(redis.call('ZRANGEBYSCORE', claimed, '(' .. string.format('%.0f', now), '+inf')) do
    if redis.call('ZSCORE', added, member) then leased = leased + 1 end
end
return {{
    redis.call('ZCARD', added),
    leased,
    tonumber(redis.call('GET', bytes) or '0'),
    now - oldest,
    redis.call('ZCARD', failed),
    tonumber(redis.call('GET', forgotten) or '0'),
    redis.call('ZCARD', unfetched),
}}
"""
OLDEST = f"""
{NOW}
{PREFIX}
local claimed, added = unpack(KEYS)
local found = redis.call('ZRANGE', added, 0, ARGV[1] - 1, 'WITHSCORES')
local jobs = {{}}
for each = 1, ARGV[1] == '0' and 0 or #found, 2 do
    local member, age = found[each], now - found[each + 1]
    local key = prefix .. '{JOB}' .. string.sub(member, 18)
    local ability, attempts, running, owner, errcode, name =
        unpack(redis.call('HMGET', key, 'ability_id', 'attempts', 'running', 'owner', 'errcode', 'claim_name'))
    if ability then
        local due = owner and redis.call('ZSCORE', claimed, member)
            or redis.call('ZSCORE', prefix .. '{WAITING}' .. name, member) or now
        jobs[#jobs + 1] = {{
            ability, attempts or '0', age, due - now, owner and 1 or 0, running == '1' and 1 or 0, errcode and 1 or 0
        }}
    end
end
return jobs
"""
FIELDS = (
    "job_id", "corpid", "agentid", "ability_id", "job_info", "data", "notify_id",
    "attempt", "attempts", "running", "errcode", "result",
)  # fmt: skip
"""The fields of a job's hash. `attempt` counts claims, `attempts` begins."""
