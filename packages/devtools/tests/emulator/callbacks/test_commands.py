"""The life of an authorisation: what the provider is sent, what answers and what is refused meanwhile."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from click.testing import CliRunner

from tests.emulator.conftest import StartEmulator
from tests.support.emulator import Emulator, SealedProgram
from tests.support.provider import COMMAND_SETTINGS, PROVIDER, SUITE_ID, CommandUrl, Provider
from tests.support.rsa_keys import new_rsa_key
from wwspec_devtools.emulator.http.client import EmulatorClient, EmulatorError
from wwspec_devtools.testing.app import client_of
from wwspec_router.cli.main import main

DAY = 86400
GRANTED, REMINDED, ENDED = "auth_data_permission", "expire_remind_data_permission", "expire_data_permission"


_PUBLIC_KEY = new_rsa_key().public_key().export_key().decode()


class Life:
    """An emulator with a command URL, and everybody who talks to it."""

    def __init__(self, emulator: Emulator, commands: CommandUrl, stack: ExitStack) -> None:
        self.emulator, self.commands = emulator, commands
        self.control = stack.enter_context(EmulatorClient(emulator.url))
        self.provider = Provider(self.control, emulator.http)

    def authorize(self, **more: Any) -> str:
        """Let the corp authorise the app again, and return the auth_code that the provider got."""
        self.control.cancel()
        self.control.authorize(**more)
        self.idle()
        return self.commands.last("create_auth").fields["AuthCode"]

    def idle(self) -> None:
        assert self.emulator.platform.wait_idle()

    def sdk(self, api: str, **request: Any) -> int:
        return int(self.emulator.sdk(api, request)["errcode"])

    def app(self, api: str, **request: Any) -> int:
        """Let the app call, with a token, and return the errcode."""
        platform = self.emulator.platform
        with platform.world.lock:
            world = platform.world
            token, _ = world.accounts.issue_token_of(world.app, platform.clock.now(), world.ids)
        return int(self.emulator.app_call(api, request, token)["errcode"])

    def set_public_key(self) -> None:
        self.control.set_public_key(_PUBLIC_KEY, 1)

    def receive_events(self) -> int:
        return self.app("set_receive_callback", program_id=self.emulator.settings.program_id)


@pytest.fixture
def commands(stack: ExitStack) -> CommandUrl:
    return CommandUrl(stack)


@pytest.fixture
def live(stack: ExitStack, commands: CommandUrl, start_with_program: StartEmulator) -> Callable[..., Life]:
    def live(kind: str = "third", **settings: Any) -> Life:
        emulator = start_with_program(app_type=kind, command_url=commands.url, **COMMAND_SETTINGS, **settings)
        return Life(emulator, commands, stack)

    return live


Live = Callable[..., Life]


@pytest.fixture
def life(live: Live) -> Life:
    """With a third-party app and all other settings as they are by default."""
    return live()


def test_90628_a_ticket_comes_every_ten_minutes_and_lasts_thirty(life: Life) -> None:
    """Page 90628; the check of the URL is for the provider's corp, the rest for the suite."""
    first = life.control.info()["suite_ticket"]
    for minutes in (10, 20, 30):
        life.emulator.advance(600)
        assert life.provider.suite_token(first)["errcode"] == (0 if minutes < 30 else 40085)
    tickets = [each.fields["SuiteTicket"] for each in life.commands.received]
    assert len(set(tickets)) == 3
    assert tickets[-1] == life.control.info()["suite_ticket"] != first
    ticket = life.commands.last("suite_ticket")
    assert (ticket.receive_id, ticket.envelope["ToUserName"], ticket.envelope["AgentID"]) == (SUITE_ID, SUITE_ID, "")
    assert ticket.fields["SuiteId"] == SUITE_ID
    assert life.commands.verified == 1


def test_a_jump_of_the_clock_pushes_the_last_ticket_only(life: Life) -> None:
    life.emulator.advance(12 * 3600 + 90)
    assert life.commands.names() == ["suite_ticket"]
    assert life.commands.received[0].fields["SuiteTicket"] == life.control.info()["suite_ticket"]
    life.emulator.advance(600)
    assert life.commands.names() == ["suite_ticket"] * 2
    life.control.push_ticket()
    life.idle()
    assert life.commands.names() == ["suite_ticket"] * 3


