"""The code of the pages for the enterprise app, `app/*.py`, does what the pages say."""

import asyncio
import base64
import importlib
import json
import math
import sqlite3
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from msgspec.structs import asdict
from sqlalchemy import create_engine, func, select
from sqlalchemy.ext.asyncio import create_async_engine

from scripts.website.pages import DOCS, LANGUAGES
from tests.support.apps import ROOT
from tests.support.emulator import http_server, served
from tests.support.pages import blocks_of_page
from tests.support.rsa_keys import new_rsa_key
from tests.support.waiting import wait_until
from tests.support.zones import app_of, serve_zone
from wwspec_client import AsyncZoneClient, Callbacks, KeyRing, NotifyEvent, NotifyPolicy, NotifyReceiver, ZoneClient
from wwspec_client.models import HttpAnswer
from wwspec_client.sql import SqlCursor, create_tables
from wwspec_contracts import sync_msg
from wwspec_contracts.errcodes import ERRCODES
from wwspec_devtools.scaffold.project import project_files
from wwspec_devtools.testing.zone import Zone

pytestmark = pytest.mark.nightly  # served zones; due when the page changes. The packages' own tests prove the same

TOKEN, AES_KEY = "callback-token", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
CALLBACK: dict[str, Any] = {"token": TOKEN, "encoding_aes_key": AES_KEY}

Load = Callable[[str], ModuleType]


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Load]:
    """A function that imports a file of the pages."""
    folder = tmp_path_factory.mktemp("pages")
    for page in sorted((DOCS / "en" / "app").glob("*.md")):
        for block in blocks_of_page(page):
            if block.text.startswith("# app/"):
                block.write(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        for name in [name for name in sys.modules if name.partition(".")[0] == "app"]:
            patch.delitem(sys.modules, name)
        yield lambda name: importlib.import_module(f"app.{name}")
        for name in [name for name in sys.modules if name.partition(".")[0] == "app"]:
            del sys.modules[name]


@pytest.fixture(scope="module")
def zone(reference_zone: Zone) -> Zone:
    return reference_zone


@pytest.fixture(scope="module")
def ring(zone: Zone) -> KeyRing:
    """The keys of the zone's app."""
    ring = KeyRing({1: new_rsa_key().export_key().decode()})
    with zone.app_client() as client:
        client.ensure_public_key(ring)
    return ring


def token_of(zone: Zone) -> str:
    """Return a token with which messages may be pulled."""
    return str(zone.fire("conversation_new_message")["event"]["conversation_new_message"]["token"])


def test_an_app_counts_the_same_messages_in_each_way(load: Load, zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in app_of(zone).items():
        monkeypatch.setenv(name, value)
    with load("digest").connect() as client:
        assert load("digest").digest(client) == [200] * 4


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ({"messages": 5}, "5 messages"),
        ({"errcode": 9001, "errmsg": "at $.limit"}, "please correct it: at $.limit"),
        ({"errcode": 9002, "errmsg": "too late"}, "please try again later"),
        ({"errcode": 9003, "errmsg": "failed, 1f"}, "please report this: failed, 1f"),
    ],
)
def test_an_app_says_what_to_do_about_each_failure(load: Load, reply: dict[str, object], said: str) -> None:
    answer = {"errcode": 0, "access_token": "token", "expires_in": 7200, "response_data": json.dumps(reply)}
    wecom = httpx.MockTransport(lambda request: httpx.Response(200, json=answer))
    failures = load("failures")
    with ZoneClient("corp", "secret", program_id="p", transport=wecom, errcodes=failures.ERRCODES) as client:
        assert failures.digest(client, 5) == said


def test_the_pages_show_the_numbers_of_a_new_program_which_are_not_wecoms(load: Load) -> None:
    new = tomllib.loads(project_files("shop")["abilities/registry.toml"])["program"]
    errcodes = asdict(load("failures").ERRCODES)
    apart = {key: number for key, number in errcodes.items() if new.get(key) == number}
    assert len(apart) == 4
    assert not {*apart.values()} & {*ERRCODES}
    shown = "".join(f"{key} = {number}\n" for key, number in apart.items())
    for language in LANGUAGES:
        assert shown in (DOCS / language / "reference" / "registry.md").read_text("utf-8")


def test_an_order_that_is_repeated_makes_one_rule(load: Load, zone: Zone) -> None:
    with zone.app_client() as client:
        assert len({load("orders").watch(client, "order-of-a-page", "contract") for _ in range(2)}) == 1
    assert sum(each["name"] == "create_rule" for each in zone.client.traffic(kind="sdk")) == 1


