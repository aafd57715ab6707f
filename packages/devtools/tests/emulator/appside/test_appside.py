"""The app's APIs besides calls of the program: who is in scope, settings, uploads, debug mode, those not modelled."""

from itertools import product
from typing import Any

import httpx
import pytest

from tests.emulator.conftest import LoadStandin, StartEmulator
from tests.support.emulator import Emulator, Json, SealedProgram
from tests.support.tables import for_each
from wwspec_devtools.emulator.appside import calls as appside, table, uploads
from wwspec_devtools.emulator.scene import Employee, Scene

START = 1_750_000_000


@pytest.mark.parametrize("api", ["get_auth_user_list", "docdata/get_auth_user_list"])
def test_members_in_scope_are_listed_page_by_page(emulator: Emulator, api: str) -> None:
    everyone = emulator.app_call(api, {})
    assert (everyone["errcode"], everyone["has_more"], everyone["next_cursor"]) == (0, False, "")
    assert len(everyone["auth_user_list"]) == 20
    assert emulator.app_call(api, {"limit": 0, "cursor": None}) == everyone
    pages, cursor = list[Json](), ""
    for more in (True, True, False):
        page = emulator.app_call(api, {"limit": 8, "cursor": cursor})
        assert page["has_more"] is more
        pages += page["auth_user_list"]
        cursor = page["next_cursor"]
    assert pages == everyone["auth_user_list"]
    expected = {"userid", "edition_list"} if api == "get_auth_user_list" else {"userid"}
    assert set(pages[0]) == expected


@pytest.mark.parametrize("api", ["get_auth_user_list", "docdata/get_auth_user_list"])
def test_a_page_has_200_members_unless_the_app_asks_for_more(start: StartEmulator, api: str) -> None:
    scene = Scene(employees=[Employee(userid=f"member{number}") for number in range(201)])
    emulator = start(scene=scene, messages=0)
    pages = [emulator.app_call(api, {"limit": limit})["auth_user_list"] for limit in (0, 201)]
    assert list(map(len, pages)) == [200, 201]


def test_a_cursor_of_one_list_is_none_of_the_other(emulator: Emulator) -> None:
    cursor = emulator.app_call("get_auth_user_list", {"limit": 1})["next_cursor"]
    assert emulator.app_call("docdata/get_auth_user_list", {"cursor": cursor})["errcode"] == 710611


def test_masking_is_kept_for_app_and_program_alike(emulator: Emulator) -> None:
    config = {"hide_mobile": True, "hide_idcard": False, "hide_bankno": False}
    of_lina = {"userid": "lina"}
    assert emulator.app_call("set_hide_sensitiveinfo_config", {**of_lina, "config": config})["errcode"] == 0
    assert emulator.app_call("get_hide_sensitiveinfo_config", of_lina)["config"] == config
    assert emulator.sdk("get_hide_sensitiveinfo_config", of_lina)["config"] == config


@pytest.mark.parametrize("api", appside.APIS)
def test_every_api_wants_an_access_token(emulator: Emulator, api: str) -> None:
    assert emulator.app_call(api, {}, "made-up")["errcode"] == 40014
    token = emulator.token()
    assert emulator.http.post("/emulator/expire-tokens").json()["expired"] == 1
    assert emulator.app_call(api, {}, token)["errcode"] == 42001


def test_in_debug_mode_calls_and_events_go_to_the_debug_url(
    start: StartEmulator, program: SealedProgram, load_standin: LoadStandin
) -> None:
    emulator = start(debug_url=program.url, program_url="http://127.0.0.1:1")
    program.key = emulator.key
    debug = {"program_id": emulator.settings.program_id, "debug_token": emulator.settings.debug_token}
    of_program = {"program_id": emulator.settings.program_id}
    assert emulator.app_call("open_debug_mode", debug | {"debug_token": "made-up"})["errcode"] == 710671
    assert emulator.app_call("open_debug_mode", debug)["errcode"] == 710673, "the SDK's side is closed"
    sdk: Any = load_standin(emulator.url)
    token = emulator.token()
    assert sdk.spec_open_debug_mode(debug["debug_token"], token)
    assert emulator.call_program()["errcode"] == 710674, "the app's side is closed"
    assert emulator.app_call("open_debug_mode", debug)["errcode"] == 0
    assert emulator.app_call("check_debug_mode", of_program)["debug_mode_status"] == 2
    assert emulator.call_program()["errcode"] == 0
    emulator.receive_events()
    assert emulator.fire("hit_keyword")["errcode"] == 0
    assert emulator.app_call("close_debug_mode", of_program)["errcode"] == 0
    assert emulator.app_call("check_debug_mode", of_program)["debug_mode_status"] == 1
    assert emulator.call_program()["errcode"] == 710674
    emulator.advance(3 * 86400)
    assert emulator.app_call("open_debug_mode", debug)["errcode"] == 710671, "a credential lasts three days"
    caller = {"ww-corpid": emulator.settings.corpid, "ww-agentid": "1000002", "ww-debug-access-token": token}
    answer = emulator.http.post("/emulator/sdk/sync_msg", json={}, headers=caller)
    assert (answer.status_code, answer.text) == (590, "-10008"), "the access token of debug mode has ended"


