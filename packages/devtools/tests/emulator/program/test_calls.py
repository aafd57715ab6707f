"""What the app reads when it calls a program, for everything that can go wrong on the way.

Of an asynchronous call the program reports the result, and the app fetches it.
"""

import threading
from collections.abc import Callable
from itertools import product

import pytest

from tests.emulator.conftest import StartEmulator
from tests.support.emulator import Emulator, Json, Response, SealedProgram, free_socket, http_server, url_of
from tests.support.sealing import seal_reply
from tests.support.tables import for_each
from tests.support.waiting import DEADLINE
from wwspec_contracts.files import ConsoleContract
from wwspec_devtools.emulator.state import jobs as jobs_module

CONTRACTS = {
    "echo": ConsoleContract(input={"a": 1}, output={"a": 1, "errcode": 0}),
    "slow": ConsoleContract(input={"a": 1}, output={"b": 1, "errcode": 0}),
}


@pytest.fixture
def emulator(zone: tuple[Emulator, SealedProgram]) -> Emulator:
    zone[0].platform.register(CONTRACTS)
    return zone[0]


def test_the_programs_reply_reaches_the_app_byte_for_byte(emulator: Emulator, program: SealedProgram) -> None:
    program.reply = lambda call: '{"a":   2}'
    answer = emulator.call_program('{"a" : 1}')
    assert answer == {"errcode": 0, "errmsg": "ok", "response_data": '{"a":   2}'}
    [call] = program.calls
    assert call.data == '{"a" : 1}'
    assert (call.corpid, call.agentid) == (emulator.settings.corpid, emulator.settings.agentid)
    assert (call.call_type, call.ability_id, call.notify_id) == (1, "echo", "")
    assert (call.is_async, call.job_info) == (False, "")
    assert 0 <= emulator.platform.clock.seconds() - call.timestamp <= 60
    assert call.request_id


def test_an_empty_list_is_taken_as_an_empty_object(emulator: Emulator, program: SealedProgram) -> None:
    """Row 24: PHP makes `[]` of an empty array, and no key of a contract is required."""
    program.reply = lambda call: "{}"
    assert emulator.call_program("[]")["errcode"] == 0
    assert emulator.call_program(" [ ] ")["errcode"] == 0
    assert emulator.call_program("[]", api="async_program_task")["errcode"] == 0
    assert [call.data for call in program.calls] == ["[]", " [ ] ", "[]"], "the program gets it as it was sent"
    for other in ("[{}]", "[[]]", '""', "0", "null"):
        assert emulator.call_program(other)["errcode"] == 790016
    program.reply = lambda call: "[]"
    assert emulator.call_program()["errcode"] == 790014, "a reply must fit as it is"


def test_an_empty_list_stays_one_where_the_contract_has_a_list(start_with_program: StartEmulator) -> None:
    emulator = start_with_program(contracts={"echo": ConsoleContract(input=[1], output=[1])})
    assert emulator.call_program("[]")["errcode"] == 0
    assert emulator.call_program("{}")["errcode"] == 790016


@for_each(
    product(
        ("sync_call_program", "async_program_task"),
        [
            ({"request_data": "{"}, 790015, "truncated"),
            ({"request_data": "[" * 5000}, 790015, ""),
            ({"request_data": '{"b": 1}'}, 790016, "$.b: this key is not in the contract"),
            ({"request_data": '{"a": "1"}'}, 790016, "$.a: expected an integer, got a string"),
            ({"program_id": "another"}, 790020, "program_id"),
            ({"ability_id": "unknown"}, 800003, "no contract"),
            ({"request_data": ""}, 40063, "request_data"),
            ({"ability_id": ""}, 40063, "ability_id"),
            ({"program_id": ""}, 40063, "program_id"),
        ],
    )
)
def test_a_call_that_breaks_a_rule_never_reaches_the_program(
    api: str, case: tuple[Json, int, str], emulator: Emulator, program: SealedProgram
) -> None:
    change, errcode, hint = case
    answer = emulator.call_program(api=api, **change)
    assert answer["errcode"] == errcode
    assert hint in answer["errmsg"]
    assert ", hint: [1750000" in answer["errmsg"]
    assert not {"response_data", "jobid"} & answer.keys()
    assert program.calls == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"program_id": 1}', b"\xff"])
def test_a_body_of_another_form_is_an_illegal_parameter(emulator: Emulator, body: bytes) -> None:
    response = emulator.http.post(f"/cgi-bin/chatdata/sync_call_program?access_token={emulator.token()}", content=body)
    assert response.status_code == 200
    assert response.json()["errcode"] == 40058


def _sealed(key: bytes, text: str = "{}", request_id: str = "", *, exception: bool = False) -> Response:
    sealed = seal_reply(key, text, request_id, 0, exception=exception)
    return 200, sealed.headers, sealed.body.encode()


