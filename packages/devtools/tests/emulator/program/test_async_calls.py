"""Asynchronous calls: the app starts one, the program reports on it, the app fetches the result."""

import pytest

from tests.support.emulator import Emulator, Json, SealedProgram
from wwspec_contracts.files import ConsoleContract
from wwspec_devtools.emulator.state import jobs as jobs_module

CONTRACTS = {"slow": ConsoleContract(input={"a": 1}, output={"b": 1, "errcode": 0})}


@pytest.fixture
def emulator(zone: tuple[Emulator, SealedProgram]) -> Emulator:
    zone[0].platform.register(CONTRACTS)
    return zone[0]


def begin(emulator: Emulator) -> Json:
    return emulator.call_program('{"a": 1}', "slow", api="async_program_task")


def report(emulator: Emulator, job_info: str, request: Json, agentid: int | None = None) -> int:
    answer = emulator.sdk("program_async_job_call_back", request, job_info=job_info, agentid=agentid)
    return int(answer["errcode"])


def result(emulator: Emulator, jobid: str) -> Json:
    return emulator.app_call("async_program_result", {"jobid": jobid})


def test_the_result_waits_until_the_program_reports_it(emulator: Emulator, program: SealedProgram) -> None:
    answer = begin(emulator)
    assert (answer["errcode"], answer["errmsg"]) == (0, "ok")
    [call] = program.calls
    assert (call.is_async, call.call_type, call.ability_id, call.data) == (True, 1, "slow", '{"a": 1}')
    assert call.job_info
    jobid = answer["jobid"]
    assert call.job_info != jobid
    assert result(emulator, jobid)["errcode"] == 710642
    assert report(emulator, call.job_info, {"errcode": 0, "result": '{"b": 2}'}) == 0
    expected = {"errcode": 0, "errmsg": "ok", "response_errcode": 0, "response_data": '{"b": 2}'}
    assert result(emulator, jobid) == expected
    assert result(emulator, jobid) == expected, "a result can be fetched again"


def test_a_reported_failure_reaches_the_app_with_or_without_a_result(
    emulator: Emulator, program: SealedProgram
) -> None:
    for request in ({"errcode": 7}, {"errcode": 7, "result": '{"errcode": 7}'}):
        jobid = begin(emulator)["jobid"]
        assert report(emulator, program.calls[-1].job_info, request) == 0
        answer = result(emulator, jobid)
        assert (answer["response_errcode"], answer["response_data"]) == (7, request.get("result", ""))


@pytest.mark.parametrize(
    ("request_json", "errcode"),
    [
        ({"errcode": 0, "result": "not json"}, 790013),
        ({"errcode": 0}, 790013),
        ({"errcode": 0, "result": '{"c": 1}'}, 790014),
        ({"errcode": 1, "result": '{"b": ""}'}, 790014),
        ({"result": "{}"}, 40063),
        ({"errcode": "0", "result": "{}"}, 40058),
    ],
)
def test_a_report_that_breaks_a_rule_leaves_the_job_in_progress(
    emulator: Emulator, program: SealedProgram, request_json: Json, errcode: int
) -> None:
    jobid = begin(emulator)["jobid"]
    job_info = program.calls[0].job_info
    assert report(emulator, job_info, request_json) == errcode
    assert result(emulator, jobid)["errcode"] == 710642
    assert report(emulator, job_info, {"errcode": 0, "result": "{}"}) == 0


def test_a_job_is_reported_once_by_whom_it_was_given_to(emulator: Emulator, program: SealedProgram) -> None:
    begin(emulator)
    job_info = program.calls[0].job_info
    done = {"errcode": 0, "result": "{}"}
    for stray in ("", "made-up", job_info + "0"):
        assert report(emulator, stray, done) == 790017
    assert report(emulator, job_info, done, agentid=0) == 790017
    assert report(emulator, job_info, done) == 0
    assert report(emulator, job_info, done) == 790010


def test_a_program_that_does_not_take_the_call_leaves_no_job(emulator: Emulator, program: SealedProgram) -> None:
    program.reply = lambda call: (500, {}, b"")
    answer = begin(emulator)
    assert answer["errcode"] == 710676
    assert "jobid" not in answer
    assert report(emulator, program.calls[0].job_info, {"errcode": 0, "result": "{}"}) == 790017


def test_the_oldest_jobs_are_forgotten(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_module, "KEPT_JOBS", 2)
    emulator.platform.reset()
    jobids = [begin(emulator)["jobid"] for _ in range(3)]
    assert [result(emulator, jobid)["errcode"] for jobid in jobids] == [40088, 710642, 710642]
