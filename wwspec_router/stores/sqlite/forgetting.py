"""Removes all that a SQLite file has of a corp, some rows at a time, so that other writes come in between."""

import sqlite3
from collections.abc import Sequence
from functools import partial
from typing import Any

from wwspec_router.stores.base import Forgotten
from wwspec_router.stores.once import corp_hash
from wwspec_router.stores.sqlite.file import SqliteFile

_AT_ONCE = 256
"""Rows that one transaction deletes."""

# Each first statement returns what the second one needs, and whether the row is live: others do not count, because no
# method returns them any more. The second one names the corp again, since a serial may have become another row's.
_EVENTS = (
    "SELECT notify_id, corpid, agentid, expires > ? FROM notify WHERE corpid = ? LIMIT ?",
    "DELETE FROM notify WHERE notify_id = ? AND corpid = ? AND agentid = ?",
)
_JOBS = (
    "SELECT serial, corpid, ? IS NOT NULL FROM job_texts JOIN jobs USING (serial) WHERE corpid = ? LIMIT ?",
    "DELETE FROM jobs WHERE serial = (SELECT serial FROM job_texts WHERE serial = ? AND corpid = ?)",
)
_FAILED = (
    "SELECT serial, corpid, ? IS NOT NULL FROM failed_jobs WHERE corpid = ? LIMIT ?",
    "DELETE FROM failed_jobs WHERE serial = ? AND corpid = ?",
)
_KEPT = (
    "SELECT corpid, agentid, space, name, ifnull(expires > ?, 1) FROM kept WHERE corpid = ? LIMIT ?",
    "DELETE FROM kept WHERE corpid = ? AND agentid = ? AND space = ? AND name = ?",
)
_REPLIES = (
    "SELECT key, corp, expires > ? FROM once WHERE corp = ? LIMIT ?",
    "DELETE FROM once WHERE key = ? AND corp = ?",
)


def forget(file: SqliteFile, corpid: str, now: float) -> Forgotten:
    """Remove what belongs to a corp; see `Store.forget`.

    Args:
        file: The file; its newest events were moved.
        corpid: The corp.
        now: The time by the clock of the store.
    """
    return Forgotten(
        events=_remove(file, _EVENTS, corpid, now),
        jobs=_remove(file, _JOBS, corpid, now) + _remove(file, _FAILED, corpid, now),
        kept=_remove(file, _KEPT, corpid, now),
        replies=_remove(file, _REPLIES, corp_hash(corpid), now),
    )


def _remove(file: SqliteFile, statements: tuple[str, str], corp: str, now: float) -> int:
    """Remove the rows of a corp from a table; return how many were live."""
    find, remove = statements
    removed = 0
    while rows := file.read(find, (now, corp, _AT_ONCE)):
        removed += file.write(partial(_remove_rows, remove, rows))
    return removed


def _remove_rows(statement: str, rows: Sequence[tuple[Any, ...]], db: sqlite3.Connection) -> int:
    return sum(live * db.execute(statement, key).rowcount for *key, live in rows)
