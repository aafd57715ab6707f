"""What an app's page needs of the client: signatures, and who has opened it."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import anyio.lowlevel
import httpx
import msgspec
import pytest

from tests.client.conftest import QUICK
from tests.client.notify.stand import async_app_client
from tests.support.apps import ROOT
from tests.support.emulator import Emulator
from wwspec_client import AsyncZoneClient, PlatformError, SuiteApp, ZoneClient
from wwspec_client.models import PageConfig, UserInfo
from wwspec_client.stores import Token
from wwspec_client.webpage import sign
from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.emulator.settings import EmulatorSettings
from wwspec_devtools.testing.zone import Zone

PAGE = "https://app.example.com/inbox?id=7"
AGENT = 1000002


class Wecom(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers with a new ticket each time, and counts."""

    def __init__(self, expires_in: int = 7200) -> None:
        self.asked: list[str] = []
        self.expires_in = expires_in

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/cgi-bin/")
        self.asked.append(path)
        if path == "gettoken":
            return httpx.Response(200, json={"errcode": 0, "access_token": "token", "expires_in": 7200})
        ticket = f"{path}-{self.asked.count(path)}"
        return httpx.Response(200, json={"errcode": 0, "errmsg": "ok", "ticket": ticket, "expires_in": self.expires_in})

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await anyio.lowlevel.checkpoint()
        return self.handle_request(request)

    @property
    def tickets(self) -> list[str]:
        return sorted(path for path in self.asked if "ticket" in path)


ONE_OF_EACH = ["get_jsapi_ticket", "ticket/get"]


def signed_with(config: PageConfig) -> list[str]:
    """Return the tickets of `Wecom` that a page is signed with."""
    signatures = ("get_jsapi_ticket", config.config), ("ticket/get", config.agent_config)
    tickets = [(f"{path}-{number}", each) for path, each in signatures for number in range(1, 9)]
    return [name for name, s in tickets if sign(name, s.nonce_str, s.timestamp, config.url) == s.signature]


def test_a_signature_is_that_of_wecoms_example() -> None:
    """[90506]"""
    ticket = "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg"
    found = sign(ticket, "Wm3WZYTPz0wzccnW", 1414587457, "http://mp.weixin.qq.com?params=value")
    assert found == "0f9de62fce790f9a083d5c99e95740ceb90c27ed"


def test_a_page_is_signed_with_both_tickets_and_the_emulator_accepts_it(zone: Zone, app: ZoneClient) -> None:
    """[90506] What follows # is not signed."""
    corpid = zone.client.info()["corpid"]
    config = app.page_config(f"{PAGE}#top", agentid=AGENT)
    assert (config.url, config.corp_id, config.agent_id) == (PAGE, corpid, AGENT)
    with zone.app_client() as other:
        token = other.access_token()
    for path, query, signature in (
        ("get_jsapi_ticket", {}, config.config),
        ("ticket/get", {"type": "agent_config"}, config.agent_config),
    ):
        ticket = browse(zone, f"/cgi-bin/{path}", {"access_token": token, **query}).json()["ticket"]
        assert signature.signature == sign(ticket, signature.nonce_str, signature.timestamp, PAGE)


def test_as_json_a_page_config_has_the_names_of_javascript_and_nonces_of_its_own(app: ZoneClient) -> None:
    found = [json.loads(msgspec.json.encode(app.page_config(PAGE, agentid=AGENT))) for _ in range(3)]
    assert set(found[0]) == {"url", "corpId", "agentId", "config", "agentConfig"}
    signatures = [each[name] for each in found for name in ("config", "agentConfig")]
    assert {frozenset(each) for each in signatures} == {frozenset({"timestamp", "nonceStr", "signature"})}
    assert len({each["nonceStr"] for each in signatures}) == 6


