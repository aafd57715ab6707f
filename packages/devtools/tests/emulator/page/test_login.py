"""What a page meets whose login or signature is wrong [100076, 90313]."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import expect

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
