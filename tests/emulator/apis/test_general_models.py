from typing import Any

import pytest

from tests.emulator.apis.conftest import EmulatedZone, Json
from wwspec_router.emulator.state.knowledge import CORP_BASE_ID
from wwspec_router.emulator.state.tasks import TASK_SECONDS


def reader(zone: EmulatedZone) -> Json:
    return {"oper_userid": "lina", "user_doc_ticket": zone.doc_ticket("lina")}


def result(zone: EmulatedZone, **request: Any) -> Json:
    jobid = zone.ok("create_ww_model_task", request)["jobid"]
    zone.advance(TASK_SECONDS)
    return zone.ok("get_ww_model_result", jobid=jobid)


def read(zone: EmulatedZone, **params: Any) -> Json:
    return result(zone, doc_retrieval_params=reader(zone) | params)


def test_the_answer_names_everything_that_fills_the_prompt(zone: EmulatedZone) -> None:
    text = result(
        zone,
        ability_id="model",
        msg_list=zone.talk("你好", "再见"),
        kb_id=CORP_BASE_ID,
        tag_group_list=[{"group_id": "et_emulator_intent"}],
        var_args=[{"name": "tone", "value": "polite"}],
    )["response_data"]
    for part in ("hunyuan-quick", "2 条消息", "再见", "tone=polite", "tagjson=购买意向", "产品手册.pdf"):
        assert part in text
    assert "<think>" not in text


def test_only_models_that_think_show_their_thoughts_and_only_on_demand(zone: EmulatedZone) -> None:
    keys = zone.talk("你好")
    for model_id, wanted, thinks in [
        ("deepseek-think", True, True),
        ("deepseek-think", False, False),
        ("deepseek-quick", True, False),
    ]:
        text = result(zone, msg_list=keys, model_id=model_id, need_think_result=wanted)["response_data"]
        assert text.startswith("<think>") is thinks
        assert model_id in text


def test_unknown_tag_groups_are_told_at_once(zone: EmulatedZone) -> None:
    groups = [{"group_id": "made-up"}, {"group_id": "et_emulator_topic"}, {"group_id": "made-up"}]
    answer = zone.ok("create_ww_model_task", ability_id="a", tag_group_list=groups, msg_list=zone.talk("你好"))
    assert answer["fail_tag_group_id_list"] == ["made-up"]


def test_a_model_reads_named_documents_and_says_which_it_could_not(zone: EmulatedZone) -> None:
    answer = read(zone, docid_list=["doc_emulator_weekly", "made-up"], wedrive_fileid_list=["doc_emulator_customers"])
    assert "文档：项目周报" in answer["response_data"]
    assert [
        (content.get("docid"), content.get("wedrive_fileid"), content["errcode"])
        for content in answer["filtered_content_list"]
    ] == [
        ("made-up", None, 710729),
        (None, "doc_emulator_customers", 710729),
    ]


def test_no_document_is_read_once_the_trial_of_the_document_archive_is_over(zone: EmulatedZone) -> None:
    zone.advance(30 * 86400)
    [content] = read(zone, docid_list=["doc_emulator_weekly"])["filtered_content_list"]
    assert (content["docid"], content["errcode"]) == ("doc_emulator_weekly", 710728)


@pytest.mark.parametrize(
    ("params", "errcode"),
    [
        ({"creator_userid_list": ["lina"]}, 710738),
        ({"doc_type": 9}, 710732),
        ({"create_time_start": 1_736_000_000}, 710731),
        ({"create_time_end": 1_735_000_000}, 710731),
    ],
)
def test_documents_that_do_not_match_are_left_out(zone: EmulatedZone, params: Json, errcode: int) -> None:
    [content] = read(zone, docid_list=["doc_emulator_weekly"], **params)["filtered_content_list"]
    assert (content["docid"], content["errcode"]) == ("doc_emulator_weekly", errcode)


def test_keywords_search_all_documents(zone: EmulatedZone) -> None:
    text = read(zone, keywords=["合同"])["response_data"]
    assert "客户跟进表" in text
    assert "合同模板.docx" in text
    assert "项目周报" not in text


def test_documents_are_read_as_the_member_whose_ticket_of_the_last_30_days_the_app_has(zone: EmulatedZone) -> None:
    """[99875] 710803: expired, or of another member or app; the code of the table is that of 90313."""
    documents = {"docid_list": ["doc_emulator_weekly"]}
    params = reader(zone) | documents
    zone.ok("create_ww_model_task", doc_retrieval_params=params)
    with zone.foreign_app() as ask:
        assert ask("create_ww_model_task", {"doc_retrieval_params": params})["errcode"] == 710803
    assert zone.refused("create_ww_model_task", doc_retrieval_params=params | {"oper_userid": "mahui"}) == 710803
    zone.advance(30 * 86400)
    assert zone.refused("create_ww_model_task", doc_retrieval_params=params) == 710803


@pytest.mark.parametrize("mode", [{"keywords": ["回访"]}, {"docid_list": ["doc_emulator_weekly"]}])
def test_both_ways_to_read_documents_need_a_ticket(zone: EmulatedZone, mode: Json) -> None:
    """[99875] with keywords WeCom searches, without it reads the named documents."""
    made_up = {"oper_userid": "lina", "user_doc_ticket": "made-up", **mode}
    assert zone.refused("create_ww_model_task", doc_retrieval_params=made_up) == 710803
    assert "文档：项目周报" in read(zone, **mode)["response_data"]


def test_fragments_of_the_app_are_read(zone: EmulatedZone) -> None:
    fragments = [{"fragment": "自有知识", "ref_id": "1"}]
    assert "片段：自有知识" in read(zone, retrieved_knowledge_list=fragments)["response_data"]


@pytest.mark.parametrize(
    ("params", "errcode"),
    [
        ({}, 40063),
        ({"oper_userid": "", "keywords": ["x"]}, 710722),
        ({"oper_userid": "nobody", "keywords": ["x"]}, 710724),
        ({"user_doc_ticket": "", "keywords": ["x"]}, 710803),
        ({"keywords": []}, 710723),
        ({"keywords": [""]}, 710723),
        ({"keywords": ["x" * 301]}, 710737),
        ({"keywords": ["x"] * 21}, 40058),
        ({"keywords": ["x"], "creator_userid_list": ["nobody"]}, 710724),
        ({"keywords": ["x"], "create_time_start": 2, "create_time_end": 1}, 710725),
        ({"keywords": ["x"], "doc_type": 7}, 40058),
        ({"retrieved_knowledge_list": [{"fragment": "x" * 10_001, "ref_id": "1"}]}, 40058),
    ],
)
def test_illegal_document_searches_are_refused(zone: EmulatedZone, params: Json, errcode: int) -> None:
    assert zone.refused("create_ww_model_task", doc_retrieval_params=reader(zone) | params) == errcode


def test_a_model_needs_something_to_read(zone: EmulatedZone) -> None:
    assert zone.refused("create_ww_model_task") == 40063
    zone.ok("create_ww_model_task", ability_id="a", var_args=[{"name": "x", "value": "y"}])
    assert zone.refused("create_ww_model_task", model_id="made-up", msg_list=zone.talk("你好")) == 800001
    too_many = [{"name": "x", "value": "y"}] * 51
    assert zone.refused("create_ww_model_task", ability_id="a", var_args=too_many) == 40058
