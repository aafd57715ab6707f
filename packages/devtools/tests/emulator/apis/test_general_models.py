import re
from typing import Any

import pytest

from tests.emulator.apis.conftest import SECOND_PROGRAM, EmulatedZone, Json
from wwspec_devtools.emulator.state.tasks import TASK_SECONDS


def reader(zone: EmulatedZone, userid: str = "lina") -> Json:
    return {"oper_userid": userid, "user_doc_ticket": zone.doc_ticket(userid)}


def result(zone: EmulatedZone, **request: Any) -> Json:
    jobid = zone.ok("create_ww_model_task", request)["jobid"]
    zone.advance(TASK_SECONDS)
    return zone.ok("get_ww_model_result", jobid=jobid)


def read(zone: EmulatedZone, **params: Any) -> Json:
    return result(zone, doc_retrieval_params=reader(zone) | params)


def test_99875_only_models_that_think_show_their_thoughts_and_only_on_demand(zone: EmulatedZone) -> None:
    keys = zone.talk("你好")
    for model_id, wanted, thinks in [
        ("deepseek-think", True, True),
        ("deepseek-think", False, False),
        ("deepseek-quick", True, False),
    ]:
        text = result(zone, msg_list=keys, model_id=model_id, need_think_result=wanted)["response_data"]
        assert text.startswith("<think>") is thinks
        assert model_id in text


def test_unknown_tag_groups_are_told_at_once_also_of_a_programs_own_model(zone: EmulatedZone) -> None:
    zone.link()
    groups = [{"group_id": "made-up"}, {"group_id": "et_emulator_topic"}, {"group_id": "made-up"}]
    request = {"ability_id": "a", "tag_group_list": groups, "msg_list": zone.talk("你好")}
    for api, more in (("create_ww_model_task", {}), ("create_model_task", {"model_id": SECOND_PROGRAM})):
        assert zone.ok(api, request | more)["fail_tag_group_id_list"] == ["made-up"], api


def filtered(zone: EmulatedZone, **params: Any) -> list[tuple[str, str, int]]:
    """Return what was left out: by which field it was named, its id, and why."""
    found = read(zone, **params)["filtered_content_list"]
    assert all(each["errmsg"] and ("docid" in each) != ("wedrive_fileid" in each) for each in found)
    return [
        ("docid", each["docid"], each["errcode"])
        if "docid" in each
        else ("wedrive_fileid", each["wedrive_fileid"], each["errcode"])
        for each in found
    ]


WEEKLY, CUSTOMERS, CONTRACT = "doc_emulator_weekly", "doc_emulator_customers", "file_emulator_contract"


def names(zone: EmulatedZone, **params: Any) -> list[str]:
    """Return the ids of the documents that a model reads, in order."""
    return re.findall(r"\[ref:\S+/(\w+)\]", read(zone, **params)["response_data"])


def test_99875_mode_2_reads_what_is_named_and_mode_1_what_has_a_keyword(zone: EmulatedZone) -> None:
    assert names(zone, docid_list=[WEEKLY]) == [WEEKLY]
    assert names(zone, wedrive_fileid_list=[CONTRACT]) == [CONTRACT], "files alone are mode 2 too"
    assert names(zone, docid_list=[CUSTOMERS], wedrive_fileid_list=[CONTRACT]) == [CUSTOMERS, CONTRACT]
    assert names(zone, keywords=["续签", "发票"]) == [WEEKLY, CUSTOMERS]
    assert names(zone, keywords=["合同"]) == [CUSTOMERS, CONTRACT]
    assert names(zone, keywords=["合同"], docid_list=[WEEKLY]) == [CONTRACT]
    assert names(zone, keywords=["合同"], wedrive_fileid_list=["made-up"]) == [CUSTOMERS]


FILTERS = [
    ({"creator_userid_list": ["chenjing"]}, 710738),
    ({"doc_type": 19}, 710732),
    ({"create_time_start": 1_760_000_000}, 710731),
    ({"create_time_end": 1_700_000_000}, 710731),
]


@pytest.mark.parametrize(("params", "errcode"), FILTERS)
def test_99875_filters_are_for_online_documents_only(zone: EmulatedZone, params: Json, errcode: int) -> None:
    assert names(zone, keywords=["合同"], **params) == [CONTRACT]
    named = {"docid_list": [WEEKLY], "wedrive_fileid_list": [CONTRACT]}
    assert names(zone, **named, **params) == [CONTRACT]
    assert filtered(zone, **named, **params) == [("docid", WEEKLY, errcode)]


