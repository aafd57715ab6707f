"""Both suites behind one interface, at a command URL of their own, with a real emulator as WeCom."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from typing import Any, Literal

import httpx
from starlette.applications import Starlette
from starlette.routing import Route

from tests.client.notify.stand import ONCE, QUICK, serve_wsgi
from tests.support.emulator import Emulator, served
from tests.support.provider import AES_KEY, PROVIDER, SUITE_ID, TOKEN
from tests.support.waiting import DEADLINE, wait_until
from wwspec_client import AsyncSuite, AsyncZoneClient, Suite, SuiteEvent, ZoneClient
from wwspec_client.stores import Installation, MemoryInstallationStore, Token
from wwspec_contracts.callbacks import CallbackCrypto, write_xml
from wwspec_contracts.errors import StoreError
from wwspec_contracts.support.certificates import trusted
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.settings import EmulatorSettings

Kind = Literal["wsgi", "asgi"]
CALLBACK = {"token": TOKEN, "encoding_aes_key": AES_KEY, "provider_corpid": PROVIDER}


class Stand:
    """An emulator with corps that the suite does not know yet, and an app of a provider that they install.

    The commands of an `emulator` that is there already go on to where they go. `options` are those of the suite.
    """

    def __init__(
        self,
        kind: Kind,
        stack: ExitStack,
        app_type: Literal["third", "custom"] = "third",
        corps: int = 1,
        emulator: Emulator | None = None,
        **options: Any,
    ) -> None:
        self.kind = kind
        self._stack = stack
        self.store: Any = options.setdefault("installations", MemoryInstallationStore())
        self.events: list[SuiteEvent] = []
        self.failed: list[Any] = []
        self.emulator = emulator or Emulator(EmulatorSettings(messages=20, app_type=app_type, corps=corps), stack)
        self.control = stack.enter_context(EmulatorClient(self.emulator.url))
        info = self.control.info()
        self.secret: str = info["suite_secret"]
        self.options: dict[str, Any] = {
            "kind": "third-party" if app_type == "third" else "custom-developed",
            **CALLBACK,
            "policy": QUICK,
            "on_event": self.events.append,
            "on_failed": self.failed.append,
            "program_id": info["program_id"],
            "base_url": self.emulator.url,
            "retries": ONCE,
            **options,
        }
        self.suite: Suite | AsyncSuite
        self._loop: asyncio.AbstractEventLoop
        self.url = self._serve_plain() if kind == "wsgi" else self._serve_async()

    def _serve_plain(self) -> str:
        suite = self.suite = Suite(SUITE_ID, self.secret, **self.options)
        self._stack.enter_context(suite)
        return serve_wsgi(suite.commands, self._stack) + "/commands"

    def _serve_async(self) -> str:
        suite = self.suite = AsyncSuite(SUITE_ID, self.secret, **self.options)

        @asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncIterator[None]:
            self._loop = asyncio.get_running_loop()
            async with suite:
                yield

        app = Starlette(routes=[Route("/commands", suite.commands)], lifespan=lifespan)
        return self._stack.enter_context(served(app)) + "/commands"

    def listen(self) -> None:
        """Let the emulator send its commands here, beginning with a ticket."""
        self.control.set_command_callback(self.url, TOKEN, AES_KEY)
        self.control.push_ticket()
        wait_until(lambda: self.store.ticket(SUITE_ID))
        if self.options["on_event"] == self.events.append:
            self.seen(1)

    def other_machine(self, **options: Any) -> "Stand":
        """Return another machine of the app, which has the same store."""
        return Stand(self.kind, self._stack, emulator=self.emulator, **{"installations": self.store, **options})

    def lose_commands(self) -> None:
        """Let the emulator send its commands to where nobody listens."""
        self.control.set_command_callback("http://127.0.0.1:9/", TOKEN, AES_KEY)

    def corp(self, number: int = 0) -> "Corp":
        """Return a corp, its admin and its app."""
        return Corp(self, list(self.emulator.platform.world.suite.apps)[number], self._stack)

    def do(self, act: Callable[[Any], Any]) -> Any:
        """Call a method of the suite, or of a client of it."""
        if self.kind == "wsgi":
            return act(self.suite)

        async def run() -> Any:
            found = act(self.suite)
            return await found if hasattr(found, "__await__") else found

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(DEADLINE)

    def forget(self, corpid: str) -> None:
        self.do(lambda suite: suite.forget(corpid))

    def send(
        self, info_type: str, *, at: float | None = None, receiver: str = SUITE_ID, **fields: str | int
    ) -> httpx.Response:
        """Send a command as WeCom does; `at` is its TimeStamp."""
        now = time.time()
        inner = {"SuiteId": SUITE_ID, "InfoType": info_type, "TimeStamp": int(now if at is None else at), **fields}
        crypto = CallbackCrypto(TOKEN, AES_KEY, receiver)
        encrypted = crypto.encrypt(write_xml(inner))
        body = write_xml({"ToUserName": SUITE_ID, "AgentID": "", "Encrypt": encrypted})
        query = crypto.query(int(now), encrypted)
        return httpx.post(self.url, params=query, content=body.encode(), verify=trusted(), timeout=DEADLINE)

    def asked(self, api: str) -> int:
        return sum(entry.name == api for entry in self.emulator.platform.world.traffic.kept_entries())

    def seen(self, count: int, kind: type[SuiteEvent] = SuiteEvent) -> list[SuiteEvent]:
        """Wait until the app has got so many events of a class, and return them."""
        wait_until(lambda: sum(isinstance(each, kind) for each in self.events) >= count)
        found = [each for each in self.events if isinstance(each, kind)]
        assert len(found) == count
        return found


class Corp:
    """A corp: its admin, what the app does there, and what the app has stored."""

    def __init__(self, stand: Stand, corpid: str, stack: ExitStack) -> None:
        self.stand = stand
        self.corpid = corpid
        self.admin = stack.enter_context(EmulatorClient(stand.emulator.url, corp=corpid))

    def call(self) -> int:
        """Let the app call an API for the corp, and return what it answers."""
        return int(self.stand.do(lambda suite: self._client(suite).get_log_level()))

    def access_token(self) -> str:
        return str(self.stand.do(lambda suite: self._client(suite).access_token()))

    def _client(self, suite: Any) -> Any:
        client: ZoneClient | AsyncZoneClient = suite.corp(self.corpid)
        return client

    def send(self, info_type: str, at: float, **fields: str) -> None:
        """Let the app get a command, and wait until it is handled."""
        before = len(self.stand.events)
        assert self.stand.send(info_type, at=at, AuthCorpId=self.corpid, **fields).text == "success"
        assert self.stand.send("enter_agent").text == "success"
        wait_until(lambda: any(each.info_type == "enter_agent" for each in self.stand.events[before:]))

    def code(self) -> str:
        """Let the admin install the app by a link, and return the auth_code of the redirect."""
        platform = self.stand.emulator.platform
        world = platform.world
        with world.lock:
            app = world.suite.apps[self.corpid]
            return world.suite.issue_auth_code(app, "", platform.clock.now(), world.ids)

    def install(self) -> Installation:
        """Let the admin install the app by a link, and the app take the code."""
        return self.exchange(self.code())

    def exchange(self, code: str) -> Installation:
        found: Installation = self.stand.do(lambda suite: suite.install(code))
        return found

    def reinstall(self) -> str:
        """Let the admin remove the app and install it again by a link; return the auth_code of the redirect."""
        self.admin.cancel()
        return str(self.admin.authorize([], with_callback=False)["auth_code"])

    @property
    def stored(self) -> Installation | None:
        found: Installation | None = self.stand.store.find(SUITE_ID, self.corpid)
        return found


class Down(MemoryInstallationStore):
    is_down = False

    def replace(self, old: Any, new: Any) -> bool:
        if self.is_down:
            raise StoreError("the database is down")
        return super().replace(old, new)


class Data:
    """The app's own data of corps; deleting it may fail."""

    def __init__(self) -> None:
        self.rows: list[str] = []
        self.calls: list[str] = []
        self.failures = 0

    def forget(self, corpid: str) -> None:
        self.calls.append(corpid)
        if self.failures:
            self.failures -= 1
            raise ConnectionError("the app's database is down")
        self.rows = [row for row in self.rows if row != corpid]


class Shared:
    """Tokens that machines share, as a table has them."""

    def __init__(self) -> None:
        self.rows: dict[str, Token] = {}
        self.then: Callable[[], object] | None = None
        """Called once, just before a token is stored."""

    def load(self, name: str) -> Token | None:
        return self.rows.get(name)

    def save(self, name: str, token: Token) -> None:
        then, self.then = self.then, None
        if then is not None:
            then()
        self.rows[name] = token

    def forget(self, name: str) -> bool:
        return self.rows.pop(name, None) is not None