def test_100776_a_corp_installs_the_app_and_the_provider_gets_its_permanent_code_once(life: Life) -> None:
    """Pages 90642 and 100776."""
    code = life.authorize(state="from the market")
    created = life.commands.last("create_auth").fields
    assert (created["State"], created["SuiteId"]) == ("from the market", SUITE_ID)
    answer = life.provider.call("v2/get_permanent_code", auth_code=code)
    corpid = life.emulator.settings.corpid
    assert answer["auth_corp_info"] == {"corpid": corpid, "corp_name": "模拟企业1"}
    assert answer["auth_user_info"]["userid"] == "zhangwei"
    assert answer["state"] == "from the market"
    assert "access_token" not in answer
    assert "auth_info" not in answer
    token = life.provider.call("get_corp_token", auth_corpid=corpid, permanent_code=answer["permanent_code"])
    assert life.emulator.app_call("get_auth_user_list", {}, token["access_token"])["errcode"] == 0
    assert life.provider.call("v2/get_permanent_code", auth_code=code)["errcode"] == 40078
    former = life.emulator.settings.permanent_code
    assert life.provider.call("get_corp_token", auth_corpid=corpid, permanent_code=former)["errcode"] == 40084


def test_90603_90642_the_older_form_has_a_token_and_a_code_lasts_ten_minutes(life: Life) -> None:
    answer = life.provider.call("get_permanent_code", auth_code=life.authorize())
    assert answer["auth_info"]["agent"][0]["agentid"] == life.emulator.settings.agentid
    assert life.emulator.app_call("get_auth_user_list", {}, answer["access_token"])["errcode"] == 0
    code = life.authorize()
    life.emulator.advance(600)
    assert life.provider.call("v2/get_permanent_code", auth_code=code)["errcode"] == 40078


def test_100795_the_provider_asks_what_a_corp_has_authorised(life: Life) -> None:
    settings = life.emulator.settings
    asked = {"auth_corpid": settings.corpid, "permanent_code": settings.permanent_code}
    answer = life.provider.call("v2/get_auth_info", **asked)
    corp = answer["auth_corp_info"]
    assert (corp["corpid"], corp["subject_type"]) == (settings.corpid, 1), "an enterprise"
    [agent] = answer["auth_info"]["agent"]
    assert agent["agentid"] == settings.agentid
    assert agent["auth_mode"] == 0, "an administrator has authorised it"
    assert agent["privilege"]["allow_party"] == [1]
    assert life.provider.call("v2/get_auth_info", **{**asked, "permanent_code": "other"})["errcode"] == 40084


def test_an_install_link_leads_to_the_providers_site_with_the_code(life: Life) -> None:
    life.control.cancel()
    link = {"suite_id": SUITE_ID, "pre_auth_code": life.provider.pre_auth_code(), "state": "s1"}
    link["redirect_uri"] = "http://provider.example/done?from=wecom"
    corpid = life.emulator.settings.corpid
    page = life.emulator.http.get("/3rdapp/install", params=link)
    assert f'value="{corpid}"' in page.text
    gone = life.emulator.http.post("/3rdapp/install", params=link, data={"corp": corpid}, follow_redirects=False)
    assert gone.status_code == 303
    target = urlsplit(gone.headers["location"])
    query = dict(parse_qsl(target.query))
    assert (target.netloc, query["from"]) == ("provider.example", "wecom")
    assert (query["expires_in"], query["state"]) == ("600", "s1")
    life.idle()
    assert "create_auth" not in life.commands.names(), "the redirect has brought the code"
    assert life.provider.call("v2/get_permanent_code", auth_code=query["auth_code"])["errcode"] == 0
    assert "every corp has authorised" in life.emulator.http.get("/3rdapp/install", params=link).text


@pytest.mark.parametrize(
    ("changed", "seconds", "errcode"),
    [
        ({}, 1200, 42007),
        ({"pre_auth_code": "made-up"}, 0, 40077),
        ({"suite_id": "other"}, 0, 40083),
        ({"redirect_uri": "javascript:alert(1)"}, 0, 40058),
    ],
)
def test_an_install_link_that_is_wrong_shows_why(
    life: Life, changed: dict[str, str], seconds: int, errcode: int
) -> None:
    link = {"suite_id": SUITE_ID, "pre_auth_code": life.provider.pre_auth_code(), "redirect_uri": "http://a.example"}
    life.emulator.advance(seconds)
    ask: Callable[..., httpx.Response]
    for ask in (life.emulator.http.get, life.emulator.http.post):
        answer = ask("/3rdapp/install", params=link | changed)
        assert answer.status_code == 400
        assert str(errcode) in answer.text


