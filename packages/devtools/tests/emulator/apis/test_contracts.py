"""What holds for every API: its answers fit `wwspec_contracts`, and its requests are checked field by field."""

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from tests.emulator.apis.conftest import SECOND_PROGRAM, EmulatedZone, Json
from tests.support.handed_out import without_ids
from tests.support.tables import for_each
from tests.wecom.test_limits_of_wecom import CASES, with_value
from wwspec_devtools.emulator.apis.table import APIS
from wwspec_devtools.emulator.standin.wwspec_standin.names import SDK_APIS
from wwspec_devtools.emulator.state.knowledge import CORP_BASE_ID
from wwspec_devtools.emulator.state.world import Caller
from wwspec_router.codecs.codec import InputCodec, OutputCodec, OutputPolicy

EVERY_API = for_each(SDK_APIS)

PAGES = [
    {"doc_name": "页", "type": 101, "web_url": "https://example.com/"},
    {"doc_name": "又", "type": 101, "web_url": "https://example.com/2"},
]
GROUPS = [{"group_id": "et_emulator_topic"}]
READER = {"oper_userid": "lina", "docid_list": ["made-up"]}
RULE = {
    "name": "规则",
    "keyword": {"word_list": ["退款"], "is_case_sensitive": 0, "match_rule": 1, "is_trim_msg": 1},
    "semantics": {"semantics_list": [1, 2]},
    "applicable_range": {
        "target_type": {"type_list": [1]},
        "chat_type": {"type_list": [1]},
        "department": {"id_list": [2]},
        "user": {"id_list": ["lina"]},
        "external_contact": {"id_list": ["wm"]},
        "msg_scope": 3,
        "exclude_mobile": {"mobile_list": ["+8613800138000"]},
        "exclude_bank_card": {"bank_card_list": ["6222020200112233446"]},
        "exclude_email": {"email_list": ["a@example.com"]},
        "session_type": {"session_type_list": [1, 2]},
        "exclude_keyword": {"word_list": ["不"]},
        "voice_match_msgtype": {"type_list": [6, 21]},
    },
}


def new_zone(**settings: Any) -> EmulatedZone:
    """Return a zone with few messages: most of its time goes into these."""
    return EmulatedZone(messages=40, **settings)


def job_of(zone: EmulatedZone, api: str) -> Json:
    """Return the request for the result of a task that has ended."""
    jobid = zone.ok(api, request_of(zone, api))["jobid"]
    zone.advance(10)
    if api in ("create_program_task", "create_model_task"):
        zone.ok("program_async_job_call_back", errcode=0, result="{}", job_info=zone.program.calls[-1].job_info)
    return {"jobid": jobid}


def messages_of(zone: EmulatedZone) -> list[Json]:
    """Return messages of which some can be read, one was given twice and one is unknown."""
    keys = zone.talk("我要退款", "谢谢，很满意")
    return [*keys, keys[0], {"msgid": "made-up", "encrypt_info": {"secret_key": "x"}}]


def kb_of(zone: EmulatedZone) -> str:
    return str(zone.ok("knowledge_base_create", kb_name="手册", doc_list=PAGES)["kb_id"])


def own_task(zone: EmulatedZone, name: str) -> Json:
    zone.link()
    return {name: SECOND_PROGRAM, "ability_id": "a", "msg_list": messages_of(zone)}


def hit(zone: EmulatedZone) -> Json:
    zone.ok("create_rule", name="规则", keyword={"word_list": ["退款"]})
    zone.say("退款", parties=zone.employee_first)
    return {"token": zone.event_token(), "need_detail": 1, "limit": 5, "begin_time": 0, "cursor": ""}


def rule_id(zone: EmulatedZone) -> Json:
    return {"rule_id": zone.ok("create_rule", RULE)["rule_id"]}


def rule_list(zone: EmulatedZone) -> Json:
    rule_id(zone)
    return {"limit": 10, "cursor": ""}


