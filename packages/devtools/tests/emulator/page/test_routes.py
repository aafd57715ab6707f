"""The emulator's own pages without a browser: logins, refusals, and which apps may show messages [100076]."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import pytest

from tests.emulator.conftest import StartEmulator
from tests.support.emulator import Emulator
from wwspec_devtools.emulator.answers import RefusedError
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.page.content import AskedMessage, check_right, shown_message
from wwspec_devtools.emulator.page.frame import NO_LOGIN
from wwspec_devtools.emulator.page.login import login_url
from wwspec_devtools.emulator.page.routes import COOKIE, MAX_BODY_BYTES, PREVIEW
from wwspec_devtools.emulator.settings import APP_TYPES, AppType
from wwspec_devtools.emulator.state.authorisations import PERMISSION_SECONDS
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
    links = re.findall(r'<a href="https://[^"]*userid=(\w+)', log_in(emulator, None).text)
    assert links == [each.id for each in people.employees]


def test_a_login_that_leads_to_no_page_is_refused(emulator: Emulator) -> None:
    for to in ("", "javascript:alert(1)"):
        answer = log_in(emulator, "lina", to=to)
        assert (answer.status_code, list(answer.cookies)) == (400, []), to


def test_a_body_that_is_too_large_or_has_no_length_is_refused(emulator: Emulator) -> None:
    for body, status in ((b" " * (MAX_BODY_BYTES - 1), 200), (b" " * MAX_BODY_BYTES, 413), (iter([b" "]), 413)):
        assert emulator.http.post("/wwopen/emulator/show", content=body).status_code == status


AFTERWARDS: dict[str, Callable[[EmulatorClient], object]] = {
    "a cancelled authorisation": lambda control: control.cancel(),
    "another authorisation": lambda control: [control.cancel(), control.authorize()],
    "the end of the data permission": lambda control: control.expire(),
}


@pytest.mark.parametrize("change", AFTERWARDS.values(), ids=AFTERWARDS)
def test_a_preview_shows_what_may_be_shown(start: StartEmulator, change: Callable[[EmulatorClient], object]) -> None:
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
    emulator.platform.advance(PERMISSION_SECONDS)
    assert refusal(emulator.platform.world) == 710641
    emulator.platform.world.app.authorisation.grants = {}
    assert refusal(emulator.platform.world) == 710726


def test_an_app_shows_nothing_after_a_cancelled_authorisation(start: StartEmulator) -> None:
    world = start(app_type="third").platform.world
    world.app.authorisation.is_installed = False
    assert refusal(world) == 48004
