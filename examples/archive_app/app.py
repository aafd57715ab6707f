"""An enterprise app that keeps its corp's messages in SQLite and shows them; README.md says how to start it."""

import logging
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from html import escape
from pathlib import Path

from anyio import Event, create_task_group, move_on_after, to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

import wwspec_client as wecom
from wwspec_client.stores import FileCursor, SqlitePendingStore
from wwspec_contracts import get_group_chat
from wwspec_contracts.errors import WWSpecError
from wwspec_contracts.events import conversation_new_message
from wwspec_contracts.messages import Message, Party, ServiceEncryptInfo

SETTINGS = ("CORPID", "CORPSECRET", "PROGRAM_ID", "CALLBACK_TOKEN", "ENCODING_AES_KEY")  # WWSPEC_CORPID and so on
FOLDER = Path(os.environ.get("ARCHIVE_FOLDER", "archive"))  # private: the database has opened keys
DATABASE, CURSOR = FOLDER / "archive.db", FOLDER / "messages.cursor"
KEYS = Path(os.environ.get("WWSPEC_KEYS", "keys"))  # of the private keys, as `wwspec keys` makes them
SCHEMA = """PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS messages (msgid TEXT PRIMARY KEY, send_time INTEGER, sender TEXT, chatid TEXT,
    msgtype INTEGER, sealed_key TEXT, key_version INTEGER, secret_key TEXT);
CREATE TABLE IF NOT EXISTS groups (chatid TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS members (chatid TEXT, memberid TEXT, PRIMARY KEY (chatid, memberid));
"""
NEW_GROUPS = "SELECT DISTINCT chatid FROM messages WHERE chatid != '' EXCEPT SELECT chatid FROM groups"
SEALED_KEYS = "SELECT msgid, sealed_key, key_version FROM messages WHERE secret_key IS NULL"
COUNTS = "SELECT count(*), count(secret_key), (SELECT count(*) FROM members) FROM messages"
LATEST = "SELECT datetime(send_time, 'unixepoch'), sender, chatid, msgtype FROM messages ORDER BY rowid DESC LIMIT 50"
PAGE = """<!doctype html><meta charset="utf-8"><title>Archive</title>
<p>{} messages, {} opened keys, {} members of groups<table><tr><th>UTC<th>sender<th>group<th>kind{}</table>"""
log = logging.getLogger("archive")


class Archive:
    """Brings the database up to date after each notification, and once a minute."""

    def __init__(self, client: wecom.AsyncZoneClient) -> None:
        self._client = client
        self._news = Event()
        self._receives_events, self._token = False, ""

    async def on_event(self, event: wecom.NotifyEvent) -> None:
        """Wake `run`, with the token by which WeCom lets it pull the new messages."""
        if isinstance(event.data, conversation_new_message.Event):
            self._token = event.data.conversation_new_message.token
            self._news.set()

    async def run(self) -> None:
        """Work until the app ends. What fails is tried again, and goes on where it ended."""
        with closing(sqlite3.connect(DATABASE)) as db:
            while True:
                self._news = Event()
                try:
                    if not self._receives_events:
                        await self._client.set_receive_callback()  # events go to this program
                        self._receives_events = True
                    await self._pull_messages(db)
                    await self._pull_groups(db)
                    await to_thread.run_sync(open_keys)
                except (WWSpecError, sqlite3.Error) as error:
                    log.warning("%s", error)
                with move_on_after(60):  # seconds: a notification may get lost
                    await self._news.wait()

    async def _pull_messages(self, db: sqlite3.Connection) -> None:
        async for page in self._client.messages(FileCursor(CURSOR), token=lambda: self._token, on_gap=log.error):
            with db:  # after a crash before keep() a page comes again: its messages are ignored then
                db.executemany("INSERT OR IGNORE INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, NULL)", map(row_of, page))
            await page.keep()

    async def _pull_groups(self, db: sqlite3.Connection) -> None:
        for (chatid,) in db.execute(NEW_GROUPS).fetchall():
            try:
                members = (await self._client.call(get_group_chat.Request(chatid=chatid))).members
            except wecom.SdkApiError as error:
                if error.errcode != 710624:  # not an internal group: WeCom does not tell who is in it
                    raise
                members = []
            with db:
                db.execute("INSERT INTO groups VALUES (?)", (chatid,))
                db.executemany("INSERT INTO members VALUES (?, ?)", [(chatid, each.memberid) for each in members])


def row_of(message: Message) -> tuple[str | int, ...]:
    """Return the columns of a message, but for its opened key."""
    sender, sealed = message.sender or Party(), message.service_encrypt_info or ServiceEncryptInfo()
    key = (sealed.encrypted_secret_key, sealed.public_key_ver)
    return (message.msgid, message.send_time, sender.id, message.chatid, message.msgtype, *key)


def open_keys() -> None:
    """Open the keys of messages. One whose private key is not in the folder yet waits for it."""
    ring = wecom.KeyRing.from_folder(KEYS)
    with closing(sqlite3.connect(DATABASE, isolation_level=None)) as db:
        for msgid, key, version in db.execute(SEALED_KEYS).fetchall():
            try:
                opened = ring.open({"encrypted_secret_key": key, "public_key_ver": version})
            except wecom.KeyRingError as error:
                log.warning("message %s: %s", msgid, error)
                continue
            db.execute("UPDATE messages SET secret_key = ? WHERE msgid = ?", (opened, msgid))


def show(request: Request) -> HTMLResponse:
    """Answer the page: how much there is, and the latest messages."""
    with closing(sqlite3.connect(DATABASE)) as db:
        counts, rows = db.execute(COUNTS).fetchone(), db.execute(LATEST).fetchall()
    table = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}" for cell in row) for row in rows)
    return HTMLResponse(PAGE.format(*counts, table))


def create_app() -> Starlette:
    """Return the application; the environment says which app and program it is, and where WeCom is."""
    FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(sqlite3.connect(DATABASE)) as db:
        db.executescript(SCHEMA)
    corpid, secret, program_id, token, aes_key = (os.environ[f"WWSPEC_{name}"] for name in SETTINGS)
    base_url = os.environ.get("WWSPEC_BASE_URL", "https://qyapi.weixin.qq.com")
    client = wecom.AsyncZoneClient(corpid, secret, program_id=program_id, base_url=base_url)
    archive, store = Archive(client), SqlitePendingStore(FOLDER / "notifications.db")
    receiver = wecom.AsyncNotifyReceiver(
        client, archive.on_event, token=token, encoding_aes_key=aes_key, receive_id=corpid, store=store
    )

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with client, receiver, create_task_group() as tasks:
            tasks.start_soon(archive.run)
            yield
            tasks.cancel_scope.cancel()

    return Starlette(routes=[Route("/", show), Route("/callback", receiver)], lifespan=lifespan)
