"""What the emulator answers where WeCom has an API that it does not model."""

from itertools import product

from tests.support.emulator import Emulator
from tests.support.tables import for_each
from wwspec_devtools.emulator.appside import table as appside

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
    for path in ("GET gettoken", "POST chatdata/upload_media", "POST chatdata/sync_call_program", *appside.APIS):
        assert path in message


def test_a_head_request_has_no_body_and_other_paths_stay_unknown(emulator: Emulator) -> None:
    response = emulator.http.head("/cgi-bin/user/get")
    assert (response.status_code, response.content) == (200, b"")
    assert emulator.http.get("/user/get").status_code == 404
    assert emulator.http.get("/emulator/user/get").status_code == 404
