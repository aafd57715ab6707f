"""A provider's app that archives the messages of all corps that have installed it; README.md says how to start it."""

import logging
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import escape

from anyio import create_task_group, to_thread
from Crypto.PublicKey import RSA
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from sqlalchemy import Column, Connection, Index, Integer, MetaData, String, Table, Text, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from starlette.routing import BaseRoute, Route

import wwspec_client as wecom
from wwspec_client import archive, sql
from wwspec_contracts.messages import Party, ServiceEncryptInfo

SETTINGS = (  # WWSPEC_SUITE_ID and so on
    *("SUITE_ID", "SUITE_SECRET", "PROVIDER_CORPID", "COMMAND_TOKEN", "COMMAND_ENCODING_AES_KEY"),
    *("PROGRAM_ID", "CALLBACK_TOKEN", "ENCODING_AES_KEY"),
)
NO_PUBLIC_KEY = 710659  # what WeCom answers to a pull when the corp has authorised the app anew
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
KEYS = Table(  # each corp has its own private keys, which all machines share
    "private_keys",
    TABLES,
    Column("corpid", String(64), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("pem", Text, nullable=False),
)
PAGE = """<!doctype html><meta charset="utf-8"><title>Archive</title>
<p>{} messages of {} corps. <a href="/install">Install the app</a><table><tr><th>corp<th>messages{}</table>"""
log = logging.getLogger("archive")


class Service:
    """The parts of one process. All of them keep what they know in the database, so there may be any number."""

    def __init__(self, engine: AsyncEngine) -> None:
        values = {name.lower(): os.environ[f"WWSPEC_{name}"] for name in SETTINGS}
        self._engine = engine
        self._notifications = sql.SqlPendingStore(engine)
        self.suite = wecom.AsyncSuite(
            values["suite_id"],
            values["suite_secret"],
            installations=sql.SqlInstallationStore(engine),
            tokens=sql.SqlTokenStore(engine),
            token=values["command_token"],
            encoding_aes_key=values["command_encoding_aes_key"],
            provider_corpid=values["provider_corpid"],
            commands_store=sql.SqlPendingStore(engine, receiver="commands"),
            on_event=self._on_suite_event,
            # The archiver first: a pull that still runs stores nothing afterwards.
            forgets=[lambda corpid: self.archiver.forget(corpid), self._notifications, self._forget],
            program_id=values["program_id"],
            base_url=os.environ.get("WWSPEC_BASE_URL", "https://qyapi.weixin.qq.com"),
        )
        self.archiver = archive.AsyncArchiver(
            self.suite.corp,
            engine,
            self._store,
            corps=self.suite.corps,
            on_gap=lambda corpid, gap: log.error("corp %s: %s", corpid, gap),
            on_error=self._on_error,
        )
        self.receiver = wecom.AsyncNotifyReceiver(
            self.suite.client_of,
            self.archiver.on_event,
            token=values["callback_token"],
            encoding_aes_key=values["encoding_aes_key"],
            receive_id=self.suite.is_receiver,
            store=self._notifications,
        )

    async def _on_suite_event(self, event: wecom.SuiteEvent) -> None:
        if isinstance(event, wecom.DataPermissionGranted) and event.is_chat:
            await self._begin(event.corpid)

    async def _on_error(self, corpid: str, error: Exception) -> None:
        if isinstance(error, wecom.SdkApiError) and error.errcode == NO_PUBLIC_KEY:  # the event was lost
            await self._begin(corpid)

    async def _begin(self, corpid: str) -> None:
        """Do what is due after each authorisation of a corp, and pull."""
        async with self._engine.begin() as transaction:
            keys = await keys_of(corpid, transaction)
            if not keys:
                pem = (await to_thread.run_sync(RSA.generate, 2048)).export_key().decode()
                second = int(time.time())  # WeCom wants a later key to have a larger version
                new = insert(KEYS).values(corpid=corpid, version=second, pem=pem)
                await transaction.execute(new.on_conflict_do_nothing())  # another process may have made one
                keys = await keys_of(corpid, transaction)
        ring, client = wecom.KeyRing(keys), self.suite.corp(corpid)
        await client.ensure_public_key(ring)
        await client.set_receive_callback()
        await self.archiver.pull_soon(corpid)

    async def _store(self, page: archive.ArchivePage, transaction: AsyncConnection) -> None:
        """Write a page, in the transaction that also writes where the pull is."""
        ring = wecom.KeyRing(await keys_of(page.corpid, transaction))
        rows = await to_thread.run_sync(rows_of, page, ring)
        new = insert(MESSAGES).on_conflict_do_nothing()  # after a lost cursor, known ones come too
        await transaction.execute(new, rows)
        await open_sealed(page.corpid, ring, transaction)

    async def _forget(self, corpid: str) -> None:
        """Delete the app's own data of a corp that has removed it."""
        async with self._engine.begin() as transaction:
            for table in TABLES.sorted_tables:
                await transaction.execute(delete(table).where(table.c.corpid == corpid))

    async def page(self) -> HTMLResponse:
        """Answer how many messages there are of each corp."""
        count = select(MESSAGES.c.corpid, func.count()).group_by(MESSAGES.c.corpid)
        async with self._engine.begin() as transaction:
            counts: dict[str, int] = dict((await transaction.execute(count)).all())
        corps = await self.suite.corps()
        rows = [f"<tr><td>{escape(corpid)}<td>{counts.get(corpid, 0)}" for corpid in corps]
        return HTMLResponse(PAGE.format(sum(counts.values()), len(corps), "".join(rows)))

    async def health(self) -> JSONResponse:
        """Answer 503 with what keeps this process from its work."""
        problems = self.suite.commands.problems() + self.receiver.problems() + self.archiver.problems()
        return JSONResponse({"problems": problems}, 503 if problems else 200)

    async def install(self, request: Request) -> RedirectResponse:
        """Lead an admin to WeCom's page of the app, and back to `installed`."""
        return RedirectResponse(await self.suite.install_url(str(request.url_for("installed"))))

    async def installed(self, auth_code: str) -> Response:
        """Install the app at the corp whose admin comes back from WeCom."""
        installation = await self.suite.install(auth_code)
        return HTMLResponse(f"<p>{escape(installation.corp_name or installation.corpid)} has installed the app.")


async def keys_of(corpid: str, transaction: AsyncConnection) -> dict[int, str]:
    """Return the private keys of a corp by version."""
    query = select(KEYS.c.version, KEYS.c.pem).where(KEYS.c.corpid == corpid)
    return {row.version: row.pem for row in await transaction.execute(query)}


async def open_sealed(corpid: str, ring: wecom.KeyRing, transaction: AsyncConnection) -> None:
    """Open keys that did not open when their messages came, such as while a private key was lost."""
    sealed = select(MESSAGES.c.msgid, MESSAGES.c.sealed_key, MESSAGES.c.key_version).limit(100)
    sealed = sealed.where(MESSAGES.c.secret_key.is_(None), MESSAGES.c.key_version.in_(ring.versions))
    for msgid, *key in await transaction.execute(sealed.where(MESSAGES.c.corpid == corpid)):
        opened = await to_thread.run_sync(opened_key, ring, *key)
        row = update(MESSAGES).where(MESSAGES.c.corpid == corpid, MESSAGES.c.msgid == msgid)
        await transaction.execute(row.values(secret_key=opened))


def rows_of(page: archive.ArchivePage, ring: wecom.KeyRing) -> list[dict[str, object]]:
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


def opened_key(ring: wecom.KeyRing, sealed: str, version: int) -> str | None:
    """Return the key of a message; None when it does not open, which must not stop the messages of its corp."""
    try:
        return ring.open({"encrypted_secret_key": sealed, "public_key_ver": version})
    except wecom.KeyRingError as error:
        log.warning("the key of a message does not open: %s", error)
        return None


def create_all(connection: Connection) -> None:
    """Create the tables that are missing; the first statement lets other processes wait."""
    sql.create_tables(connection)
    TABLES.create_all(connection)


def create_app() -> FastAPI:
    """Return the application; the environment says which suite it is, and where the database and WeCom are."""
    engine = create_async_engine(os.environ["DATABASE_URL"], hide_parameters=True)  # no error shows a key
    service = Service(engine)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with engine.begin() as connection:
            await connection.run_sync(create_all)
        async with service.suite, service.receiver, create_task_group() as tasks:
            tasks.start_soon(service.archiver.run)
            yield
            service.archiver.stop()
        await engine.dispose()

    callbacks: list[BaseRoute] = [Route("/callback", service.receiver), Route("/commands", service.suite.commands)]
    app = FastAPI(lifespan=lifespan, routes=callbacks)
    app.get("/")(service.page)
    app.get("/health")(service.health)
    app.get("/install")(service.install)
    app.get("/installed", name="installed")(service.installed)
    return app
