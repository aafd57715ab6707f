"""The store for several machines: a Redis server that all instances of a program share.

`RedisServer` connects to the server; `RedisFailed` with `RedisJobs`, `RedisOnce` and `RedisKept` have what is not an
event. This module has the keys of events and their rules.
"""

from collections.abc import Sequence
from urllib.parse import quote

from wwspec_contracts.errors import StoreError, other_layout
from wwspec_router.stores.base import Forgotten
from wwspec_router.stores.capacity import StoreFigures, StoreLimits
from wwspec_router.stores.checks import Key, encoded, full, positive, storable_key, storable_writes
from wwspec_router.stores.job import Job
from wwspec_router.stores.kept import KeptWrite
from wwspec_router.stores.once import corp_hash
from wwspec_router.stores.redis import job_scripts as scripts
from wwspec_router.stores.redis.connection import RedisServer
from wwspec_router.stores.redis.expiring import SWEPT_PER_CHANGE, ExpiringEntries, milliseconds
from wwspec_router.stores.redis.failed import RedisFailed
from wwspec_router.stores.redis.forgetting import OF_CORP
from wwspec_router.stores.redis.jobs import key_name
from wwspec_router.stores.redis.kept import VALUES
from wwspec_router.stores.redis.once import REPLIES, RedisOnce

_EVENTS = ExpiringEntries("notify", belongs=OF_CORP)

# In Redis an entry still lives at its expiry; in our stores it is gone then, hence the 1.
_PUT = f"""
{_EVENTS.script}
local name, text, size, ttl = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local max_rows, max_bytes, limit = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7]
local swept = sweep(limit)
local old = redis.call('HGET', sizes, name)
local rows = redis.call('ZCARD', expiry) + (old and 0 or 1)
local change = size - (old or 0)
if rows > max_rows or tonumber(redis.call('GET', bytes) or '0') + change > max_bytes then
    return swept > 0 and 'again' or 'full'
end
redis.call('INCRBY', bytes, change)
redis.call('SET', KEYS[4], text, 'PXAT', string.format('%.0f', now + ttl - 1))
redis.call('ZADD', expiry, now + ttl, name)
redis.call('HSET', sizes, name, size)
return 'kept'
"""
# Scripts as functions, which have KEYS and ARGV of their own: the first four keys, and as many arguments as ARGV[1]
# says, are those of the event. Nothing is written before both are known to fit.
_PUT_WITH_JOB = f"""
local function check_room(KEYS, ARGV) {scripts.CHECK_ROOM} end
local function put(KEYS, ARGV) {_PUT} end
local function add(KEYS, ARGV) {scripts.ADD} end
local count = tonumber(ARGV[1])
local job_keys, job = {{unpack(KEYS, 5)}}, {{unpack(ARGV, count + 2)}}
local refused = check_room(job_keys, job)
if refused then return refused end
local done = put({{unpack(KEYS, 1, 4)}}, {{unpack(ARGV, 2, count + 1)}})
return done == 'kept' and add(job_keys, job) or done
"""
# It comes second, for what `get` did not find: in its place it would cost the server five times as much for each event.
# The event is looked for again, because another may have fetched meanwhile, or this may be the second run.
_FETCH_UNFETCHED = f"""
{scripts.WAITERS}
local function put(KEYS, ARGV) {_PUT} end
local job = redis.call('GET', KEYS[5])
local key = job and prefix .. '{scripts.JOB}' .. job
local text = job and redis.call('HGET', key, 'data')
if not text then return redis.call('GET', KEYS[4]) end
local claimed, added, bytes, unfetched = unpack(KEYS, 6)
local done
repeat done = put({{unpack(KEYS, 1, 4)}}, {{ARGV[1], text, #text, unpack(ARGV, 2)}}) until done ~= 'again'
if done == 'kept' then
    {scripts.LEAVE}
    stop_waiting(redis.call('HGET', key, 'claim_name'), member)
    redis.call('DEL', key)
end
return text
"""


LAYOUT = 3
"""The number of the layout of all keys, under `layout`. A change of keys, or of what they mean, raises it."""
_FIND_LAYOUT = """
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return redis.call('GET', KEYS[1])
"""


