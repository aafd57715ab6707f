"""An app that pulls one page and ends. Arguments: corpid, secret, program_id, base URL, folder; prints the msgids.

It does so twice: its cursors are in the folder, in `messages.cursor` and in the database `app.db`.
"""

import sqlite3
import sys
from pathlib import Path

from wwspec_router.client import DbCursor, FileCursor, ZoneClient

corpid, secret, program_id, base_url, folder = sys.argv[1:]
connection = sqlite3.connect(Path(folder) / "app.db")
with ZoneClient(corpid=corpid, secret=secret, program_id=program_id, base_url=base_url) as client:
    for cursors in (FileCursor(Path(folder) / "messages.cursor"), DbCursor(connection, name=corpid)):
        page = next(client.messages(cursors, limit=20))
        page.keep()
        connection.commit()
        print(*(message.msgid for message in page))
connection.close()