REQUESTS: dict[str, Callable[[EmulatedZone], Json]] = {
    "program_async_job_call_back": lambda zone: {"errcode": 0, "result": "{}"},
    "sync_msg": lambda zone: {"cursor": "", "token": zone.event_token(), "limit": 50, "mode": 0, "begin_time": 0},
    "get_msg_list_by_page_id": lambda zone: {"page_id": zone.ok("sync_msg", mode=1)["page_id_list"][0]},
    "get_group_chat": lambda zone: {"chatid": zone.group(internal=True).chatid},
    "get_agree_status_single": lambda zone: {"item": [zone.ids_of_pair]},
    "get_agree_status_room": lambda zone: {"chatid": zone.group(internal=False).chatid},
    "set_hide_sensitiveinfo_config": lambda zone: {"userid": "lina", "config": {"hide_mobile": True}},
    "get_hide_sensitiveinfo_config": lambda zone: {"userid": "lina"},
    "search_chat": lambda zone: {"query_word": "客户", "limit": 1, "cursor": ""},
    "search_msg": lambda zone: {
        "query_word": "产品",
        "chat_info": {},
        "skip_stop_words": True,
        "limit": 1,
        "cursor": "",
    },
    "search_contact_or_customer": lambda zone: {"query_word": "chen", "query_user_type": 0, "limit": 2, "cursor": ""},
    "create_rule": lambda zone: RULE,
    "get_rule_list": rule_list,
    "get_rule_detail": rule_id,
    "update_rule": lambda zone: {**rule_id(zone), **RULE},
    "delete_rule": rule_id,
    "get_hit_msg_list": hit,
    "knowledge_base_list": lambda zone: {},
    "knowledge_base_create": lambda zone: {"kb_name": "手册", "doc_list": PAGES},
    "knowledge_base_detail": lambda zone: {"kb_id": kb_of(zone)},
    "knowledge_base_add_doc": lambda zone: {"kb_id": kb_of(zone), "doc_list": [PAGES[0] | {"web_url": "http://a"}]},
    "knowledge_base_remove_doc": lambda zone: {"kb_id": kb_of(zone), "docid_list": [1]},
    "knowledge_base_modify_name": lambda zone: {"kb_id": kb_of(zone), "kb_name": "新"},
    "knowledge_base_delete": lambda zone: {"kb_id": kb_of(zone)},
    "create_ww_model_task": lambda zone: {
        "msg_list": messages_of(zone),
        "model_id": "deepseek-think",
        "need_think_result": True,
        "doc_retrieval_params": READER | {"user_doc_ticket": zone.doc_ticket("lina")},
    },
    "create_recommend_dialog_task": lambda zone: {"kb_id": CORP_BASE_ID, "msg_list": messages_of(zone)},
    "create_customer_tag_task": lambda zone: {"tag_group_list": GROUPS, "msg_list": messages_of(zone)},
    "create_summary_task": lambda zone: {"msg_list": messages_of(zone)},
    "create_sentiment_task": lambda zone: {"msg_list": messages_of(zone)},
    "create_spam_task": lambda zone: {"msg_list": messages_of(zone)},
    "create_model_task": lambda zone: {**own_task(zone, "model_id"), "tag_group_list": GROUPS, "kb_id": CORP_BASE_ID},
    "create_program_task": lambda zone: {**own_task(zone, "program_id"), "escape_type": 1},
    "get_ww_model_result": lambda zone: job_of(zone, "create_ww_model_task"),
    "get_recommend_dialog_result": lambda zone: job_of(zone, "create_recommend_dialog_task"),
    "get_customer_tag_result": lambda zone: job_of(zone, "create_customer_tag_task"),
    "get_summary_result": lambda zone: job_of(zone, "create_summary_task"),
    "get_sentiment_result": lambda zone: job_of(zone, "create_sentiment_task"),
    "get_spam_result": lambda zone: job_of(zone, "create_spam_task"),
    "get_model_task_result": lambda zone: job_of(zone, "create_model_task"),
    "get_program_task_result": lambda zone: job_of(zone, "create_program_task"),
    "create_chatdata_export_job": lambda zone: {"code": "c", "media_id": zone.upload("a.txt")},
    "get_chatdata_export_job_status": lambda zone: job_of(zone, "create_chatdata_export_job"),
    "spec_notify_app": lambda zone: {"notify_id": "n", "notify_scene": 1},
}
"""For each API a request, whole enough to show every part of the answer."""


def caller_of(zone: EmulatedZone, api: str) -> Caller:
    """Return who calls; a report comes with the job_info of a job in progress."""
    job_info = ""
    if api == "program_async_job_call_back":
        zone.ok("create_program_task", own_task(zone, "program_id"))
        job_info = zone.program.calls[-1].job_info
    return Caller(corpid=zone.settings.corpid, agentid=zone.settings.agentid, job_info=job_info)


