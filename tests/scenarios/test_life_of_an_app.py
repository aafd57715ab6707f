"""An app of each kind lives 200 days: installed, reminded, ended, renewed, cancelled, authorised again.

Its program runs on three machines, whose disks are wiped in between. Nothing is missing and nothing comes twice of what
the corp has authorised, and each silence has an event or an error.
"""

import math
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from Crypto.PublicKey import RSA
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from tests.client.notify.stand import serve_wsgi
from tests.support.apps import ROOT
from tests.support.provider import PROVIDER, SUITE_ID, Provider
from tests.support.waiting import wait_until
from tests.support.zones import serve_zone
from wwspec_client import KeyRing, NotifyEvent, NotifyReceiver, PlatformError, SuiteApp, ZoneClient
from wwspec_client.sql import SqlCursor, create_tables
from wwspec_client.stores import MemoryPendingStore, Stage
from wwspec_contracts.callbacks import Callback
from wwspec_contracts.events import conversation_new_message
from wwspec_devtools.emulator.http.client import EmulatorClient

DAY = 86400
DAYS = 200
WIPED, ENDS, RENEWED, DEPLOYED, CANCELLED, AGAIN = 45, 90, 95, 120, 140, 150
"""The days on which something happens to the permission, or to the machines: one is new, later all of them, one after
the other. The admin forgets to renew the permission in time."""

TOKEN, AES_KEY = "callback-token", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
REFUSED = {"self": 48002, "custom": 48004, "third": 40084, "external": 40084}
"""How a call is refused after the authorisation was cancelled."""


class CorpApp:
    def __init__(self, emulator: EmulatorClient, kind: str, database: Path, stack: ExitStack) -> None:
        self._emulator, self._kind, self._database, self._stack = emulator, kind, database, stack
        info = emulator.info()
        self.corpid, self._secret, self._program_id = info["corpid"], info["secret"], info["program_id"]
        self.ring = KeyRing({1: RSA.generate(2048).export_key().decode()})
        http = stack.enter_context(httpx.Client(base_url=emulator.url, transport=emulator.memory))
        self._provider = Provider(emulator, http)
        self._ticket = ""
        self.client: ZoneClient | None = None
        self._authorisations = 0
        self._pulling = threading.Lock()
        self.handled = 0
        self.reasons: list[str] = []
        """Why messages may be missing: what an event or an error said, in order."""
        self.faults: list[Exception] = []
        self.store = MemoryPendingStore()
        self._engine = create_engine(f"sqlite:///{database}", poolclass=NullPool)
        with self._engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE messages (msgid TEXT PRIMARY KEY)")
            create_tables(connection)

    def on_command(self, callback: Callback) -> None:
        """Do what a callback of the command URL asks for."""
        try:
            self._follow(callback.fields)
        except Exception as error:
            self.faults.append(error)

    def on_event(self, event: NotifyEvent) -> None:
        match event.data:
            case conversation_new_message.Event(conversation_new_message=new):
                self.pull(new.token)
        self.handled += 1

    def connect(self, permanent_code: str) -> None:
        tokens: dict[str, Any] = {"corpid": self.corpid, "secret": permanent_code or self._secret}
        if self._kind in ("third", "external"):
            info = self._emulator.info()
            suite = SuiteApp(SUITE_ID, info["suite_secret"], lambda: self._ticket, self.corpid, permanent_code)
            tokens = {"tokens": suite}
        here: dict[str, Any] = {"base_url": self._emulator.url, "transport": self._emulator.memory}
        self.client = self._stack.enter_context(ZoneClient(**tokens, program_id=self._program_id, **here))
        self._authorisations += 1

    def begin(self) -> None:
        """Do what is due after each authorisation and each grant."""
        assert self.client is not None
        if self._kind != "self":  # its admin has entered the key in the console
            self.client.set_public_key(self.ring.public_key(), self.ring.latest)
        self.client.set_receive_callback()

    def check_permission(self) -> None:
        try:
            assert self.client is not None
            self.client.get_auth_user_list(limit=1)
        except PlatformError as error:
            self.reasons.append(str(error.errcode))

    def pull(self, token: str = "") -> None:
        assert self.client is not None
        with self._pulling, self._engine.connect() as connection:
            cursor = SqlCursor(connection, name=f"{self.corpid} {self._authorisations}")
            gap = lambda error: self.reasons.append("gap")  # noqa: E731
            for page in self.client.messages(cursor, token=token, on_gap=gap):
                with connection.begin():
                    for message in page:
                        assert self.ring.open(message.service_encrypt_info)
                        insert = "INSERT INTO messages VALUES (?)"  # twice is an error
                        connection.exec_driver_sql(insert, (message.msgid,))
                    page.keep()

    def stored(self) -> set[str]:
        with closing(sqlite3.connect(self._database)) as connection:
            return {msgid for (msgid,) in connection.execute("SELECT msgid FROM messages")}

    def wait_done(self, notifications: int) -> None:
        wait_until(lambda: not self.store.due(Stage.RECEIVED, math.inf, 1))
        wait_until(lambda: self.handled >= notifications or self.faults)
        assert not self.faults, self.faults

    def _follow(self, fields: Any) -> None:
        match fields["InfoType"]:
            case "suite_ticket":
                self._ticket = fields["SuiteTicket"]
            case "create_auth":
                answer = self._provider.call("v2/get_permanent_code", auth_code=fields["AuthCode"])
                self.connect(answer["permanent_code"])
            case "auth_data_permission" if fields["AuthType"] == "data_zone_chat":
                self.begin()
                self.pull()
            case "auth_data_permission":
                pass
            case reason:
                self.reasons.append(reason)