@pytest.mark.parametrize(
    ("reply", "errcode", "hint"),
    [
        (lambda key: "not json", 790013, "malformed"),
        (lambda key: "", 790013, ""),
        (lambda key: '{"a": 1.5}', 790014, "$.a: expected an integer"),
        (lambda key: '{"errmsg": "ok"}', 790014, "$.errmsg: this key is not in the contract"),
        (lambda key: (500, {}, b""), 710676, "status 500"),
        (lambda key: (503, {}, "满了\n\x1b[2J now".encode()), 710676, "status 503: 满了 \\x1b[2J now"),
        (lambda key: (302, {"location": "/"}, b""), 710676, "status 302"),
        (lambda key: (204, {}, b""), 710676, "status 204"),
        (lambda key: (200, {}, b'{"plain": "text"}'), 710677, "missing"),
        (lambda key: (200, {}, b"\xff"), 710677, "UTF-8"),
        (lambda key: _sealed(bytes(32)), 710677, "signature"),
        (lambda key: _sealed(key, '{"errcode": 710660}', exception=True), 710677, "exception header"),
    ],
)
def test_a_reply_that_breaks_a_rule_or_can_not_be_opened_never_reaches_the_app(
    emulator: Emulator, program: SealedProgram, reply: Callable[[bytes], str | Response], errcode: int, hint: str
) -> None:
    program.reply = lambda call: reply(program.key)
    answer = emulator.call_program()
    assert answer["errcode"] == errcode
    assert hint in answer["errmsg"]
    assert "response_data" not in answer


def test_a_program_that_hangs_is_a_time_out(start: StartEmulator) -> None:
    answered = threading.Event()

    def hang(headers: list[tuple[str, str]], body: bytes) -> Response:
        answered.wait(DEADLINE)
        return 200, {}, b""

    with http_server(hang) as url:
        answer = start(program_url=url, call_timeout=0.05).call_program()
        answered.set()
    assert answer["errcode"] == 710675


def test_a_program_that_hangs_up_counts_as_a_time_out(start: StartEmulator) -> None:
    with free_socket() as listening:
        listening.listen()

        def hang_up() -> None:
            connection, _ = listening.accept()
            connection.recv(65536)
            connection.close()

        program = threading.Thread(target=hang_up)
        program.start()
        answer = start(program_url=url_of(listening)).call_program()
        program.join()
    assert answer["errcode"] == 710675


def test_contracts_can_be_registered_and_without_any_all_passes(emulator: Emulator, program: SealedProgram) -> None:
    emulator.platform.register(None)
    for data in ['{"anything": [1, null]}', "[]", '"text"', "null"]:
        assert emulator.call_program(data, ability_id="未知")["response_data"] == data
    assert program.calls[0].ability_id == "未知"
    new = {"other": {"input": {"b": ""}, "output": {"b": ""}}}
    assert emulator.http.post("/emulator/contracts", json=new).json()["errcode"] == 0
    assert emulator.call_program()["errcode"] == 800003
    assert emulator.call_program('{"b": "x"}', ability_id="other")["response_data"] == '{"b": "x"}'
    assert emulator.http.get("/emulator/info").json()["abilities"] == ["other"]


def test_a_notify_id_reaches_the_program_for_ten_minutes(emulator: Emulator, program: SealedProgram) -> None:
    notify_id = emulator.sdk("spec_notify_app", {})["notify_id"]
    assert emulator.call_program(notify_id=notify_id)["errcode"] == 0
    assert program.calls[0].notify_id == notify_id
    emulator.advance(600)
    for refused in (notify_id, "never-issued"):
        answer = emulator.call_program(notify_id=refused)
        assert (answer["errcode"], "expired" in answer["errmsg"]) == (710646, True)
    assert len(program.calls) == 1


def test_a_reply_from_a_thread_that_decoded_another_request_is_warned_of(
    emulator: Emulator, program: SealedProgram, caplog: pytest.LogCaptureFixture
) -> None:
    program.reply = lambda call: _sealed(program.key, request_id="another")
    assert emulator.call_program()["errcode"] == 0
    assert "decode and reply on one thread" in caplog.text


def test_tokens_are_given_for_the_right_credentials_and_expire_after_two_hours(emulator: Emulator) -> None:
    wrong = [("", "", 40013), ("ww-other", "x", 40013), (emulator.settings.corpid, "wrong", 40001)]
    for corpid, secret, errcode in wrong:
        answer = emulator.http.get("/cgi-bin/gettoken", params={"corpid": corpid, "corpsecret": secret}).json()
        assert (answer["errcode"], "access_token" in answer) == (errcode, False)
    token = emulator.token()
    assert emulator.token() == token, "a valid token is given again"
    assert emulator.app_call("sync_call_program", {}, "")["errcode"] == 40014
    assert emulator.app_call("sync_call_program", {}, "made-up")["errcode"] == 40014
    emulator.advance(7200)
    assert emulator.app_call("sync_call_program", {}, token)["errcode"] == 42001
    assert emulator.token() != token
    assert emulator.call_program()["errcode"] == 0


def test_an_app_without_zone_permission_is_refused_on_both_sides(start_with_program: StartEmulator) -> None:
    emulator = start_with_program(authorised=False)
    assert emulator.call_program()["errcode"] == 48002
    assert emulator.sdk("sync_msg", {})["errcode"] == 710641


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
