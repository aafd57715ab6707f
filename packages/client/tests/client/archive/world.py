"""Corps of an emulator, an app's database, and both archivers behind one interface."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import Any, Literal, Self

import httpx
import msgspec
from anyio.from_thread import start_blocking_portal
from sqlalchemy import Column, Connection, MetaData, String, Table, create_engine, insert, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from tests.client.conftest import QUICK
from tests.client.notify.stand import OnThread
from wwspec_client import AsyncZoneClient, Notification, NotifyEvent, ZoneClient
from wwspec_client.archive import ArchivePage, Archiver, ArchiveStatus, AsyncArchiver
from wwspec_client.sql import create_tables
from wwspec_contracts.backoff import Backoff
from wwspec_contracts.events import conversation_new_message
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.testing.zone import Zone

Kind = Literal["threads", "loop"]
KINDS: Sequence[Kind] = ("threads", "loop")

TABLES = MetaData()
MESSAGES = Table("messages", TABLES, Column("corpid", String(64)), Column("msgid", String(64)))
"""Of the app. Without a key: a message that comes twice is there twice."""


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class CrashError(BaseException):
    """What ends a machine in the middle of its work, as a kill does."""


class Watched(httpx.BaseTransport):
    """Calls a function before each call of the program."""

    def __init__(self, transport: httpx.BaseTransport, on_call: Callable[[], object]) -> None:
        self._transport = transport
        self._on_call = on_call

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/sync_call_program"):
            self._on_call()
        return self._transport.handle_request(request)


class Tenants:
    """The corps of a zone: their people, their clients and their events."""

    def __init__(self, zone: Zone) -> None:
        self.zone = zone
        self.corpids: list[str] = zone.client.info()["corps"]
        self._controls = {each: EmulatorClient(zone.client.url, zone.client.memory, corp=each) for each in self.corpids}
        self.refused: set[str] = set()
        """Corps that the app has no client for."""
        self.on_call: Callable[[], object] = lambda: None
        """Called when WeCom is asked for a page, before it answers."""
        self.on_client: Callable[[], object] = lambda: None
        """Called when the client of a corp is asked for."""
        assert zone.client.memory is not None
        self._transport = Watched(zone.client.memory, lambda: self.on_call())

    def client(self, corpid: str) -> ZoneClient:
        return ZoneClient(**self._arguments(corpid), transport=self._transport)

    def async_client(self, corpid: str) -> AsyncZoneClient:
        return AsyncZoneClient(**self._arguments(corpid), transport=OnThread(self._transport))

    def _arguments(self, corpid: str) -> dict[str, Any]:
        self.on_client()
        if corpid in self.refused:
            raise LookupError(f"no installation at {corpid}")
        info = self._controls[corpid].info()
        program = {"program_id": info["program_id"], "base_url": self.zone.client.url}
        return {"corpid": corpid, "secret": info["secret"], "retries": QUICK, **program}

    def say(self, corpid: str, count: int = 1) -> None:
        for number in range(count):
            self._controls[corpid].say("zhangwei", f"message {number}", to=["helan"])

    @staticmethod
    def event(corpid: str, token: str = "", timestamp: int = 1_800_000_000) -> NotifyEvent:
        kind = "conversation_new_message"
        raw = {"event_type": kind, "timestamp": timestamp, kind: {"token": token}}
        notification = Notification(corpid=corpid, notify_id="n")
        data = msgspec.convert(raw, conversation_new_message.Event)
        return NotifyEvent(
            notification=notification, event_type=kind, timestamp=timestamp, data=data, raw=raw, attempt=1
        )


class Machine:
    """An archiver of either kind, with a loop of its own where it needs one. A context manager.

    `tenants` has `corpids`, `client` and `async_client`.
    """

    def __init__(self, kind: Kind, url: str, tenants: Any, *, clock: Callable[[], float], **options: Any) -> None:
        self._stack = ExitStack()
        self.stored: list[tuple[str, int]] = []
        """Each page that was handed to the app: the corp and its messages."""
        self.on_store: Callable[[ArchivePage], object] = lambda page: None
        """Called after the rows of a page are inserted."""
        self.commits = False
        """Whether the app wrongly commits."""
        given = {"corps": tenants.corpids, "pauses": Backoff(8.0, 64.0), "clock": clock, **options}
        self.archiver: Archiver | AsyncArchiver
        if kind == "threads":
            engine = create_engine(url)
            self._stack.callback(engine.dispose)
            self.archiver = Archiver(tenants.client, engine, self._store, **given)
            self.call: Callable[..., Any] = lambda method, *args: method(*args)
        else:
            self._portal = self._stack.enter_context(start_blocking_portal("asyncio"))
            async_engine = create_async_engine(async_url(url), poolclass=NullPool)
            self.archiver = AsyncArchiver(tenants.async_client, async_engine, self._store_async, **given)
            self.call = self._portal.call

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run_due(self) -> int:
        return int(self.call(self.archiver.run_due))

    def on_event(self, event: NotifyEvent) -> bool:
        return bool(self.call(self.archiver.on_event, event))

    def pull_soon(self, corpid: str) -> None:
        self.call(self.archiver.pull_soon, corpid)

    def forget(self, corpid: str) -> None:
        self.call(self.archiver.forget, corpid)

    def status(self) -> dict[str, ArchiveStatus]:
        return {each.corpid: each for each in self.call(self.archiver.status)}

    def start(self) -> "Future[None]":
        """Call `run()`, and return its end."""
        if isinstance(self.archiver, AsyncArchiver):
            return self._portal.start_task_soon(self._run)
        pool = self._stack.enter_context(ThreadPoolExecutor(1))
        self._stack.callback(self.archiver.stop)
        return pool.submit(self.archiver.run)

    def stop(self) -> None:
        """Let `run()` end; call it within `on_store`."""
        self.archiver.stop()

    def cancel(self) -> None:
        """Cancel the task of `run()`; call it within `on_store`. A thread can only be stopped."""
        if isinstance(self.archiver, AsyncArchiver):
            self._task.cancel()
        else:
            self.archiver.stop()

    async def _run(self) -> None:
        assert isinstance(self.archiver, AsyncArchiver)
        self._task = asyncio.create_task(self.archiver.run())
        self._stack.callback(self._portal.call, self.archiver.stop)
        with suppress(asyncio.CancelledError):
            await self._task

    def _store(self, page: ArchivePage, transaction: Connection) -> None:
        self.stored.append((page.corpid, len(page)))
        transaction.execute(insert(MESSAGES), _rows(page))
        self.on_store(page)
        if self.commits:
            transaction.commit()

    async def _store_async(self, page: ArchivePage, transaction: AsyncConnection) -> None:
        self.stored.append((page.corpid, len(page)))
        await transaction.execute(insert(MESSAGES), _rows(page))
        self.on_store(page)
        if self.commits:
            await transaction.commit()


def _rows(page: ArchivePage) -> list[dict[str, str]]:
    return [{"corpid": page.corpid, "msgid": message.msgid} for message in page]


def async_url(url: str) -> str:
    """Return the URL for the driver for an event loop; that of PostgreSQL is both."""
    return url.replace("sqlite:", "sqlite+aiosqlite:").replace("mysql+pymysql:", "mysql+aiomysql:")


def made_tables(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        create_tables(connection)
        TABLES.create_all(connection)
    engine.dispose()


def archived(url: str) -> list[tuple[str, str]]:
    """Return corp and msgid of each message in the database."""
    return [(row.corpid, row.msgid) for row in rows(url, "messages")]


def rows(url: str, *tables: str) -> list[Any]:
    engine = create_engine(url)
    with engine.begin() as connection:
        found = [row for table in tables for row in connection.execute(text(f"SELECT * FROM {table}"))]  # noqa: S608 - names
    engine.dispose()
    return found


class Rig(Tenants):
    """Machines of one kind for the corps of a zone, with one database and one clock."""

    def __init__(self, zone: Zone, kind: Kind, url: str, stack: ExitStack) -> None:
        super().__init__(zone)
        self.url = url
        self.clock = Clock()
        self._kind = kind
        self._stack = stack

    def start(self, **options: Any) -> Machine:
        return self._stack.enter_context(Machine(self._kind, self.url, self, clock=self.clock, **options))

    def stored(self) -> int:
        """Return how many messages the app has stored, none of them twice."""
        found = archived(self.url)
        assert len(found) == len(set(found))
        return len(found)