def test_each_message_is_in_the_database_once_also_when_the_cursor_is_lost(
    load: Load, zone: Zone, tmp_path: Path
) -> None:
    cursor, connection = tmp_path / "messages.cursor", sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE messages (msgid TEXT PRIMARY KEY, send_time INTEGER)")
    token = token_of(zone)
    with zone.app_client() as client:
        load("pull").pull(client, connection, cursor, token)
        zone.client.say("zhangwei", "你好", to=["helan"])
        load("pull").pull(client, connection, cursor, token)
        cursor.unlink()
        load("pull").pull(client, connection, cursor, token)
    assert connection.execute("SELECT count(*) FROM messages").fetchone() == (zone.client.info()["messages"],)
    connection.close()


def test_a_key_that_does_not_open_is_none(load: Load, zone: Zone, ring: KeyRing) -> None:
    with zone.app_client() as client:
        [message] = client.call(sync_msg.Request(limit=1)).msg_list
    assert len(load("keys").opened(ring, message)) == 32
    assert load("keys").opened(KeyRing({}), message) is None


def test_the_page_gets_the_member_the_signatures_and_the_messages(load: Load, zone: Zone, ring: KeyRing) -> None:
    url = "https://app.example.com/inbox"
    link = {"appid": zone.client.info()["corpid"], "redirect_uri": url, "response_type": "code", "scope": "snsapi_base"}
    login = httpx.get(
        f"{zone.client.url}/connect/oauth2/authorize", params={**link, "emulator_person": "lina"}, trust_env=False
    )
    with zone.app_client() as client:
        code = parse_qs(urlsplit(login.headers["location"]).query)["code"][0]
        assert load("inbox").member_of(client, code) == "lina"
        page = load("inbox").inbox(client, ring, url)
    assert b'"agentConfig":{"timestamp":' in page
    assert page.count(b'"secret_key":') == 10


