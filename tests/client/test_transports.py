"""The same client in memory, over HTTP, and through the HTTPS proxy with WeCom's own base URL; and what logs show."""

import io
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.client.conftest import QUICK
from tests.emulator.conftest import SealedProgram
from tests.support.apps import ROOT
from tests.support.waiting import wait_until
from wwspec_router.client import AsyncZoneClient, FileCursor, NotSentError, ZoneClient
from wwspec_router.client.http import proxy_of
from wwspec_router.emulator.http.server import create_app
from wwspec_router.emulator.proxy.authority import Authority
from wwspec_router.emulator.proxy.proxy import Proxy
from wwspec_router.emulator.settings import EmulatorSettings
from wwspec_router.testing.zone import Zone
from wwspec_router.wecom import sync_msg


async def test_a_client_on_an_event_loop_calls_an_application_without_sockets(program: SealedProgram) -> None:
    settings = EmulatorSettings(messages=10, program_url=program.url)
    app = create_app(settings)
    program.key = app.state.platform.world.zone_key
    client = AsyncZoneClient(
        settings.corpid,
        settings.secret,
        program_id=settings.program_id,
        base_url="http://127.0.0.1",
        retries=QUICK,
        transport=httpx.ASGITransport(app=app),
    )
    async with app.router.lifespan_context(app), client:
        assert await client.call("echo", {"greeting": "你好"}) == {"greeting": "你好"}
        assert (await client.get_auth_user_list(limit=3)).has_more
        assert (await client.upload_media(io.BytesIO(b"content"), name="a.txt")).media_id


async def test_both_clients_call_a_served_program_over_http_and_by_wecoms_own_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One test, since a served zone takes two seconds to start."""
    authority = Authority(tmp_path)
    with Zone.serve(ROOT) as zone:
        info = zone.client.info()
        app = {"corpid": info["corpid"], "secret": info["secret"], "program_id": info["program_id"]}
        with zone.app_client() as client:
            assert len(client.call(sync_msg.Request(limit=2)).msg_list) == 2
        assert call_by_hand(zone.client.url, **app, limit=3) == 3
        async with AsyncZoneClient(**app, base_url=zone.client.url) as later:
            task = await later.submit(sync_msg.Request(limit=2))
            assert len((await task.result(10)).msg_list) == 2
            assert await task.status() == "succeeded"
            assert [len(page) async for page in later.messages(FileCursor(tmp_path / "cursor"))] == [info["messages"]]
            assert len((await later.task(task.jobid, reply=sync_msg.Response).result()).msg_list) == 2
        host, port = zone.client.url.removeprefix("http://").split(":")
        with Proxy(authority, (host, int(port))) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
            monkeypatch.setenv("NO_PROXY", "")
            with ZoneClient(**app) as client:
                assert len(client.call(sync_msg.Request(limit=2)).msg_list) == 2
            async with AsyncZoneClient(**app) as later:
                assert len((await later.call(sync_msg.Request(limit=2))).msg_list) == 2
            wait_until(lambda: not proxy._clients)  # one that is cut off by the proxy's end leaves a socket open


def call_by_hand(base_url: str, limit: int, **app: str) -> int:
    """Run the code that docs/client.md compares the client with."""
    page = (ROOT / "docs" / "client.md").read_text("utf-8")
    code = page.partition("# tests/by_hand.py\n")[2].partition("```")[0]
    found: dict[str, Any] = {}
    exec(code, found)  # noqa: S102 - our own page
    return int(found["call_by_hand"](base_url, **app, limit=limit))


def test_the_environment_names_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    assert proxy_of("https://qyapi.weixin.qq.com") is None
    monkeypatch.setenv("ALL_PROXY", "http://any:1")
    assert proxy_of("https://qyapi.weixin.qq.com") == "http://any:1"
    monkeypatch.setenv("HTTPS_PROXY", "http://secure:1")
    assert proxy_of("https://qyapi.weixin.qq.com") == "http://secure:1"
    assert proxy_of("http://emulator:8090") == "http://any:1"
    monkeypatch.setenv("NO_PROXY", "weixin.qq.com,127.0.0.1")
    assert proxy_of("https://qyapi.weixin.qq.com") is None
    assert proxy_of("http://127.0.0.1:8090") is None


def test_no_log_line_shows_a_token_or_a_secret(zone: Zone, caplog: pytest.LogCaptureFixture) -> None:
    info, token = zone.client.info(), zone.client.get_token()
    caplog.clear()
    with caplog.at_level(logging.DEBUG), zone.app_client(retries=QUICK) as app:
        app.call("chat_digest", {"limit": 1})
        app.upload_media(io.BytesIO(b"content"), name="a.txt")
    lines = [record.getMessage() for record in caplog.records]
    assert any("/cgi-bin/chatdata/sync_call_program" in line for line in lines), "httpx logs URLs"
    for line in lines:
        assert token not in line
        assert info["secret"] not in line


def test_no_traceback_shows_a_token_or_a_secret() -> None:
    with (
        ZoneClient("corp", "s3cret", program_id="p", base_url="http://127.0.0.1:1", retries=QUICK) as client,
        pytest.raises(NotSentError) as caught,
    ):
        client.get_log_level()
    assert "s3cret" not in str(caught.getrepr(style="short", showlocals=False))
    assert isinstance(caught.value.__cause__, httpx.ConnectError)
    assert "s3cret" not in str(caught.value.__cause__.request.url)