class RedisStore(RedisFailed, RedisOnce):
    """Keeps entries and jobs in a Redis server, with the server's clock, since those of the instances may differ.

    The server's settings decide how durable acknowledged data is. With `appendonly yes` and `appendfsync always` it is
    on the server's disk; with `appendfsync everysec`, Redis's default, a crash of the machine loses up to a second;
    with no append-only file, a restart loses what came after the last snapshot. A failover loses what had not reached
    the replica that takes over, unless `wait=1` lets each event, new job, kept result and kept value wait for a
    replica. `risks` lists what the settings do not guarantee. Redis 6.2 or later, or Valkey.

    Args:
        url: `redis://[user:password@]host[:port][/db]`; `redis+sentinel://[user:password@]host:port,host:port/primary`
            with the addresses of sentinels and their name for the primary; both with `rediss` for TLS; or
            `unix://[user:password@]/path/to.sock`. Parameters: `prefix` of all keys; `wait`, a number of replicas, and
            `wait_timeout` in seconds; `db` with sentinels and `unix:`; `sentinel_username` and `sentinel_password`;
            with TLS `ssl_ca_certs`, `ssl_certfile` and `ssl_keyfile`.
        limits: Bounds in rows, jobs and bytes, for all processes together.
        program: The prefix of all keys, unless the URL has one. Programs with different prefixes can share the server
            and never see each other's events and jobs; programs with the same prefix are instances of one program.

    Raises:
        ConfigurationError: The package `redis` is missing, or the URL has another form.
        StoreError: The server can't be used, or what the program has stored there has another layout; the text says
            why, without the URL.
    """

    shared = True

    @property
    def risks(self) -> Sequence[str]:
        """How the server's settings may lose acknowledged data; one line each, with the fix."""
        return self._server.risks

    def __init__(self, url: str, limits: StoreLimits | None = None, *, program: str = "zone-program") -> None:
        server = RedisServer(url, program)
        try:
            _check_layout(server)
        except BaseException:
            server.close()
            raise
        super().__init__(server, limits or StoreLimits())

    def put(self, corpid: str, agentid: int, notify_id: str, text: str, ttl: float) -> None:
        """Keep `text` for `ttl` seconds; see `NotifyStore.put`. It is as durable as the server is."""
        keys, arguments = self._placing(storable_key(corpid, agentid, notify_id), text, ttl)
        done = b"again"
        while done == b"again":
            done = self._server.run(_PUT, keys, arguments, again=True)
        if done == b"full":
            raise full(self._limits)

    def put_with_job(self, job: Job, ttl: float, writes: Sequence[KeptWrite] = ()) -> None:
        """Keep an event and its job; see `Store.put_with_job`. Both are as durable as the server is."""
        keys, arguments = self._placing(storable_key(job.corpid, job.agentid, job.notify_id), job.data, ttl)
        job_keys, job_arguments = self._addition(job)
        both = [len(arguments), *arguments, *job_arguments]
        storable_writes(writes)
        done = self._run_with(writes, _PUT_WITH_JOB, [*keys, *job_keys], both)
        if done == b"full":
            raise full(self._limits)
        self._check_added(done)

    def _placing(self, key: Key, text: str, ttl: float) -> tuple[list[str], list[str | int]]:
        """Return the keys and arguments with which an event is put."""
        name, size = key_name(key), len(encoded("text", text))
        return [*_EVENTS.counts, _EVENTS.key(name)], [name, text, size, *self._bounds(ttl)]

    def _bounds(self, ttl: float) -> tuple[int, ...]:
        """Return the last arguments with which an event is put."""
        return milliseconds(positive("ttl", ttl)), self._limits.max_rows, self._limits.max_bytes, SWEPT_PER_CHANGE

    def get(self, corpid: str, agentid: int, notify_id: str) -> str | None:
        """Return the text or None; see `NotifyStore.get`."""
        value = self._server.get(_EVENTS.key(key_name(storable_key(corpid, agentid, notify_id))))
        return None if value is None else self._server.text(value)

    def fetch(self, corpid: str, agentid: int, notify_id: str, ttl: float) -> str | None:
        """Return an event, or a notification, which becomes one at once; see `Store.fetch`."""
        if (text := self.get(corpid, agentid, notify_id)) is not None:
            return text
        name = key_name((corpid, agentid, notify_id))
        journal = (scripts.CLAIMED, scripts.ADDED, scripts.BYTES, scripts.UNFETCHED)
        keys = [*_EVENTS.counts, _EVENTS.key(name), scripts.UNFETCHED_JOB + name, *journal]
        value = self._server.run(_FETCH_UNFETCHED, keys, [name, *self._bounds(ttl)], again=True, durable=False)
        return None if value is None else self._server.text(value)

    def figures(self) -> StoreFigures:
        """Return how many live entries there are and how many bytes they hold."""
        return _EVENTS.figures(self._server)

    def forget(self, corpid: str) -> Forgotten:
        """Remove all of a corp; see `Store.forget`. That is as durable as the server is."""
        encoded("corpid", corpid)
        corp = f"{quote(corpid, safe='')}:"
        return Forgotten(
            events=_EVENTS.forget(self._server, corp),
            jobs=self._forget_jobs(corpid, corp),
            kept=VALUES.forget(self._server, corp),
            replies=REPLIES.forget(self._server, corp_hash(corpid)),
        )

    def check(self) -> None:
        """Return when the server takes writes; see `Store.check`."""
        self._server.check()

    def close(self) -> None:
        """Wait for running commands, then close the connections; further calls raise StoreError."""
        self._server.close()


def _check_layout(server: RedisServer) -> None:
    """Give what is stored the number of its layout, if it has none: it is new, or the server has lost all that it had.

    Raises:
        StoreError: It has another number.
    """
    found = server.text(server.run(_FIND_LAYOUT, ("layout",), [LAYOUT], again=True, durable=False))
    if found != str(LAYOUT):
        place, keys = server.place, f"{server.prefix}*"
        raise StoreError(
            other_layout(place, found, LAYOUT, f"add another ?prefix= to the URL, or delete the keys {keys}")
        )