@pytest.mark.parametrize(
    ("field", "document", "errcode"),
    [
        ("docid", "made-up", 710729),
        ("docid", CONTRACT, 710729),
        ("wedrive_fileid", WEEKLY, 710729),
        ("docid", "doc_emulator_salaries", 710730),
        ("docid", "doc_emulator_slides", 710733),
        ("wedrive_fileid", "file_emulator_picture", 710733),
        ("docid", "doc_emulator_draft", 710736),
        ("wedrive_fileid", "file_emulator_private", 710736),
    ],
)
def test_99875_what_is_named_and_left_out_is_listed_with_its_errcode(
    zone: EmulatedZone, field: str, document: str, errcode: int
) -> None:
    assert filtered(zone, **{f"{field}_list": [document]}) == [(field, document, errcode)]


def test_99875_what_is_not_named_is_left_out_silently_and_nothing_is_read_once_the_trial_of_the_archive_is_over(
    zone: EmulatedZone,
) -> None:
    assert filtered(zone, keywords=["合同"]) == []
    assert filtered(zone, keywords=["合同"], docid_list=[WEEKLY]) == [], "it only has none of the keywords"
    zone.advance(30 * 86400)
    assert filtered(zone, keywords=["合同"]) == []
    assert names(zone, keywords=["合同"]) == []
    assert filtered(zone, docid_list=[WEEKLY, "made-up"]) == [("docid", WEEKLY, 710728), ("docid", "made-up", 710728)]


def test_99875_a_reader_reads_what_is_open_to_him(zone: EmulatedZone) -> None:
    for userid, readable in (("chenjing", True), ("liuyang", True), ("lina", False)):
        params = {**reader(zone, userid), "docid_list": ["doc_emulator_salaries"]}
        assert (names(zone, **params) == ["doc_emulator_salaries"]) is readable


def test_documents_are_read_as_the_member_whose_ticket_of_the_last_30_days_the_app_has(zone: EmulatedZone) -> None:
    """[99875] 710803: expired, or of another member or app; the code of the table is that of 90313."""
    documents = {"docid_list": ["doc_emulator_weekly"]}
    params = reader(zone) | documents
    zone.ok("create_ww_model_task", doc_retrieval_params=params)
    assert zone.foreign_app("create_ww_model_task", {"doc_retrieval_params": params})["errcode"] == 710803
    assert zone.refused("create_ww_model_task", doc_retrieval_params=params | {"oper_userid": "mahui"}) == 710803
    zone.advance(30 * 86400 - 1)
    zone.ok("create_ww_model_task", doc_retrieval_params=params)
    zone.advance(1)
    assert zone.refused("create_ww_model_task", doc_retrieval_params=params) == 710803


@pytest.mark.parametrize(
    ("params", "errcode"),
    [
        ({}, 40063),
        ({"oper_userid": "", "keywords": ["x"]}, 710722),
        ({"oper_userid": "nobody", "keywords": ["x"]}, 710724),
        ({"user_doc_ticket": "", "keywords": ["x"]}, 710803),
        ({"user_doc_ticket": "made-up", "keywords": ["x"]}, 710803),
        ({"keywords": []}, 710723),
        ({"keywords": [""]}, 710723),
        ({"keywords": ["x" * 301]}, 710737),
        ({"keywords": ["x"], "creator_userid_list": ["nobody"]}, 710724),
        ({"keywords": ["x"], "create_time_start": 2, "create_time_end": 1}, 710725),
        ({"keywords": ["x"], "doc_type": 7}, 40058),
        ({"retrieved_knowledge_list": [{"fragment": "x", "ref_id": "1"}] * 101}, 40058),
    ],
)
def test_illegal_document_searches_are_refused(zone: EmulatedZone, params: Json, errcode: int) -> None:
    assert zone.refused("create_ww_model_task", doc_retrieval_params=reader(zone) | params) == errcode


def test_a_model_needs_something_to_read(zone: EmulatedZone) -> None:
    assert zone.refused("create_ww_model_task") == 40063
    zone.ok("create_ww_model_task", ability_id="a", var_args=[{"name": "x", "value": "y"}])
    assert zone.refused("create_ww_model_task", model_id="made-up", msg_list=zone.talk("你好")) == 800001
