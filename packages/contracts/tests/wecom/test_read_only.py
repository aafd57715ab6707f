"""The table of read-only APIs: each API is in it that changes nothing, and each request fits its contract."""

from importlib import import_module
from typing import Any

import msgspec

from tests.support.tables import for_each
from wwspec_contracts.read_only import CASES, UNKNOWN, Case, found
from wwspec_devtools.emulator.standin.wwspec_standin.names import SDK_APIS

READING = ("get_", "search_", "sync_msg", "knowledge_base_list", "knowledge_base_detail")


def test_every_api_that_only_reads_is_in_the_table_and_no_other() -> None:
    assert {case.api for case in CASES} == {api for api in SDK_APIS if api.startswith(READING)}


def filled(template: Any) -> Any:
    """Return a request with values in the place of placeholders."""
    match template:
        case "{pair}":
            return {"userid": UNKNOWN, "external_userid": UNKNOWN}
        case str() if template.startswith("{"):
            return UNKNOWN
        case dict():
            return {key: filled(each) for key, each in template.items()}
        case list():
            return [filled(each) for each in template]
    return template


@for_each((case,) for case in CASES)
def test_a_request_fits_the_contract(case: Case) -> None:
    request = import_module(f"wwspec_contracts.api.{case.api}").Request
    assert msgspec.to_builtins(msgspec.convert(filled(case.request), request)) == filled(case.request)


def test_ids_are_found_in_messages() -> None:
    employee, customer = {"type": 1, "id": "lina"}, {"type": 2, "id": "wm1"}
    messages = [
        {"sender": employee, "receiver_list": [customer]},
        {"sender": customer, "receiver_list": [employee], "chatid": "wr1"},
        {"sender": customer, "chatid": "wr2"},
    ]
    answer = {"msg_list": messages, "page_id_list": ["p1"]}
    pair = {"userid": "lina", "external_userid": "wm1"}
    ids = [("userid", "lina"), ("chatid", "wr1"), ("userid", "lina"), ("chatid", "wr2")]
    assert list(found("sync_msg", answer)) == [("page_id", "p1"), ("pair", pair), *ids]


@for_each(
    [
        {"msg_list": 1, "page_id_list": {"a": 1}},
        {"msg_list": [1, None, {"sender": 1, "receiver_list": "x", "chatid": 2}], "page_id_list": [1]},
        {"msg_list": [{"sender": {"type": 1, "id": 5}}, {"sender": {"type": [], "id": "x"}}]},
    ]
)
def test_an_answer_of_another_shape_has_no_ids(answer: dict[str, Any]) -> None:
    assert list(found("sync_msg", answer)) == []
