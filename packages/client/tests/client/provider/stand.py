"""The app of a provider by either class, served below a path, with an emulator as WeCom and an app's database."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, Literal

import httpx
from sqlalchemy import Column, Connection, MetaData, String, Table, create_engine, delete, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from starlette.applications import Starlette

from tests.client.archive.world import async_url
from tests.client.conftest import QUICK as WITHOUT_PAUSES
from tests.client.notify.stand import QUICK, OnThread, serve_wsgi
from tests.client.sql.conftest import quicken
from tests.support.emulator import served
from tests.support.provider import AES_KEY
from tests.support.waiting import wait_until
from wwspec_client.archive import ArchivePage, ArchiverOptions
from wwspec_client.provider import AsyncProviderApp, ProviderApp, SuiteSettings
from wwspec_client.sql import SqlKeyStore
from wwspec_contracts.backoff import Backoff
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.testing.zone import Zone

Kind = Literal["wsgi", "asgi"]

ENVIRONMENT = {
    "WWSPEC_SUITE_SECRET": "emulator-suite-secret",
    "WWSPEC_PROVIDER_CORPID": "wwprovider00000001",
    "WWSPEC_COMMAND_TOKEN": "command-token",
    "WWSPEC_COMMAND_ENCODING_AES_KEY": AES_KEY,
    "WWSPEC_PROGRAM_ID": "emulator-program",
    "WWSPEC_CALLBACK_TOKEN": "data-token",
    "WWSPEC_ENCODING_AES_KEY": AES_KEY,
    "WWSPEC_SUITE_ID": "emulator-suite",
}
OFTEN: ArchiverOptions = {"every": 0.2, "pauses": Backoff(0.05, 0.1)}
SETTINGS = SuiteSettings.from_environment(ENVIRONMENT)

TABLES = MetaData()
MESSAGES = Table("messages", TABLES, Column("corpid", String(64)), Column("msgid", String(64)), Column("key", String))
"""The app's own table. It has no primary key: a message that comes twice is there twice."""


class Stand:
    """An app of a provider; `options` are those of its class."""

    def __init__(self, kind: Kind, zone: Zone, url: str, stack: ExitStack, **options: Any) -> None:
        self.zone = zone
        self.corpids: list[str] = zone.client.info()["corps"]
        self.database = create_engine(url)
        quicken(self.database)
        stack.callback(self.database.dispose)
        self._stack = stack
        memory = zone.client.memory
        assert memory is not None
        given: dict[str, Any] = {
            "forgets": [self.forget],
            "tables": TABLES,
            "archiver": OFTEN,
            "policy": QUICK,
            "retries": WITHOUT_PAUSES,
            "base_url": zone.client.url,
            **options,
        }
        self.app: ProviderApp | AsyncProviderApp
        if kind == "wsgi":
            engine = create_engine(url)
            quicken(engine)
            self._keys = given.setdefault("keys", SqlKeyStore(engine))
            self.app = ProviderApp(engine, SETTINGS, store=self._store, transport=memory, **given)
            self.root = self._serve_plain(self.app)
        else:
            async_engine = create_async_engine(async_url(url))
            quicken(async_engine.sync_engine)
            self._keys = given.setdefault("keys", SqlKeyStore(async_engine))
            transport = OnThread(memory)
            self.app = AsyncProviderApp(async_engine, SETTINGS, store=self._store_async, transport=transport, **given)
            outer = Starlette(lifespan=self.app.lifespan)
            outer.mount("/wecom", self.app)
            self.root = stack.enter_context(served(outer)) + "/wecom"

    def _serve_plain(self, app: ProviderApp) -> str:
        def outer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
            environ["SCRIPT_NAME"], environ["PATH_INFO"] = "/wecom", environ["PATH_INFO"].removeprefix("/wecom")
            return app(environ, start_response)

        self._stack.enter_context(app)
        return serve_wsgi(outer, self._stack) + "/wecom"

    def listen(self) -> None:
        """Let WeCom call the app, beginning with a ticket; the corps have removed the app before."""
        for corpid in self.corpids:
            self.admin(corpid).cancel()
        self.zone.client.set_callback(f"{self.root}/callback", SETTINGS.callback_token, AES_KEY)
        self.zone.client.set_command_callback(f"{self.root}/commands", SETTINGS.command_token, AES_KEY)
        self.zone.client.push_ticket()
        wait_until(lambda: self.count("wwspec_suite_tickets"))

    def lose_commands(self) -> None:
        """Let WeCom send commands to where nobody listens."""
        self.zone.client.set_command_callback("http://127.0.0.1:9/", SETTINGS.command_token, AES_KEY)

    def admin(self, corpid: str) -> EmulatorClient:
        return EmulatorClient(self.zone.client.url, self.zone.client.memory, corp=corpid)

    def say(self, corpid: str) -> str:
        """Let somebody of a corp say something, and return the msgid."""
        return self.admin(corpid).say("zhangwei", "您好", to=["helan"])

    def stored(self) -> list[tuple[str, str]]:
        """Return the corp and the msgid of each message that the app has."""
        with self.database.begin() as connection:
            return [(row.corpid, row.msgid) for row in connection.execute(select(MESSAGES))]

    def count(self, table: str, corpid: str = "") -> int:
        """Return how many rows a table has; those of a corp only when one is named."""
        column = "name" if table == "wwspec_cursors" else "corpid"
        where = f" WHERE {column} LIKE '%{corpid}'" if corpid else ""
        where += " AND receiver LIKE '%data'" if table == "wwspec_pending" else ""
        query = text(f"SELECT count(*) FROM {table}{where}")  # noqa: S608 - names
        with self.database.begin() as connection:
            return int(connection.execute(query).scalar_one())

    def status(self, path: str, **options: Any) -> int:
        return httpx.get(self.root + path, trust_env=False, **options).status_code

    def _store(self, page: ArchivePage, connection: Connection) -> None:
        ring = self._keys.ring(page.corpid, connection)
        connection.execute(insert(MESSAGES), [_row(page.corpid, message, ring) for message in page])

    async def _store_async(self, page: ArchivePage, connection: AsyncConnection) -> None:
        ring = await self._keys.ring(page.corpid, connection)
        await connection.execute(insert(MESSAGES), [_row(page.corpid, message, ring) for message in page])

    def forget(self, corpid: str) -> None:
        with self.database.begin() as connection:
            connection.execute(delete(MESSAGES).where(MESSAGES.c.corpid == corpid))


def _row(corpid: str, message: Any, ring: Any) -> Mapping[str, str]:
    return {"corpid": corpid, "msgid": message.msgid, "key": ring.open(message.service_encrypt_info)}
