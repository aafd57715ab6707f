"""The journal of jobs in Redis.

The scripts are in `job_scripts`; `RedisServer` connects to the server. This module does not know events.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from urllib.parse import quote

from wwspec_router.stores import checks
from wwspec_router.stores.base import ANY_JOB, Demand
from wwspec_router.stores.capacity import JobFigures
from wwspec_router.stores.job import Job, OldJob, Outcome, claim_name, fields_of, info_of, old_job, stored_texts
from wwspec_router.stores.kept import KeptWrite
from wwspec_router.stores.redis import job_scripts as scripts
from wwspec_router.stores.redis.expiring import milliseconds
from wwspec_router.stores.redis.kept import RedisKept

_is_plain = re.compile(r"[A-Za-z0-9_.~-]*").fullmatch


class RedisJobs(RedisKept):
    """Keeps jobs in a Redis server, for all processes that use it. Its arguments are those of `RedisKept`."""

    def add(self, job: Job, writes: Sequence[KeptWrite] = (), *, delay: float = 0.0) -> None:
        """Keep a new job; see `JobJournal.add`. It is as durable as the server is."""
        keys, arguments = self._addition(job, delay)
        checks.storable_writes(writes)
        self._check_added(self._run_with(writes, scripts.ADD, keys, arguments))

    def claim(self, owner: str, limit: int, lease: float, demand: Demand = ANY_JOB) -> list[Job]:
        """Take jobs that are due; see `JobJournal.claim`."""
        length = milliseconds(checks.positive("lease", lease))
        most = min(max(0, limit), self._limits.max_jobs)
        few = most if demand.suspects is None else max(0, demand.suspects)
        keys = [scripts.CLAIMED, scripts.ADDED, scripts.UNFETCHED]
        arguments: list[str | int] = [owner, most, length, few, known_names(demand.known), *scripts.FIELDS]
        found = self._server.run(scripts.CLAIM, keys, arguments, durable=False)
        return [self._job(age, row) for age, row in found]

    def begin(self, owner: str, job_id: str) -> bool:
        """Note that a job runs; see `JobJournal.begin`. It waits for no replica."""
        return bool(self._server.run(scripts.BEGIN, [job_key(job_id)], [owner], durable=False))

    def renew(self, owner: str, job_ids: Sequence[str], lease: float) -> set[str]:
        """Extend leases; see `JobJournal.renew`."""
        length = milliseconds(checks.positive("lease", lease))
        names = [quote(each, safe="") for each in job_ids]
        arguments: list[str | int] = [owner, length, *names]
        renewed = self._server.run(scripts.RENEW, [scripts.CLAIMED], arguments, again=True, durable=False)
        return {job_ids[number] for number in renewed}

    def excuse(self, owner: str, job_ids: Sequence[str]) -> None:
        """Let jobs not become suspects; see `JobJournal.excuse`."""
        names = [quote(each, safe="") for each in job_ids]
        self._server.run(scripts.EXCUSE, [scripts.CLAIMED], [owner, *names], again=True, durable=False)

    def keep_outcome(self, owner: str, job_id: str, outcome: Outcome, writes: Sequence[KeptWrite] = ()) -> bool:
        """Keep what the ability answered; see `JobJournal.keep_outcome`. It is as durable as the server is."""
        checks.storable_writes(writes)
        arguments: list[str | int] = [owner, *checks.storable_outcome(outcome)]
        return bool(self._run_with(writes, scripts.KEEP, [job_key(job_id)], arguments, guard=scripts.OWNED, again=True))

    def postpone(self, owner: str, job_id: str, delay: float, *, counted: bool = True) -> bool:
        """Give a job back; see `JobJournal.postpone`."""
        length = milliseconds(checks.not_negative("delay", delay))
        keys = [job_key(job_id), scripts.CLAIMED]
        return bool(self._server.run(scripts.POSTPONE, keys, [owner, length, int(not counted)], durable=False))

    def replace_notify_id(self, owner: str, job: Job) -> bool:
        """Keep another notify_id; see `JobJournal.replace_notify_id`. It is as durable as the server is."""
        name = key_name(checks.storable_key(job.corpid, job.agentid, job.notify_id))
        arguments = [owner, name, "notify_id", job.notify_id, "job_info", info_of(job)]
        return bool(self._server.run(scripts.REPLACE_NOTIFY_ID, [job_key(job.job_id)], arguments, again=True))

    def finish_soon(self, owner: str, job_id: str, failed: Callable[[Exception], None]) -> None:
        """Remove a job; see `JobJournal.finish_soon`."""
        self.finish(owner, job_id)

    def finish(self, owner: str, job_id: str, writes: Sequence[KeptWrite] = ()) -> bool:
        """Remove a job; see `JobJournal.finish`. It waits for no replica, unless there are `writes`."""
        checks.storable_writes(writes)
        keys = [job_key(job_id), scripts.CLAIMED, scripts.ADDED, scripts.BYTES, scripts.UNFETCHED]
        return bool(self._run_with(writes, scripts.FINISH, keys, [owner], guard=scripts.OWNED, durable=False))

    def has_job(self, job_id: str) -> bool:
        """Return whether there is such a job; see `JobJournal.has_job`."""
        return bool(self._server.run(scripts.HAS, [job_key(job_id)], [], again=True, durable=False))

    def job_figures(self) -> JobFigures:
        """Return how full the journal is; see `JobJournal.job_figures`."""
        keys = [scripts.CLAIMED, scripts.ADDED, scripts.BYTES, scripts.FAILED, scripts.FORGOTTEN, scripts.UNFETCHED]
        found = self._server.run(scripts.FIGURES, keys, [], again=True, durable=False)
        rows, claimed, size, age, failed, forgotten, unfetched = found
        return JobFigures(
            waiting=rows - claimed,
            claimed=claimed,
            bytes=size,
            oldest_age=max(0, age) / 1000,
            unfetched=unfetched,
            failed=failed,
            forgotten=forgotten,
        )

    def oldest_jobs(self, limit: int) -> list[OldJob]:
        """Return how the oldest jobs are doing; see `JobJournal.oldest_jobs`."""
        keys = [scripts.CLAIMED, scripts.ADDED]
        found = self._server.run(scripts.OLDEST, keys, [max(0, limit)], again=True, durable=False)
        return [
            old_job(self._server.text(name), int(attempt), -age / 1000, left / 1000, 0.0, *map(bool, state))
            for name, attempt, age, left, *state in found
        ]

    def _addition(self, job: Job, delay: float = 0.0) -> tuple[list[str], list[str | int]]:
        """Return the keys and arguments with which a new job is added."""
        size, limits, name = checks.new_job_size(job), self._limits, quote(job.job_id, safe="")
        wait = milliseconds(checks.not_negative("delay", delay))
        notification = key_name((job.corpid, job.agentid, job.notify_id)) if job.unfetched else ""
        stored: dict[str, str | int] = {
            **stored_texts(job),
            "agentid": job.agentid,
            "claim_name": quoted(claim_name(job.name)),
        }
        fields = [part for pair in stored.items() for part in pair]
        keys = [scripts.JOB + name, scripts.ADDED, scripts.BYTES, scripts.SERIAL, scripts.UNFETCHED]
        return keys, [name, size, limits.max_jobs, limits.max_job_bytes, wait, notification, *fields]

    def _check_added(self, done: bytes) -> None:
        """Raise StoreError when the server has refused a new job."""
        if done == b"known":
            raise checks.known_job()
        if done == b"full of jobs":
            raise checks.full_of_jobs(self._limits)

    def _job(self, age: int, row: Sequence[bytes | None]) -> Job:
        fields: dict[str, str] = {
            name: self._server.text(value) for name, value in zip(scripts.FIELDS, row, strict=True) if value is not None
        }
        errcode = fields.get("errcode")
        return Job(
            job_id=fields["job_id"],
            corpid=fields["corpid"],
            agentid=int(fields["agentid"]),
            **fields_of(fields["ability_id"], fields["job_info"]),
            data=fields["data"],
            notify_id=fields["notify_id"],
            attempt=int(fields.get("attempts", 0)),
            claims=int(fields["attempt"]),
            suspect=fields.get("running") == "1",
            begun=False,
            age=max(0, age) / 1000,
            outcome=None if errcode is None else Outcome(errcode=int(errcode), result=fields.get("result", "")),
        )


@lru_cache(64)  # a program claims with the same few sets again and again
def known_names(known: frozenset[str] | None) -> str:
    """Return names as scripts look for them; see `IS_KNOWN`."""
    return scripts.ALL if known is None else "".join(f"<{quoted(each)}>" for each in known)


def quoted(name: str) -> str:
    """Return a name as it is in keys and in `claim_name`."""
    return quote(name, safe="", errors="surrogatepass")


def job_key(job_id: str) -> str:
    """Return the key of a job."""
    return scripts.JOB + quote(job_id, safe="")


def key_name(key: checks.Key) -> str:
    """Return a key as one string: its parts percent-encoded, so that different keys have different strings."""
    corpid, agentid, notify_id = key
    if not (_is_plain(corpid) and _is_plain(notify_id)):  # rarely
        corpid, notify_id = quote(corpid, safe=""), quote(notify_id, safe="")
    return f"{corpid}:{agentid}:{notify_id}"
