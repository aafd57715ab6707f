"""The SDK APIs that change nothing at WeCom, and small requests to try them with.

A request asks for what an earlier answer has: `{chatid}` is replaced by ids of groups that were found, and the request
is made once for each. `UNKNOWN` is an id that nobody has.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

UNKNOWN = "wwspec-unknown-id"
WORD, NAME = "{word}", "{name}"
"""What the search APIs look for: the person who records chooses it."""

_LIMIT = 10


class Case(NamedTuple):
    """One kind of request of an API."""

    api: str
    name: str
    """What is asked for, in one word."""
    request: Mapping[str, Any]


def _by_id(api: str, key: str, found: str = "") -> tuple[Case, ...]:
    """Return the cases of an API that takes one id: one that was found, if any API finds it, and an unknown one."""
    unknown = Case(api, "unknown", {key: UNKNOWN})
    return (Case(api, "found", {key: found}), unknown) if found else (unknown,)


CASES = (
    Case("sync_msg", "messages", {"limit": _LIMIT}),
    Case("sync_msg", "pages", {"limit": _LIMIT, "mode": 1}),
    *_by_id("get_msg_list_by_page_id", "page_id", "{page_id}"),
    *_by_id("get_group_chat", "chatid", "{chatid}"),
    *_by_id("get_agree_status_room", "chatid", "{chatid}"),
    Case("get_agree_status_single", "found", {"item": ["{pair}"]}),
    Case("get_agree_status_single", "unknown", {"item": [{"userid": UNKNOWN, "external_userid": UNKNOWN}]}),
    *_by_id("get_hide_sensitiveinfo_config", "userid", "{userid}"),
    Case("search_chat", "word", {"query_word": WORD, "limit": _LIMIT}),
    Case("search_msg", "word", {"query_word": WORD, "limit": _LIMIT}),
    Case("search_contact_or_customer", "name", {"query_word": NAME, "limit": _LIMIT}),
    Case("get_rule_list", "list", {"limit": _LIMIT}),
    *_by_id("get_rule_detail", "rule_id", "{rule_id}"),
    Case("get_hit_msg_list", "messages", {"limit": _LIMIT, "need_detail": 1}),
    Case("knowledge_base_list", "list", {}),
    *_by_id("knowledge_base_detail", "kb_id", "{kb_id}"),
    # Only an API that changes something makes a jobid.
    *_by_id("get_chatdata_export_job_status", "jobid"),
    *_by_id("get_customer_tag_result", "jobid"),
    *_by_id("get_model_task_result", "jobid"),
    *_by_id("get_program_task_result", "jobid"),
    *_by_id("get_recommend_dialog_result", "jobid"),
    *_by_id("get_sentiment_result", "jobid"),
    *_by_id("get_spam_result", "jobid"),
    *_by_id("get_summary_result", "jobid"),
    *_by_id("get_ww_model_result", "jobid"),
)
"""In the order in which they are asked."""

_LISTED = {
    "get_rule_list": ("rule_id", "rule_list", "rule_id"),
    "knowledge_base_list": ("kb_id", "kb_info_list", "kb_id"),
    "search_chat": ("chatid", "chat_list", "chatid"),
}
"""What the elements of a list have: the placeholder, the list, the key."""


def found(api: str, answer: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what an answer has for later requests: the placeholder, and a value.

    The answer may differ from the contract in any way.
    """
    if api in _LISTED:
        name, listed, key = _LISTED[api]
        yield from ((name, each[key]) for each in _objects(answer.get(listed)) if isinstance(each.get(key), str))
    if api == "sync_msg":
        pages = answer.get("page_id_list")
        yield from (("page_id", each) for each in pages if isinstance(each, str)) if isinstance(pages, list) else ()
        for message in _objects(answer.get("msg_list")):
            yield from _of_message(message)


def _of_message(message: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    parties = _objects([message.get("sender"), *_objects(message.get("receiver_list"))])
    of_people = [each for each in parties if each.get("type") in (1, 2) and isinstance(each.get("id"), str)]
    ids = {each["type"]: each["id"] for each in of_people}
    if isinstance(chatid := message.get("chatid"), str) and chatid:
        yield "chatid", chatid
    elif 1 in ids and 2 in ids:
        yield "pair", {"userid": ids[1], "external_userid": ids[2]}
    if 1 in ids:
        yield "userid", ids[1]


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
