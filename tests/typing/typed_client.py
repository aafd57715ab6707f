"""What a type checker knows of an app's calls; read by mypy and pyright, never run."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, assert_type

from sqlalchemy import Connection

from schemas.chat_digest import Request, Response
from wwspec_client import (
    AsyncMessagePage,
    AsyncTask,
    AsyncZoneClient,
    MessagePage,
    RetryPolicy,
    SuiteApp,
    Task,
    ZoneClient,
)
from wwspec_client.models import AuthUsers, LogLevel, Masking, MessageGap, TaskStatus, UploadedMedia
from wwspec_client.raw_clients import RawResponse
from wwspec_client.sql import SqlCursor
from wwspec_client.stores import FileCursor, Token
from wwspec_contracts import get_group_chat, search_chat, sync_msg
from wwspec_contracts.messages import Message


def typed(client: ZoneClient) -> None:
    """A request of an SDK API knows its reply; for others the app says which one it expects."""
    assert_type(client.call(sync_msg.Request(limit=200)), sync_msg.Response)
    assert_type(client.call("chat_history", sync_msg.Request(limit=200)), sync_msg.Response)
    assert_type(client.call(get_group_chat.Request(chatid="x"), notify_id="n").members, list[get_group_chat.Member])
    assert_type(client.call("chat_digest", Request(limit=5), reply=Response), Response)
    assert_type(client.call("chat_digest", {"limit": 5}, reply=dict[str, int], timeout=5), dict[str, int])
    assert_type(client.call("chat_digest", {"limit": 5}), Any)
    assert_type(client.call("chat_digest", raw=True), str)
    assert_type(client.call(sync_msg.Request(), raw=True, retry_unsafe=True), str)


def typed_tasks(client: ZoneClient) -> None:
    assert_type(client.submit(sync_msg.Request()), Task[sync_msg.Response])
    assert_type(client.submit("chat_digest", reply=Response).result(timeout=5), Response)
    assert_type(client.task("jobid", reply=Response).result(), Response)
    assert_type(client.task("jobid").status(), TaskStatus)


def typed_pages(client: ZoneClient, connection: Connection) -> None:
    assert_type(client.pages(search_chat.Request(query_word="tea")), Iterator[search_chat.Response])
    assert_type(next(client.pages("chat_history", sync_msg.Request(), timeout=5)), sync_msg.Response)
    assert_type(client.messages(FileCursor("cursor"), token=""), Iterator[MessagePage])
    for page in client.messages(SqlCursor(connection, name="corp"), token=lambda: "token", limit=200, on_gap=noted):
        assert_type(page.messages, list[Message])
        assert_type([message.msgid for message in page], list[str])
        page.keep()


def noted(gap: MessageGap) -> None:
    """An app's note of a gap."""


def typed_endpoints(client: ZoneClient) -> None:
    assert_type(client.get_auth_user_list(limit=5), AuthUsers)
    assert_type(client.get_log_level(program_id="other"), LogLevel)
    assert_type(client.check_debug_mode(), bool)
    assert_type(client.upload_media(Path("a.txt"), progress=lambda sent, size: print(sent, size)), UploadedMedia)  # noqa: T201
    assert_type(client.get_hide_sensitiveinfo_config("zhangwei"), Masking)


def typed_options(client: ZoneClient) -> None:
    assert_type(client.with_options(timeout=5, deadline=9.5, retries=1, headers={"X-A": "b"}), ZoneClient)
    client.with_options(retries=RetryPolicy(attempts=2), idempotency_key="k", idempotency_field="order.id")
    raw = client.with_raw_response
    assert_type(raw.call(sync_msg.Request(limit=200)), RawResponse[sync_msg.Response])
    assert_type(raw.call("chat_digest", Request(limit=5), reply=Response).parse(), Response)
    assert_type(raw.submit("chat_digest", reply=Response).parse(), Task[Response])
    assert_type(raw.get_auth_user_list(limit=5).parse(), AuthUsers)
    assert_type(raw.set_log_level(2), RawResponse[None])


async def typed_async(client: AsyncZoneClient) -> None:
    assert_type(await client.call(sync_msg.Request(limit=200)), sync_msg.Response)
    assert_type(await client.call("chat_digest", reply=Response), Response)
    assert_type(await client.submit(sync_msg.Request()), AsyncTask[sync_msg.Response])
    assert_type(await (await client.submit("chat_digest", reply=Response)).result(), Response)
    assert_type(await client.get_auth_user_list(), AuthUsers)
    assert_type(client.with_options(timeout=5), AsyncZoneClient)
    assert_type(await client.with_raw_response.call(sync_msg.Request()), RawResponse[sync_msg.Response])
    assert_type((await client.with_raw_response.submit(sync_msg.Request())).parse(), AsyncTask[sync_msg.Response])
    assert_type(await client.with_raw_response.get_auth_user_list(), RawResponse[AuthUsers])
    assert_type(client.pages(sync_msg.Request()), AsyncIterator[sync_msg.Response])
    assert_type(client.messages(FileCursor("cursor")), AsyncIterator[AsyncMessagePage])
    async for page in client.messages(FileCursor("cursor"), on_gap=noted):
        await page.keep()


def token_sources() -> None:
    async def later() -> str:
        return "token"

    def with_end() -> Token:
        return Token("token", expires_in=7200)

    ZoneClient(tokens=with_end)
    ZoneClient(tokens=SuiteApp("suite", "secret", lambda: "ticket", "corp", "code"))
    AsyncZoneClient(tokens=later)


def wrong(client: ZoneClient) -> None:
    """Mistakes that mypy finds; each comment is needed, since unused ones are errors."""
    client.call(sync_msg.Request(), reply=Response)  # type: ignore[call-overload]
    client.call(Response())  # type: ignore[call-overload]
    client.call("chat_digest", notify="n")  # type: ignore[call-overload]
    client.submit("chat_digest", notify_id="n")  # type: ignore[call-overload]
    assert client.call(sync_msg.Request()).msg_lists  # type: ignore[attr-defined]
    client.set_log_level(4)  # type: ignore[arg-type]
    client.set_log_level()  # type: ignore[call-arg]
    client.get_auth_user_list(limits=5)  # type: ignore[call-arg]
    client.with_options(retry=1)  # type: ignore[call-arg]
    client.with_options(retries="1")  # type: ignore[arg-type]
    client.with_raw_response.set_log_level(4)  # type: ignore[arg-type]
    client.with_raw_response.call("chat_digest", raw=True)  # type: ignore[call-overload]
    client.pages(get_group_chat.Request(chatid="x"))  # type: ignore[call-overload]
    client.messages("cursor")  # type: ignore[arg-type]
    client.messages(FileCursor("cursor"), limits=5)  # type: ignore[call-arg]
    client.messages(FileCursor("cursor"), on_gap=len)  # type: ignore[arg-type]
    ZoneClient(tokens=int)  # type: ignore[arg-type]
