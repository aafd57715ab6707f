"""The chat component of WeCom's own package shows messages of the emulator [100076]."""

import pytest
from playwright.sync_api import expect

from tests.emulator.page.conftest import SEES, AppPage

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("opened")]  # test_routes has what the page asks for

IMAGE, VIDEO, FORWARDED, FILE, MIXED, CALL = 2, 7, 10, 8, 20, 22


def test_100076_a_page_shows_messages(app: AppPage) -> None:
    first, second = app.said("您好，请问有货吗？"), app.said("有货的。")
    app.open()
    app.show_messages(first, second)
    expect(app.frame.locator(".row")).to_have_text(["您好，请问有货吗？", "有货的。"])
    assert app.calls("failed") == app.calls("handleError") == []


def test_contacts_are_ready_once_the_signature_is_right(app: AppPage) -> None:
    assert app.page.evaluate("() => ww.initOpenData()") == {"errCode": 0, "errMsg": "agentConfig:ok"}
    assert app.calls("agentConfigSuccess") == [{"errCode": 0, "errMsg": "agentConfig:ok"}]


def test_each_kind_of_message_is_shown_in_words(app: AppPage) -> None:
    messages = [app.said(text, kind) for text, kind in (("", IMAGE), ("合同.docx", FILE), ("照片", MIXED), ("", CALL))]
    app.show_messages(*messages, attributes='display-type="text"')
    expect(app.frame.locator(".row")).to_have_text(["[图片]", "合同.docx", "照片[图片]", "[音视频通话]"])


def test_set_data_shows_another_message(app: AppPage) -> None:
    first, second = app.said("一"), app.said("二")
    app.show_messages(first)
    app.page.evaluate(
        "given => shown.setData(given)", {"list[0].msgid": second.msgid, 'list[0]["key"]': app.key(second)}
    )
    expect(app.frame.locator(".row")).to_have_text(["二"])
    assert len(app.calls("handleUpdated")) == 1
    assert app.page.evaluate("() => shown.data.list[0].msgid") == second.msgid


def test_a_disposed_frame_gets_no_more_data(app: AppPage) -> None:
    app.show_messages(app.said("一"))
    app.page.evaluate("() => { shown.dispose(); shown.setData({ list: [] }); }")
    app.page.evaluate("() => shown.el.remove()")
    expect(app.page.locator("iframe")).to_have_count(0)


def test_100076_texts_are_highlighted(app: AppPage) -> None:
    message = app.said("请把合同发给法务，合同很急")
    app.show_messages(
        message, attributes="static-highlight-text-list=\"{{['合同', '很急']}}\" highlight-color=\"#ff0000\""
    )
    marks = app.frame.locator("mark")
    expect(marks).to_have_text(["合同", "合同", "很急"])
    expect(marks.first).to_have_css("color", "rgb(255, 0, 0)")


def test_words_to_highlight_count_more_than_a_list(app: AppPage) -> None:
    attributes = 'highlight-text="法务" static-highlight-text-list="{{[\'合同\']}}"'
    app.show_messages(app.said("请把合同发给法务"), attributes=attributes)
    expect(app.frame.locator("mark")).to_have_text(["法务"])


def test_a_click_on_an_image_asks_the_page_for_a_preview(app: AppPage) -> None:
    app.show_messages(app.said("[二维码]", IMAGE), attributes='open-type="viewMessage"', modal=True)
    app.frame.locator(".ww-open-message").click()
    app.page.wait_for_function("() => calls.some(([name]) => name === 'handleModal')")
    modal = app.calls("handleModal")[0]
    assert modal["modalSize"] == {"width": 640, "height": 480}
    app.page.evaluate(
        "url => Object.assign(document.body.appendChild(document.createElement('iframe')), { src: url, id: 'modal' })",
        modal["modalUrl"],
    )
    expect(app.page.frame_locator("#modal").locator("p")).to_have_text("[图片][二维码]")


def test_100076_names_and_avatars_are_shown(app: AppPage) -> None:
    chats = app.corp.chats
    customer = next(person for person in chats.people.persons if person.party in chats.customers)
    named = next(group for group in chats.groups.values() if group.name)
    asked = {
        ("userName", SEES): "张伟",
        ("userAvatar", SEES): "张",
        ("externalUserName", customer.party.id): f"{customer.alias}({customer.name})",
        ("chatName", named.chatid): named.name,
        ("fileName", "https://doc.weixin.qq.com/doc/doc_emulator_weekly"): "项目周报",
    }
    app.show(
        '<view wx:for="{{data.list}}" class="row"><ww-open-data type="{{item.type}}" openid="{{item.id}}" /></view>',
        {"list": [{"type": kind, "id": openid} for kind, openid in asked]},
    )
    expect(app.frame.locator(".row")).to_have_text(list(asked.values()))


def test_a_recalled_message_is_not_shown(app: AppPage) -> None:
    message = app.said("发错了")
    assert app.emulator.http.post("/emulator/recall", json={"msgid": message.msgid}).json()["errcode"] == 0
    assert app.emulator.http.post("/emulator/recall", json={"msgid": "other"}).json()["errcode"] == 710601
    app.show_messages(message)
    expect(app.frame.locator(".row")).to_have_text("撤回了一条消息")


@pytest.mark.parametrize(
    ("changed", "errcode", "words"),
    [
        ({"key": "0" * 32}, 710603, "消息密钥错误"),
        ({"msgid": "unknown"}, 710601, "消息已过期，消息内容无法展示"),
    ],
)
def test_a_message_with_a_wrong_id_or_key_is_an_error_of_its_element(
    app: AppPage, changed: dict[str, str], errcode: int, words: str
) -> None:
    good = app.said("一")
    template = (
        '<view wx:for="{{data.list}}" class="row"><ww-open-message message-id="{{item.msgid}}" '
        'secret-key="{{item.key}}" binderror="failed" data-place="{{index}}" /></view>'
    )
    right = {"msgid": good.msgid, "key": app.key(good)}
    app.show(template, {"list": [right, right | changed]})
    expect(app.frame.locator(".row")).to_have_text(["一", words])
    [error] = app.calls("failed")
    assert (error["detail"]["errCode"], error["currentTarget"]["dataset"]) == (errcode, {"place": 1})


def test_a_message_of_90_days_ago_or_from_before_the_app_was_authorised_again_is_not_shown(app: AppPage) -> None:
    before = app.said("之前")
    app.world.app.authorisation.first_message = app.corp.chats.end
    old = app.said("旧消息")
    app.emulator.platform.advance(90 * 86400 + 1)
    app.open_quickly()
    app.show_messages(before, old, app.said("新消息"))
    expect(app.frame.locator(".row")).to_have_text(["消息已过期，消息内容无法展示"] * 2 + ["新消息"])
    assert [error["detail"]["errCode"] for error in app.calls("failed")] == [710601, 710652]
