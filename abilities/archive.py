"""Keeps who agreed to archiving, where and when: metadata of events, and nothing of any message.

They are in the SQLite file that the environment variable ARCHIVE names, `var/archive.db` by default.
"""

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from schemas.archive import Digest, Request, Response
from wwspec_router import Context, EventContext, ability
from wwspec_router.wecom.events import chat_archive_audit_approved_room, chat_archive_audit_approved_single

TABLE = """
    CREATE TABLE IF NOT EXISTS consents (corpid, chat, customer, agreed, PRIMARY KEY (corpid, chat, customer, agreed))
"""
COUNT = "SELECT count(*) FROM consents WHERE corpid = ? AND agreed >= ? AND (chat LIKE 'group %') = ?"


def on_consent(
    event: chat_archive_audit_approved_single.Event | chat_archive_audit_approved_room.Event, ctx: EventContext
) -> None:
    """Keep a consent. An event may come again, and this may run again for it: what is known is ignored."""
    given = event.chat_archive_audit_approved
    chat = f"group {given.chatid}" if given.chatid else f"employee {given.userid}"
    with closing(_archive()) as db, db:
        row = (ctx.corpid, chat, given.external_userid, event.timestamp)
        db.execute("INSERT OR IGNORE INTO consents VALUES (?, ?, ?, ?)", row)


@ability
def daily_digest(request: Request, ctx: Context) -> Response:
    """Count the latest consents of the corp, and push the counts to the app."""
    since = time.time() - 3600 * request.hours
    with closing(_archive()) as db:
        alone, groups = (db.execute(COUNT, (ctx.corpid, since, each)).fetchone()[0] for each in (False, True))
    return Response(notify_id=ctx.notify(Digest(one_to_one=alone, groups=groups)))


def _archive() -> sqlite3.Connection:
    path = Path(os.environ.get("ARCHIVE", "var/archive.db"))
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path)
    db.execute(TABLE)
    return db
