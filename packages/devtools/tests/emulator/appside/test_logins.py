"""How an app learns who has opened its page: the login that the emulator plays, and what a code is good for."""

from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from tests.emulator.conftest import StartEmulator, suite_token
from tests.support.emulator import Emulator, Json

PAGE = "http://127.0.0.1:8000/home?from=menu"
LINK = {"redirect_uri": PAGE, "response_type": "code", "scope": "snsapi_base", "state": "s 1"}
PRIVATE = {"scope": "snsapi_privateinfo"}


def open_link(emulator: Emulator, **changed: str) -> httpx.Response:
    """Open the app's link to WeCom's login."""
    return emulator.http.get(f"/connect/oauth2/authorize?{urlencode(query_of(emulator, **changed))}")


def query_of(emulator: Emulator, **changed: str) -> dict[str, str]:
    return {"appid": emulator.settings.corpid, "agentid": str(emulator.settings.agentid), **LINK, **changed}


def code_of(emulator: Emulator, person: str, **changed: str) -> str:
    """Log in as a person, and return the code that the app's page gets."""
    response = open_link(emulator, emulator_person=person, **changed)
    assert response.status_code == 302
    [code] = parse_qs(urlsplit(response.headers["location"]).query)["code"]
    return code


def user_info(emulator: Emulator, code: str) -> Json:
    return emulator.app_get("auth/getuserinfo", code=code)


def user_info_3rd(emulator: Emulator, code: str) -> Json:
    return emulator.app_get("service/auth/getuserinfo3rd", suite_access_token=suite_token(emulator), code=code)


def test_the_browser_comes_back_to_the_apps_page_with_a_code_and_the_state(emulator: Emulator) -> None:
    """[91022] The query that the page had stays."""
    location = urlsplit(open_link(emulator, emulator_person="lina").headers["location"])
    assert (location.scheme, location.netloc, location.path) == ("http", "127.0.0.1:8000", "/home")
    query = parse_qs(location.query)
    assert (query["from"], query["state"]) == (["menu"], ["s 1"])
    assert 0 < len(query["code"][0]) <= 512


def test_91023_a_code_names_a_member_whose_documents_can_be_read_once_within_five_minutes(emulator: Emulator) -> None:
    code = code_of(emulator, "lina")
    answer = user_info(emulator, code)
    assert set(answer) == {"errcode", "errmsg", "userid", "user_doc_ticket"}
    assert answer["userid"] == "lina"
    params = {
        "oper_userid": "lina",
        "user_doc_ticket": answer["user_doc_ticket"],
        "docid_list": ["doc_emulator_weekly"],
    }
    assert emulator.sdk("create_ww_model_task", {"doc_retrieval_params": params})["errcode"] == 0
    assert user_info(emulator, code)["errcode"] == 40029
    early, late = code_of(emulator, "lina"), code_of(emulator, "lina")
    emulator.advance(299)
    assert user_info(emulator, early)["userid"] == "lina"
    emulator.advance(1)
    assert user_info(emulator, late)["errcode"] == 40029


@pytest.mark.parametrize(("code", "errcode"), [("made-up", 40029), ("x" * 513, 40029), ("", 40063)])
def test_what_is_no_code_is_refused(emulator: Emulator, code: str, errcode: int) -> None:
    """[91023]"""
    assert user_info(emulator, code)["errcode"] == errcode


def test_a_code_needs_an_access_token(emulator: Emulator) -> None:
    code = code_of(emulator, "lina")
    for api, token, errcode in (
        ("auth/getuserinfo", "access_token", 40014),
        ("service/auth/getuserinfo3rd", "suite_access_token", 40082),
    ):
        assert emulator.app_get(api, **{token: "made-up", "code": code})["errcode"] == errcode
    assert user_info(emulator, code)["userid"] == "lina"