def test_101587_a_data_permission_is_reminded_of_after_83_days_and_ends_after_90(life: Life) -> None:
    """Pages 101439 and 101587."""
    seen: list[tuple[int, str]] = []
    for day in range(1, 92):
        before = len(life.commands.received)
        life.emulator.advance(DAY)
        seen += [
            (day, each.fields["InfoType"])
            for each in life.commands.received[before:]
            if each.fields.get("AuthType") == "data_zone_chat"
        ]
    assert seen == [(83, REMINDED), (90, ENDED)]
    ended = [each.fields for each in life.commands.received if each.fields["InfoType"] == ENDED]
    assert [each["AuthType"] for each in ended] == ["data_zone_chat", "data_zone_knowledge_base", "data_zone_document"]
    assert {each["AuthCorpId"] for each in ended} == {life.emulator.settings.corpid}


def test_101439_a_renewal_counts_anew_from_its_day(life: Life) -> None:
    life.emulator.advance(85 * DAY)
    life.control.renew(["chat"])
    life.emulator.advance(6 * DAY)
    assert life.sdk("get_rule_list") == 0, "the first 90 days are over, those of the renewal are not"
    life.emulator.advance(84 * DAY)
    chat = [each.fields for each in life.commands.received if each.fields.get("AuthType") == "data_zone_chat"]
    assert [each["InfoType"] for each in chat] == [REMINDED, GRANTED, REMINDED, ENDED]
    assert life.sdk("sync_msg") == 710726


def test_what_is_renewed_at_once_is_reminded_of_once(life: Life) -> None:
    life.authorize(permissions=["chat"])
    life.control.renew(["chat"])
    life.emulator.advance(91 * DAY)
    assert life.commands.names("suite_ticket")[-2:] == [REMINDED, ENDED]
    assert life.commands.names().count(REMINDED) == 1


def test_101439_after_the_end_both_sides_are_refused_and_no_event_comes(life: Life, program: SealedProgram) -> None:
    assert life.receive_events() == 0
    life.control.expire()
    life.idle()
    assert life.commands.names("suite_ticket") == [ENDED] * 3
    assert (life.sdk("sync_msg"), life.app("get_auth_user_list"), life.receive_events()) == (710726,) * 3
    program.calls.clear()
    life.control.say("zhangwei", "无人收到", to=["wangfang"])
    life.idle()
    assert program.calls == []


def test_what_the_end_has_undone_is_set_again_after_a_renewal(life: Life, program: SealedProgram) -> None:
    assert life.app("set_public_key", public_key=_PUBLIC_KEY, public_key_ver=2) == 0
    assert life.receive_events() == 0
    life.control.expire()
    life.control.renew()
    life.control.say("zhangwei", "一", to=["wangfang"])
    life.idle()
    assert not program.calls
    assert life.app("set_public_key", public_key=_PUBLIC_KEY, public_key_ver=1) == 0, "versions count from the start"
    assert life.receive_events() == 0
    life.control.say("zhangwei", "二", to=["wangfang"])
    life.idle()
    assert [call.call_type for call in program.calls] == [2]


def test_the_setup_may_outlive_the_end(live: Live, program: SealedProgram) -> None:
    """WeCom does not say what becomes of it: one setting."""
    life = live(expiry_keeps_setup=True)
    assert life.receive_events() == 0
    life.control.expire(["chat"])
    life.control.say("zhangwei", "无人收到", to=["wangfang"])
    life.idle()
    assert program.calls == []
    with pytest.raises(EmulatorError, match="wwspec zone renew"):
        life.control.fire("hit_keyword")
    life.control.fire("auth_knowledge_base")
    assert [call.call_type for call in program.calls] == [2], "knowledge bases have a permission of their own"
    life.control.renew()
    life.control.say("zhangwei", "仍会收到", to=["wangfang"])
    life.idle()
    assert [call.call_type for call in program.calls] == [2, 2]


def test_what_wecom_does_not_document_is_a_setting_each(live: Live) -> None:
    life = live(
        expired_errcode=710641,
        expired_info_type="the_third",
        knowledge_auth_type="knowledge_type",
        document_auth_type="document_type",
    )
    life.control.expire()
    life.idle()
    assert life.commands.names() == ["the_third"] * 3
    kinds = [each.fields["AuthType"] for each in life.commands.received]
    assert kinds == ["data_zone_chat", "knowledge_type", "document_type"]
    assert life.sdk("sync_msg") == 710641


def test_90642_a_cancelled_authorisation_is_refused_everywhere(life: Life) -> None:
    settings = life.emulator.settings
    life.control.cancel()
    life.idle()
    assert life.commands.last("cancel_auth").fields["AuthCorpId"] == settings.corpid
    assert (life.sdk("sync_msg"), life.app("get_auth_user_list")) == (710641, 48004)
    asked = {"auth_corpid": settings.corpid, "permanent_code": settings.permanent_code}
    assert life.provider.call("get_corp_token", **asked)["errcode"] == 40084
    with pytest.raises(EmulatorError, match="wwspec zone authorize"):
        life.control.renew()
    life.emulator.advance(91 * DAY)
    assert life.commands.names("suite_ticket") == ["cancel_auth"], "what is cancelled is not reminded of"


