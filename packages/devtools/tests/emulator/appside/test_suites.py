"""How a third-party app comes to the access token of a corp that has installed it."""

from typing import Any

import pytest

from tests.emulator.conftest import suite_token
from tests.support.emulator import Emulator

SUITE = {
    "suite_id": "emulator-suite",
    "suite_secret": "emulator-suite-secret",
    "suite_ticket": "emulator-suite-ticket",
}
CORP = {"auth_corpid": "wwemulator00000001", "permanent_code": "emulator-permanent-code"}


def post(emulator: Emulator, path: str, body: dict[str, str]) -> dict[str, Any]:
    answer: dict[str, Any] = emulator.http.post(f"/cgi-bin/service/{path}", json=body).json()
    return answer


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [
        ({"suite_id": "other"}, 40083),
        ({"suite_secret": "other"}, 40080),
        ({"suite_ticket": "yesterday's"}, 40085),
        ({"suite_ticket": ""}, 40063),
    ],
)
def test_a_suite_without_the_right_ticket_gets_none(emulator: Emulator, changed: dict[str, str], errcode: int) -> None:
    assert post(emulator, "get_suite_token", SUITE | changed)["errcode"] == errcode


@pytest.mark.parametrize(
    ("changed", "errcode"), [({"auth_corpid": "other"}, 40013), ({"permanent_code": "other"}, 40084)]
)
def test_a_corp_that_has_not_installed_the_suite_has_no_token(
    emulator: Emulator, changed: dict[str, str], errcode: int
) -> None:
    path = f"get_corp_token?suite_access_token={suite_token(emulator)}"
    assert post(emulator, path, CORP | changed)["errcode"] == errcode


def test_a_token_of_a_suite_that_is_made_up_or_expired_is_refused(emulator: Emulator) -> None:
    path = f"get_corp_token?suite_access_token={suite_token(emulator)}"
    emulator.advance(7200)
    assert post(emulator, path, CORP)["errcode"] == 42009
    assert post(emulator, "get_corp_token?suite_access_token=made-up", CORP)["errcode"] == 40082


def test_the_traffic_shows_no_secret_of_a_suite(emulator: Emulator) -> None:
    token = suite_token(emulator)
    access_token = post(emulator, f"get_corp_token?suite_access_token={token}", CORP)["access_token"]
    shown = "".join(emulator.http.get(f"/emulator/traffic/{number}").text for number in (1, 2))
    for part in (SUITE["suite_id"], '"permanent_code":"***"', "get_corp_token?suite_access_token=***"):
        assert part in shown
    for secret in (token, access_token, SUITE["suite_secret"], SUITE["suite_ticket"], CORP["permanent_code"]):
        assert secret not in shown
