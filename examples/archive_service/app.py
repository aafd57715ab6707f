"""A provider's app that archives the messages of all corps that have installed it; README.md says how to start it."""

import logging
import os
from hmac import compare_digest
from html import escape
from secrets import token_urlsafe

from anyio import to_thread
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import Column, Index, Integer, MetaData, String, Table, Text, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from wwspec_client import KeyRing, KeyRingError
from wwspec_client.archive import ArchivePage
from wwspec_client.provider import AsyncProviderApp, SuiteSettings
from wwspec_contracts.messages import Party, ServiceEncryptInfo

TABLES = MetaData()
MESSAGES = Table(  # corpid is part of each key: no corp's row is ever another's
    "messages",
    TABLES,
    Column("corpid", String(64), primary_key=True),
    Column("msgid", String(64), primary_key=True),
    Column("send_time", Integer, nullable=False),
    Column("sender", String(64), nullable=False),
    Column("chatid", String(64), nullable=False),
    Column("msgtype", Integer, nullable=False),
    Column("sealed_key", Text, nullable=False),
    Column("key_version", Integer, nullable=False),
    Column("secret_key", Text),  # opened; NULL until it is
)
Index("sealed_messages", MESSAGES.c.corpid, postgresql_where=MESSAGES.c.secret_key.is_(None))
PAGE = """<!doctype html><meta charset="utf-8"><title>Archive</title>
<p>{} messages of {} corps. <a href="/install">Install the app</a><table><tr><th>corp<th>messages{}</table>"""
log = logging.getLogger("archive")


class Service:
    """One process. All of what it knows is in the database, so there may be any number."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.app = AsyncProviderApp(
            engine,
            SuiteSettings.from_environment(),
            store=self._store,
            forgets=[self._forget],
            tables=TABLES,
            archiver={"on_gap": lambda corpid, gap: log.error("corp %s: %s", corpid, gap)},
        )

    async def _store(self, page: ArchivePage, transaction: AsyncConnection) -> None:
        """Write a page, in the transaction that also writes where the pull is."""
        ring = await self.app.keys.ring(page.corpid, transaction)
        rows = await to_thread.run_sync(rows_of, page, ring)
        # After a lost cursor, known messages come, too.
        await transaction.execute(insert(MESSAGES).on_conflict_do_nothing(), rows)
        await open_sealed(page.corpid, ring, transaction)

    async def _forget(self, corpid: str) -> None:
        """Delete the app's own data of a corp that has removed it."""
        async with self._engine.begin() as transaction:
            await transaction.execute(delete(MESSAGES).where(MESSAGES.c.corpid == corpid))

    async def page(self) -> HTMLResponse:
        """Answer how many messages there are of each corp."""
        count = select(MESSAGES.c.corpid, func.count()).group_by(MESSAGES.c.corpid)
        async with self._engine.begin() as transaction:
            counts: dict[str, int] = dict((await transaction.execute(count)).all())
        corps = await self.app.suite.corps()
        rows = [f"<tr><td>{escape(corpid)}<td>{counts.get(corpid, 0)}" for corpid in corps]
        return HTMLResponse(PAGE.format(sum(counts.values()), len(corps), "".join(rows)))

    async def health(self) -> list[str]:
        """Answer what keeps this process from its work, for an alarm.

        It is 200 all the same: with a function that hangs for one corp, the process still stores callbacks of all.
        """
        return self.app.problems()

    async def install(self, request: Request) -> RedirectResponse:
        """Lead an admin to WeCom's page of the app, and back to `installed`."""
        state = token_urlsafe()
        response = RedirectResponse(await self.app.suite.install_url(str(request.url_for("installed")), state=state))
        response.set_cookie("state", state, httponly=True, samesite="lax")
        return response

    async def installed(self, request: Request, auth_code: str, state: str = "") -> Response:
        """Install the app at the corp whose admin comes back from WeCom, in the browser that `install` sent there."""
        if not state or not compare_digest(state, request.cookies.get("state", "")):
            return Response("begin at /install", 403)
        installation = await self.app.suite.install(auth_code)
        return HTMLResponse(f"<p>{escape(installation.corp_name or installation.corpid)} has installed the app.")


async def open_sealed(corpid: str, ring: KeyRing, transaction: AsyncConnection) -> None:
    """Open keys that did not open when their messages came, such as while a private key was lost."""
    sealed = select(MESSAGES.c.msgid, MESSAGES.c.sealed_key, MESSAGES.c.key_version).limit(100)
    sealed = sealed.where(MESSAGES.c.secret_key.is_(None), MESSAGES.c.key_version.in_(ring.versions))
    for msgid, *key in await transaction.execute(sealed.where(MESSAGES.c.corpid == corpid)):
        opened = await to_thread.run_sync(opened_key, ring, *key)
        row = update(MESSAGES).where(MESSAGES.c.corpid == corpid, MESSAGES.c.msgid == msgid)
        await transaction.execute(row.values(secret_key=opened))


def rows_of(page: ArchivePage, ring: KeyRing) -> list[dict[str, object]]:
    """Return the rows of messages, with their keys as they came and opened."""
    return [
        {
            "corpid": page.corpid,
            "msgid": message.msgid,
            "send_time": message.send_time,
            "sender": (message.sender or Party()).id,
            "chatid": message.chatid,
            "msgtype": message.msgtype,
            "sealed_key": sealed.encrypted_secret_key,
            "key_version": sealed.public_key_ver,
            "secret_key": opened_key(ring, sealed.encrypted_secret_key, sealed.public_key_ver),
        }
        for message in page
        for sealed in [message.service_encrypt_info or ServiceEncryptInfo()]
    ]


def opened_key(ring: KeyRing, sealed: str, version: int) -> str | None:
    """Return the key of a message; None when it does not open, which must not stop the messages of its corp."""
    try:
        return ring.open({"encrypted_secret_key": sealed, "public_key_ver": version})
    except KeyRingError as error:
        log.warning("the key of a message does not open: %s", error)
        return None


def create_app() -> FastAPI:
    """Return the application; the environment says which suite it is, and where the database and WeCom are."""
    engine = create_async_engine(os.environ["DATABASE_URL"], hide_parameters=True)  # no error shows a key
    service = Service(engine)
    app = FastAPI(lifespan=service.app.lifespan)
    app.mount("/wecom", service.app)  # WeCom calls /wecom/callback and /wecom/commands
    app.get("/")(service.page)
    app.get("/health")(service.health)
    app.get("/install")(service.install)
    app.get("/installed", name="installed")(service.installed)
    return app
