"""What the emulator has handed out means nothing after its next start or reset, whatever exists then."""

from collections.abc import Callable

import pytest

from tests.emulator.apis.conftest import EmulatedZone, Json
from tests.emulator.apis.test_contracts import REQUESTS


def cursor_of(api: str, **asked: object) -> Callable[[EmulatedZone], Json]:
    """Ask for a first page, and return the request for the next one."""
    return lambda zone: {**asked, "cursor": zone.ok(api, {**asked, "limit": 1})["next_cursor"]}


def hits_cursor(zone: EmulatedZone) -> Json:
    return {"cursor": zone.ok("get_hit_msg_list", REQUESTS["get_hit_msg_list"](zone))["next_cursor"]}


def template(zone: EmulatedZone) -> Json:
    return {"code": zone.upload("b.txt"), "media_id": zone.upload("a.txt")}


GIVEN: dict[str, tuple[str, Callable[[EmulatedZone], Json], int]] = {
    "cursor of sync_msg": ("sync_msg", cursor_of("sync_msg"), 710611),
    "page_id": ("get_msg_list_by_page_id", REQUESTS["get_msg_list_by_page_id"], 40058),
    "cursor of get_hit_msg_list": ("get_hit_msg_list", hits_cursor, 710611),
    "cursor of get_rule_list": ("get_rule_list", cursor_of("get_rule_list"), 50100),
    "cursor of search_chat": ("search_chat", cursor_of("search_chat", query_word="客户"), 50100),
    "cursor of search_msg": ("search_msg", cursor_of("search_msg", query_word="产品", chat_info={}), 50100),
    "cursor of the people": (
        "search_contact_or_customer",
        cursor_of("search_contact_or_customer", query_word="chen"),
        50100,
    ),
    "event token": ("sync_msg", lambda zone: {"token": zone.event_token()}, 40058),
    "jobid of WeCom's task": ("get_summary_result", REQUESTS["get_summary_result"], 40088),
    "jobid of the program's task": ("get_program_task_result", REQUESTS["get_program_task_result"], 40088),
    "jobid of an export": ("get_chatdata_export_job_status", REQUESTS["get_chatdata_export_job_status"], 40088),
    "media_id": ("create_chatdata_export_job", template, 40145),
    "rule_id": ("get_rule_detail", REQUESTS["get_rule_detail"], 710612),
    "kb_id": ("knowledge_base_detail", REQUESTS["knowledge_base_detail"], 800000),
}
"""By what it is: the API that takes it, what hands it out, and how it is refused."""


def started(zone: EmulatedZone) -> EmulatedZone:
    return EmulatedZone()


def reset(zone: EmulatedZone) -> EmulatedZone:
    zone.platform.reset()
    zone.world = zone.platform.world
    zone.chats = zone.world.conversations[zone.settings.corpid]
    return zone


NEXT_LIFE = pytest.mark.parametrize("next_life", [started, reset])


@NEXT_LIFE
@pytest.mark.parametrize("given", GIVEN)
def test_what_an_earlier_life_gave_is_refused_though_the_same_exists(
    next_life: Callable[[EmulatedZone], EmulatedZone], given: str
) -> None:
    api, make, errcode = GIVEN[given]
    zone = EmulatedZone()
    request = make(zone)
    zone.ok(api, request)
    zone = next_life(zone)
    make(zone)
    assert zone.refused(api, request) == errcode


@NEXT_LIFE
def test_what_an_app_holds_of_an_earlier_life_is_refused_also_its_access_token(
    next_life: Callable[[EmulatedZone], EmulatedZone],
) -> None:
    """The notify_id follows from the request, as the stand-in makes it: no two lives have the same request_id."""
    zone = EmulatedZone()
    token = zone.access_token()
    given = []
    for _ in range(2):
        jobid = zone.called("async_program_task")["jobid"]
        cursor = zone.app_call("get_auth_user_list", limit=1)["next_cursor"]
        given.append((jobid, cursor, zone.program.calls[-1].request_id, zone.ok("spec_notify_app")["notify_id"]))
        zone = next_life(zone)
    (jobid, cursor, request_id, notify_id), second = given
    assert not {jobid, cursor, request_id, notify_id} & set(second)
    assert zone.app_call("async_program_result", jobid=jobid)["errcode"] == 40088
    assert zone.app_call("get_auth_user_list", cursor=cursor)["errcode"] == 710611
    assert zone.called(notify_id=notify_id)["errcode"] == 710646
    zone.access_token()
    assert zone.platform.app_call("chatdata/get_corp_auth_info", token, b"{}")["errcode"] == 40014