def schema(api: str) -> Any:
    return importlib.import_module(f"wwspec_contracts.api.{api}")


def request_of(zone: EmulatedZone, api: str) -> Json:
    """Return a request of an API that is answered well."""
    assert api in REQUESTS, f"give {api} a request in REQUESTS of {__file__}: one that is answered with errcode 0"
    return REQUESTS[api](zone)


def test_the_limits_are_those_of_the_contracts() -> None:
    zone = EmulatedZone(messages=0)

    def misfits(api: str, path: str, value: Any) -> bool:
        return "Expected `" in zone(api, json.loads(with_value(api, path, value)))["errmsg"]

    for api, path, least, greatest, _ in CASES:
        assert not misfits(api, path, least), (api, path)
        assert not misfits(api, path, greatest), (api, path)
    beyond = [misfits(api, path, each) for api, path, *_, values in CASES for each in values]
    assert beyond.count(True) == 71, "the others have an errcode of their own, or are counted in bytes"


def test_every_documented_api_is_modelled_and_no_other() -> None:
    assert len(SDK_APIS) == len(set(SDK_APIS)) == 43
    assert set(APIS) == set(SDK_APIS)


@EVERY_API
def test_every_request_and_its_answer_fit_the_contracts_of_the_program(api: str) -> None:
    zone = new_zone()
    request = request_of(zone, api)
    InputCodec(schema(api).Request, drop_empty=True).decode(json.dumps(request))
    text = zone.text(api, request, caller_of(zone, api))
    answer = json.loads(text)
    assert answer["errcode"] == 0, answer
    assert OutputCodec(schema(api).Response, OutputPolicy.STRICT).fit(text) == text
    shown = {field.encode_name for field in msgspec.structs.fields(schema(api).Response)}
    assert shown - set(answer) == ABSENT.get(api, set()), "the answer shows every part of the contract"


ABSENT = {"sync_msg": {"page_id_list"}}
"""What a good answer does not show: page ids and messages exclude each other."""


@EVERY_API
def test_a_field_that_the_api_does_not_have_or_of_a_wrong_type_is_refused_by_name(api: str) -> None:
    zone = new_zone()
    request, caller = request_of(zone, api), caller_of(zone, api)
    wrong = {field: 1.5 if isinstance(value, str | list | dict) else "x" for field, value in request.items()}
    for field, value in {**wrong, "no_such_field": 1}.items():
        answer = json.loads(zone.text(api, {**request, field: value}, caller))
        assert answer["errcode"] == 40058
        assert (f"$.{field}" if field in request else field) in answer["errmsg"]


@EVERY_API
def test_a_field_that_is_needed_is_missed_by_name_also_when_it_is_empty(api: str) -> None:
    zone = new_zone()
    request, caller = request_of(zone, api), caller_of(zone, api)
    needed = [field.encode_name for field in msgspec.structs.fields(schema(api).Request) if field.required]
    for field in needed:
        rest = {name: value for name, value in request.items() if name != field}
        texts = [zone.text(api, rest, caller)]
        if isinstance(request[field], str | list):
            texts.append(zone.text(api, {**rest, field: type(request[field])()}, caller))
        for answer in map(json.loads, texts):
            assert answer["errcode"] == (40058 if "of length >=" in answer["errmsg"] else 40063), (field, answer)
            assert field in answer["errmsg"]


def test_a_seed_gives_the_same_answers_in_every_life(tmp_path: Path) -> None:
    lines = []
    for api in SDK_APIS:
        zone = new_zone(seed=4)
        request = request_of(zone, api)
        answer = json.loads(zone.text(api, request, caller_of(zone, api)))
        lines.append(f"{api} {without_ids(request)}\n{without_ids(answer)}\n")
    found, kept = tmp_path / "answers.txt", Path(__file__).with_name("answers.txt")
    found.write_text("".join(lines), "utf-8")
    assert found.read_text("utf-8") == kept.read_text("utf-8"), f"if this is right, copy {found} there"


@EVERY_API
def test_only_apps_of_the_zone_may_call(api: str) -> None:
    zone = new_zone()
    request = request_of(zone, api)
    for corpid, agentid in (("ww-other", zone.settings.agentid), (zone.settings.corpid, 0)):
        answer = json.loads(zone.text(api, request, Caller(corpid=corpid, agentid=agentid)))
        assert answer["errcode"] == (790017 if api == "program_async_job_call_back" else 710641)
