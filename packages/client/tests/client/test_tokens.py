"""Access tokens: fetched once when many need one, renewed once when WeCom refuses one, from any source."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.client.conftest import QUICK, asked
from tests.client.scripted import Script, answer, async_client_of, client_of, scripted
from tests.support.emulator import SealedProgram, serving
from wwspec_client import AppSecret, AsyncZoneClient, PlatformError, RetryPolicy, SuiteApp, ZoneClient
from wwspec_client.stores import Token
from wwspec_devtools.emulator.http.app import create_app
from wwspec_devtools.emulator.settings import EmulatorSettings
from wwspec_devtools.testing.stores.rig import together
from wwspec_devtools.testing.zone import Zone


@pytest.mark.parametrize("errcode", [40014, 42001])
def test_a_token_that_is_refused_again_is_an_error(zone: Zone, app: ZoneClient, errcode: int) -> None:
    zone.client.add_fault("app", "errcode", "get_log_level", errcode)
    with pytest.raises(PlatformError, match=str(errcode)):
        app.get_log_level()
    assert len(asked(zone, "get_log_level", "app")) == 2


class Crowd:
    """An emulator on a socket: who has been connected to it, and how many of them had a request at once at most.

    On a machine that stands still for seconds, idle connections end and others take their place. So there may be more
    peers than connections at once.
    """

    def __init__(self, program: SealedProgram) -> None:
        self.app = create_app(EmulatorSettings(messages=10, program_url=program.url))
        self.state = self.app.state
        self.settings = self.state.platform.settings
        self.peers: set[tuple[str, int]] = set()
        self.waiting: list[tuple[str, int]] = []
        self.most_at_once = 0
        program.key = self.app.state.platform.world.zone_key
        self.url = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app: ASGIApp = self.app
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        peer = tuple(scope["client"])
        self.peers.add(peer)
        self.waiting.append(peer)
        self.most_at_once = max(self.most_at_once, len(set(self.waiting)))
        try:
            await app(scope, receive, send)
        finally:
            self.waiting.remove(peer)

    def options(self) -> dict[str, Any]:
        names = ("corpid", "secret", "program_id")
        return {"base_url": self.url, "connections": 16, **{name: getattr(self.settings, name) for name in names}}

    def tokens(self) -> int:
        entries = self.app.state.platform.world.traffic.kept_entries()
        return sum(entry.name == "gettoken" for entry in entries)


@contextmanager
def crowd(program: SealedProgram) -> Iterator[Crowd]:
    found = Crowd(program)
    with serving(found) as found.url:  # type: ignore[arg-type]  # as good as a Starlette
        yield found


def test_one_client_for_64_threads_fetches_one_token_and_keeps_to_its_connections(program: SealedProgram) -> None:
    with crowd(program) as found, ZoneClient(**found.options()) as client:
        assert together(lambda number: client.call("echo", {"number": number})["number"], 64) == list(range(64))
        assert (found.tokens(), found.most_at_once <= 16, len(found.peers) < 32) == (1, True, True)


async def test_one_client_for_64_tasks_fetches_one_token_and_keeps_to_its_connections(program: SealedProgram) -> None:
    numbers: list[int] = []
    with crowd(program) as found:
        async with AsyncZoneClient(**found.options()) as client:

            async def call(number: int) -> None:
                numbers.append((await client.call("echo", {"number": number}))["number"])

            async def call_at_once(count: int) -> None:
                async with anyio.create_task_group() as tasks:
                    for number in range(count):
                        tasks.start_soon(call, number)

            await call_at_once(64)
            assert sorted(numbers) == list(range(64))
            assert (found.tokens(), found.most_at_once <= 16, len(found.peers) < 32) == (1, True, True)
            found.app.state.platform.advance(7200)
            await call_at_once(32)
            assert found.tokens() == 2


async def test_those_who_wait_for_a_token_share_the_failure_to_fetch_it() -> None:
    go = anyio.Event()
    asked: list[str] = []
    failed: list[str] = []

    async def no_token() -> str:
        asked.append("once")
        await go.wait()
        raise ConnectionError("the token server is down")

    async def call(client: AsyncZoneClient) -> None:
        with pytest.raises(ConnectionError) as caught:
            await client.get_log_level()
        failed.append(str(caught.value))

    async with async_client_of(tokens=no_token) as client:
        for wave in (1, 2):
            async with anyio.create_task_group() as tasks:
                for _ in range(8):
                    tasks.start_soon(call, client)
                await anyio.wait_all_tasks_blocked()
                go.set()
            assert failed == ["the token server is down"] * 8 * wave
            assert len(asked) == wave, "the next ones ask again"
            go = anyio.Event()


async def test_a_task_that_is_cancelled_while_it_fetches_the_token_leaves_it_to_the_next() -> None:
    asked: list[str] = []

    async def slow_at_first() -> str:
        asked.append("again")
        if len(asked) == 1:
            await anyio.sleep_forever()
        return "token"

    async with async_client_of(answer(log_level=3), tokens=slow_at_first) as client:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.get_log_level)
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()
        assert await client.get_log_level() == 3


def test_a_function_gives_tokens_and_is_asked_again_when_one_is_refused() -> None:
    """A renewal needs no attempt of the retries."""
    given = iter(["first", "second", "third"])
    script = Script([answer(log_level=1), answer(40014), answer(log_level=1)])
    with client_of(transport=script, tokens=lambda: next(given), retries=RetryPolicy(attempts=1)) as client:
        for _ in range(3):
            client.get_log_level()
    assert [each.url.params["access_token"] for each in script.requests] == ["first", "first", "second", "second"]


def test_a_token_that_expires_soon_is_not_used_again() -> None:
    given = iter([Token("first", expires_in=0), Token("second", expires_in=7200)])
    with scripted(answer(log_level=1), tokens=lambda: next(given)) as (client, script):
        for _ in range(3):
            client.get_log_level()
    assert [each.url.params["access_token"] for each in script.requests] == ["first", "second", "second"]
    assert "first" not in repr(Token("first"))


async def test_an_async_function_gives_tokens_on_an_event_loop_and_a_plain_one_on_a_thread(zone: Zone) -> None:
    threads: list[str] = []

    async def later() -> str:
        await anyio.lowlevel.checkpoint()
        with zone.app_client() as client:
            return client.access_token()

    def on_a_thread() -> str:
        threads.append(threading.current_thread().name)
        return "plain"

    script = Script([answer(log_level=2)])
    for source in (later, on_a_thread, lambda: later()):
        async with async_client_of(script=script, tokens=source) as client:
            assert await client.get_log_level() == 2
    first, plain, third = (each.url.params["access_token"] for each in script.requests)
    assert (bool(first), plain, third) == (True, "plain", first)
    assert threads != [threading.current_thread().name]
    assert len(threads) == 1


def test_a_third_party_app_calls_in_the_name_of_a_corp_that_installed_it(zone: Zone) -> None:
    tickets: list[str] = []

    def ticket() -> str:
        tickets.append("asked")
        return "emulator-suite-ticket"

    corpid = zone.client.info()["corpid"]
    source = SuiteApp("emulator-suite", "emulator-suite-secret", ticket, corpid, "emulator-permanent-code")
    with zone.app_client(tokens=source, retries=QUICK) as client:
        assert client.call("chat_digest", {"limit": 2})["messages"] == 2
        zone.advance(7200)
        assert client.call("chat_digest", {"limit": 2})["messages"] == 2
    assert len(tickets) == 2, "the suite's token expires with that of the corp"
    assert len(asked(zone, "get_suite_token", "app")) == 2


def test_the_secret_of_an_app_is_not_shown() -> None:
    assert repr(AppSecret("corp", "s3cret")) == "AppSecret(corpid='corp')"
    assert "s3cret" not in repr(SuiteApp("suite", "s3cret", "ticket", "corp", "code"))
