from typing import Any

import pytest

from tests.emulator.apis.conftest import EmulatedZone, Json
from wwspec_devtools.emulator.state import corps
from wwspec_devtools.emulator.state.knowledge import CORP_BASE_ID
from wwspec_devtools.emulator.state.tags import TAG_GROUPS

INTENT, TOPIC = TAG_GROUPS
GROUPS = [{"group_id": INTENT}, {"group_id": TOPIC}]

KINDS: dict[str, tuple[str, Json]] = {
    "create_sentiment_task": ("get_sentiment_result", {}),
    "create_spam_task": ("get_spam_result", {}),
    "create_summary_task": ("get_summary_result", {}),
    "create_recommend_dialog_task": ("get_recommend_dialog_result", {"kb_id": CORP_BASE_ID}),
    "create_customer_tag_task": ("get_customer_tag_result", {"tag_group_list": GROUPS}),
    "create_ww_model_task": ("get_ww_model_result", {}),
}
ANALYSES = pytest.mark.parametrize("kind", KINDS)


def start(zone: EmulatedZone, kind: str, msg_list: list[Json], **more: Any) -> Json:
    return zone.ok(kind, {**KINDS[kind][1], "msg_list": msg_list, **more})


def result(zone: EmulatedZone, kind: str, msg_list: list[Json], **more: Any) -> Json:
    """Run a task to its end."""
    jobid = start(zone, kind, msg_list, **more)["jobid"]
    zone.advance(2)
    return zone(KINDS[kind][0], jobid=jobid)


def failures(answer: Json) -> list[tuple[str, int]]:
    listed = answer.get("analyze_result_list", answer.get("fail_list"))
    assert listed is not None
    return [(failure["msgid"], failure["errcode"]) for failure in listed if failure["errcode"]]


@ANALYSES
def test_a_task_runs_and_then_is_finished(zone: EmulatedZone, kind: str) -> None:
    get_result = KINDS[kind][0]
    jobid = start(zone, kind, zone.talk("你好", "价格太贵了"))["jobid"]
    assert zone.ok(get_result, jobid=jobid) == {"errcode": 0, "errmsg": "ok", "status": 0}
    zone.advance(1)
    assert zone.ok(get_result, jobid=jobid)["status"] == 0
    zone.advance(1)
    finished = zone.ok(get_result, jobid=jobid)
    assert finished["status"] == 1
    assert len(finished) > 3
    zone.advance(1000)
    assert zone.ok(get_result, jobid=jobid) == finished


@ANALYSES
def test_messages_that_cannot_be_read_are_told_and_alone_they_fail_the_task(zone: EmulatedZone, kind: str) -> None:
    [good] = zone.talk("你好")
    image = zone.key_of(zone.say(msgtype=2))
    [wrong_key] = zone.talk("秘密")
    wrong_key["encrypt_info"] = {"secret_key": "wrong"}
    unknown = {"msgid": "made-up", "encrypt_info": {"secret_key": "x"}}
    answer = result(zone, kind, [unknown, image, wrong_key, good])
    assert (answer["errcode"], answer["status"]) == (0, 1)
    ids = ("made-up", image["msgid"], wrong_key["msgid"])
    assert failures(answer) == list(zip(ids, (710601, 710602, 710603), strict=True))
    answer = result(zone, kind, [{"msgid": "made-up", "encrypt_info": {"secret_key": "x"}}])
    assert (answer["errcode"], answer["status"]) == (710637, 2)
    assert failures(answer) == [("made-up", 710601)]


@ANALYSES
def test_a_message_given_twice_counts_once(zone: EmulatedZone, kind: str) -> None:
    [once] = zone.talk("你好")
    again = {"msgid": once["msgid"], "encrypt_info": {"secret_key": "other"}}
    answer = start(zone, kind, [once, again])
    [failure] = answer["fail_list"]
    assert (failure["errcode"], failure["msgid"]) == (710613, once["msgid"])
    assert failure["encrypt_info"] == {"secret_key": "other"}
    zone.advance(2)
    assert failures(zone.ok(KINDS[kind][0], jobid=answer["jobid"])) == []