@contextmanager
def served(app: CorpApp) -> Iterator[str]:
    ids = (SUITE_ID, PROVIDER, app.corpid)

    def client(notification: object) -> ZoneClient:
        assert app.client is not None
        return app.client

    with (
        NotifyReceiver(
            client,
            app.on_event,
            token=TOKEN,
            encoding_aes_key=AES_KEY,
            receive_id=ids,
            on_other=app.on_command,
            store=app.store,
            on_failed=lambda pending: app.faults.append(AssertionError(pending)),
        ) as receiver,
        ExitStack() as stack,
    ):
        yield f"{serve_wsgi(receiver, stack)}/"


class TwoHundredDays:
    """The zone, the app, and what was said on which day."""

    def __init__(self, emulator: EmulatorClient, app: CorpApp, kind: str) -> None:
        self._emulator, self._app, self._kind = emulator, app, kind
        self.said: dict[int, list[str]] = {}
        self._notified = 0

    def authorize(self) -> None:
        """Let the corp authorise the app; the admin of a self-built one enters the key, and starts the app."""
        self._emulator.authorize()
        self._wait_done()
        if self._kind == "self":
            self._emulator.set_public_key(self._app.ring.public_key(), 1)
            self._app.connect("")
            self._app.begin()
            self._app.pull()

    def live(self, first: int, last: int) -> None:
        """Live some days: people talk on every third day and on the last, and the app looks once a day."""
        for day in range(first, last):
            self.said[day] = self._talk(day) if (day - first) % 3 == 0 or day == last - 1 else []
            self._app.check_permission()
            self._emulator.advance(DAY)
            self._wait_done()

    def _talk(self, day: int) -> list[str]:
        said = [
            self._emulator.say("zhangwei", f"第 {day} 天", to=["wangfang"]),
            self._emulator.say("wangfang", "好的", to=["zhangwei"]),
        ]
        self._wait_done()
        return said

    def days(self, *ranges: tuple[int, int]) -> set[str]:
        return {each for first, last in ranges for day in range(first, last) for each in self.said[day]}

    def _wait_done(self) -> None:
        wait_until(lambda: not self._emulator.wait_idle())
        _, self._notified = self._emulator.notifications_after(self._notified)
        self._app.wait_done(self._notified)


@pytest.mark.slow  # 200 days, and two messages on every third
@pytest.mark.parametrize("kind", ["self", "custom", "third", "external"])
def test_an_app_lives_two_hundred_days_and_every_silence_has_a_reason(kind: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        emulate = ["--app-type", kind, "--clock-start", "1750000000", "--messages", "20"]
        zone = stack.enter_context(serve_zone(ROOT, emulate=emulate, machines=3))
        emulator = zone.client
        emulator.cancel()  # nobody has installed the app yet
        app = CorpApp(emulator, kind, tmp_path / "app.db", stack)
        url = stack.enter_context(served(app))
        emulator.set_callback(url, TOKEN, AES_KEY)
        emulator.set_command_callback(url, TOKEN, AES_KEY)
        emulator.push_ticket()
        life = TwoHundredDays(emulator, app, kind)
        life.authorize()
        ends = ENDS if kind != "self" else RENEWED
        life.live(0, WIPED)
        emulator.machines.wipe(2)
        life.live(WIPED, ENDS)
        if kind != "self":
            assert [each for each in app.reasons if each.startswith("expire")] == [
                *["expire_remind_data_permission"] * 3,
                *["expire_data_permission"] * 3,
            ], "each of the three permissions is reminded of, and ends"
        life.live(ENDS, RENEWED)
        if kind != "self":
            assert app.reasons.count("710726") == RENEWED - ENDS, "each day without permission is an error"
            emulator.renew()
        life.live(RENEWED, DEPLOYED)
        emulator.machines.deploy()
        life.live(DEPLOYED, CANCELLED)
        known = len(app.reasons)
        emulator.cancel()
        life.live(CANCELLED, AGAIN)
        refused = [str(REFUSED[kind])] * (AGAIN - CANCELLED)
        assert app.reasons[known:] == ([] if kind == "self" else ["cancel_auth"]) + refused
        life.authorize()
        life.live(AGAIN, DAYS)
        rights = life.days((0, ends), (RENEWED, CANCELLED), (AGAIN, DAYS))
        stored = app.stored()
        assert rights <= stored
        assert not stored & life.days((CANCELLED, AGAIN)), "what was said without authorisation is not the app's"
        assert stored - rights <= life.days((ends, RENEWED)), "the rest is of the days that had an event and errors"
