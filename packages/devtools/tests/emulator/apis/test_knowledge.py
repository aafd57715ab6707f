from typing import Any

import pytest

from tests.emulator.apis.conftest import EmulatedZone, Json
from wwspec_devtools.emulator.answers import RefusedError
from wwspec_devtools.emulator.state.knowledge import CORP_BASE_ID

PAGE = {"doc_name": "帮助", "type": 101, "web_url": "https://example.com/help"}


def page(number: int) -> Json:
    return {"doc_name": f"页{number}", "type": 101, "web_url": f"https://example.com/{number}"}


def make(zone: EmulatedZone, **more: Any) -> str:
    return str(zone.ok("knowledge_base_create", {"kb_name": "手册", "doc_list": [PAGE], **more})["kb_id"])


def statuses(zone: EmulatedZone, kb_id: str) -> dict[int, int]:
    contents = zone.ok("knowledge_base_detail", kb_id=kb_id)["doc_list"]
    return {content["docid"]: content["status"] for content in contents}


def test_a_knowledge_base_is_listed_beside_the_corps_own_with_its_latest_name(zone: EmulatedZone) -> None:
    kb_id = make(zone)
    listed = zone.ok("knowledge_base_list")["kb_info_list"]
    assert [base["kb_id"] for base in listed] == [CORP_BASE_ID, kb_id]
    assert listed[1]["kb_name"] == "手册"
    zone.ok("knowledge_base_modify_name", kb_id=kb_id, kb_name="新手册")
    assert zone.ok("knowledge_base_detail", kb_id=kb_id)["kb_name"] == "新手册"
    assert zone.ok("knowledge_base_list")["kb_info_list"][1]["kb_name"] == "新手册"
    zone.advance(2)
    assert zone.events("knowledge_base_learn_done")[0]["knowledge_base_name"] == "新手册"


def test_contents_also_those_that_are_added_are_learnt_one_after_the_other_and_each_is_told(zone: EmulatedZone) -> None:
    lost = {"doc_name": "失联", "type": 101, "web_url": "http://host.invalid/"}
    answer = zone.ok("knowledge_base_create", kb_name="手册", doc_list=[page(1), lost, page(3)])
    assert [content["docid"] for content in answer["doc_list"]] == [1, 2, 3]
    assert answer["doc_list"][0] == {**page(1), "docid": 1, "file_media_id": ""}
    kb_id = answer["kb_id"]
    [added] = zone.ok("knowledge_base_add_doc", kb_id=kb_id, doc_list=[page(4)])["doc_list"]
    assert added["docid"] == 4
    assert statuses(zone, kb_id) == {1: 2, 2: 2, 3: 2, 4: 2}
    zone.advance(2)
    assert statuses(zone, kb_id) == {1: 0, 2: 2, 3: 2, 4: 2}
    assert zone.events("knowledge_base_learn_done") == [
        {"knowledge_base_id": kb_id, "knowledge_base_name": "手册", "doc_id": 1, "learn_status": 0}
    ]
    zone.advance(4)
    assert statuses(zone, kb_id) == {1: 0, 2: 1, 3: 0, 4: 2}
    zone.advance(2)
    events = zone.events("knowledge_base_learn_done")
    assert [(event["doc_id"], event["learn_status"]) for event in events] == [(1, 0), (2, 1), (3, 0), (4, 0)]


def test_removed_contents_are_gone_and_not_told(zone: EmulatedZone) -> None:
    kb_id = make(zone, doc_list=[page(1), page(2)])
    zone.ok("knowledge_base_remove_doc", kb_id=kb_id, docid_list=[1])
    assert list(statuses(zone, kb_id)) == [2]
    assert zone.refused("knowledge_base_remove_doc", kb_id=kb_id, docid_list=[2]) == 790028
    assert zone.refused("knowledge_base_remove_doc", kb_id=kb_id, docid_list=[1]) == 40058
    zone.advance(60)
    assert [event["doc_id"] for event in zone.events("knowledge_base_learn_done")] == [2]
    assert zone.ok("knowledge_base_add_doc", kb_id=kb_id, doc_list=[page(1)])["doc_list"][0]["docid"] == 3


OWN: dict[str, Json] = {
    "knowledge_base_detail": {},
    "knowledge_base_add_doc": {"doc_list": [PAGE]},
    "knowledge_base_remove_doc": {"docid_list": [1]},
    "knowledge_base_modify_name": {"kb_name": "新"},
    "knowledge_base_delete": {},
}


@pytest.mark.parametrize("api", OWN)
def test_only_an_apps_own_knowledge_bases_can_be_read_and_changed(zone: EmulatedZone, api: str) -> None:
    request = OWN[api]
    kb_id = make(zone)
    assert zone.refused(api, request, kb_id="made-up") == 800000
    assert zone.refused(api, request, kb_id="") == 40063
    assert zone.refused(api, request, kb_id=CORP_BASE_ID) == 790024
    assert zone.foreign_app(api, {**request, "kb_id": kb_id})["errcode"] == 790024
    zone.authorise(kb_id, authorised=False)
    assert zone.refused(api, request, kb_id=kb_id) == 710643
    zone.authorise(kb_id, authorised=True)
    zone.ok("knowledge_base_delete", kb_id=kb_id)
    assert zone.refused(api, request, kb_id=kb_id) == 790034