def test_threads_share_one_ticket_of_each_kind() -> None:
    wecom = Wecom()
    with ZoneClient("corp", "secret", transport=wecom) as client, ThreadPoolExecutor(32) as threads:
        configs = list(threads.map(lambda _: client.page_config(PAGE, agentid=1), range(64)))
    assert wecom.tickets == ONE_OF_EACH
    assert all(signed_with(config) == ["get_jsapi_ticket-1", "ticket/get-1"] for config in configs)


def test_a_ticket_that_has_expired_is_not_used_again() -> None:
    wecom = Wecom(expires_in=0)
    with ZoneClient("corp", "secret", transport=wecom) as client:
        for number in (1, 2):
            config = client.page_config(PAGE, agentid=1)
            assert signed_with(config) == [f"get_jsapi_ticket-{number}", f"ticket/get-{number}"]


def test_a_ticket_is_fetched_again_with_a_new_access_token_when_wecom_refuses_the_first(zone: Zone) -> None:
    """Both are renewed, one inside of the other."""
    with zone.app_client(retries=QUICK) as client:
        client.access_token()
        zone.client.expire_tokens()
        assert client.page_config(PAGE, agentid=AGENT).config.signature


@pytest.mark.slow  # three processes that import the client: 3 s
def test_processes_share_the_tickets_of_a_folder(stack: ExitStack, tmp_path: Path) -> None:
    """The files are for their owner only."""
    folder, settings = tmp_path / "tickets", EmulatorSettings(messages=10)
    emulator = Emulator(settings, stack)
    arguments = (settings.corpid, settings.secret, emulator.url, str(folder))
    with get_context("spawn").Pool(3) as pool:
        signatures = pool.starmap(_sign_in_a_process, [arguments] * 6)
    assert len(set(signatures)) == 6
    names = [each["name"] for each in emulator.http.get("/emulator/traffic").json()["traffic"]]
    assert sorted(name for name in names if "ticket" in name) == ONE_OF_EACH
    assert sorted(path.name for path in folder.iterdir()) == ["agentConfig.json", "config.json"]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def _sign_in_a_process(corpid: str, secret: str, url: str, folder: str) -> str:
    with ZoneClient(corpid, secret, base_url=url, page_tickets=Path(folder)) as client:
        return client.page_config(PAGE, agentid=AGENT).config.signature


@pytest.mark.parametrize("left", ["", "{", '{"ticket": "old", "expires": 1.5}'])
def test_a_file_without_a_valid_ticket_is_written_anew(tmp_path: Path, left: str) -> None:
    wecom = Wecom()
    (tmp_path / "config.json").write_text(left)
    for _ in range(2):
        with ZoneClient("corp", "secret", transport=wecom, page_tickets=tmp_path) as client:
            assert signed_with(client.page_config(PAGE, agentid=1))[0] == "get_jsapi_ticket-1"
    assert wecom.tickets == ONE_OF_EACH


async def test_tasks_of_two_clients_share_the_tickets_of_a_folder(tmp_path: Path) -> None:
    wecom = Wecom()

    async def use() -> None:
        async with AsyncZoneClient("corp", "secret", transport=wecom, page_tickets=tmp_path) as client:
            await client.page_config(PAGE, agentid=1)

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(use)
    assert wecom.tickets == ONE_OF_EACH


def test_a_folder_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        ZoneClient("corp", "secret", transport=Wecom(), page_tickets=tmp_path / "file") as client,
        pytest.raises(ConfigurationError, match=r"file/config\.json: can't be opened"),
    ):
        client.page_config(PAGE, agentid=1)


def test_a_function_gives_the_tickets_of_the_apps_own_server() -> None:
    wecom = Wecom()
    given: dict[str, Any] = {"page_tickets": lambda kind: Token(f"own {kind}", expires_in=60)}
    with ZoneClient("corp", "secret", transport=wecom, **given) as client:
        config = client.page_config(PAGE, agentid=1)
    assert wecom.tickets == []
    for kind, each in (("config", config.config), ("agentConfig", config.agent_config)):
        assert each.signature == sign(f"own {kind}", each.nonce_str, each.timestamp, PAGE)


