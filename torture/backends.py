"""The stores under torture: where they are, and whether what they count is what they hold.

The counts are compared by other means than the program's own: SQL over the closed file, and the commands of Redis.
Redis is a real server that the run starts, durable as `appendfsync always` makes it. Knows no run.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

from tests.support.redis_sentinels import LocalSentinels
from tests.support.redis_server import LocalRedis
from torture.program import until
from wwspec_router.stores import open_store

__all__ = ["Backend", "RedisBackend", "SentinelBackend", "SqliteBackend", "open_backend"]

PREFIX = "torture"
"""Of all keys in Redis."""


class Backend(Protocol):
    """One store."""

    url: str
    """As `wwspec serve --store` takes it."""

    def check(self, *, expired: bool = False) -> tuple[dict[str, Any], list[str]]:
        """Compare the store with itself, with no program running; return its figures and what does not fit.

        Args:
            expired: Whether events may have expired, which the store no longer counts and may still hold.
        """
        ...


class SqliteBackend:
    """A file.

    Args:
        folder: Where it is to be.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "notify.db"
        self.url = f"sqlite:{self.path}"

    def check(self, *, expired: bool = False) -> tuple[dict[str, Any], list[str]]:
        """Let SQLite check the file, and count its rows; see `Backend.check`."""
        counts = {
            "notify": "SELECT count(*), ifnull(sum(size), 0) FROM notify",
            "notify_new": "SELECT count(*), ifnull(sum(size), 0) FROM notify_new",  # which usage does not count yet
            "notify_usage": "SELECT rows, bytes FROM notify_usage",
            "jobs": "SELECT count(*), ifnull(sum(size), 0) FROM jobs",
            "job_usage": "SELECT rows, bytes FROM job_usage",
            "job_texts": "SELECT count(*), 0 FROM job_texts",
            "failed_jobs": "SELECT count(*), 0 FROM failed_jobs",
        }
        with closing(sqlite3.connect(self.path)) as db:
            verdict = [row[0] for row in db.execute("PRAGMA integrity_check")]
            found = {name: db.execute(statement).fetchone() for name, statement in counts.items()}
        failures = [] if verdict == ["ok"] else [f"PRAGMA integrity_check: {line}" for line in verdict[:5]]
        events = (found["notify"][0] + found["notify_new"][0], found["notify"][1] + found["notify_new"][1])
        failures += _compared(self.url, None if expired else events, found["jobs"], found["failed_jobs"][0])
        failures += [
            f"{counted} says {found[counted]}, {table} holds {found[table]}"
            for table, counted in (("notify", "notify_usage"), ("jobs", "job_usage"))
            if found[table] != found[counted]
        ]
        if found["job_texts"][0] != found["jobs"][0]:
            failures.append(f"job_texts holds {found['job_texts'][0]} rows, jobs {found['jobs'][0]}")
        figures = {"integrity_check": ",".join(verdict[:5]), "rows": events[0], "jobs_left": found["jobs"][0]}
        figures["jobs_failed"] = found["failed_jobs"][0]
        return figures, failures


class RedisBackend(LocalRedis):
    """A redis-server of the run's own; each write is synced before it is answered.

    Args:
        folder: For its files.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.url += f"?prefix={PREFIX}"

    def check(self, *, expired: bool = False) -> tuple[dict[str, Any], list[str]]:
        """Count its keys; see `Backend.check`."""
        return _count(self, self.url, expired)


class SentinelBackend(LocalSentinels):
    """Three sentinels with a primary and a replica, which has each write before it is answered.

    Args:
        folder: For their files.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.url += f"?wait=1&prefix={PREFIX}"

    def check(self, *, expired: bool = False) -> tuple[dict[str, Any], list[str]]:
        """Count the keys of the primary; see `Backend.check`."""
        return _count(self.primary(), self.url, expired)


@contextmanager
def open_backend(name: str, folder: Path) -> Iterator[Backend]:
    """Yield the store `sqlite`, `redis` or `sentinel`, running."""
    if name == "sqlite":
        yield SqliteBackend(folder)
        return
    with ExitStack() as stack:
        if name == "redis":
            server = RedisBackend(folder)
            stack.callback(server.kill)
            server.start()
            yield server
            return
        group = SentinelBackend(folder)
        stack.callback(group.close)
        group.start()
        yield group


def wait_for_empty_journal(url: str, seconds: float, fetch: Callable[[], None]) -> bool:
    """Wait until the journal of a store holds no job; return whether it does.

    Args:
        url: The store's.
        seconds: How long.
        fetch: Fetches what the app was notified of; called again and again.
    """
    with closing(open_store(url)) as store:

        def empty() -> bool:
            fetch()
            figures = store.job_figures()
            return figures.waiting + figures.claimed + figures.unfetched == 0

        return until(empty, seconds, 0.1)


def _compared(url: str, entries: tuple[int, int] | None, jobs: tuple[int, int], failed: int) -> list[str]:
    """Return where the store's own figures differ from what was counted; events are left out when that is None."""
    with closing(open_store(url)) as store:
        figures, journal = store.figures(), store.job_figures()
    counted = [
        ("events", entries, (figures.rows, figures.bytes)),
        ("jobs", jobs, (journal.waiting + journal.claimed + journal.unfetched, journal.bytes)),
        ("failed jobs", failed, journal.failed),
    ]
    return [
        f"the store counts {said} {name}, it holds {held}" for name, held, said in counted if held not in (None, said)
    ]


def _count(server: LocalRedis, url: str, expired: bool) -> tuple[dict[str, Any], list[str]]:
    """Count the keys of a server; see `Backend.check`."""
    tag = f"{{{PREFIX}}}"
    with server.client() as client:
        entries = list(client.scan_iter(f"{tag}:notify:entry:*", 1000))
        sizes = sum(client.strlen(key) for key in entries)
        all_jobs = list(client.scan_iter(f"{tag}:job:*", 1000))
        jobs = [key for key in all_jobs if not client.hexists(key, "error")]  # the others failed for good
        job_sizes = sum(int(client.hget(key, "size")) for key in jobs)
        members = {name: client.zcard(f"{tag}:jobs:{name}") for name in ("added", "claimed", "unfetched")}
        members["waiting"] = sum(client.zcard(key) for key in client.scan_iter(f"{tag}:jobs:waiting:*", 1000))
        aof = client.info("persistence")["aof_last_write_status"]
    failed = len(all_jobs) - len(jobs)
    failures = _compared(url, None if expired else (len(entries), sizes), (len(jobs), job_sizes), failed)
    if not members["added"] + members["unfetched"] == members["claimed"] + members["waiting"] == len(jobs):
        failures.append(f"members of the sets of jobs: {members}, there are {len(jobs)} jobs")
    if aof != "ok":
        failures.append(f"aof_last_write_status is {aof}")
    return {"aof_last_write_status": aof, "rows": len(entries), "jobs_left": len(jobs), "jobs_failed": failed}, failures
