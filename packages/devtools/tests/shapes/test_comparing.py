"""Recorded shapes against contracts and emulator: the emulator plays WeCom, with faults in its answers."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.shapes.clients import Answer, Scripted, changed
from wwspec_contracts.errors import SdkCallError
from wwspec_contracts.read_only import CASES
from wwspec_devtools.shapes.comparing import WORDS, Difference, differences, emulated_client, emulated_shapes
from wwspec_devtools.shapes.recording import record
from wwspec_router.config import SdkSource

API = "get_group_chat"


def found(change: Callable[[Answer], object], api: str = API) -> list[Difference]:
    """Return the differences of a recording in which one API answered something else."""
    return differences(record(changed(emulated_client(), api, change), SdkSource.VENDOR, WORDS))


def lines(change: Callable[[Answer], object], api: str = API, case: str = "found") -> list[tuple[str, str, str, str]]:
    """Return path, contract, emulator and recorded of one case."""
    everything = found(change, api)
    assert {each.api for each in everything} <= {api}
    return [(each.path, each.contract, each.emulator, each.recorded) for each in everything if each.case == case]


def test_what_the_recording_or_the_emulator_shows_nothing_of_is_no_difference() -> None:
    assert found(lambda answer: answer) == []

    def change(answer: Answer) -> Answer:
        [rule] = answer["msg_list"][0]["hit_rule_list"]
        assert rule["semantics_list"] == []
        rule["semantics_list"] = [1]
        return answer

    assert found(change, "get_hit_msg_list") == []
    empty: dict[str, Any] = {"errcode": 0, "errmsg": "ok", "rule_list": [], "has_more": False, "next_cursor": "x"}
    real = emulated_client()
    client = changed(real, "get_rule_list", lambda answer: empty)
    assert differences(record(client, SdkSource.VENDOR, WORDS)) == []


def test_the_emulator_has_something_to_read_for_each_case() -> None:
    apis = emulated_shapes().apis
    assert {(api, case) for api, cases in apis.items() for case in cases} == {(each.api, each.name) for each in CASES}
    refused = [(api, case) for api, cases in apis.items() for case, each in cases.items() if not each.accepted]
    assert {case for _, case in refused} == {"unknown"}
    empty = [
        api
        for api, cases in apis.items()
        for each in cases.values()
        for path, node in each.accepted.items()
        if path.count(".") == 1 and node.lengths == (0, 0)
    ]
    assert set(empty) <= {"get_agree_status_room"}


def adding(**values: Any) -> Callable[[Answer], object]:
    return lambda answer: answer | values


def without(key: str) -> Callable[[Answer], object]:
    return lambda answer: {name: each for name, each in answer.items() if name != key}


def refusal(answer: Answer) -> Answer:
    return {"errcode": 48002, "errmsg": "no"}


def test_a_key_that_is_missing_in_some_objects() -> None:
    def change(answer: Answer) -> Answer:
        for member in answer.get("members", [])[1:]:
            del member["jointime"]
        return answer

    [(path, contract, emulator, recorded)] = lines(change)
    assert (path, contract, emulator, recorded[:12]) == ("$.members[].jointime", "integer", "integer", "integer, in ")


OTHERS: dict[str, tuple[Callable[[Answer], object], str, str, tuple[str, str, str, str]]] = {
    "a missing key": (without("creator"), API, "found", ("$.creator", "string", "string", "absent")),
    "another type": (adding(creator=1), API, "found", ("$.creator", "string", "string", "integer")),
    "null": (adding(creator=None), API, "found", ("$.creator", "string", "string", "null")),
    "an object for a list": (
        adding(members={"lina": {"a": 1}}),
        API,
        "found",
        ("$.members", "array", "array", "object"),
    ),
    "a new key, whatever is in it": (
        *(adding(new_key={"a": {"b": [1]}}), API, "found"),
        ("$.new_key", "not listed", "absent", "object"),
    ),
    "a key of the contract that the emulator never gives": (
        *(adding(page_id_list=[]), "sync_msg", "messages"),
        ("$.page_id_list", "array", "absent", "array"),
    ),
    "a flag of either spelling": (
        *(adding(has_more=True), "sync_msg", "messages"),
        ("$.has_more", "boolean or integer", "integer", "boolean"),
    ),
    "a refusal": (refusal, API, "found", ("errcode", "-", "0", "48002")),
    "another refusal": (refusal, API, "unknown", ("errcode", "-", "710624", "48002")),
    "a refusal with another key": (
        lambda answer: answer | ({"more_info": "x"} if answer["errcode"] else {}),
        API,
        "unknown",
        ("$.more_info", "not listed", "absent", "string"),
    ),
    "no answer": (lambda _: SdkCallError(API, -10006), API, "found", ("return code", "-", "-", "-10006")),
    "no object": (lambda _: "[]", API, "found", ("$", "object", "object", "no JSON object")),
}


@pytest.mark.parametrize(("change", "api", "case", "line"), OTHERS.values(), ids=OTHERS)
def test_another_value_has_one_line(
    change: Callable[[Answer], object], api: str, case: str, line: tuple[str, str, str, str]
) -> None:
    assert lines(change, api, case) == [line]


def test_an_answer_that_the_emulator_refuses_is_held_against_the_contract() -> None:
    group = {"errcode": 0, "errmsg": "ok", "creator": 1, "room_create_time": 1}
    assert lines(lambda answer: group, case="unknown") == [
        ("errcode", "-", "710624", "0"),
        ("$.creator", "string", "-", "integer"),
    ]


def test_an_app_without_permission_differs_by_its_errcodes_only() -> None:
    client = Scripted(lambda *_: {"errcode": 48002, "errmsg": "api forbidden"})
    assert {each.path for each in differences(record(client, SdkSource.VENDOR, WORDS))} == {"errcode"}
