"""Wrong arguments are refused where they are given, by their name, with what is right."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from tests.client.scripted import client_of
from tests.support.tables import for_each
from wwspec_client import AppSecret, AsyncNotifyReceiver, AsyncSuite, AsyncZoneClient, NotifyReceiver, Suite, ZoneClient
from wwspec_client.archive import Archiver, AsyncArchiver
from wwspec_client.call_lines import LogHooks
from wwspec_client.sql import SqlInstallationStore, SqlPendingStore, SqlTokenStore, create_tables
from wwspec_client.stores import MemoryInstallationStore, StoredTokenProvider
from wwspec_contracts.errors import ConfigurationError, StoreError

ENGINE, ASYNC_ENGINE = create_engine("sqlite://"), create_async_engine("sqlite+aiosqlite://")
CALLBACK: dict[str, Any] = {"token": "token", "encoding_aes_key": "a" * 43}


def suite(of: Any = Suite, /, **options: Any) -> Any:
    return of("suite", "secret", **{"installations": MemoryInstallationStore(), **options})


def receiver(chosen: Any, kind: Any = NotifyReceiver, **options: Any) -> Any:
    return kind(chosen, print, receive_id="corp", **CALLBACK, **options)


def archiver(chosen: Any, **options: Any) -> Archiver:
    return Archiver(chosen, ENGINE, lambda page, transaction: None, **options)


async def async_store(page: object, transaction: object) -> None: ...


WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "an engine for a store of installations": (lambda: suite(installations=ENGINE), "InstallationStore.*not Engine"),
    "a class for a store": (
        lambda: suite(AsyncSuite, installations=SqlInstallationStore),
        "not the class SqlInstallation",
    ),
    "a function for shared tokens": (lambda: suite(tokens=lambda: "token"), "TokenStore.*not function"),
    "another kind": (lambda: suite(kind="agency"), "'third-party' or 'custom-developed', not 'agency'"),
    "one function to forget": (lambda: suite(forgets=print), r"forgets is a list, such as \[store\]"),
    "an engine for commands": (
        lambda: suite(commands_store=ENGINE, provider_corpid="provider", **CALLBACK),
        "PendingStore.*not Engine",
    ),
    "an engine for notifications": (lambda: receiver(client_of(), store=ENGINE), "PendingStore.*not Engine"),
    "a store without claims": (
        lambda: receiver(client_of(), store=type("Led", (), {"open": print, "lead": print})()),
        "claim, renew and release among them, not Led",
    ),
    "an async client on threads": (lambda: receiver(AsyncZoneClient("a", "b")), "a ZoneClient.*not AsyncZoneClient"),
    "a client of threads on a loop": (
        lambda: receiver(client_of(), AsyncNotifyReceiver),
        "an? AsyncZoneClient.*not ZoneClient",
    ),
    "a suite for a client": (lambda: archiver(suite()), "client_of or corp of a suite; not Suite"),
    "an async client of an archiver": (lambda: archiver(AsyncZoneClient("a", "b")), "not AsyncZoneClient"),
    "a client of threads of an archiver": (
        lambda: AsyncArchiver(client_of(), ASYNC_ENGINE, async_store),  # type: ignore[arg-type]
        "not ZoneClient",
    ),
    "a text of corps": (lambda: archiver(suite().corp, corps="corp"), "corps is a list of corpids"),
    "a text as cipher": (lambda: SqlTokenStore(ENGINE, cipher="key"), "such as Fernet.*not str"),  # type: ignore[arg-type]
    "a function as provider": (
        lambda: StoredTokenProvider(lambda: "token", SqlTokenStore(ENGINE), name="corp"),  # type: ignore[arg-type]
        "AppSecret.*not function",
    ),
    "an engine for a store of tokens": (
        lambda: StoredTokenProvider(AppSecret("a", "b"), ENGINE, name="corp"),  # type: ignore[arg-type]
        "TokenStore.*not Engine",
    ),
    "no name": (lambda: StoredTokenProvider(AppSecret("a", "b"), SqlTokenStore(ENGINE), name=""), "1 to 255 bytes"),
    "an engine for a connection": (lambda: create_tables(ENGINE), "takes a Connection.*not Engine"),  # type: ignore[arg-type]
    "an async engine for a connection": (lambda: create_tables(ASYNC_ENGINE), "run_sync"),  # type: ignore[arg-type]
    "one hook": (lambda: client_of(hooks=LogHooks()), r"hooks is a list, such as \[LogHooks\(\)\]"),
    "a number of retries": (lambda: client_of(retries=5), r"RetryPolicy\(attempts=6\)"),
    "a text as timeout": (lambda: client_of(timeout="soon"), "timeout is more than 0 seconds, not 'soon'"),
    "a text as deadline": (lambda: client_of().with_options(deadline="soon"), "deadline is.*not 'soon'"),  # type: ignore[arg-type]
    "a text as retries": (lambda: client_of().with_options(retries="many"), "0 or more, not 'many'"),  # type: ignore[arg-type]
    "a text as headers": (lambda: client_of().with_options(headers="x"), "names and values that are texts"),  # type: ignore[arg-type]
    "a number in headers": (lambda: client_of().with_options(headers={"X-A": 1}), "names and values that are texts"),  # type: ignore[dict-item]
    "a number as tokens": (lambda: ZoneClient(tokens=5), "a function or a TokenProvider, not int"),  # type: ignore[arg-type]
    "an engine for a cursor": (lambda: client_of().messages(ENGINE), "CursorStore.*not Engine"),  # type: ignore[arg-type]
}


@for_each(WRONG)
def test_a_wrong_argument_is_refused_by_its_name(wrong: str) -> None:
    make, text = WRONG[wrong]
    with pytest.raises(ConfigurationError, match=text):
        make()


def test_an_unknown_option_of_pulls_is_refused_before_the_first_pull() -> None:
    with pytest.raises(TypeError, match="'limits'; did you mean limit"):
        archiver(client_of(), pull={"limits": 5})


def test_an_async_engine_on_threads_is_named() -> None:
    with pytest.raises(ConfigurationError, match="a store of an AsyncEngine, goes with the class for event loops"):
        receiver(client_of(), store=SqlPendingStore(ASYNC_ENGINE)).start()


def test_a_job_of_a_scheduler_fails_when_the_tables_are_missing() -> None:
    with pytest.raises(StoreError, match="lacks the table wwspec_archive.*create_tables"):
        archiver(client_of()).run_due()
