"""The newest events in a SQLite file: they have a page of their own, and most puts change only that page.

An event in its table changes three pages: of the table, of the index of expiry, and the counters. Each of them is
written and synced with the transaction. So a small event that comes alone first goes to a table of about one page. Its
room is counted as if all its events were as long as the new one. Events that come together share a transaction and its
pages. When the page is full, once a second, and when the file is closed, its events are moved, all in one transaction.
After every transaction the counters and bounds are exact: both tables count, and each event is in one of them.

It does not know the clock, and does not remove expired events.
"""

import sqlite3
from collections.abc import Sequence

from wwspec_router.stores.base import StoreLimits

EventRow = tuple[str, int, str, float, int, str]
"""corpid, agentid, notify_id, expires, size, text."""

NEWEST_TABLES: Sequence[str] = (
    """
    CREATE TABLE notify_new (
        notify_id TEXT NOT NULL,
        corpid TEXT NOT NULL,
        agentid INTEGER NOT NULL,
        expires REAL NOT NULL,
        size INTEGER NOT NULL,
        text TEXT NOT NULL,
        PRIMARY KEY (notify_id, corpid, agentid)
    ) WITHOUT ROWID
    """,
)
"""The statements that make the table; a change of them raises `events.LAYOUT`."""

_PAGE = 4000
"""Bytes that the events in one page of 4,096 may take."""
_LONGEST_IDS = 96
"""Characters of corpid and notify_id together."""
_BESIDE_TEXTS = 32
"""Bytes that an event takes beside its text and ids, at most."""
_LARGEST = 760
"""Most bytes of text: from 1,002 bytes on, SQLite puts a part of a row into further pages."""

_ADD = """
    INSERT OR IGNORE INTO notify_new (corpid, agentid, notify_id, expires, size, text) VALUES (?, ?, ?, ?, ?, (
        SELECT ? FROM notify_usage, (SELECT count(*) AS waiting FROM notify_new)
        WHERE waiting < ? AND rows + waiting < ? AND bytes + waiting * ? <= ?
            AND NOT EXISTS (SELECT 1 FROM notify WHERE corpid = ? AND agentid = ? AND notify_id = ?)
    ))
"""
"""Adds nothing when there is no room: then the text is NULL, which the table refuses.

It counts the newest events, which is quick, and does not add up their sizes; near the bound in bytes they are moved
before this runs.
"""
_MOVE = (
    """
    INSERT INTO notify (notify_id, corpid, agentid, expires, size, text)
    SELECT notify_id, corpid, agentid, expires, size, text FROM notify_new
    """,
    """
    UPDATE notify_usage SET rows = notify_usage.rows + new.rows, bytes = notify_usage.bytes + new.bytes
    FROM (SELECT count(*) AS rows, ifnull(sum(size), 0) AS bytes FROM notify_new) AS new
    """,
    "DELETE FROM notify_new",
)

ANY_NEWEST = "SELECT 1 FROM notify_new LIMIT 1"
"""Returns a row when there is something to move."""


def add_newest(db: sqlite3.Connection, row: EventRow, limits: StoreLimits) -> bool:
    """Add an event to the newest ones, by one statement.

    Returns:
        False when nothing was added: it is too long, it replaces another, or the newest events must be moved first,
        because their page is full or a bound is near.
    """
    corpid, _, notify_id, _, size, _ = row
    ids = len(corpid) + len(notify_id)
    if size > _LARGEST or ids > _LONGEST_IDS:
        return False
    room = (_PAGE // (size + ids + _BESIDE_TEXTS), limits.max_rows, _LARGEST, limits.max_bytes - size)
    return db.execute(_ADD, (*row, *room, *row[:3])).rowcount > 0


def move_newest(db: sqlite3.Connection) -> None:
    """Move all of the newest events to the table of events, within a transaction."""
    if db.execute(ANY_NEWEST).fetchone():
        for statement in _MOVE:
            db.execute(statement)
