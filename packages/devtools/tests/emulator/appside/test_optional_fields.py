"""In a request of the app, null is the same as no field at all, and a `limit` of 0 as none."""

import json

import pytest

from tests.emulator.apis.conftest import EmulatedZone, Json
from wwspec_devtools.emulator.appside.table import APIS

CALL = {"program_id": "emulator-program", "ability_id": "a", "request_data": "{}"}
REQUESTS: dict[str, Json] = {
    "chatdata/set_public_key": {"public_key": "pem", "public_key_ver": 1},
    "chatdata/set_receive_callback": {"program_id": "emulator-program"},
    "chatdata/sync_call_program": {**CALL, "notify_id": "none"},
    "chatdata/async_program_task": CALL,
    "chatdata/async_program_result": {"jobid": "none"},
    "chatdata/set_hide_sensitiveinfo_config": {"userid": "lina", "config": {"hide_mobile": True}},
    "chatdata/get_hide_sensitiveinfo_config": {"userid": "lina"},
    "chatdata/set_log_level": {"program_id": "emulator-program", "log_level": 1},
    "chatdata/get_log_level": {"program_id": "emulator-program"},
    "chatdata/open_debug_mode": {"program_id": "emulator-program", "debug_token": "none"},
    "chatdata/close_debug_mode": {"program_id": "emulator-program"},
    "chatdata/check_debug_mode": {"program_id": "emulator-program"},
    "chatdata/get_auth_user_list": {"cursor": "", "limit": 8},
    "chatdata/get_corp_auth_info": {},
    "docdata/get_auth_user_list": {"cursor": "", "limit": 8},
    "docdata/get_auth_info": {},
    "auth/getuserdetail": {"user_ticket": "t"},
    "service/get_permanent_code": {"auth_code": "c"},
    "service/v2/get_permanent_code": {"auth_code": "c"},
    "service/get_auth_info": {"auth_corpid": "c", "permanent_code": "p"},
    "service/v2/get_auth_info": {"auth_corpid": "c", "permanent_code": "p"},
    "service/get_suite_token": {"suite_id": "s", "suite_secret": "s", "suite_ticket": "t"},
    "service/get_corp_token": {"auth_corpid": "c", "permanent_code": "p"},
}
"""A request of each API of the app's side, with every field."""


@pytest.fixture
def zone() -> EmulatedZone:
    return EmulatedZone()


def answer(zone: EmulatedZone, api: str, request: Json) -> Json:
    return zone.platform.app_call(api, zone.access_token(), json.dumps(request).encode())


def test_each_api_of_the_app_has_a_request_here() -> None:
    assert {api for api, row in APIS.items() if row.method == "POST"} == set(REQUESTS)


@pytest.mark.parametrize(("api", "field"), [(api, field) for api, request in REQUESTS.items() for field in request])
def test_null_is_the_same_as_left_out(zone: EmulatedZone, api: str, field: str) -> None:
    without = {name: value for name, value in REQUESTS[api].items() if name != field}
    assert answer(zone, api, {**without, field: None})["errcode"] == answer(zone, api, without)["errcode"]


@pytest.mark.parametrize("api", ["chatdata/get_auth_user_list", "docdata/get_auth_user_list"])
def test_a_limit_of_0_is_the_default(zone: EmulatedZone, api: str) -> None:
    assert answer(zone, api, {"limit": 0, "cursor": None}) == answer(zone, api, {})


def test_a_call_whose_notify_id_is_null_reaches_the_program(zone: EmulatedZone) -> None:
    request = {**REQUESTS["chatdata/sync_call_program"], "notify_id": None}
    assert answer(zone, "chatdata/sync_call_program", request)["errcode"] == 0
    assert [entry.ability for entry in zone.world.traffic.kept_entries() if entry.kind == "app"][-1] == "a"
