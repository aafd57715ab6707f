"""Documented limits hold for what the program sends; what WeCom sends is taken as it comes."""

import importlib
import json
from typing import Any

import msgspec
import pytest

from tests.support.tables import for_each
from tests.wecom.test_contracts_of_wecom import payload, places, replaced
from wwspec_contracts import create_chatdata_export_job, get_rule_list, get_ww_model_result, search_chat, sync_msg
from wwspec_contracts.errors import InputError
from wwspec_contracts.events import conversation_new_message, knowledge_base_learn_done
from wwspec_contracts.messages import Message, MsgType
from wwspec_router.codecs.codec import InputCodec, OutputCodec, OutputPolicy

LEARNT = payload("events/knowledge_base_learn_done")

KEYS = [{"msgid": "m", "encrypt_info": {"secret_key": "k"}}]
PAIRS = [{"userid": "u", "external_userid": "e"}]
WORDS = ["词" * 32]
BAD_WORDS = [[""], ["词" * 33]]
VARIABLES = [{"name": "n", "value": "v"}]
DOCS = [{"doc_name": "d", "type": 101}]
DOC = "$.doc_retrieval_params"
RANGE = "$.applicable_range"
FLAGS = ("is_case_sensitive", "match_rule", "is_trim_msg")
TASKS = (
    "create_ww_model_task create_recommend_dialog_task create_customer_tag_task create_summary_task "
    "create_sentiment_task create_spam_task create_model_task create_program_task"
)

# APIs, the path of a field, the least and the greatest value that fits, and values beyond.
LIMITS: list[tuple[str, str, Any, Any, list[Any]]] = [
    ("sync_msg", "$.cursor", "", "中" * 42 + "xx", ["x" * 129, "中" * 43]),
    ("sync_msg get_hit_msg_list", "$.token", "", "x" * 128, ["x" * 129, "é" * 65]),
    ("sync_msg get_hit_msg_list", "$.limit", 0, 1000, [-1, 1001]),
    ("sync_msg", "$.mode", 0, 2, [-1, 3]),
    ("get_hit_msg_list", "$.cursor", "", "x" * 64, ["x" * 65, "中" * 22]),
    ("get_hit_msg_list", "$.need_detail", 0, 1, [-1, 2]),
    ("get_agree_status_single", "$.item", PAIRS, PAIRS * 100, [PAIRS * 101]),
    ("search_chat search_msg", "$.query_word", "发货", "x" * 500, ["发"]),
    ("search_chat search_msg search_contact_or_customer", "$.limit", 0, 100, [-1, 101]),
    ("search_msg", "$.chat_info.chat_type", 1, 2, [0, 3]),
    ("search_msg", "$.chat_info.id_list", [{}, {}], [{}, {}], [[{}], [{}, {}, {}]]),
    ("search_msg", "$.chat_info.msg_type_list", [1], [1, 4, 5, 8, 18, 20, 23], [[2], [1, 6]]),
    ("search_msg", "$.chat_info.sender_list", [], [{}] * 100, [[{}] * 101]),
    ("search_contact_or_customer", "$.query_word", "张三", "张" * 31, ["张", "张" * 32]),
    ("search_contact_or_customer", "$.query_user_type", 0, 2, [-1, 3]),
    ("create_rule update_rule", "$.name", "规", "规" * 20, ["", "规" * 21]),
    ("create_rule", "$.keyword.word_list", [], WORDS * 20, [WORDS * 21, *BAD_WORDS]),
    *(("create_rule", f"$.keyword.{flag}", 0, 1, [-1, 2]) for flag in FLAGS),
    ("create_rule", "$.semantics.semantics_list", [1], list(range(1, 13)), [[0], [13]]),
    ("create_rule", f"{RANGE}.target_type.type_list", [], [1, 2], [[0], [3]]),
    ("create_rule", f"{RANGE}.chat_type.type_list", [], [1, 2], [[0], [3]]),
    ("create_rule", f"{RANGE}.department.id_list", [], [1] * 100, [[1] * 101]),
    ("create_rule", f"{RANGE}.user.id_list", [], ["u"] * 1000, [["u"] * 1001]),
    ("create_rule", f"{RANGE}.external_contact.id_list", [], ["e"] * 100, [["e"] * 101]),
    ("create_rule", f"{RANGE}.chat.id_list", [], ["c"] * 2000, [["c"] * 2001]),
    ("create_rule", f"{RANGE}.msg_scope", 1, 3, [0, 4]),
    ("create_rule", f"{RANGE}.exclude_mobile.mobile_list", [], ["+86"] * 100, [["+86"] * 101]),
    ("create_rule", f"{RANGE}.exclude_bank_card.bank_card_list", [], ["6"] * 100, [["6"] * 101]),
    ("create_rule", f"{RANGE}.exclude_email.email_list", [], ["a@b.cn"] * 100, [["a@b.cn"] * 101]),
    ("create_rule", f"{RANGE}.session_type.session_type_list", [], [1, 2], [[0], [3]]),
    ("create_rule", f"{RANGE}.exclude_keyword.word_list", [], WORDS * 20, [WORDS * 21, *BAD_WORDS]),
    ("create_rule", f"{RANGE}.voice_match_msgtype.type_list", [], [6, 21], [[1]]),
    ("get_rule_list", "$.limit", 0, 100_000, [-1]),
    ("knowledge_base_create knowledge_base_modify_name", "$.kb_name", "集", "集" * 20, ["", "集" * 21]),
    ("knowledge_base_create knowledge_base_add_doc", "$.doc_list", DOCS, DOCS * 1000, [[], DOCS * 1001]),
    ("knowledge_base_create", "$.doc_list[0].doc_name", "", "x" * 200, ["x" * 201, "中" * 67]),
    ("knowledge_base_create", "$.doc_list[0].type", 2, 101, [1, 3, 8, 102]),
    ("knowledge_base_create", "$.doc_list[0].file_media_id", "", "x" * 1024, ["x" * 1025, "中" * 342]),
    ("knowledge_base_create", "$.doc_list[0].web_url", "", "x" * 1024, ["x" * 1025]),
    ("knowledge_base_remove_doc", "$.docid_list", [0], [2**64 - 1] * 1000, [[], [-1], [1] * 1001]),
    (TASKS, "$.msg_list", [], KEYS * 1000, [KEYS * 1001]),
    ("create_ww_model_task", "$.var_args", [], VARIABLES * 50, [VARIABLES * 51]),
    ("create_ww_model_task", f"{DOC}.keywords", [], ["k"] * 20, [["k"] * 21]),
    ("create_ww_model_task", f"{DOC}.creator_userid_list", [], ["u"] * 20, [["u"] * 21]),
    ("create_ww_model_task", f"{DOC}.docid_list", [], ["d"] * 1000, [["d"] * 1001]),
    ("create_ww_model_task", f"{DOC}.wedrive_fileid_list", [], ["f"] * 1000, [["f"] * 1001]),
    ("create_ww_model_task", f"{DOC}.doc_type", 8, 21, [7, 10, 18, 22]),
    ("create_ww_model_task", f"{DOC}.retrieved_knowledge_list[0].fragment", "", "x" * 10000, ["x" * 10001]),
    ("create_model_task create_program_task", "$.escape_type", 0, 1, [-1, 2]),
    ("spec_notify_app", "$.notify_id", "", "x" * 64, ["x" * 65, "中" * 22]),
    ("spec_notify_app", "$.notify_scene", 0, 255, [-1, 256]),
]


