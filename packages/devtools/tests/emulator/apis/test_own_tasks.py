import json
from typing import Any

import pytest

from tests.emulator.apis.conftest import SECOND_PROGRAM, EmulatedZone, Json
from wwspec_contracts.files import ConsoleContract

PROGRAM, MODEL = "create_program_task", "create_model_task"
RESULTS = {PROGRAM: "get_program_task_result", MODEL: "get_model_task_result"}
BOTH = pytest.mark.parametrize("kind", RESULTS)


def request_of(zone: EmulatedZone, kind: str, **more: Any) -> Json:
    name = "program_id" if kind == PROGRAM else "model_id"
    return {name: SECOND_PROGRAM, "ability_id": "digest", "msg_list": zone.talk("你好"), **more}


@BOTH
def test_the_program_is_called_asynchronously_and_its_report_is_the_result(zone: EmulatedZone, kind: str) -> None:
    zone.link()
    jobid = zone.ok(kind, request_of(zone, kind))["jobid"]
    [call] = zone.program.calls
    assert (call.call_type, call.ability_id, call.is_async) == (1, "digest", True)
    assert "你好" in json.loads(call.data)["chatcontent"]
    assert zone.program.limits == [None if kind == PROGRAM else 5.0], "a model must answer within 5 seconds"
    assert zone.refused(RESULTS[kind], jobid=jobid) == 710642
    zone.ok("program_async_job_call_back", errcode=0, result='{"n": 1}', job_info=call.job_info)
    reported = {"fail_list": [], "response_errcode": 0, "response_data": '{"n": 1}'}
    assert zone.ok(RESULTS[kind], jobid=jobid) == {"errcode": 0, "errmsg": "ok", **reported}


@BOTH
def test_unreadable_messages_are_told_and_none_at_all_refused(zone: EmulatedZone, kind: str) -> None:
    zone.link()
    unreadable = {"msgid": "made-up", "encrypt_info": {"secret_key": "x"}}
    assert zone.refused(kind, request_of(zone, kind, msg_list=[unreadable])) == 790041
    assert zone.program.calls == []
    jobid = zone.ok(kind, request_of(zone, kind, msg_list=[unreadable, *zone.talk("你好")]))["jobid"]
    zone.ok("program_async_job_call_back", errcode=0, result="{}", job_info=zone.program.calls[0].job_info)
    [failure] = zone.ok(RESULTS[kind], jobid=jobid)["fail_list"]
    assert (failure["msgid"], failure["errcode"]) == ("made-up", 710601)


@BOTH
def test_a_call_that_fails_makes_no_task(zone: EmulatedZone, kind: str) -> None:
    zone.link(url="http://unreachable")
    assert zone.refused(kind, request_of(zone, kind)) == 710674
    zone.link({"other": ConsoleContract(input={}, output={})})
    assert zone.refused(kind, request_of(zone, kind)) == 710636
    zone.link()
    assert zone.refused(kind, request_of(zone, kind, msg_list=zone.talk("长" * 30_001))) == 790040


def test_the_program_must_be_linked_with_the_app(zone: EmulatedZone) -> None:
    assert zone.refused(PROGRAM, request_of(zone, PROGRAM)) == 790020
    assert zone.refused(MODEL, request_of(zone, MODEL)) == 800001


@BOTH
def test_a_result_is_asked_for_with_the_right_jobid(zone: EmulatedZone, kind: str) -> None:
    zone.link()
    jobid = zone.ok(kind, request_of(zone, kind))["jobid"]
    other = RESULTS[MODEL if kind == PROGRAM else PROGRAM]
    assert zone.refused(other, jobid=jobid) == 710616
    assert zone.refused("get_summary_result", jobid=jobid) == 710616
    assert zone.refused(RESULTS[kind], jobid="made-up") == 40088
    assert zone.app_call("async_program_result", jobid=jobid)["errcode"] == 40088, "it is no job of the app"