def test_somebody_from_outside_has_an_openid(emulator: Emulator) -> None:
    """[91023]"""
    customer = next(iter(emulator.http.get("/emulator/info").json()["customers"]))
    answers = [user_info(emulator, code_of(emulator, customer, **PRIVATE)) for _ in range(2)]
    assert set(answers[0]) == {"errcode", "errmsg", "openid", "external_userid"}
    assert answers[0] == answers[1]
    assert answers[0]["external_userid"] == customer
    assert len(answers[0]["openid"]) <= 64


def test_91121_the_provider_of_a_third_party_app_learns_the_corp_too(emulator: Emulator) -> None:
    """[91121] The link has the suite's ID."""
    link = {"appid": emulator.settings.suite_id, "agentid": "", **PRIVATE}
    answer = user_info_3rd(emulator, code_of(emulator, "lina", **link))
    assert (answer["corpid"], answer["userid"], answer["expires_in"]) == (emulator.settings.corpid, "lina", 1800)
    assert answer["user_ticket"]
    assert "user_doc_ticket" not in answer
    again = user_info_3rd(emulator, code_of(emulator, "lina", appid=emulator.settings.suite_id, agentid=""))
    assert again["open_userid"] == answer["open_userid"] != "lina"
    assert "user_ticket" not in again
    assert "expires_in" not in again


def test_the_unknown_of_a_third_party_apps_doc_ticket_is_a_setting(start: StartEmulator) -> None:
    emulator = start(suite_doc_ticket=True)
    code = code_of(emulator, "lina", appid=emulator.settings.suite_id, agentid="")
    assert user_info_3rd(emulator, code)["user_doc_ticket"]


def test_a_code_is_for_the_app_of_the_link_alone(emulator: Emulator) -> None:
    own, suite = code_of(emulator, "lina"), code_of(emulator, "lina", appid=emulator.settings.suite_id, agentid="")
    assert user_info(emulator, suite)["errcode"] == 40029
    assert user_info_3rd(emulator, own)["errcode"] == 40029
    assert user_info(emulator, own)["userid"] == user_info_3rd(emulator, suite)["userid"] == "lina"


@pytest.mark.parametrize(
    ("app_type", "own", "by_suite"), [("self", 0, 48002), ("custom", 0, 48002), ("third", 48002, 0)]
)
def test_the_kind_of_app_decides_which_api_names_the_person(
    start: StartEmulator, app_type: str, own: int, by_suite: int
) -> None:
    """[91023, 91121]"""
    emulator = start(app_type=app_type)
    world = emulator.platform.world
    with world.lock:
        token, _ = world.accounts.issue_token_of(world.app, world.clock.now(), world.ids)
    code = code_of(emulator, "lina")
    assert emulator.app_get("auth/getuserinfo", access_token=token, code=code)["errcode"] == own
    if app_type == "self":
        assert open_link(emulator, appid=emulator.settings.suite_id).status_code == 400
        return
    code = code_of(emulator, "lina", appid=emulator.settings.suite_id)
    assert user_info_3rd(emulator, code)["errcode"] == by_suite


def test_the_people_of_each_corp_log_in_to_a_third_party_app(start: StartEmulator) -> None:
    """[91121]"""
    emulator = start(corps=2, app_type="third")
    link = {"appid": emulator.settings.suite_id, "agentid": ""}
    corpids = [app.corpid for app in emulator.platform.world.apps]
    page = open_link(emulator, **link).text
    for corpid in corpids:
        assert f"emulator_corpid={corpid}&amp;emulator_person=lina" in page
    infos = [user_info_3rd(emulator, code_of(emulator, "lina", emulator_corpid=corpid, **link)) for corpid in corpids]
    assert [info["corpid"] for info in infos] == corpids
    assert infos[0]["open_userid"] != infos[1]["open_userid"]
    assert open_link(emulator, emulator_person="lina", emulator_corpid="other", **link).status_code == 400


