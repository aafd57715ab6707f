"""The emulator's own pages without a browser: logins, refusals, and which apps may show messages [100076]."""

import re
from collections.abc import Callable
from html import escape
from urllib.parse import urlsplit

import httpx
import pytest

from tests.emulator.conftest import StartEmulator
from tests.support.emulator import Emulator, Json
from tests.support.tables import for_each
from wwspec_devtools.emulator.answers import RefusedError
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.page.content import AskedMessage, check_right, shown_message
from wwspec_devtools.emulator.page.frame import NO_LOGIN
from wwspec_devtools.emulator.page.login import login_url
from wwspec_devtools.emulator.page.routes import COOKIE, MAX_BODY_BYTES, PREVIEW
from wwspec_devtools.emulator.settings import APP_TYPES, AppType
from wwspec_devtools.emulator.state.conversations import Message
from wwspec_devtools.emulator.state.page_tickets import sign
from wwspec_devtools.emulator.state.world import World

PAGE = "http://127.0.0.1:8000/home"


def log_in(emulator: Emulator, userid: str | None, corpid: str = "", to: str = PAGE) -> httpx.Response:
    """Open the address that logs a member in."""
    asked = urlsplit(login_url(userid, to, corpid))
    return emulator.http.get(f"{asked.path}?{asked.query}", headers={"host": asked.netloc})


def test_a_member_is_logged_in_and_led_to_the_page(emulator: Emulator) -> None:
    world = emulator.platform.world
    for corpid in ("", emulator.settings.corpid):
        answer = log_in(emulator, "lina", corpid)
        assert (answer.status_code, answer.headers["location"]) == (302, PAGE)
        login = world.page_logins.member(answer.cookies[COOKIE], world.clock.now())
        assert login is not None
        assert (login.corpid, login.userid) == (emulator.settings.corpid, "lina")


def test_only_members_of_a_known_corp_can_be_chosen_and_are_logged_in(emulator: Emulator) -> None:
    [customer, *_] = emulator.platform.world.corp(emulator.platform.world.app).chats.people.customers
    for userid, corpid in (("nobody", ""), (customer.id, ""), ("lina", "ww-of-nobody"), (None, "")):
        answer = log_in(emulator, userid, corpid)
        assert (answer.status_code, list(answer.cookies)) == (200, []), (userid, corpid)
        assert "lina" in answer.text, "a person can be chosen"
    people = emulator.platform.world.corp(emulator.platform.world.app).chats.people
    links = re.findall(r'<a href="([^"]*)"', log_in(emulator, None).text)
    assert links == [escape(login_url(each.id, PAGE, emulator.settings.corpid)) for each in people.employees]


def test_a_login_that_leads_to_no_page_is_refused(emulator: Emulator) -> None:
    for to in ("", "javascript:alert(1)"):
        answer = log_in(emulator, "lina", to=to)
        assert (answer.status_code, list(answer.cookies)) == (400, []), to


def test_a_body_that_is_too_large_or_has_no_length_is_refused(emulator: Emulator) -> None:
    for body, status in ((b" " * (MAX_BODY_BYTES - 1), 200), (b" " * MAX_BODY_BYTES, 413), (iter([b" "]), 413)):
        assert emulator.http.post("/wwopen/emulator/show", content=body).status_code == status


def opened(emulator: Emulator, *, origin: str = "http://127.0.0.1:8000", sid: str | None = None, **params: str) -> Json:
    """Open a frame as WeCom's script does in the browser of a member."""
    world = emulator.platform.world
    ticket = emulator.app_get("ticket/get", type="agent_config")["ticket"]
    own = {"corpid": world.app.corpid, "agentid": str(world.app.agentid), "timestamp": "1", "nonceStr": "n"}
    own["signature"] = sign(ticket, "n", "1", PAGE)
    cookie = f"{COOKIE}={log_in(emulator, 'lina').cookies[COOKIE] if sid is None else sid}"
    body = {"origin": origin, "url": PAGE, "params": own | params}
    answer: Json = emulator.http.post("/wwopen/emulator/open", json=body, headers={"cookie": cookie}).json()
    return answer | {"cookie": cookie}


