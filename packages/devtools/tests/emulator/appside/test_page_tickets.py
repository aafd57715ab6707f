"""The tickets of an app's page, and the signatures that are made with them [90506]."""

from typing import Any

import msgspec
import pytest

from tests.support.emulator import Emulator
from wwspec_devtools.emulator.answers import RefusedError
from wwspec_devtools.emulator.state.page_tickets import Signature, sign

URL = "https://app.example/page?id=1"
MADE_UP = {"access_token": "made-up"}
TICKETS = pytest.mark.parametrize(
    ("path", "query"), [("get_jsapi_ticket", {}), ("ticket/get", {"type": "agent_config"})], ids=["corp", "app"]
)


def app_ticket(emulator: Emulator) -> dict[str, Any]:
    return emulator.app_get("ticket/get", type="agent_config")


def signed(emulator: Emulator, ticket: str, url: str = URL) -> Signature:
    return Signature(timestamp="1750000000", nonce="nonce", signature=sign(ticket, "nonce", "1750000000", url))


def refusal_of_agent_config(emulator: Emulator, given: Signature) -> int:
    world = emulator.platform.world
    try:
        world.page_tickets.check_agent_config(world.app, given, URL, world.clock.now())
    except RefusedError as error:
        return error.errcode
    return 0


def test_the_signature_is_that_of_the_example_of_page_90506() -> None:
    ticket = "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg"
    url = "http://mp.weixin.qq.com?params=value"
    for each in (url, f"{url}#/chat/2"):
        signature = sign(ticket, "Wm3WZYTPz0wzccnW", "1414587457", each)
        assert signature == "0f9de62fce790f9a083d5c99e95740ceb90c27ed"


@TICKETS
def test_a_ticket_is_valid_two_hours_and_is_the_same_until_then(
    emulator: Emulator, path: str, query: dict[str, str]
) -> None:
    first = emulator.app_get(path, **query)
    assert first == {"errcode": 0, "errmsg": "ok", "ticket": first["ticket"], "expires_in": 7200}
    emulator.advance(7199)
    assert emulator.app_get(path, **query) == first | {"expires_in": 1}
    emulator.advance(1)
    second = emulator.app_get(path, **query)
    assert (second["ticket"] != first["ticket"], second["expires_in"]) == (True, 7200)


@TICKETS
def test_90506_an_app_gets_100_tickets_in_an_hour(emulator: Emulator, path: str, query: dict[str, str]) -> None:
    query = query | {"access_token": emulator.token()}
    assert [emulator.app_get(path, **query)["errcode"] for _ in range(101)] == [0] * 100 + [45009]
    for seconds, errcode in ((3599, 45009), (1, 0)):
        emulator.advance(seconds)
        assert emulator.app_get(path, **query)["errcode"] == errcode


def test_90506_the_apps_of_a_corp_get_400_tickets_in_an_hour(emulator: Emulator) -> None:
    world = emulator.platform.world
    others = [msgspec.structs.replace(world.app, corpid="corp", agentid=agentid) for agentid in range(5)]
    for app in others[:4]:
        for _ in range(100):
            world.page_tickets.issue_of_corp(app, 0, world.ids)
    with pytest.raises(RefusedError, match=r"45009 .* 400 an hour for a corp"):
        world.page_tickets.issue_of_corp(others[4], 0, world.ids)


def test_a_ticket_of_an_app_needs_its_type_and_an_access_token(emulator: Emulator) -> None:
    assert emulator.app_get("ticket/get")["errcode"] == 40058
    assert emulator.app_get("ticket/get", type="agent_config", **MADE_UP)["errcode"] == 40014
    assert emulator.app_get("get_jsapi_ticket", **MADE_UP)["errcode"] == 40014


def test_agent_config_is_signed_with_the_ticket_of_the_app_for_the_pages_address(emulator: Emulator) -> None:
    world, ticket = emulator.platform.world, app_ticket(emulator)["ticket"]
    of_corp = emulator.app_get("get_jsapi_ticket")["ticket"]
    other_app = msgspec.structs.replace(world.app, agentid=7, secret="")
    of_other, _ = world.page_tickets.issue_of_app(other_app, world.clock.now(), world.ids)
    for given, url, errcode in (
        (ticket, URL, 0),
        (ticket, f"{URL}#/chat/2", 0),
        (ticket, f"{URL}&x=1", 40093),
        (of_corp, URL, 42012),
        (of_other, URL, 42012),
    ):
        assert refusal_of_agent_config(emulator, signed(emulator, given, url)) == errcode
    emulator.advance(7200)
    assert refusal_of_agent_config(emulator, signed(emulator, ticket)) == 40093


def test_the_traffic_shows_no_ticket(emulator: Emulator) -> None:
    ticket = app_ticket(emulator)["ticket"]
    shown = emulator.http.get("/emulator/traffic/2").text
    assert '"name":"ticket/get"' in shown
    assert '"type":"agent_config"' in shown
    assert ticket not in shown