def test_a_client_that_does_not_know_its_corp_is_told_it() -> None:
    wecom = Wecom()
    with ZoneClient(tokens=lambda: "token", transport=wecom) as client:
        with pytest.raises(ConfigurationError, match="corpid is missing"):
            client.page_config(PAGE, agentid=1)
        assert client.page_config(PAGE, agentid=1, corpid="corp").corp_id == "corp"


def browse(zone: Zone, path: str, query: dict[str, str]) -> httpx.Response:
    with httpx.Client(base_url=zone.client.url, transport=zone.client.memory) as http:
        return http.get(path, params=query)


def code_of(zone: Zone, person: str, **changed: str) -> str:
    """Log in as a person, and return the code that the page gets."""
    query = {"appid": zone.client.info()["corpid"], "response_type": "code", "scope": "snsapi_base"}
    query |= {"redirect_uri": PAGE, "agentid": str(AGENT), "emulator_person": person, **changed}
    location = browse(zone, "/connect/oauth2/authorize", query).headers["location"]
    return parse_qs(urlsplit(location).query)["code"][0]


def test_an_app_learns_which_member_or_customer_has_opened_its_page(zone: Zone, app: ZoneClient) -> None:
    """[91023] The tickets are not shown."""
    found = app.user_info(code_of(zone, "lina", scope="snsapi_privateinfo"))
    assert found == UserInfo(userid="lina", user_ticket=found.user_ticket, user_doc_ticket=found.user_doc_ticket)
    for ticket in (found.user_ticket, found.user_doc_ticket):
        assert ticket
        assert ticket not in repr(found)
    customer = next(iter(zone.client.info()["customers"]))
    found = app.user_info(code_of(zone, customer))
    assert found == UserInfo(openid=found.openid, external_userid=customer)
    assert found.openid


def test_a_third_party_app_learns_the_corp_as_well(zone: Zone) -> None:
    """[91121]"""
    suite, corpid = "emulator-suite", zone.client.info()["corpid"]
    source = SuiteApp(suite, f"{suite}-secret", f"{suite}-ticket", corpid, "emulator-permanent-code")
    with zone.app_client(tokens=source, retries=QUICK) as client:
        found = client.user_info(code_of(zone, "lina", appid=suite, agentid=""))
        assert (found.userid, found.corpid) == ("lina", corpid)
        assert found.open_userid
        zone.advance(7200)  # the token of the suite has expired
        assert client.user_info(code_of(zone, "mahui", appid=suite, agentid="")).userid == "mahui"
        assert client.page_config(PAGE, agentid=AGENT).corp_id == found.corpid


def test_a_member_of_another_corp_that_has_the_app_is_refused() -> None:
    suite = "emulator-suite"
    with Zone.in_process(ROOT, corps=2) as zone:
        own, other = zone.client.info()["corps"]
        source = SuiteApp(suite, f"{suite}-secret", f"{suite}-ticket", own, "emulator-permanent-code")
        with zone.app_client(tokens=source, retries=QUICK) as client:

            def code() -> str:
                return code_of(zone, "lina", appid=suite, agentid="", emulator_corpid=other)

            with pytest.raises(PlatformError, match=f"40029: the code is one of a member of the corp {other}"):
                client.user_info(code())
            assert client.user_info(code(), any_corp=True).corpid == other


async def test_a_client_for_an_event_loop_has_the_same(zone: Zone) -> None:
    async with async_app_client(zone) as client:
        assert (await client.user_info(code_of(zone, "lina"))).userid == "lina"
        assert (await client.page_config(PAGE, agentid=AGENT)).url == PAGE


def test_a_used_code_is_refused_and_not_shown_in_the_error(zone: Zone, app: ZoneClient) -> None:
    code = code_of(zone, "lina")
    app.user_info(code)
    with pytest.raises(PlatformError, match="auth/getuserinfo: .*40029") as caught:
        app.user_info(code)
    assert code not in str(caught.value)