@pytest.mark.parametrize("content", [b"123456", bytes(range(256)) * 20 + b"\r\n--not the boundary\r\n\r\n"])
def test_an_uploaded_file_is_kept_byte_for_byte_for_three_days(emulator: Emulator, content: bytes) -> None:
    answer = upload(emulator, "报价单.txt", content)
    made = {"type": "file", "media_id": answer["media_id"], "created_at": str(START)}
    assert answer == {"errcode": 0, "errmsg": "ok", **made}
    world, agentid = emulator.platform.world, emulator.settings.agentid
    with world.lock:
        files = world.corp(world.app).media
        found = files.get(agentid, answer["media_id"], START + 3 * 86400 - 1)
        assert found is not None
        assert (found.name, found.content) == ("报价单.txt", content)
        assert files.get(agentid, answer["media_id"], START + 3 * 86400) is None
        assert files.get(agentid + 1, answer["media_id"], START) is None


def test_a_file_of_the_largest_size_is_taken_and_a_larger_one_is_not(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert uploads.MAX_BYTES == 60 * 1024 * 1024
    monkeypatch.setattr(uploads, "MAX_BYTES", 100_000)
    monkeypatch.setattr(uploads, "MAX_FORM_BYTES", 200_000)
    assert upload(emulator, "a", bytes(100_000))["errcode"] == 0
    assert upload(emulator, "a", bytes(100_001))["errcode"] == 40206
    assert upload(emulator, "a", bytes(200_000))["errcode"] == 40206
    assert upload(emulator, "a", bytes(5))["errcode"] == 40058


FORM = 'multipart/form-data; boundary="b"'


@pytest.mark.parametrize(
    ("content_type", "body", "errcode"),
    [
        ("application/json", b"{}", 40058),
        ("multipart/form-data", b"--b--\r\n", 40058),
        ("", b"", 40058),
        (FORM, b"", 40058),
        (FORM, b"--b\r\ncontent-disposition: form-data; name=media; filename=a\r\n\r\n123456", 40058),
        (FORM, b"--b\r\ncontent-disposition: form-data; name=other; filename=a\r\n\r\n123456\r\n--b--\r\n", 40063),
        (FORM, b"--b\r\ncontent-disposition: form-data; name=media\r\n\r\n123456\r\n--b--\r\n", 40063),
        (FORM, b"--b\r\n\xff\xfe\r\n\r\n123456\r\n--b--\r\n", 40058),
        (FORM, b"--b\r\ncontent-disposition: form-data; name=media; filename=a\r\n\r\n123456\r\n--b--", 0),
    ],
)
def test_forms_without_a_file_are_refused(emulator: Emulator, content_type: str, body: bytes, errcode: int) -> None:
    response = emulator.http.post(
        "/cgi-bin/chatdata/upload_media",
        params={"access_token": emulator.token(), "type": "file"},
        content=body,
        headers={"content-type": content_type},
    )
    assert response.json()["errcode"] == errcode


def test_an_upload_is_of_type_file_and_wants_an_access_token(emulator: Emulator) -> None:
    assert upload(emulator, "a", b"123456", type="image")["errcode"] == 40058
    assert upload(emulator, "a", b"123456", access_token="made-up")["errcode"] == 40014  # noqa: S106


def upload(emulator: Emulator, name: str, content: bytes, **query: str) -> Json:
    response: httpx.Response = emulator.http.post(
        "/cgi-bin/chatdata/upload_media",
        params={"access_token": emulator.token(), "type": "file", **query},
        files={"media": (name, content, "application/octet-stream")},
    )
    answer: Json = response.json()
    return answer


PATHS = ["user/get", "chatdata/no_such_api", "message/send/", "chatdata", "", "%00/../x"]
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
OF_ANOTHER_METHOD = [("gettoken", "POST"), ("chatdata/sync_call_program", "GET")]


@for_each([*product(PATHS, METHODS), *OF_ANOTHER_METHOD])
def test_an_unknown_path_is_refused_in_json(path: str, method: str, emulator: Emulator) -> None:
    """Row 26: clients parse JSON, and WeCom answers with HTTP status 200 whatever the errcode."""
    response = emulator.http.request(method, f"/cgi-bin/{path}?access_token=x")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    answer = response.json()
    assert answer["errcode"] == 48002
    assert f"the emulator does not model {method} /cgi-bin/" in answer["errmsg"]


def test_calls_of_what_is_not_modelled_are_seen_and_told_what_is(emulator: Emulator) -> None:
    """Row 26: so that a developer sees what the app wanted; a path of any length is told shortened."""
    emulator.http.get("/cgi-bin/user/get")
    emulator.http.get(f"/cgi-bin/user/{'x' * 5000}")
    first, second = emulator.http.get("/emulator/traffic").json()["traffic"]
    assert (first["kind"], first["name"], first["outcome"]) == ("app", "user/get", "48002")
    assert len(second["name"]) <= 64
    assert len(emulator.http.get(f"/cgi-bin/{'x' * 5000}").json()["errmsg"]) < 2000
    message = emulator.http.post("/cgi-bin/chatdata/sync_call_programme").json()["errmsg"]
    assert "does not model POST /cgi-bin/chatdata/sync_call_programme" in message
    for path in ("GET gettoken", "POST chatdata/upload_media", "POST chatdata/sync_call_program", *table.APIS):
        assert path in message


def test_a_head_request_has_no_body_and_other_paths_stay_unknown(emulator: Emulator) -> None:
    response = emulator.http.head("/cgi-bin/user/get")
    assert (response.status_code, response.content) == (200, b"")
    assert emulator.http.get("/user/get").status_code == 404
    assert emulator.http.get("/emulator/user/get").status_code == 404