def test_the_app_of_the_page_receives_events(
    load: Load, zone: Zone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    keys = {"WWSPEC_CALLBACK_TOKEN": TOKEN, "WWSPEC_ENCODING_AES_KEY": AES_KEY}
    for name, value in {**app_of(zone), **keys}.items():
        monkeypatch.setenv(name, value)
    notified = load("notified")
    with served(notified.app) as url:
        zone.client.set_callback(f"{url}/wecom", TOKEN, AES_KEY)
        assert zone.client.verify_callback()
        zone.fire("hit_keyword")
        wait_until(lambda: notified.seen == ["a keyword was hit"])
    zone.client.restore_callback()


@contextmanager
def callbacks_to(zone: Zone, answer: Callable[[str, str, bytes], HttpAnswer]) -> Iterator[None]:
    """Let WeCom verify a function as the app's callback URL, and call it."""

    def answered(method: str, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        reply = answer(method, path.partition("?")[2], body)
        return reply.status, {}, reply.text.encode()

    def post(headers: list[tuple[str, str]], body: bytes) -> tuple[int, dict[str, str], bytes]:
        return answered("POST", dict(headers)[":path"], body)

    with http_server(post, lambda path: answered("GET", path, b"")) as url:
        zone.client.set_callback(f"{url}/wecom", TOKEN, AES_KEY)
        yield
        zone.client.restore_callback()


def test_a_view_of_a_framework_hands_requests_to_the_receiver(load: Load, zone: Zone) -> None:
    events: Queue[NotifyEvent] = Queue()

    def response(text: str, *, status: int, headers: dict[str, str], content_type: str) -> HttpAnswer:
        return HttpAnswer(status, text, headers)

    own = {**CALLBACK, "receive_id": zone.client.info()["corpid"]}
    with zone.app_client() as client, NotifyReceiver(client, events.put, policy=NotifyPolicy(), **own) as receiver:

        def answer(method: str, query: str, body: bytes) -> HttpAnswer:
            request = SimpleNamespace(method=method, META={"QUERY_STRING": query}, body=body)
            reply: HttpAnswer = load("frameworks").django_view(request, receiver, response)
            return reply

        with callbacks_to(zone, answer):
            zone.fire("hit_keyword")
            assert events.get(timeout=10).event_type == "hit_keyword"


def test_a_function_without_threads_opens_callbacks_by_hand(load: Load, zone: Zone) -> None:
    waiting: Queue[str] = Queue()
    callbacks = Callbacks(**CALLBACK, receive_id=zone.client.info()["corpid"], replay_window=math.inf)

    def answer(method: str, query: str, body: bytes) -> HttpAnswer:
        http = {"http": {"method": method}}
        event = {"rawQueryString": query, "requestContext": http, "isBase64Encoded": True}
        event["body"] = base64.b64encode(body).decode()
        reply = load("frameworks").lambda_handler(event, callbacks, waiting.put)
        return HttpAnswer(reply["statusCode"], reply.get("body", ""))

    with callbacks_to(zone, answer), zone.app_client() as client:
        zone.fire("hit_keyword")
        notify_id = waiting.get(timeout=10)
        assert client.call("get_callback_data", notify_id=notify_id)["event_type"] == "hit_keyword"
        assert answer("POST", "msg_signature=forged&timestamp=1&nonce=1", b"<xml></xml>").status == 403


def test_pulls_in_the_transactions_of_the_app_store_each_message_once(load: Load, zone: Zone, tmp_path: Path) -> None:
    archive, file, token, info = load("archive"), tmp_path / "app.db", token_of(zone), zone.client.info()
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        create_tables(connection)
        archive.METADATA.create_all(connection)
    with zone.app_client() as client:
        archive.pull(client, engine, info["corpid"], token)
    zone.client.say("zhangwei", "你好", to=["helan"])
    asyncio.run(pulled_on_loop(archive, zone, f"sqlite+aiosqlite:///{file}", token))
    with engine.connect() as connection:
        count = connection.scalar(select(func.count()).select_from(archive.ARCHIVED))
    assert count == zone.client.info()["messages"]
    engine.dispose()


async def pulled_on_loop(archive: ModuleType, zone: Zone, url: str, token: str) -> None:
    engine, info = create_async_engine(url), zone.client.info()
    options: dict[str, Any] = {"program_id": info["program_id"], "base_url": zone.client.url}
    async with AsyncZoneClient(info["corpid"], info["secret"], **options) as client:
        await archive.pull_on_loop(client, engine, info["corpid"], token)
    await engine.dispose()


def test_two_machines_archive_each_message_once_also_when_the_cursor_is_removed(
    load: Load, zone: Zone, tmp_path: Path
) -> None:
    archiver, corpid = load("archiver"), zone.client.info()["corpid"]
    engine = create_engine(f"sqlite:///{tmp_path / 'app.db'}")
    with engine.begin() as connection:
        create_tables(connection)
        archiver.METADATA.create_all(connection)
    with zone.app_client() as client:
        machines = [archiver.archiver_of(client, engine) for _ in range(2)]
        assert [machine.run_due() for machine in machines] == [1, 0]
        zone.client.say("zhangwei", "你好", to=["helan"])
        machines[0].pull_soon(corpid)  # as a notification does
        assert machines[1].run_due() == 1
        with engine.begin() as connection:
            SqlCursor(connection, name=f"messages:{corpid}").forget()
        machines[0].pull_soon(corpid)
        assert machines[1].run_due() == 1
        assert [each.failures for each in machines[0].status()] == [0]
    with engine.connect() as connection:
        count = connection.scalar(select(func.count()).select_from(archiver.MESSAGES))
    assert count == zone.client.info()["messages"]
    engine.dispose()


@pytest.fixture(scope="module")
def provider_zone() -> Iterator[Zone]:
    """A zone whose app is of a provider; no corp has it yet."""
    with serve_zone(ROOT, emulate=("--app-type", "third")) as zone:
        zone.client.cancel()
        yield zone


@pytest.mark.slow  # a zone of its own, and pauses before what is done again
def test_a_corp_comes_has_its_permission_renewed_and_goes(
    load: Load, provider_zone: Zone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    control, info = provider_zone.client, provider_zone.client.info()
    settings = {
        "DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path / 'app.db'}",
        "WWSPEC_SUITE_ID": info["suite_id"],
        "WWSPEC_SUITE_SECRET": info["suite_secret"],
        "WWSPEC_PROVIDER_CORPID": "wwprovider00000001",
        "WWSPEC_PROGRAM_ID": info["program_id"],
        "WWSPEC_BASE_URL": control.url,
    }
    settings |= dict.fromkeys(("WWSPEC_COMMAND_TOKEN", "WWSPEC_CALLBACK_TOKEN"), TOKEN)
    settings |= dict.fromkeys(("WWSPEC_COMMAND_ENCODING_AES_KEY", "WWSPEC_ENCODING_AES_KEY"), AES_KEY)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    provider = load("provider")
    engine = create_engine(f"sqlite:///{tmp_path / 'app.db'}")

    def stored() -> int:
        with engine.connect() as connection:
            return int(connection.scalar(select(func.count()).select_from(provider.MESSAGES)) or 0)

    with served(provider.app) as url:
        control.set_command_callback(f"{url}/wecom/commands", TOKEN, AES_KEY)
        control.set_callback(f"{url}/wecom/callback", TOKEN, AES_KEY)
        control.push_ticket()
        control.authorize()
        before = control.info()["messages"]
        control.say("zhangwei", "你好", to=["helan"])
        wait_until(lambda: stored() == 1)
        control.expire(["chat"])  # key and receiver of events are gone
        control.renew(["chat"])
        control.say("zhangwei", "又来了", to=["helan"])
        wait_until(lambda: stored() == 2)
        assert control.info()["messages"] == before + 2
        control.cancel()
        wait_until(lambda: stored() == 0)
    engine.dispose()