def with_value(api: str, path: str, new: Any) -> str:
    """Return the API's example request with another value at one path."""
    request = payload(f"api/{api}.request")
    return json.dumps(replaced(request, dict(places(request))[path], new))


CASES = [(api, *row) for apis, *row in LIMITS for api in apis.split()]


@pytest.mark.parametrize(
    ("api", "path", "least", "greatest", "beyond"), CASES, ids=[f"{api}-{path}" for api, path, *_ in CASES]
)
def test_a_request_holds_to_the_documented_limits(
    api: str, path: str, least: Any, greatest: Any, beyond: list[Any]
) -> None:
    codec = InputCodec(importlib.import_module(f"wwspec_contracts.api.{api}").Request)
    codec.decode(with_value(api, path, least))
    codec.decode(with_value(api, path, greatest))
    for value in beyond:
        with pytest.raises(InputError) as caught:
            codec.decode(with_value(api, path, value))
        assert caught.value.path.startswith(path)


def test_wecom_may_send_more_than_its_pages_say() -> None:
    reply = {"next_cursor": "x" * 500, "msg_list": [{"msgtype": 99}] * 1001, "page_id_list": ["p"] * 11}
    name = "conversation_new_message"
    event = {"event_type": name, "timestamp": -1, name: {"token": "x" * 500}}
    assert len(msgspec.convert(reply, sync_msg.Response).msg_list) == 1001
    assert msgspec.to_builtins(msgspec.convert(event, conversation_new_message.Event)) == event


@for_each(
    [
        (search_chat.Response, {"has_more": True}, {"has_more": 1}),
        (get_rule_list.Response, {"has_more": 1}, {"has_more": True}),
        (
            get_ww_model_result.Response,
            {"filtered_doc_list": [{"docid": "d"}]},
            {"filtered_content_list": [{"docid": "d"}]},
        ),
        (create_chatdata_export_job.Response, {"jobid": "j", "new_key": 1}, {"jobid": "j"}),
        (knowledge_base_learn_done.Event, json.loads(json.dumps(LEARNT).replace("doc_id", "docid")), LEARNT),
    ]
)
def test_slips_of_wecoms_pages_are_repaired(type_: Any, sent: Any, passed_on: Any) -> None:
    """A learnt content may be named as the APIs do."""
    fitted = OutputCodec(type_, OutputPolicy.PRUNE).fit(json.dumps(sent))
    assert json.loads(fitted) == passed_on


@for_each(MsgType)
def test_the_kind_of_a_message_is_typed(kind: MsgType) -> None:
    message = msgspec.json.decode(b'{"msgtype":%d}' % kind, type=Message)
    assert type(message.kind) is MsgType
    assert (message.kind, type(message.msgtype)) == (kind, int)


@for_each([-1, 29, 2**40])
def test_a_kind_that_wecom_adds_later_is_read_as_its_number(number: int) -> None:
    message = msgspec.json.decode(b'{"msgtype":%d}' % number, type=Message)
    assert message.kind == message.msgtype == number
