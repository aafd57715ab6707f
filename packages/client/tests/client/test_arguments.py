"""Wrong arguments are refused where they are given, by their name, with what is right."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from tests.client.provider.stand import SETTINGS
from tests.client.scripted import client_of
from tests.support.async_store import AsyncStore
from tests.support.tables import for_each
from wwspec_client import (
    AppSecret,
    AsyncNotifyReceiver,
    AsyncSuite,
    AsyncZoneClient,
    Callbacks,
    CancelAuth,
    NotifyReceiver,
    RetryPolicy,
    Suite,
    ZoneClient,
)
from wwspec_client.archive import Archiver, AsyncArchiver
from wwspec_client.call_lines import LogHooks
from wwspec_client.provider import ProviderApp
from wwspec_client.sql import SqlInstallationStore, SqlKeyStore, SqlPendingStore, SqlTokenStore, create_tables
from wwspec_client.stores import FileCursor, MemoryInstallationStore, MemoryPendingStore, StoredTokenProvider
from wwspec_contracts import get_group_chat
from wwspec_contracts.errors import ConfigurationError, StoreError

ENGINE, ASYNC_ENGINE = create_engine("sqlite://"), create_async_engine("sqlite+aiosqlite://")
AES_KEY = "a" * 43
CALLBACK: dict[str, Any] = {"token": "token", "encoding_aes_key": AES_KEY}


def suite(of: Any = Suite, /, **options: Any) -> Any:
    account = {"suite_id": "suite", "suite_secret": "secret", "installations": MemoryInstallationStore()}
    return of(**{**account, **options})


async_suite = partial(suite, AsyncSuite)


def receiver(chosen: Any, kind: Any = NotifyReceiver, **options: Any) -> Any:
    return kind(chosen, **{"handler": print, "receive_id": "corp", **CALLBACK, **options})


def archiver(chosen: Any, **options: Any) -> Archiver:
    return Archiver(chosen, ENGINE, lambda page, transaction: None, **options)


async def async_store(*_: object) -> None: ...


class AsyncHandler:
    async def __call__(self, event: object) -> None: ...


class Led:
    """A store of an earlier kind, without claims."""

    open = lead = print


NO_ENGINE: Any = ENGINE
"""Where no engine goes."""
ASYNC_CLIENT = AsyncZoneClient("corp", "secret")
SOURCE, SHARED = AppSecret("corp", "secret"), SqlTokenStore(ENGINE)


def tokens(source: Any = SOURCE, store: Any = SHARED, name: str = "corp") -> object:
    return StoredTokenProvider(source, store, name=name)


def options(**given: Any) -> object:
    return client_of().with_options(**given)


def pages(ability: Any) -> object:
    return client_of().pages(ability)


def page_config(url: str) -> object:
    return client_of().page_config(url, agentid=1)


def messages(program_id: str = "p", **given: Any) -> object:
    return client_of(program_id=program_id).messages(FileCursor("x"), **given)


def provider(engine: Any = ENGINE, **given: Any) -> object:
    return ProviderApp(engine, SETTINGS, store=lambda page, connection: None, **given)


OF_SUITES: list[tuple[dict[str, Any], str]] = [
    ({"suite_id": ""}, "suite_id"),
    ({"suite_secret": ""}, "suite_secret"),
    ({"token": "t"}, "provider_corpid"),
    ({"token": "t", "encoding_aes_key": AES_KEY}, "provider_corpid"),
    ({"token": "t", "encoding_aes_key": "short", "provider_corpid": "p"}, "43 characters"),
    ({"clients": 0}, "clients is 1 or more"),
]


@for_each(
    [
        ("InstallationStore.*not Engine", lambda: suite(installations=ENGINE)),
        ("not the class SqlInstallation", lambda: async_suite(installations=SqlInstallationStore)),
        ("TokenStore.*not function", lambda: suite(tokens=lambda: "token")),
        ("'third-party' or 'custom-developed', not 'agency'", lambda: suite(kind="agency")),
        (r"forgets is a list, such as \[store\]", lambda: suite(forgets=print)),
        ("not str", lambda: suite(forgets=["messages"])),
        ("AsyncSuite", lambda: suite(on_event=async_store)),
        ("PendingStore.*not Engine", lambda: suite(commands_store=ENGINE, provider_corpid="provider", **CALLBACK)),
        ("PendingStore.*not Engine", lambda: receiver(client_of(), store=ENGINE)),
        ("claim, renew and release among them, not Led", lambda: receiver(client_of(), store=Led())),
        ("a ZoneClient.*not AsyncZoneClient", lambda: receiver(ASYNC_CLIENT)),
        ("an? AsyncZoneClient.*not ZoneClient", lambda: receiver(client_of(), AsyncNotifyReceiver)),
        ("client_of or corp of a suite; not Suite", lambda: archiver(suite())),
        ("not AsyncZoneClient", lambda: archiver(ASYNC_CLIENT)),
        ("not ZoneClient", lambda: AsyncArchiver(cast(Any, client_of()), ASYNC_ENGINE, async_store)),
        ("goes with AsyncArchiver", lambda: Archiver(suite().corp, ENGINE, async_store)),
        ("needs an AsyncEngine", lambda: AsyncArchiver(async_suite().corp, NO_ENGINE, async_store)),
        ("needs an Engine", lambda: Archiver(suite().corp, cast(Any, ASYNC_ENGINE), print)),
        ("corps is a list of corpids", lambda: archiver(suite().corp, corps="corp")),
        ("such as Fernet.*not str", lambda: SqlTokenStore(ENGINE, cipher=cast(Any, "key"))),
        ("AppSecret.*not function", lambda: tokens(lambda: "token")),
        ("TokenStore.*not Engine", lambda: tokens(store=ENGINE)),
        ("1 to 255 bytes", lambda: tokens(name="")),
        ("takes a Connection.*not Engine", lambda: create_tables(NO_ENGINE)),
        ("run_sync", lambda: create_tables(cast(Any, ASYNC_ENGINE))),
        (r"hooks is a list, such as \[LogHooks\(\)\]", lambda: client_of(hooks=LogHooks())),
        (r"RetryPolicy\(attempts=6\)", lambda: client_of(retries=5)),
        ("timeout is more than 0 seconds, not 'soon'", lambda: client_of(timeout="soon")),
        ("deadline is.*not 'soon'", lambda: options(deadline="soon")),
        ("0 or more, not 'many'", lambda: options(retries="many")),
        ("names and values that are texts", lambda: options(headers="x")),
        ("names and values that are texts", lambda: options(headers={"X-A": 1})),
        ("a function or a TokenProvider, not int", lambda: ZoneClient(tokens=cast(Any, 5))),
        ("goes with the class for event loops", lambda: client_of(tokens=async_store).get_log_level()),
        ("CursorStore.*not Engine", lambda: client_of().messages(NO_ENGINE)),
        ("needs corpid and secret, or tokens=", lambda: ZoneClient("corp", "")),
        ("one source of access tokens", lambda: ZoneClient("corp", "secret", tokens=lambda: "t")),
        ("base_url is a URL such as https://qyapi", lambda: client_of(base_url="qyapi.weixin.qq.com")),
        ("timeout is more than 0 seconds, not 0", lambda: client_of(timeout=0)),
        ("timeout is more than 0 seconds, not 0", lambda: client_of(timeout=(3, 0))),
        (r"timeout is more than 0 seconds, not \(3,\)", lambda: client_of(timeout=(3,))),
        ("timeout is more than 0 seconds, not -1", lambda: client_of().call("a", timeout=-1)),
        ("timeout is more than 0 seconds, not nan", lambda: client_of().submit("a", timeout=float("nan"))),
        ("connections is 1 or more, not 0", lambda: ZoneClient("corp", "secret", connections=0)),
        ("form is 'plain' or 'func', not 'java'", lambda: client_of(form="java")),
        ("derive from ClientHooks, not dict", lambda: client_of(hooks=[{}])),
        ("of user-agent has other characters than printable ASCII", lambda: client_of(user_agent="我的应用")),
        ("give the proxy to the transport", lambda: client_of(proxy="http://127.0.0.1:3128")),
        ("attempts is 1 or more", lambda: RetryPolicy(attempts=0)),
        ("attempts is 1 or more", lambda: RetryPolicy(first_pause=-1)),
        ("attempts is 1 or more", lambda: RetryPolicy(longest_pause=-1)),
        ("attempts is 1 or more", lambda: RetryPolicy(deadline=0)),
        ("limit is 1 to 1000 messages, not 0", lambda: messages(limit=0)),
        ("limit is 1 to 1000 messages, not 1001", lambda: messages(limit=1001)),
        ("max_pages is more than 0, not 0", lambda: messages(max_pages=0)),
        ("deadline is more than 0, not 0", lambda: messages(deadline=0.0)),
        ("begin_time needs a time zone", lambda: messages(begin_time=datetime(2026, 1, 1))),
        ("program_id is missing", lambda: messages(program_id="")),
        ("has 5 bytes; WeCom takes 6 bytes to 60 MiB", lambda: client_of().upload_media(BytesIO(b"short"), name="a")),
        ("the file has no name: give it as name=", lambda: client_of().upload_media(BytesIO(b"long enough"))),
        ("pages and concurrency are 1 or more", lambda: archiver(suite().corp, pages=0)),
        ("pages and concurrency are 1 or more", lambda: archiver(suite().corp, concurrency=0)),
        ("every, seconds and lease more than 0 seconds", lambda: archiver(suite().corp, every=0)),
        ("more than 0 seconds", lambda: archiver(suite().corp, seconds=0)),
        ("more than 0 seconds", lambda: archiver(suite().corp, lease=0)),
        ("pull: token: the archiver sets this itself", lambda: archiver(suite().corp, pull={"token": ""})),
        ("name has 1 to 64 bytes", lambda: archiver(suite().corp, name="")),
        ("receiver is a name of 1 to 64 bytes", lambda: SqlPendingStore(ENGINE, receiver="")),
        ("receiver is a name of 1 to 64 bytes", lambda: SqlPendingStore(ENGINE, receiver="é" * 33)),
        ("can't be read: No such file", lambda: client_of().upload_media(Path("/nowhere.txt"))),
        ("program_id is missing: give it to the client, or to the call", lambda: client_of(program_id="").call("a")),
        ("pages.. takes a request that has a cursor", lambda: pages(get_group_chat.Request(chatid="x"))),
        ("pages.. takes a request that has a cursor", lambda: pages("chat_history")),
        *(("url of a page begins with https", partial(page_config, url)) for url in ("", "a.b", "/a", "javascript:0")),
        ("needs token=", lambda: Callbacks(token="", encoding_aes_key=AES_KEY, receive_id="corp")),
        ("needs token=", lambda: Callbacks(**CALLBACK, receive_id="")),
        ("store.open is an async function", lambda: receiver(client_of(), store=AsyncStore(MemoryPendingStore()))),
        ("receive_id is an async function", lambda: receiver(client_of(), receive_id=async_store)),
        ("client is an async function", lambda: receiver(async_store)),
        ("on_failed is an async function", lambda: receiver(client_of(), on_failed=async_store)),
        ("handler is an async function", lambda: receiver(client_of(), handler=AsyncHandler())),
        *((text, partial(of, **given)) for given, text in OF_SUITES for of in (suite, async_suite)),
        *(("encoding_aes_key", lambda of=of: of().commands) for of in (suite, async_suite)),
        *(("corpid", lambda of=of: of().corp("")) for of in (suite, async_suite)),
        ("on_notify is an async function: .* AsyncProviderApp", lambda: provider(on_notify=async_store)),
        (r"on\[CancelAuth\] is an async function", lambda: provider(on={CancelAuth: async_store})),
        ("more than 0 seconds", lambda: provider(archiver={"every": 0})),
        ("tables is the MetaData of your tables, or None, not <function c", lambda: provider(tables=create_tables)),
        ("AsyncArchiver takes an AsyncEngine", lambda: provider(ASYNC_ENGINE)),
        *(("1 to 64 bytes", partial(SqlKeyStore, ENGINE, name=name)) for name in ("", "n" * 65)),
    ]
)
def test_a_wrong_argument_is_refused_by_its_name(said: str, make: Callable[[], object]) -> None:
    with pytest.raises(ConfigurationError, match=said):
        make()


def test_an_unknown_option_of_an_archiver_and_of_its_pulls_is_refused_before_the_first_pull() -> None:
    for given, said in (({"pull": {"limits": 5}}, "'limits'; did you mean limit"), ({"names": ""}, "names")):
        with pytest.raises(TypeError, match=said):
            archiver(client_of(), **given)


def test_an_async_engine_on_threads_is_named() -> None:
    with pytest.raises(ConfigurationError, match="a store of an AsyncEngine, goes with the class for event loops"):
        receiver(client_of(), store=SqlPendingStore(ASYNC_ENGINE)).start()


def test_a_job_of_a_scheduler_fails_when_the_tables_are_missing() -> None:
    with pytest.raises(StoreError, match="lacks the table wwspec_archive.*create_tables"):
        archiver(client_of()).run_due()