def test_100142_after_a_new_authorisation_nothing_from_before_is_there(life: Life, program: SealedProgram) -> None:
    assert life.receive_events() == 0
    life.set_public_key()
    old = life.emulator.sdk("sync_msg", {"limit": 1000})
    assert old["msg_list"]
    life.control.say("zhangwei", "之前", to=["wangfang"])
    life.authorize()
    life.set_public_key()
    assert life.emulator.sdk("sync_msg", {})["msg_list"] == []
    assert life.emulator.sdk("sync_msg", {"cursor": old["next_cursor"]})["msg_list"] == []
    program.calls.clear()
    new = life.control.say("zhangwei", "之后", to=["wangfang"])
    life.idle()
    assert program.calls == [], "the receiver of events is chosen anew"
    assert [each["msgid"] for each in life.emulator.sdk("sync_msg", {})["msg_list"]] == [new]
    assert life.emulator.sdk("sync_msg", {"mode": 1})["page_id_list"]


@pytest.mark.parametrize("kind", ["custom", "third"])
def test_an_access_token_from_before_a_cancellation_works_never_again(live: Live, kind: str) -> None:
    life = live(kind)
    world = life.emulator.platform.world
    old, _ = world.accounts.issue_token_of(world.app, world.clock.now(), world.ids)

    def asked(token: str) -> int:
        return int(life.emulator.app_call("get_auth_user_list", {}, token)["errcode"])

    assert asked(old) == 0
    life.control.cancel()
    assert asked(old) == 48004
    life.control.authorize()
    assert asked(old) == 40014
    new, _ = world.accounts.issue_token_of(world.app, world.clock.now(), world.ids)
    assert asked(new) == 0


def test_99824_a_third_party_app_gets_no_message_before_it_has_set_its_key(life: Life) -> None:
    """Page 99824: 710659."""
    assert life.sdk("sync_msg") == 710659
    life.set_public_key()
    assert life.sdk("sync_msg") == 0
    life.authorize()
    assert life.sdk("sync_msg") == 710659, "the key is set anew after each authorisation"


def test_the_data_permission_may_come_later_than_the_installation(life: Life) -> None:
    life.authorize(permissions=[])
    assert life.commands.names("suite_ticket") == ["cancel_auth", "create_auth"]
    assert (life.sdk("sync_msg"), life.app("get_auth_user_list")) == (710726, 710726)
    life.control.renew(["chat"])
    life.idle()
    assert life.commands.names("suite_ticket")[2:] == [GRANTED]
    assert (life.sdk("get_rule_list"), life.sdk("knowledge_base_list")) == (0, 710726)


def test_100272_a_change_and_seats_are_only_told(life: Life) -> None:
    """Pages 100237, 100272 and 101406."""
    life.control.change_authorisation()
    life.control.send_order("advanced_api_insufficient", edition=2)
    life.control.send_order("advanced_api_trial_expired")
    with pytest.raises(EmulatorError, match="edition"):
        life.control.send_order("advanced_api_insufficient", edition=1)
    life.idle()
    assert life.commands.names() == ["change_auth", "advanced_api_insufficient", "advanced_api_trial_expired"]
    assert life.commands.received[0].fields["AuthCorpId"] == life.emulator.settings.corpid
    seats = life.commands.last("advanced_api_insufficient")
    assert seats.receive_id == seats.fields["ServiceCorpId"] == PROVIDER
    assert seats.fields["AdvanceApiType"] == "1"
    assert "<ChatArchiveApi><Edition>2</Edition></ChatArchiveApi>" in seats.xml
    assert life.sdk("get_rule_list") == 0


def test_97175_only_a_custom_developed_app_gets_another_secret(live: Live) -> None:
    life = live("custom")
    settings = life.emulator.settings
    life.control.reset_permanent_code()
    life.idle()
    code = life.commands.last("reset_permanent_code").fields["AuthCode"]
    secret = life.provider.call("v2/get_permanent_code", auth_code=code)["permanent_code"]
    for each, errcode in ((settings.permanent_code, 40001), (secret, 0)):
        query = {"corpid": settings.corpid, "corpsecret": each}
        assert life.emulator.http.get("/cgi-bin/gettoken", params=query).json()["errcode"] == errcode
    life = live()
    with pytest.raises(EmulatorError, match="custom-developed"):
        life.control.reset_permanent_code()


