"""What a page meets whose login or signature is wrong [100076, 90313], and which hosts its browser reaches.

In the browser that `wwspec zone page` opens WeCom's hosts lead to the emulator, and no other host is reached.
"""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Error, expect

from tests.emulator.page.conftest import AppPage
from wwspec_devtools.emulator.state.page_logins import LOGIN_SECONDS

pytestmark = pytest.mark.slow  # a browser of its own; test_messages has one for what every page meets


def errors(app: AppPage) -> list[int]:
    return [error["detail"]["errCode"] for error in app.calls("failed")]


def test_the_login_to_an_app_logs_in_to_its_page_too(app: AppPage) -> None:
    app.page.context.clear_cookies()
    query = {"appid": app.world.app.corpid, "response_type": "code", "scope": "snsapi_base", "redirect_uri": app.url}
    app.page.goto(f"https://open.weixin.qq.com/connect/oauth2/authorize?{urlencode(query)}#wechat_redirect")
    app.page.get_by_role("link", name="(lina)").click()
    expect(app.page).to_have_title("An app's page")
    code = parse_qs(urlsplit(app.page.url).query)["code"][0]
    assert app.emulator.app_get("auth/getuserinfo", code=code)["userid"] == "lina"
    assert [each["name"] for each in app.page.context.cookies("https://open.work.weixin.qq.com")] == ["open_sid"]


def test_without_a_login_each_element_has_an_error(app: AppPage) -> None:
    app.open(None)
    app.show_messages(app.said("一"))
    assert [error["detail"]["errMsg"] for error in app.calls("failed")] == ["Missing open sid"]
    assert [error["errMsg"] for error in app.calls("handleError")] == ["Missing open sid"]
    expect(app.frame.locator(".row")).to_have_text("消息获取失败")


def test_100076_a_login_that_ends_meanwhile_is_42003(app: AppPage) -> None:
    app.open_quickly()
    app.show_messages(app.said("一"))
    app.emulator.platform.advance(LOGIN_SECONDS)
    second = app.said("二")
    app.page.evaluate("given => shown.setData(given)", {"list[1]": {"msgid": second.msgid, "key": app.key(second)}})
    expect(app.frame.locator(".row")).to_have_text(["一", "消息获取失败"])
    assert errors(app) == [42003]


@pytest.mark.parametrize(
    ("registered", "errcode"),
    [
        ({"ticket": "made-up"}, 40093),
        ({"url": "http://127.0.0.1:1/"}, 40093),
        ({"corpId": "wwother"}, 92002),
    ],
)
def test_a_page_that_is_signed_wrongly_is_refused(app: AppPage, registered: dict[str, str], errcode: int) -> None:
    app.open(**registered)
    app.show_messages(app.said("一"))
    assert errors(app) == [errcode]
    assert [error["errCode"] for error in app.calls("handleError")] == [errcode]
    refused = app.page.evaluate("() => ww.initOpenData().catch((error) => error.errCode)")
    assert refused == errcode
    assert [error["errCode"] for error in app.calls("agentConfigFail")] == [errcode]


def test_a_page_in_a_frame_has_no_login(app: AppPage) -> None:
    app.open_quickly()
    ticket = app.emulator.app_get("ticket/get", type="agent_config")["ticket"]
    given = {"corpId": app.world.app.corpid, "agentId": app.world.app.agentid, "ticket": ticket}
    app.page.evaluate(
        "url => Object.assign(document.body.appendChild(document.createElement('iframe')), { src: url, id: 'outer' })",
        app.url,
    )
    expect(app.page.frame_locator("#outer").locator("#chat")).to_be_attached()
    inner = next(
        frame for frame in app.page.frames if frame.parent_frame == app.page.main_frame and frame.url == app.url
    )
    inner.evaluate("given => { register(given); show({ template: '<view>x</view>' }); }", given)
    inner.wait_for_function("() => calls.some(([name]) => name === 'handleError')")
    assert inner.evaluate(
        "() => calls.filter(([name]) => name === 'handleError').map(([, error]) => error.errMsg)"
    ) == ["Missing open sid"]


def test_other_hosts_are_refused_over_tls_too(app: AppPage) -> None:
    with app.page.context.new_page() as page:
        for url in ("http://example.com/", "http://192.0.2.1/"):
            response = page.goto(url)
            assert response is not None
            assert (response.status, "this proxy answers for" in response.text()) == (403, True), url
    for url in ("https://example.com/", "https://192.0.2.1/", "https://weixin.qq.com/"):
        with app.page.context.new_page() as page, pytest.raises(Error, match="ERR_TUNNEL_CONNECTION_FAILED"):
            page.goto(url)


def test_the_hosts_of_wecom_lead_to_the_emulator_each_to_its_own_paths(app: AppPage) -> None:
    response = app.page.goto(
        f"https://qyapi.weixin.qq.com/cgi-bin/gettoken?corpid={app.world.app.corpid}&corpsecret=wrong"
    )
    assert response is not None
    assert response.json()["errcode"] == 40001
    for path in ("/emulator/info", "/cgi-bin/gettoken", "/"):
        response = app.page.goto(f"https://open.work.weixin.qq.com{path}")
        assert response is not None
        assert response.status == 403, path


def test_the_page_of_another_machine_gets_no_frame(app: AppPage) -> None:
    headers = {"host": "open.work.weixin.qq.com", "origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    answer = app.emulator.http.post("/wwopen/emulator/open", headers=headers, json={})
    assert answer.status_code == 403
