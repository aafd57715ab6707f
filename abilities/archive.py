"""Counts who has agreed to archiving of late, from metadata of events, and tells the app; nothing of any message.

The SQLite file `var/archive.db` is a cache of one machine: it has the events that this machine got, and nothing for
longer than the longest digest. Each process opens it once. In tests WWSPEC_VAR names another folder than `var`.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from schemas.archive import LONGEST, Digest, Request, Response
from wwspec_contracts.events import chat_archive_audit_approved_room, chat_archive_audit_approved_single
from wwspec_router import Context, EventContext, ability

TABLE = """
    CREATE TABLE IF NOT EXISTS consents (corpid, chat, customer, agreed, PRIMARY KEY (corpid, chat, customer, agreed))
"""
FORGET = "DELETE FROM consents WHERE agreed < ?"
COUNT = "SELECT count(*) FROM consents WHERE corpid = ? AND agreed >= ? AND (chat LIKE 'group %') = ?"


@contextmanager
def lifespan() -> Iterator[sqlite3.Connection]:
    """Open the archive; it is `ctx.state`. Each statement is a transaction, so threads can share the connection."""
    var = Path(os.environ.get("WWSPEC_VAR", Path(__file__).parents[1] / "var"))
    var.mkdir(exist_ok=True)
    with closing(sqlite3.connect(var / "archive.db", isolation_level=None, check_same_thread=False)) as db:
        db.execute(TABLE)
        yield db


def on_consent(
    event: chat_archive_audit_approved_single.Event | chat_archive_audit_approved_room.Event,
    ctx: EventContext[sqlite3.Connection],
) -> None:
    """Keep a consent. An event may come again, and this may run again for it: what is known is ignored."""
    ctx.state.execute(FORGET, (time.time() - 3600 * LONGEST,))
    given = event.chat_archive_audit_approved
    chat = f"group {given.chatid}" if given.chatid else f"employee {given.userid}"
    row = (ctx.corpid, chat, given.external_userid, event.timestamp)
    ctx.state.execute("INSERT OR IGNORE INTO consents VALUES (?, ?, ?, ?)", row)


@ability
def daily_digest(request: Request, ctx: Context[sqlite3.Connection]) -> Response:
    """Count the latest consents of the corp, and push the counts to the app."""
    since = time.time() - 3600 * request.hours
    alone, groups = (ctx.state.execute(COUNT, (ctx.corpid, since, each)).fetchone()[0] for each in (False, True))
    return Response(notify_id=ctx.notify(Digest(one_to_one=alone, groups=groups)))
