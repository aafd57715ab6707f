"""Several corps in one emulator: no corp sees, or can use, what is another one's."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.emulator.apis.conftest import START, EmulatedZone, Json
from tests.emulator.apis.test_contracts import PAGES, RULE
from tests.emulator.apis.test_lives import GIVEN
from wwspec_devtools.emulator.platform import Platform
from wwspec_devtools.emulator.settings import EmulatorSettings
from wwspec_devtools.emulator.state.documents import DOCUMENTS
from wwspec_devtools.emulator.state.world import Caller

CORPS = 3


class Tenant(EmulatedZone):
    """One of the corps of a platform."""

    def __init__(self, shared: EmulatedZone, number: int) -> None:
        self.settings, self.program = shared.settings, shared.program
        self.platform, self.world = shared.platform, shared.world
        self.number = number
        self.chats = self.world.conversations[self.app.corpid]

    def msgids(self) -> set[str]:
        return {each["msgid"] for each in self.ok("sync_msg", limit=1000)["msg_list"]}


Tenants = list[Tenant]


@pytest.fixture
def tenants() -> Tenants:
    shared = EmulatedZone(corps=CORPS)
    return [Tenant(shared, number) for number in range(CORPS)]


def test_each_corp_has_people_and_messages_of_its_own(tenants: Tenants) -> None:
    for index, tenant in enumerate(tenants):
        for other in tenants[index + 1 :]:
            assert tenant.app.corpid != other.app.corpid
            assert not tenant.msgids() & other.msgids()
            customers, others = ({each.id for each in one.chats.customers} for one in (tenant, other))
            assert not customers & others
            assert not tenant.chats.groups.keys() & other.chats.groups.keys()


def test_the_first_corp_is_as_without_others_and_the_rest_follows_from_seed_and_corpid() -> None:
    def messages(settings: EmulatorSettings) -> list[list[Any]]:
        world = Platform(settings, EmulatedZone().program).world
        return [chats.messages for chats in world.conversations.values()]

    one = messages(EmulatorSettings(messages=50, clock_start=START))
    three = messages(EmulatorSettings(messages=50, clock_start=START, corps=3))
    five = messages(EmulatorSettings(messages=50, clock_start=START, corps=5))
    assert (three[:1], five[:3]) == (one, three)
    other_seed = messages(EmulatorSettings(messages=50, clock_start=START, corps=3, seed=2))
    assert all(mine != theirs for mine, theirs in zip(three, other_seed, strict=True))


def test_a_seed_gives_the_data_of_earlier_versions() -> None:
    """Tests of a program may name what the seed has made. The digest stands for all of it."""
    zone = EmulatedZone(messages=1000, corps=2)
    made: list[Any] = [DOCUMENTS, zone.ok("sync_msg", limit=1000)["msg_list"]]
    for corp in zone.world.corps.values():
        chats = corp.chats
        made += [chats.people.persons, chats.people.robots, chats.messages, chats.groups]
        made += [corp.consents.of(one.id, other.id) for one, other in chats.pairs]
        made += [corp.consents.of(group.chatid, each.id) for group in chats.groups.values() for each in group.members]
    assert hashlib.sha256(msgspec.json.encode(made)).hexdigest()[:16] == "d1ed49348742b1a3"


def jobid(tenant: Tenant) -> str:
    tenant.platform.world.app.programs[tenant.settings.program_id].contracts = None
    return str(tenant.called("async_program_task")["jobid"])


OWNED: dict[str, tuple[Callable[[Tenant], Any], Callable[[Tenant, Any], Json], int]] = {
    "notify_id": (
        lambda owner: owner.ok("spec_notify_app")["notify_id"],
        lambda tenant, notify_id: tenant.called(notify_id=notify_id),
        710646,
    ),
    "jobid of an asynchronous call": (
        jobid,
        lambda tenant, job: tenant.app_call("async_program_result", jobid=job),
        40088,
    ),
    "job_info": (
        lambda owner: (jobid(owner), owner.program.calls[-1].job_info)[1],
        lambda tenant, info: tenant("program_async_job_call_back", job_info=info, errcode=0, result="{}"),
        790017,
    ),
    "cursor of the scope": (
        lambda owner: owner.app_call("get_auth_user_list", limit=1)["next_cursor"],
        lambda tenant, cursor: tenant.app_call("get_auth_user_list", cursor=cursor),
        710611,
    ),
}
"""By what it is: how a corp comes by it, how one uses it, and how WeCom refuses it to another corp."""


@pytest.mark.parametrize("owned", OWNED)
def test_what_is_a_corps_works_for_it_and_for_no_other(tenants: Tenants, owned: str) -> None:
    make, use, errcode = OWNED[owned]
    value = make(tenants[1])
    own = 710642 if "jobid of an" in owned else 0  # it still runs
    assert [use(tenant, value)["errcode"] for tenant in tenants] == [errcode, own, errcode]


@pytest.mark.parametrize("given", GIVEN)
def test_what_an_api_gives_a_corp_is_taken_from_it_and_from_no_other(tenants: Tenants, given: str) -> None:
    api, make, errcode = GIVEN[given]
    request = make(tenants[1])
    assert [tenant(api, request)["errcode"] for tenant in tenants] == [errcode, 0, errcode]


def test_an_access_token_opens_its_own_corp_only(tenants: Tenants) -> None:
    settings = tenants[0].settings
    for tenant in tenants:
        token = tenant.access_token()
        assert tenant.platform.app_call("chatdata/get_auth_user_list", token, b"{}")["errcode"] == 0
        with tenant.world.lock:
            assert tenant.world.accounts.owner(token["access_token"]) is tenant.app
    wrong = {"corpid": tenants[1].app.corpid, "corpsecret": settings.secret}
    assert tenants[0].platform.app_call("gettoken", wrong, b"")["errcode"] == 40001


def test_a_suite_reaches_each_corp_by_its_own_permanent_code(tenants: Tenants) -> None:
    settings, platform = tenants[0].settings, tenants[0].platform
    suite = {name: getattr(settings, name) for name in ("suite_id", "suite_secret", "suite_ticket")}
    token = platform.app_call("service/get_suite_token", {}, json.dumps(suite).encode())["suite_access_token"]
    for tenant in tenants:
        for other in tenants:
            body = {"auth_corpid": tenant.app.corpid, "permanent_code": other.app.authorisation.permanent_code}
            query = {"suite_access_token": token}
            answer = platform.app_call("service/get_corp_token", query, json.dumps(body).encode())
            assert answer["errcode"] == (0 if tenant is other else 40084)


def test_an_event_of_a_corp_goes_out_for_its_own_app(tenants: Tenants) -> None:
    for tenant in tenants:
        assert tenant.app_call("set_receive_callback", program_id=tenant.settings.program_id)["errcode"] == 0
    tenants[0].program.calls.clear()
    for tenant in tenants[1:]:
        assert tenant.platform.fire("conversation_new_message", corp=tenant.app.corpid)["errcode"] == 0
        call = tenant.program.calls[-1]
        assert (call.corpid, call.agentid) == (tenant.app.corpid, tenant.app.agentid)
        token = json.loads(call.data)["conversation_new_message"]["token"]
        assert [each("sync_msg", token=token)["errcode"] for each in tenants if each is not tenant] == [40058] * 2
        assert tenant("sync_msg", token=token)["errcode"] == 0


def test_a_hit_of_a_rule_and_a_learnt_content_are_events_of_their_corp(tenants: Tenants) -> None:
    owner = tenants[2]
    for tenant in tenants:
        tenant.app_call("set_receive_callback", program_id=tenant.settings.program_id)
    owner.ok("create_rule", RULE)
    owner.ok("knowledge_base_create", kb_name="手册", doc_list=PAGES)
    owner.program.calls.clear()
    for tenant in tenants:
        tenant.say("退款", parties=tenant.employee_first)
    owner.advance(60)
    events = [call for call in owner.program.calls if call.call_type == 2]
    assert {json.loads(call.data)["event_type"] for call in events} == {"hit_keyword", "knowledge_base_learn_done"}
    assert {call.corpid for call in events} == {owner.app.corpid}


def test_a_log_level_and_a_limit_are_those_of_one_corp(tenants: Tenants) -> None:
    for _ in range(tenants[0].settings.tokenless_pulls):
        tenants[0].ok("sync_msg", limit=1)
    assert tenants[0].refused("sync_msg", limit=1) == 45009
    tenants[1].ok("sync_msg", limit=1)
    program = {"program_id": tenants[0].settings.program_id}
    tenants[1].app_call("set_log_level", log_level=3, **program)
    assert [tenant.app_call("get_log_level", **program)["log_level"] for tenant in tenants] == [2, 3, 2]


def test_debug_mode_is_that_of_one_corps_app_on_both_sides(tenants: Tenants) -> None:
    owner, settings, world = tenants[1], tenants[0].settings, tenants[0].world
    program = {"program_id": settings.program_id}
    owner.app.linked(settings.program_id).debug_url = "http://debug/"
    assert owner.platform.open_debug_mode(settings.debug_token, owner.access_token()["access_token"])
    opened = [tenant.app_call("open_debug_mode", debug_token=settings.debug_token, **program) for tenant in tenants]
    assert [each["errcode"] for each in opened] == [710673, 0, 710673]
    assert [tenant.app_call("check_debug_mode", **program)["debug_mode_status"] for tenant in tenants] == [1, 2, 1]
    for tenant in tenants:
        assert tenant.called()["errcode"] == 0
    heads = [each.head.path for each in world.traffic.kept_entries() if each.kind == "call" and each.head is not None]
    assert heads == [settings.program_url, "http://debug/", settings.program_url]


def test_in_debug_mode_a_token_opens_the_messages_of_its_own_corp_only(tenants: Tenants) -> None:
    token = tenants[1].access_token()["access_token"]

    def asked(tenant: Tenant) -> int:
        caller = Caller(corpid=tenant.app.corpid, agentid=tenant.app.agentid)
        return int(json.loads(tenant.platform.sdk_call("sync_msg", caller, b"{}", token))["errcode"])

    assert [asked(tenant) for tenant in tenants] == [710641, 0, 710641]


def test_an_unknown_corp_is_refused_by_name(tenants: Tenants) -> None:
    answer = tenants[0].platform.fire("hit_keyword", corp="wwnobody")
    assert answer["errcode"] == 40013
    assert all(tenant.app.corpid in answer["errmsg"] for tenant in tenants)


def test_a_reset_keeps_the_receivers_of_all_corps(tenants: Tenants) -> None:
    for tenant in tenants[1:]:
        tenant.app_call("set_receive_callback", program_id=tenant.settings.program_id)
    platform = tenants[0].platform
    platform.reset()
    assert [app.receiver is not None for app in platform.world.apps] == [True, True, True]
    assert platform.fire("hit_keyword", corp=tenants[2].app.corpid)["errcode"] == 0