@pytest.mark.parametrize("answer", ["ok", "", "success\n", 1.5])
def test_97172_a_command_is_answered_with_success_within_a_second(life: Life, answer: str | float) -> None:
    """Pages 97172 and 90642: anything else counts as an error, and the command comes again."""
    life.commands.answers.extend([answer, answer, "success", "no", "no", "no"])
    life.control.change_authorisation()
    life.control.cancel()
    life.idle()
    outcomes = [(each["content"]["InfoType"], each["state"], each["attempts"]) for each in life.control.commands()]
    assert outcomes == [("change_auth", "delivered", 3), ("cancel_auth", "failed", 3)]
    attempt = life.control.traffic(kind="callback")[-1]["attempt"]
    said = ["not the text success", "应答不是 success"]
    assert (attempt["status"], attempt["body"], attempt["error"]) == (200, "no", said)
    assert "wwspec zone push-ticket" in attempt["advice"][0]
    before = life.commands.verified
    verified = ["zone", "verify-callback", "--command-url", "--url", life.emulator.url]
    done = CliRunner().invoke(main, verified)
    assert (done.exit_code, done.stdout) == (0, f'{{\n  "verified": "{life.commands.url}"\n}}\n')
    assert life.commands.verified == before + 1


def test_without_a_command_url_commands_are_recorded(start: StartEmulator, stack: ExitStack) -> None:
    emulator = start(app_type="third")
    control = stack.enter_context(EmulatorClient(emulator.url))
    control.cancel()
    assert [each["state"] for each in control.commands()] == ["recorded"]
    url = CommandUrl(stack)
    control.set_command_callback(url.url, *COMMAND_SETTINGS.values())
    control.authorize(["chat"])
    emulator.platform.wait_idle()
    assert url.names() == ["create_auth", GRANTED]
    control.restore_command_callback()
    control.cancel()
    assert control.commands()[-1]["state"] == "recorded"


def test_without_a_kind_of_app_no_ticket_comes_and_nothing_ends(emulator: Emulator, client: EmulatorClient) -> None:
    emulator.advance(200 * DAY)
    assert client.commands() == []
    assert client.traffic(kind="callback") == []


def test_the_record_has_each_command_without_its_secrets(life: Life) -> None:
    code = life.authorize()
    life.control.push_ticket()
    rows = life.control.traffic(kind="callback")
    assert [row["name"] for row in rows][:2] == ["cancel_auth", "create_auth"]
    assert {row["verdict"] for row in rows} == {"ok"}
    whole = "".join(life.emulator.http.get(f"/emulator/traffic/{row['number']}").text for row in rows)
    assert life.emulator.settings.corpid in whole
    assert code not in whole
    assert life.control.info()["suite_ticket"] not in whole


def test_the_permission_of_a_self_built_app_is_given_and_taken_by_its_corp(start: StartEmulator) -> None:
    emulator = start(app_type="self")
    with EmulatorClient(emulator.url) as control, client_of(control) as app:
        control.receive_events()
        control.cancel()
        assert emulator.sdk("sync_msg", {})["errcode"] == 710641
        assert emulator.app_call("get_auth_user_list", {})["errcode"] == 48002
        with pytest.raises(EmulatorError, match="no end"):
            control.expire()
        control.authorize()
        assert control.commands() == [], "a self-built app has no command URL"
        assert not control.info()["receives_events"]
        assert app.get_auth_user_list().auth_user_list
        refused = emulator.app_call("set_public_key", {"public_key": _PUBLIC_KEY, "public_key_ver": 3})
        assert refused["errcode"] == 48002, "its admin enters the key in the console [99961]"
        control.set_public_key(_PUBLIC_KEY, 3)
        control.say("zhangwei", "加密", to=["wangfang"])
        info = emulator.sdk("sync_msg", {})["msg_list"][0]["service_encrypt_info"]
        assert info["public_key_ver"] == 3


def test_each_corp_has_an_authorisation_of_its_own(live: Live) -> None:
    life = live(corps=3)
    second = life.control.info()["corps"][1]
    with EmulatorClient(life.emulator.url, corp=second) as control:
        control.cancel()
        assert [each["is_installed"] for each in control.authorisations()] == [True, False, True]
        assert control.info()["corpid"] == second
    life.idle()
    assert life.commands.last("cancel_auth").fields["AuthCorpId"] == second
    assert life.sdk("get_rule_list") == 0
    assert life.emulator.sdk("sync_msg", {}, corpid=second)["errcode"] == 710641
