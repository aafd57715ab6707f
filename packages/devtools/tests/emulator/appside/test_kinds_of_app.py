"""How each kind of app comes to its access token, and a third-party app to that of a corp that has installed it."""

import pytest

from tests.emulator.conftest import StartEmulator, suite_token
from tests.support.emulator import Emulator, Json
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.testing.app import client_of

SUITE = {"suite_id": "emulator-suite", "suite_secret": "emulator-suite-secret", "suite_ticket": "emulator-suite-ticket"}
CORP = {"auth_corpid": "wwemulator00000001", "permanent_code": "emulator-permanent-code"}


def post(emulator: Emulator, path: str, body: dict[str, str]) -> Json:
    answer: Json = emulator.http.post(f"/cgi-bin/service/{path}", json=body).json()
    return answer


def gettoken(emulator: Emulator, secret: str, corpid: str = "") -> Json:
    query = {"corpid": corpid or emulator.settings.corpid, "corpsecret": secret}
    answer: Json = emulator.http.get("/cgi-bin/gettoken", params=query).json()
    return answer


def corp_token(emulator: Emulator, **changed: str) -> Json:
    """Ask for the access token of a corp by the permanent code that the suite has of it."""
    return post(emulator, f"get_corp_token?suite_access_token={suite_token(emulator)}", CORP | changed)


@pytest.mark.parametrize(
    ("kind", "by_code", "by_suite"), [("custom", 0, 48002), ("third", 40001, 0), ("external", 40001, 0)]
)
def test_a_providers_app_gets_its_tokens_by_its_permanent_code_if_custom_developed_and_else_by_its_suite(
    start: StartEmulator, kind: str, by_code: int, by_suite: int
) -> None:
    """Pages 90313 at 48002 and 97175."""
    emulator = start(app_type=kind)
    assert gettoken(emulator, emulator.settings.permanent_code)["errcode"] == by_code
    assert gettoken(emulator, emulator.settings.secret)["errcode"] == gettoken(emulator, "")["errcode"] == 40001
    assert corp_token(emulator)["errcode"] == by_suite


def test_a_self_built_app_has_a_secret_and_no_suite(start: StartEmulator) -> None:
    emulator = start(app_type="self")
    assert gettoken(emulator, emulator.settings.secret)["errcode"] == 0
    assert post(emulator, "get_suite_token", SUITE)["errcode"] == 40083


@pytest.mark.parametrize("kind", ["", "self", "custom", "third", "external"])
def test_the_client_of_the_emulator_is_an_app_of_its_kind(start: StartEmulator, kind: str) -> None:
    emulator = start(app_type=kind)
    emulator.advance(3600)  # the ticket of the start is not valid any more
    with EmulatorClient(emulator.url) as control, client_of(control) as app:
        assert app.get_auth_user_list(limit=1).auth_user_list


def test_an_app_that_calls_is_named_in_the_record(start: StartEmulator) -> None:
    emulator = start(corps=2)
    second = emulator.platform.world.apps[1]
    token = gettoken(emulator, second.secret, second.corpid)["access_token"]
    emulator.app_call("get_auth_user_list", {}, token)
    emulator.app_call("get_auth_user_list", {}, "made-up")
    emulator.http.post("/cgi-bin/service/get_suite_token", json={})
    rows = emulator.http.get("/emulator/traffic").json()["traffic"]
    known = (second.corpid, second.agentid)
    assert [(row["corpid"], row["agentid"]) for row in rows] == [known, known, ("", None), ("", None)]


def test_the_traffic_shows_no_secret_of_a_suite(emulator: Emulator) -> None:
    token = suite_token(emulator)
    access_token = post(emulator, f"get_corp_token?suite_access_token={token}", CORP)["access_token"]
    shown = "".join(emulator.http.get(f"/emulator/traffic/{number}").text for number in (1, 2))
    for part in (SUITE["suite_id"], '"permanent_code":"***"', "get_corp_token?suite_access_token=***"):
        assert part in shown
    for secret in (token, access_token, SUITE["suite_secret"], SUITE["suite_ticket"], CORP["permanent_code"]):
        assert secret not in shown
