"""What an operator reads of calls and jobs, with the SDK that is taken for the vendor's."""

import json
import re
from typing import Any

from tests.serving.service import CORP, Service
from tests.serving.test_development import SECRET, Start, start
from tests.support.waiting import wait_until

__all__ = ["start"]

CALL = {"kind", "ability", "errcode", "ms", "sdk_ms", "bytes_in", "bytes_out", "platform_request_id"}
"""The fields of each call."""
EVENT = {"event_type": "hit_keyword", "timestamp": 5, "hit_keyword": {"token": SECRET}}


def call_all(program: Service) -> None:
    for ability_id in ("ask", "refuse", "crash", "no_such_ability"):
        program.reply_text(ability_id, {"text": SECRET})
    program.reply_text("", EVENT, call_type=2)
    program.reply_text("refuse", {"text": SECRET}, is_async=True)
    wait_until(lambda: "job ended" in program.log)


def records(program: Service) -> list[dict[str, Any]]:
    return [json.loads(line) for line in program.log.splitlines() if line.startswith("{")]


def test_the_request_log_has_a_record_of_fields_for_each_call_and_nothing_of_its_corp(start: Start) -> None:
    program = start("vendor", "--request-log", "--log-json")
    call_all(program)
    calls = [each for each in records(program) if each["logger"] == "wwspec_router.calls"]
    facts = ("platform_request_id", "kind", "ability", "errcode")
    assert [tuple(each[name] for name in facts) for each in calls if each["kind"] != "job"] == [
        ("1_1", "call", "ask", 0),
        ("1_2", "call", "refuse", 7001),
        ("1_3", "call", "crash", 710660),
        ("1_4", "call", "(unknown)", 710660),
        ("1_5", "event", "hit_keyword", 710660),
        ("1_6", "async", "refuse", 0),
    ]
    base = {"time", "level", "logger", "process", "message"}
    for each in calls:
        assert each["message"] == "call"
        refused = {"refused_api", "refused_errcode"} if each["ability"] == "ask" else set()
        if each["kind"] == "job":
            assert set(each) == base | {"job"} | CALL - {"platform_request_id"}
        else:
            assert set(each) == base | {"request"} | CALL | refused
        assert 0 <= each["sdk_ms"] <= each["ms"]
        assert each["bytes_in"] > 0 < each["bytes_out"]
    assert (calls[0]["refused_api"], calls[0]["refused_errcode"]) == ("sync_msg", 45009)
    for secret in (SECRET, CORP, "too often", "no_such_ability", "not "):
        assert secret not in json.dumps(calls)
    assert SECRET not in program.log
    assert CORP not in program.log


def test_unless_calls_are_wanted_only_failures_and_jobs_that_ended_have_records(start: Start) -> None:
    program = start("vendor", "--log-json")
    call_all(program)
    failed = [each for each in records(program) if "error" in each]
    assert [(each["ability"], each["error"], each.get("errcode")) for each in failed[:3]] == [
        ("refuse", "AbilityError", 7001),
        ("crash", "KeyError", None),
        ("(unknown)", "AbilityNotFoundError", None),
    ]
    [ended] = [each for each in records(program) if each["message"] == "job ended"]
    assert (ended["ability"], ended["attempt"], ended["errcode"], ended["reported"]) == ("refuse", 1, 7001, True)
    assert 0 <= ended["seconds"] < 60
    assert re.fullmatch(r"\w{12}…", ended["job"])
    assert "wwspec_router.calls" not in program.log