def test_a_knowledge_base_that_the_corp_withdrew_is_not_listed(zone: EmulatedZone) -> None:
    assert [base["kb_id"] for base in zone.ok("knowledge_base_list")["kb_info_list"]] == [CORP_BASE_ID]
    zone.authorise(CORP_BASE_ID, authorised=False)
    assert zone.ok("knowledge_base_list")["kb_info_list"] == []
    for kb_id, deleted, errcode in [("made-up", False, 800000), (make(zone), True, 790034)]:
        if deleted:
            zone.ok("knowledge_base_delete", kb_id=kb_id)
        with pytest.raises(RefusedError) as raised:
            zone.authorise(kb_id, authorised=True)
        assert raised.value.errcode == errcode


def test_a_deleted_knowledge_base_is_no_longer_listed_nor_learnt(zone: EmulatedZone) -> None:
    kb_id, other = make(zone), make(zone)
    zone.ok("knowledge_base_delete", kb_id=kb_id)
    assert [base["kb_id"] for base in zone.ok("knowledge_base_list")["kb_info_list"]] == [CORP_BASE_ID, other]
    zone.advance(60)
    assert [event["knowledge_base_id"] for event in zone.events("knowledge_base_learn_done")] == [other]


def test_a_file_is_named_by_its_media_id(zone: EmulatedZone) -> None:
    media_id = zone.upload("a.pdf")
    file = {"doc_name": "a.PDF", "type": 2, "file_media_id": media_id}
    kb_id = make(zone, doc_list=[file])
    assert zone.ok("knowledge_base_detail", kb_id=kb_id)["doc_list"] == [
        {"docid": 1, "doc_name": "a.PDF", "type": 2, "web_url": "", "status": 2}
    ]
    assert zone.foreign_app("knowledge_base_create", {"kb_name": "别家", "doc_list": [file]})["errcode"] == 40145
    zone.ok("knowledge_base_add_doc", kb_id=kb_id, doc_list=[file])
    zone.advance(3 * 86400)
    assert zone.refused("knowledge_base_add_doc", kb_id=kb_id, doc_list=[file]) == 40145


@pytest.mark.parametrize(
    ("change", "errcode"),
    [
        ({"type": 8}, 40058),
        ({"type": "101"}, 40058),
        ({"doc_name": ""}, 40063),
        ({"doc_name": "a\u200bb"}, 790033),
        ({"doc_name": "x" * 201}, 790032),
        ({"type": 2, "doc_name": "a.doc", "file_media_id": "x"}, 790032),
        ({"type": 2, "doc_name": "a.pdf"}, 40063),
        ({"type": 2, "doc_name": "a.pdf", "file_media_id": "x"}, 40145),
        ({"web_url": ""}, 40063),
        ({"web_url": "ftp://example.com"}, 790025),
        ({"web_url": "http://["}, 790025),
        ({"url": "http://example.com/"}, 40058),
    ],
)
def test_illegal_contents_are_refused_and_nothing_is_made(zone: EmulatedZone, change: Json, errcode: int) -> None:
    assert zone.refused("knowledge_base_create", kb_name="手册", doc_list=[PAGE | change]) == errcode
    assert len(zone.ok("knowledge_base_list")["kb_info_list"]) == 1
    kb_id = make(zone)
    assert zone.refused("knowledge_base_add_doc", kb_id=kb_id, doc_list=[page(9), page(8) | change]) == errcode
    assert list(statuses(zone, kb_id)) == [1]


@pytest.mark.parametrize(("name", "errcode"), [("", 40063), ("x" * 21, 40058), ("a\u200b", 790033), ("  ", 790033)])
def test_illegal_names_are_refused(zone: EmulatedZone, name: str, errcode: int) -> None:
    kb_id = make(zone)
    assert zone.refused("knowledge_base_modify_name", kb_id=kb_id, kb_name=name) == errcode
    assert zone.refused("knowledge_base_create", kb_name=name, doc_list=[PAGE]) == errcode


def test_a_page_is_learnt_once(zone: EmulatedZone) -> None:
    assert zone.refused("knowledge_base_create", kb_name="手册", doc_list=[PAGE, PAGE]) == 790029
    kb_id = make(zone)
    assert zone.refused("knowledge_base_add_doc", kb_id=kb_id, doc_list=[PAGE]) == 790029


def test_a_knowledge_base_has_1000_contents_at_most(zone: EmulatedZone) -> None:
    assert zone.refused("knowledge_base_create", kb_name="手册", doc_list=[page(n) for n in range(1001)]) == 790026
    kb_id = make(zone, doc_list=[page(n) for n in range(1000)])
    assert zone.refused("knowledge_base_add_doc", kb_id=kb_id, doc_list=[page(1000)]) == 790026
    zone.ok("knowledge_base_remove_doc", kb_id=kb_id, docid_list=[1])
    zone.ok("knowledge_base_add_doc", kb_id=kb_id, doc_list=[page(1000)])


def test_a_corp_has_1000_knowledge_bases_at_most(zone: EmulatedZone) -> None:
    made = [make(zone) for _ in range(999)]
    assert zone.refused("knowledge_base_create", kb_name="手册", doc_list=[PAGE]) == 790027
    zone.ok("knowledge_base_delete", kb_id=made[0])
    make(zone)


def test_99836_the_url_of_a_page_has_1024_bytes_at_most(zone: EmulatedZone) -> None:
    longest = "http://example.com/" + "页" * 335
    make(zone, doc_list=[PAGE | {"web_url": longest}])
    assert zone.refused("knowledge_base_create", kb_name="手册", doc_list=[PAGE | {"web_url": f"{longest}x"}]) == 790025
