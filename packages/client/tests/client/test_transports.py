"""The same client in memory, over HTTP, and through the HTTPS proxy with WeCom's own base URL; and what logs show."""

import io
import logging
import traceback
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from tests.client.conftest import QUICK
from tests.client.notify.stand import CALLBACK, CRYPTO, sealed
from tests.support.apps import ROOT
from tests.support.emulator import Response, SealedProgram, http_server
from tests.support.tables import for_each
from tests.support.waiting import DEADLINE
from tests.support.zones import serve_zone
from wwspec_client import AsyncNotifyReceiver, AsyncZoneClient, NotifyEvent, NotSentError, ZoneClient
from wwspec_client.http import proxy_of
from wwspec_client.stores import FileCursor
from wwspec_contracts import sync_msg
from wwspec_contracts.callbacks import write_xml
from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.emulator.http.app import create_app
from wwspec_devtools.emulator.proxy.authority import Authority
from wwspec_devtools.emulator.proxy.proxy import Proxy
from wwspec_devtools.emulator.settings import EmulatorSettings
from wwspec_devtools.testing.zone import Zone


async def used(client: AsyncZoneClient, corpid: str, notify_id: str, token: str, cursor: Path) -> tuple[int, int, str]:
    """Pull messages in two ways and take a notification in: how many messages came, and what type of event."""
    messages = [each async for page in client.messages(FileCursor(cursor), token=token, limit=200) for each in page]
    pages = [page async for page in client.pages(sync_msg.Request(limit=200, token=token))]
    fetched, arrived = list[NotifyEvent](), anyio.Event()

    async def on_event(event: NotifyEvent) -> None:
        fetched.append(event)
        arrived.set()

    receiver = AsyncNotifyReceiver(client, on_event, **CALLBACK, receive_id=corpid)
    wecom = httpx.AsyncClient(transport=httpx.ASGITransport(app=receiver), base_url="http://127.0.0.1")
    async with receiver, wecom:
        xml = write_xml({"ToUserName": corpid, "Event": "program_notify", "NotifyId": notify_id})
        query, body = sealed(xml, CRYPTO.for_receiver(corpid))
        await wecom.post("/", params=query, content=body)
        with anyio.fail_after(DEADLINE):
            await arrived.wait()
    return len(messages), sum(len(page.msg_list) for page in pages), fetched[0].event_type


async def test_a_client_on_an_event_loop_calls_an_application_without_sockets(program: SealedProgram) -> None:
    settings = EmulatorSettings(program_url=program.url)
    app = create_app(settings)
    program.key = app.state.platform.world.zone_key
    options: dict[str, Any] = {"base_url": "http://127.0.0.1", "retries": QUICK, "program_id": settings.program_id}
    client = AsyncZoneClient(settings.corpid, settings.secret, transport=httpx.ASGITransport(app=app), **options)
    async with app.router.lifespan_context(app), client:
        assert await client.call("echo", {"greeting": "你好"}) == {"greeting": "你好"}
        assert (await client.get_auth_user_list(limit=3)).has_more
        assert (await client.upload_media(io.BytesIO(b"content"), name="a.txt")).media_id