def test_a_frame_is_for_the_login_that_opened_it_until_that_ends(emulator: Emulator) -> None:
    frame = opened(emulator)

    def errcode(cookie: str) -> int:
        headers, body = {"cookie": cookie}, {"frame": frame["frame"]}
        return int(emulator.http.post("/wwopen/emulator/show", json=body, headers=headers).json()["errcode"])

    assert [errcode(each) for each in (frame["cookie"], opened(emulator)["cookie"], f"{COOKIE}=")] == [0, 40029, -1]
    for seconds, expected in ((12 * 3600 - 1, 0), (1, 42003)):
        emulator.advance(seconds)
        assert errcode(frame["cookie"]) == expected
    assert opened(emulator, sid=frame["cookie"].removeprefix(f"{COOKIE}="))["errcode"] == 42006


def shown(emulator: Emulator, *messages: Message, names: tuple[tuple[str, str], ...] = ()) -> list[Json]:
    """Return what a frame shows of messages and names."""
    frame, key = opened(emulator), emulator.platform.world.app.keys.secret_key
    body = {
        "frame": frame["frame"],
        "messages": [{"msgid": each.msgid, "secret_key": key(each.msgid)} for each in messages],
        "names": [{"type": kind, "openid": openid} for kind, openid in names],
    }
    answer = emulator.http.post("/wwopen/emulator/show", json=body, headers={"cookie": frame["cookie"]}).json()
    return [*answer["messages"], *answer["names"]]


@for_each(
    [
        *[({}, 0), ({"sid": ""}, -1), ({"sid": "made-up"}, 42006), ({"corpid": "other"}, 92002)],
        *[({"origin": "http://127.0.0.1:8001"}, 85005), ({"agentid": "x"}, 40056), ({"agentid": "1"}, 40056)],
        ({"signature": "0" * 40}, 40093),
    ]
)
def test_a_frame_opens_for_a_member_on_a_page_that_the_app_has_signed(
    changed: dict[str, str], errcode: int, emulator: Emulator
) -> None:
    assert opened(emulator, **changed)["errcode"] == errcode


@pytest.mark.parametrize(("domain", "errcode"), [("127.0.0.1:8000", 0), ("app.example:8443", 85005)])
def test_only_pages_of_the_trusted_domain_get_frames(start: StartEmulator, domain: str, errcode: int) -> None:
    answer = opened(start(trusted_domain=domain))
    assert answer["errcode"] == errcode
    assert errcode == 0 or domain in answer["errmsg"]


def said(emulator: Emulator, text: str = "", msgtype: int = 1) -> Message:
    world = emulator.platform.world
    return world.corp(world.app).chats.say(world.clock.seconds(), text, msgtype=msgtype)


def test_each_kind_of_message_is_shown_in_words(emulator: Emulator) -> None:
    answers = shown(emulator, *(said(emulator, msgtype=kind) for kind in range(29)))
    words = " ".join(each["label"] or each["text"] for each in answers).replace("[不支持的消息]", "-")
    assert words == (
        "- - 图片 表情 - - 语音 视频 - 名片 聊天记录 视频号 日程 红包 位置 快速会议 待办 投票 - 图文 [图片] 音频存档 "
        "音视频通话 - 同意存档会话内容 不同意存档会话内容 接龙 - 笔记"
    )
    assert [kind for kind, each in enumerate(answers) if "preview" in each] == [2, 7, 10]
    assert [kind for kind, each in enumerate(answers) if each["is_titled"]] == [4, 5, 8, 18, 23]


def test_a_member_sees_no_number_that_the_app_hides_from_him(emulator: Emulator) -> None:
    message = said(emulator, "13800138000 6222020200112233446 11010519491231002X")
    of_another = {"hide_mobile": True, "hide_idcard": True, "hide_bankno": True}
    emulator.app_call("set_hide_sensitiveinfo_config", {"userid": "zhangwei", "config": of_another})
    assert shown(emulator, message)[0]["text"] == message.text
    for hidden, text in (
        ("hide_mobile", "138****8000 6222020200112233446 11010519491231002X"),
        ("hide_bankno", "13800138000 622************3446 11010519491231002X"),
        ("hide_idcard", "13800138000 6222020200112233446 110***********002X"),
    ):
        emulator.app_call("set_hide_sensitiveinfo_config", {"userid": "lina", "config": {hidden: True}})
        assert shown(emulator, message)[0]["text"] == text