@ANALYSES
def test_a_task_takes_1000_messages_at_most(zone: EmulatedZone, kind: str) -> None:
    many = [{"msgid": str(number), "encrypt_info": {"secret_key": "x"}} for number in range(1001)]
    start(zone, kind, many[:1000])
    assert zone.refused(kind, KINDS[kind][1], msg_list=many) == 710623
    assert zone.refused(kind, KINDS[kind][1], msg_list=[{"msgid": "x"}]) == 40063
    assert zone.refused(kind, KINDS[kind][1], msg_list=[{"msgid": 1, "encrypt_info": {"secret_key": ""}}]) == 40058


@ANALYSES
def test_a_result_is_asked_for_with_the_right_jobid(zone: EmulatedZone, kind: str) -> None:
    jobid = start(zone, kind, zone.talk("你好"))["jobid"]
    for other, (get_result, _) in KINDS.items():
        if other != kind:
            assert zone.refused(get_result, jobid=jobid) == 710616
    assert zone.refused(KINDS[kind][0], jobid="made-up") == 40088
    assert zone.foreign_app(KINDS[kind][0], {"jobid": jobid})["errcode"] == 40088


@pytest.mark.parametrize("msgtype", [1, 6, 21])
def test_text_and_speech_are_judged(zone: EmulatedZone, msgtype: int) -> None:
    said = ["明天开会", "服务非常好，谢谢", "我要投诉，太慢了", "不满意"]
    keys = [zone.key_of(zone.say(text, msgtype=msgtype)) for text in said]
    judged = result(zone, "create_sentiment_task", keys)["analyze_result_list"]
    assert [message["sentiment_result"] for message in judged] == [0, 1, 2, 2]
    assert [message["msgid"] for message in judged] == [key["msgid"] for key in keys]


def test_forbidden_content_is_found(zone: EmulatedZone) -> None:
    keys = zone.talk("你好", "一个涉政测试词", "一个涉黄测试词")
    found = result(zone, "create_spam_task", keys)["analyze_result_list"]
    assert [message["spam_result"] for message in found] == [0, 1, 2]


def test_a_summary_counts_and_quotes_the_beginning_of_what_is_too_long(zone: EmulatedZone) -> None:
    keys = zone.talk("想买一台", "但是太慢了", "算了")
    text = result(zone, "create_summary_task", keys)["response_data"]
    assert "1 人共 3 条消息" in text
    assert all(said in text for said in ("想买一台", "但是太慢了", "算了"))
    answer = result(zone, "create_summary_task", zone.talk("开头", "长" * 30_000, "结尾"))
    assert answer["status"] == 1
    assert "开头" in answer["response_data"]
    assert "结尾" not in answer["response_data"]


def test_the_tag_with_most_words_fits_and_too_many_groups_fail_the_task(zone: EmulatedZone) -> None:
    keys = zone.talk("请给我报价", "决定了，合同发来吧", "合同要盖章")
    tags = result(zone, "create_customer_tag_task", keys)["tag_result_list"]
    assert tags == [{"group_id": INTENT, "tag_id": f"{INTENT}_high"}, {"group_id": TOPIC, "tag_id": f"{TOPIC}_price"}]
    groups = [{"group_id": "made-up"}, {"group_id": TOPIC}]
    tags = result(zone, "create_customer_tag_task", zone.talk("你好"), tag_group_list=groups)["tag_result_list"]
    assert tags == []
    groups = [{"group_id": f"made-up-{number:05}"} for number in range(2400)]
    shown = result(zone, "create_customer_tag_task", zone.talk("你好"), tag_group_list=groups)
    assert shown["errcode"] == 790040