async def test_both_clients_call_a_served_program_over_http_and_by_wecoms_own_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One test, since a served zone takes two seconds to start."""
    authority = Authority(tmp_path)
    with serve_zone(ROOT) as zone:
        token = zone.fire("conversation_new_message")["event"]["conversation_new_message"]["token"]
        info = zone.client.info()
        app = {"corpid": info["corpid"], "secret": info["secret"], "program_id": info["program_id"]}
        news = {"corpid": info["corpid"], "notify_id": zone.notified(), "token": token}
        all_of_them = (info["messages"], info["messages"], "conversation_new_message")
        with zone.app_client() as client:
            assert len(client.call(sync_msg.Request(limit=2)).msg_list) == 2
        async with AsyncZoneClient(**app, base_url=zone.client.url) as later:
            task = await later.submit(sync_msg.Request(limit=2))
            assert len((await task.result(DEADLINE)).msg_list) == 2
            assert await task.status() == "succeeded"
            assert await used(later, **news, cursor=tmp_path / "http") == all_of_them
            assert len((await later.task(task.jobid, reply=sync_msg.Response).result()).msg_list) == 2
        host, port = zone.client.url.removeprefix("http://").split(":")
        with Proxy(authority, (host, int(port))) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
            monkeypatch.setenv("NO_PROXY", "")
            with ZoneClient(**app) as client:
                assert len(client.call(sync_msg.Request(limit=2)).msg_list) == 2
            async with AsyncZoneClient(**app) as later:
                assert await used(later, **news, cursor=tmp_path / "https") == all_of_them


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


async def test_an_app_chooses_its_proxy_in_place_of_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    forwards: list[str] = []

    def answer(path: str) -> Response:
        forwards.append(path)
        return 200, {}, b'{"errcode": 0, "access_token": "t", "expires_in": 7200, "log_level": 3}'

    app: dict[str, Any] = {"corpid": "c", "secret": "s", "program_id": "p", "base_url": "http://wecom.invalid"}
    with http_server(lambda headers, _: answer(dict(headers)[":path"]), answer) as url:
        for proxy in (url, httpx.Proxy(url)):
            with ZoneClient(**app, proxy=proxy) as client:
                assert client.get_log_level() == 3
        async with AsyncZoneClient(**app, proxy=url) as later:
            assert await later.get_log_level() == 3
        assert len([each for each in forwards if each.startswith("http://wecom.invalid/cgi-bin/chatdata/")]) == 3
        with ZoneClient(**{**app, "base_url": url}, proxy="") as client:
            assert client.get_log_level() == 3
        assert forwards[-1].startswith("/cgi-bin/chatdata/get_log_level")
    with ZoneClient(**app, retries=QUICK) as client, pytest.raises(NotSentError):
        client.get_log_level()


@for_each(
    [
        ("ftp://me:s3cret@proxy", "proxy is a URL such as http://127.0.0.1:3128, with http, https, socks5 or socks5h"),
        ("me:s3cret@proxy", "proxy is a URL such as http://127.0.0.1:3128"),
        ("http://", "proxy is a URL such as http://127.0.0.1:3128"),
        ("http://me:s3cret@proxy:port", "proxy is a URL such as http://127.0.0.1:3128"),
        ("socks5://me:s3cret@proxy", "a proxy by socks5 needs the package socksio: pip install 'httpx[socks]'"),
    ]
)
def test_a_proxy_that_can_not_be_used_is_refused_and_its_password_is_not_shown(proxy: str, said: str) -> None:
    for kind in (ZoneClient, AsyncZoneClient):
        with pytest.raises(ConfigurationError) as caught:
            kind("corp", "secret", proxy=proxy)
        assert str(caught.value).startswith(said)
        assert "s3cret" not in "".join(traceback.format_exception(caught.value))


def test_a_proxy_of_the_environment_that_can_not_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("HTTPS_PROXY", "ftp://me:s3cret@proxy")
    with pytest.raises(ConfigurationError, match=r"^the environment has a proxy that is not a URL such as http://"):
        ZoneClient("corp", "secret")


def test_no_log_line_shows_a_token_or_a_secret(zone: Zone, caplog: pytest.LogCaptureFixture) -> None:
    info = zone.client.info()
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "httpx")  # which another test's program may have set higher
    with zone.app_client(retries=QUICK) as app:
        app.call("chat_digest", {"limit": 1})
        token = app.access_token()
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
    shown = str(caught.getrepr(style="short", showlocals=False))
    assert "NotSentError: gettoken: WeCom can't be reached" in shown
    assert "s3cret" not in shown
    assert isinstance(caught.value.__cause__, httpx.ConnectError)
    assert caught.value.__cause__.request.url.path == "/cgi-bin/gettoken"
    assert "s3cret" not in str(caught.value.__cause__.request.url)