def test_a_code_that_went_to_another_domain_than_the_trusted_one_is_refused(start: StartEmulator) -> None:
    """[91023] The port counts."""
    emulator = start(trusted_domain="127.0.0.1:8000")
    assert user_info(emulator, code_of(emulator, "lina"))["userid"] == "lina"
    for url in ("http://127.0.0.1:8001/", "http://127.0.0.1/", "http://localhost:8000/"):
        assert user_info(emulator, code_of(emulator, "lina", redirect_uri=url))["errcode"] == 50001


def test_95833_private_data_is_given_for_half_an_hour_when_the_link_asks_for_it(emulator: Emulator) -> None:
    """[95833] The corp's admin has chosen no field."""
    ticket = user_info(emulator, code_of(emulator, "lina", **PRIVATE))["user_ticket"]
    member = {"errcode": 0, "errmsg": "ok", "userid": "lina", "gender": "0", "avatar": ""}
    assert emulator.app_call("auth/getuserdetail", {"user_ticket": ticket}) == member
    emulator.advance(1800)
    assert emulator.app_call("auth/getuserdetail", {"user_ticket": ticket})["errcode"] == 84014
    assert emulator.app_call("auth/getuserdetail", {"user_ticket": "made-up"})["errcode"] == 84014
    assert emulator.app_call("auth/getuserdetail", {})["errcode"] == 40063


def test_codes_and_tickets_are_not_shown_in_the_traffic(emulator: Emulator) -> None:
    code = code_of(emulator, "lina", **PRIVATE)
    answer = user_info(emulator, code)
    emulator.app_call("auth/getuserdetail", {"user_ticket": answer["user_ticket"]})
    numbers = [row["number"] for row in emulator.http.get("/emulator/traffic").json()["traffic"]]
    shown = "".join(emulator.http.get(f"/emulator/traffic/{number}").text for number in numbers)
    assert '"user_ticket":"***"' in shown
    for secret in (code, answer["user_ticket"], answer["user_doc_ticket"]):
        assert secret not in shown


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"appid": "other"}, "appid: wwemulator00000001, or emulator-suite once it is installed"),
        ({"response_type": "token"}, "response_type: code"),
        ({"scope": "snsapi_all"}, "scope: snsapi_base"),
        ({"agentid": "7"}, "agentid: 1000002"),
        ({"agentid": "", **PRIVATE}, "agentid: 1000002, which snsapi_privateinfo needs"),
        ({"state": "x" * 129}, "state: 128 bytes at most"),
        ({"redirect_uri": "javascript:alert(1)"}, "redirect_uri must be an http:// or https:// URL"),
        ({"redirect_uri": ""}, "redirect_uri must be an http:// or https:// URL"),
        ({"emulator_person": "nobody"}, "emulator_person: &#x27;nobody&#x27; is neither a member nor a customer"),
    ],
)
def test_a_wrong_link_is_explained(emulator: Emulator, changed: dict[str, str], named: str) -> None:
    """[91022]"""
    response = open_link(emulator, **changed)
    assert response.status_code == 400
    assert named in response.text


def test_the_page_speaks_the_language_of_the_browser(emulator: Emulator) -> None:
    assert '<html lang="en">' in open_link(emulator).text
    chinese = {"accept-language": "zh-CN,zh;q=0.9"}
    page = emulator.http.get("/connect/oauth2/authorize", params=query_of(emulator), headers=chinese)
    assert "选择登录人" in page.text
    assert "选择登录人" in open_link(emulator, lang="zh").text


@pytest.mark.parametrize(("path", "status"), [("/connect/oauth2/authorize", 400), ("/emulator/info", 403), ("/", 403)])
def test_the_login_is_served_as_wecoms_own_host_too_and_nothing_else_is(
    emulator: Emulator, path: str, status: int
) -> None:
    assert emulator.http.get(path, headers={"host": "open.weixin.qq.com"}).status_code == status