def test_a_message_is_shown_for_90_days(emulator: Emulator) -> None:
    message = said(emulator)
    for seconds, errcode in ((90 * 86400, 0), (1, 710652)):
        emulator.advance(seconds)
        assert shown(emulator, message)[0]["errcode"] == errcode


def test_names_are_shown_by_their_ids(emulator: Emulator) -> None:
    document = "https://doc.weixin.qq.com/doc/"
    asked = {("userName", "lina"): "李娜", ("userName", "x"): "", ("chatName", "x"): "非企业客户群"}
    asked |= {("externalUserName", "x"): "非企业客户", ("externalUserAvatar", "x"): "非企业客户"}
    asked |= {("fileName", f"{document}doc_emulator_weekly/"): "项目周报", ("fileName", document): "链接错误"}
    assert [each["text"] for each in shown(emulator, names=(*asked,))] == [*asked.values()]
    assert [each.get("errcode") for each in shown(emulator, names=(("userAge", "lina"),))] == [40058]


AFTERWARDS: dict[str, Callable[[EmulatorClient], object]] = {
    "a cancelled authorisation": lambda control: control.cancel(),
    "another authorisation": lambda control: [control.cancel(), control.authorize()],
    "the end of the data permission": lambda control: control.expire(),
}


@pytest.mark.parametrize("change", AFTERWARDS.values(), ids=AFTERWARDS)
def test_a_preview_shows_no_message_that_may_not_be_shown_any_more(
    start: StartEmulator, change: Callable[[EmulatorClient], object]
) -> None:
    emulator = start(app_type="third")
    world = emulator.platform.world
    sid = log_in(emulator, "lina").cookies[COOKIE]
    with world.lock:
        login = world.page_logins.member(sid, world.clock.now())
        assert login is not None
        image = world.corp(world.app).chats.say(world.clock.seconds(), "", msgtype=2)
        asked = AskedMessage(msgid=image.msgid, secret_key=world.app.keys.secret_key(image.msgid))
        mark = shown_message(world, world.app, login, asked)["preview"]

    def preview() -> str:
        return emulator.http.get(PREVIEW, params={"mark": mark}, headers={"cookie": f"{COOKIE}={sid}"}).text

    assert "[图片]" in preview()
    with EmulatorClient(emulator.url) as control:
        change(control)
    assert "消息已过期" in preview()


def test_a_preview_without_a_login_or_a_message_says_so(emulator: Emulator) -> None:
    sid = log_in(emulator, "lina").cookies[COOKIE]
    for cookie, query, text in (("", "", NO_LOGIN), (sid, "", "消息已过期"), (sid, "?mark=made-up", "消息已过期")):
        answer = emulator.http.get(PREVIEW + query, headers={"cookie": f"{COOKIE}={cookie}"})
        assert (answer.status_code, text in answer.text) == (200, True), (cookie, query)


def refusal(world: World) -> int:
    try:
        check_right(world, world.app)
    except RefusedError as error:
        return error.errcode
    return 0


@pytest.mark.parametrize("app_type", APP_TYPES)
def test_each_kind_of_app_but_the_external_one_shows_messages(start: StartEmulator, app_type: AppType) -> None:
    world = start(app_type=app_type).platform.world
    assert refusal(world) == (48002 if app_type == "external" else 0)


@pytest.mark.parametrize("app_type", ["custom", "third"])
def test_an_app_shows_nothing_once_its_data_permission_has_ended(start: StartEmulator, app_type: AppType) -> None:
    emulator = start(app_type=app_type, expired_errcode=710641)
    emulator.platform.advance(90 * 86400)
    assert refusal(emulator.platform.world) == 710641
    emulator.platform.world.app.authorisation.grants = {}
    assert refusal(emulator.platform.world) == 710726


def test_an_app_shows_nothing_after_a_cancelled_authorisation_or_without_the_right(start: StartEmulator) -> None:
    world = start(app_type="third").platform.world
    world.app.authorisation.is_installed = False
    assert refusal(world) == 48004
    world.app.authorised = False
    assert refusal(world) == 48002