def test_a_suggestion_quotes_the_nearest_learnt_content(zone: EmulatedZone) -> None:
    page = {"doc_name": "退款流程", "type": 101, "web_url": "https://example.com/refund"}
    more = {"doc_name": "安装说明", "type": 101, "web_url": "https://example.com/install"}
    kb_id = zone.ok("knowledge_base_create", kb_name="售后", doc_list=[more, page])["kb_id"]
    keys = zone.talk("怎么退款")
    early = result(zone, "create_recommend_dialog_task", keys, kb_id=kb_id)["response_data"]
    assert "怎么退款" in early
    assert "退款流程" not in early, "it was not learnt when the task began"
    zone.advance(60)
    late = result(zone, "create_recommend_dialog_task", keys, kb_id=kb_id)["response_data"]
    assert "售后" in late
    assert "《退款流程》" in late


@pytest.mark.parametrize("kind", ["create_recommend_dialog_task", "create_ww_model_task", "create_model_task"])
def test_a_knowledge_base_must_be_usable(zone: EmulatedZone, kind: str) -> None:
    zone.link()
    request: Json = {"msg_list": zone.talk("你好")}
    if kind == "create_model_task":
        request |= {"model_id": "second-program", "ability_id": "a"}
    page = {"doc_name": "页", "type": 101, "web_url": "https://example.com/"}
    kb_id = zone.ok("knowledge_base_create", kb_name="售后", doc_list=[page])["kb_id"]
    assert zone.refused(kind, request, kb_id="made-up") == 800000
    zone.authorise(kb_id, authorised=False)
    assert zone.refused(kind, request, kb_id=kb_id) == 710643
    zone.authorise(kb_id, authorised=True)
    zone.ok(kind, request, kb_id=kb_id)
    zone.ok("knowledge_base_delete", kb_id=kb_id)
    assert zone.refused(kind, request, kb_id=kb_id) == 790034


@pytest.mark.parametrize("kind", ["create_recommend_dialog_task", "create_ww_model_task"])
def test_input_that_is_too_long_fails_the_task(zone: EmulatedZone, kind: str) -> None:
    answer = result(zone, kind, zone.talk("长" * 29_000))
    assert answer["status"] == 1
    answer = result(zone, kind, zone.talk("长" * 29_000, "长" * 1_001))
    assert (answer["errcode"], answer["status"]) == (790040, 2)
    assert "response_data" not in answer


def test_99980_a_corp_makes_10000_tasks_of_a_kind_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    assert corps.MAX_TASKS == 10_000
    monkeypatch.setattr(corps, "MAX_TASKS", 100)
    zone = EmulatedZone()
    keys = zone.talk("你好")
    for _ in range(100):
        zone.ok("create_summary_task", msg_list=keys)
    assert zone.refused("create_summary_task", msg_list=keys) == 45009
    zone.ok("create_sentiment_task", msg_list=keys)
    start(zone, "create_recommend_dialog_task", keys)
    zone.advance(86400)
    zone.ok("create_summary_task", msg_list=keys)


@pytest.mark.parametrize(
    "kind", [pytest.param("create_sentiment_task", id="99983"), pytest.param("create_spam_task", id="99986")]
)
def test_99983_99986_a_corp_has_100000_messages_of_a_kind_judged_a_day(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    assert corps.MAX_JUDGED == 100_000
    monkeypatch.setattr(corps, "MAX_JUDGED", 1000)
    zone = EmulatedZone()
    ten = [{"msgid": str(number), "encrypt_info": {"secret_key": "x"}} for number in range(10)]
    for _ in range(99):
        zone.ok(kind, msg_list=ten)
    zone.ok(kind, msg_list=[*ten[:8], ten[0]])
    assert zone.refused(kind, msg_list=ten[:3]) == 45009
    zone.ok(kind, msg_list=[*ten[:2], ten[0]])
    assert zone.refused(kind, msg_list=ten[:1]) == 45009
    other = "create_spam_task" if kind == "create_sentiment_task" else "create_sentiment_task"
    zone.ok(other, msg_list=ten)
    zone.advance(86400)
    zone.ok(kind, msg_list=ten)
