"""The record over HTTP: rows that are asked for, all of an entry, replays, and the state of the program."""

import json
import re
import time
from html import escape
from itertools import product
from typing import Any

import pytest

from tests.support.emulator import Emulator, Json, Response, SealedProgram, free_socket, program_state, url_of
from tests.support.sealing import seal_reply
from tests.support.tables import for_each
from wwspec_contracts.errcodes import ERRCODES, PROGRAM_ERRCODES, advice
from wwspec_devtools.emulator.http.client import EmulatorClient, EmulatorError
from wwspec_devtools.emulator.standin.wwspec_standin import seal
from wwspec_devtools.testing.app import App


def rows(emulator: Emulator, *query: tuple[str, str]) -> list[Json]:
    answer: Json = emulator.http.get("/emulator/traffic", params=list(query)).json()
    assert answer["errcode"] == 0, answer
    return list(answer["traffic"])


def test_rows_are_chosen_by_what_is_asked(
    client: EmulatorClient, app: App, emulator: Emulator, program: SealedProgram
) -> None:
    program.reply = lambda call: call.data if call.ability_id == "echo" else '{"errcode": 7, "errmsg": "no"}'
    app.call("echo", json.dumps({"text": "签合同"}))
    app.call("other", "{}")
    emulator.sdk("get_group_chat", {"chatid": "Nobody"})
    client.advance(60)

    def found(*query: tuple[str, str]) -> list[tuple[str, str]]:
        return [(each["kind"], each["name"]) for each in rows(emulator, *query)]

    assert found(("kind", "sdk"), ("kind", "clock")) == [("sdk", "get_group_chat"), ("clock", "advance")]
    assert found(("ability", "other")) == [("app", "sync_call_program"), ("call", "other")]
    assert found(("errcode", "7")) == found(("ability", "other"))
    assert found(("errcode", "710624")) == [("sdk", "get_group_chat")]
    assert found(("failed", "true")) == [*found(("ability", "other")), ("sdk", "get_group_chat")]
    assert found(("text", "合同")) == [("app", "sync_call_program"), ("call", "echo")]
    assert found(("text", "nobody")) == [("sdk", "get_group_chat")]
    assert found(("text", "合同"), ("kind", "call"), ("since", "2"), ("before", "4")) == [("call", "echo")]
    assert found(("limit", "1"), ("wait", "false")) == [("clock", "advance")]
    assert found(("flow", "2")) == [("app", "sync_call_program"), ("call", "echo")]
    assert found(("corp", "another")) == []
    assert "request" not in rows(emulator)[0]
    clock = rows(emulator, ("kind", "clock"), ("bodies", "true"))[0]
    assert (clock["request"], clock["reply"]) == ({"seconds": 60}, {"now": 1_750_000_060})


NUMBERS = ["since", "before", "limit", "flow", "errcode", "kind"]
PAGES = [("limit", "0"), ("limit", "501"), ("limit", "x"), ("before", "-1")]


@for_each(
    [
        *product(["traffic"], NUMBERS, ["x", "-", f"{10**18}", "٣"]),
        ("traffic", "errcode", f"{-(10**18)}"),
        ("traffic", "limit", "0"),
        *(("messages", *each) for each in PAGES),
        ("stream", "kind", "nothing"),
    ]
)
def test_a_bad_parameter_is_named(path: str, name: str, value: str, emulator: Emulator) -> None:
    answer = emulator.http.get(f"/emulator/{path}", params={name: value}).json()
    assert answer["errcode"] == 40058
    assert name in answer["errmsg"]


def test_the_page_of_errcodes_has_a_row_for_each_with_its_cause_and_fix(emulator: Emulator) -> None:
    for language, place in (("en", 0), ("zh", 1)):
        page = emulator.http.get("/errcodes", params={"lang": language}).text
        assert re.findall(r'id="e([\w-]+)"', page) == [*PROGRAM_ERRCODES, *map(str, ERRCODES)]
        assert f"<td>{escape((advice(790016) or ('', ''))[place])}</td></tr>" in page


def test_numbers_of_eighteen_digits_are_read(emulator: Emulator) -> None:
    for name in ("since", "before", "limit", "flow", "errcode"):
        rows(emulator, (name, "9" * 18))
    rows(emulator, ("errcode", "-" + "9" * 18))


def test_an_entry_has_headers_the_sealed_bodies_and_the_faults(
    client: EmulatorClient, app: App, emulator: Emulator, program: SealedProgram
) -> None:
    fault = client.add_fault("program", "latency", value=0.01, count=1)
    app.call("echo", '{"a": 1}')
    outer, call = (client.entry(each["number"]) for each in client.traffic()[-2:])
    assert call["sealed"]
    headers = [(name, value) for name, value in call["http"]["request_headers"]]
    assert seal.open_call(emulator.key, headers, call["raw"]["request"]).data == '{"a": 1}'
    reply_headers = [(name, value) for name, value in call["http"]["reply_headers"]]
    assert seal.open_reply(emulator.key, reply_headers, call["raw"]["reply"]).text == '{"a": 1}'
    assert (call["http"]["method"], call["http"]["path"], call["http"]["status"]) == ("POST", program.url, 200)
    assert call["call"]["request_id"] == program.calls[-1].request_id
    assert call["hits"] == [{"id": fault, "on": "program", "effect": "latency", "api": "", "value": 0.01}]
    assert call["duration_ms"] >= 10
    assert outer["children"] == [call["number"]]
    assert (outer["advice"], call["advice"]) == (None, None)
    assert outer["http"]["path"] == "/cgi-bin/chatdata/sync_call_program?access_token=***"
    assert dict(outer["http"]["request_headers"])["host"] == emulator.url.removeprefix("http://")
    assert json.loads(outer["raw"]["reply"])["response_data"] == '{"a": 1}'
    with pytest.raises(EmulatorError, match="no entry 99 is kept; there are 1 to"):
        client.entry(99)
    for number in ("0", "99", "x", "1" * 40):
        assert emulator.http.get(f"/emulator/traffic/{number}").json()["errcode"] == 40058


def test_the_verdict_says_where_a_request_or_reply_first_misses_the_contract(
    client: EmulatorClient, app: App, program: SealedProgram
) -> None:
    client.register({"echo": {"input": {"a": 1}, "output": {"a": 1}}})
    app.call("echo", '{"a": "text"}')
    program.reply = lambda call: '{"a": 1, "b": 2}'
    app.call("echo", '{"a": 1}')
    refused, outer, call = [each for each in client.traffic() if each["ability"] == "echo"]
    misfit = {"fits": False, "path": "$.a", "problem": ["expected an integer, got a string", "应为整数，实为字符串"]}
    assert (refused["errcode"], refused["contract"]) == (790016, {"request": misfit, "reply": None})
    assert client.entry(refused["number"])["advice"] == list(advice(790016) or ())
    assert (outer["errcode"], call["errcode"]) == (790014, 0)
    assert call["contract"]["request"] == {"fits": True}
    assert (call["contract"]["reply"]["path"], call["verdict"]) == ("$.b", "failed")
    assert outer["contract"] == {"request": {"fits": True}, "reply": None}, "the app gets no reply"


def test_a_program_that_answers_plainly_is_shown_with_its_status_and_without_its_secrets(
    client: EmulatorClient, app: App, program: SealedProgram
) -> None:
    program.reply = lambda call: (500, {"set-cookie": "a=b"}, b'{"token": "in-clear", "detail": "boom"}')
    app.call("echo")
    entry = client.entry(client.last_number())
    assert (entry["http"]["status"], entry["outcome"]) == (500, "710676")
    assert json.loads(entry["raw"]["reply"]) == {"token": "***", "detail": "boom"}
    assert dict(entry["http"]["reply_headers"])["set-cookie"] == "***"


def test_a_call_is_sent_again_with_an_edited_request_many_times(
    client: EmulatorClient, app: App, emulator: Emulator, program: SealedProgram
) -> None:
    app.call("echo", '{"a": 1}')
    number = client.last_number()

    def replay(**asked: Any) -> Json:
        answer: Json = emulator.http.post("/emulator/replay", json={"number": number, **asked}).json()
        return answer

    answer = replay(request={"a": 2, "b": ["合同"]}, times=3)
    assert json.loads(answer["reply"]) == {"a": 2, "b": ["合同"]}
    assert [each["errcode"] for each in answer["results"]] == [0, 0, 0]
    assert answer["number"] == answer["results"][-1]["number"] == client.last_number()
    assert [each["replay_of"] for each in client.traffic(number)] == [number] * 3
    assert len({call.request_id for call in program.calls}) == 4
    assert json.loads(replay(request=None)["reply"]) is None
    for bad in ({"times": 0}, {"times": 1001}, {"request": 1, "data": "1"}, {"requests": 1}):
        assert replay(**bad)["errcode"] == 40058
    assert client.replay(number, times=2) == '{"a": 1}'


def test_the_secrets_of_an_edited_request_are_put_back_where_they_were(
    client: EmulatorClient, app: App, program: SealedProgram
) -> None:
    app.call("echo", json.dumps({"token": "a", "list": [{"secret": "b"}, 1.0], "text": '{"code": "c"}', "d": "***"}))
    entry = client.entry(client.last_number())
    shown = json.loads(entry["text"]["request"])
    assert (shown["token"], shown["list"], shown["text"]) == ("***", [{"secret": "***"}, 1.0], '{"code":"***"}')
    sent = {**shown, "new": {"token": "***"}, "list": [*shown["list"], {"secret": "***"}]}
    client.replay(entry["number"], data=json.dumps(sent))
    kept = json.loads(program.calls[-1].data)
    assert (kept["token"], kept["text"], kept["d"]) == ("a", '{"code":"c"}', "***")
    assert kept["list"] == [{"secret": "b"}, 1.0, {"secret": "***"}]
    assert kept["new"] == {"token": "***"}
    for text in ("***", '["***"', '{"token": 1.0, "x": "***"}'):
        client.replay(entry["number"], data=text)
        assert program.calls[-1].data == text


def test_a_draft_is_compared_with_the_console_contract(client: EmulatorClient, emulator: Emulator) -> None:
    def check(ability_id: str, data: str) -> tuple[Any, str]:
        answer = emulator.http.post("/emulator/check", json={"ability_id": ability_id, "data": data}).json()
        return answer["verdict"], answer["reason"]

    assert check("echo", "{}") == (None, "the emulator has no console contracts, so every request passes")
    client.register({"echo": {"input": {"a": [{"b": 1}]}, "output": {}}})
    assert check("echo", '{"a": [{"b": 2}]}') == ({"fits": True}, "")
    misfit = {
        "fits": False,
        "path": "$.a[1].b",
        "problem": ["expected an integer, got a number with a fraction", "应为整数，实为带小数的数字"],
    }
    assert check("echo", '{"a": [{"b": 2}, {"b": 2.0}]}') == (misfit, "")
    for text in ("", "{"):
        assert check("echo", text)[0]["path"] == "$"
    assert check("ehco", "{}") == (None, "did you mean echo?")
    assert check("", "{}") == (None, "no contract is registered for it")
    assert emulator.http.post("/emulator/check", json={"data": "{}"}).json()["errcode"] == 40058


def test_nothing_that_is_recorded_shows_a_secret(client: EmulatorClient, app: App, emulator: Emulator) -> None:
    app.call("echo", '{"token": "in-clear"}')
    shown = emulator.http.get("/emulator/traffic", params={"bodies": "true"}).text
    shown += json.dumps([client.entry(number + 1) for number in range(client.last_number())])
    assert "***" in shown
    for secret in ("in-clear", emulator.settings.secret, emulator.key.hex()):
        assert secret not in shown


def test_the_programs_figures_are_read_without_a_trace(
    client: EmulatorClient, emulator: Emulator, program: SealedProgram
) -> None:
    def figures(**body: Any) -> Json:
        return dict(emulator.http.post("/emulator/figures", json=body).json())

    before = client.last_number()
    client.add_fault("program", "errcode", value=710674, count=1)
    program.reply = lambda call: json.dumps({"errcode": 0, "asked": [call.ability_id, call.data, call.corpid]})
    answer = figures(ability_id="status")
    assert json.loads(answer["reply"])["asked"] == ["status", "{}", emulator.platform.settings.corpid]
    assert client.last_number() == before
    assert emulator.http.get("/emulator/faults").json()["faults"][0]["taken"] == 0
    assert figures(ability_id="")["errcode"] == figures()["errcode"] == 40058
    program.reply = lambda call: (500, {}, b"")
    assert figures(ability_id="status")["errcode"] == 710676


def test_a_program_that_is_down_is_told_with_the_time_since_when(client: EmulatorClient, emulator: Emulator) -> None:
    before = program_state(client)
    assert (before["state"], before["since_ms"]) == ("unknown", None)
    begun = int(time.time() * 1000)
    emulator.http.post("/emulator/figures", json={"ability_id": "status"})
    up = program_state(client)
    assert up["state"] == "up"
    assert begun <= up["since_ms"] <= time.time() * 1000
    with free_socket() as bound:  # nobody listens
        emulator.platform.point_to(url_of(bound))
        assert emulator.http.post("/emulator/figures", json={"ability_id": "status"}).json()["errcode"] == 710674
        down = program_state(client)
        emulator.http.post("/emulator/figures", json={"ability_id": "status"})
    assert down["state"] == "down"
    assert up["since_ms"] <= down["since_ms"] == program_state(client)["since_ms"]


def test_a_program_that_was_started_again_has_its_new_processes_only(
    client: EmulatorClient, emulator: Emulator, program: SealedProgram
) -> None:
    def answered_by(pid: int, began: float) -> Json:
        """Let a process answer, and return what is then known of the program."""

        def reply(call: seal.CallContent) -> Response:
            sealed = seal_reply(program.key, "{}", call.request_id, 0)
            return 200, {**sealed.headers, seal.PID_HEADER: f"{pid} {began:.3f}"}, sealed.body.encode()

        program.reply = reply
        emulator.call_program()
        return program_state(client)

    begun = round(time.time(), 3)
    assert answered_by(11, begun)["pids"] == [11]
    up = answered_by(12, begun)
    assert up["pids"] == [11, 12], "two processes of one start"
    again = round(time.time() + 1, 3)
    down = answered_by(21, again)
    assert down["pids"] == [21]
    assert up["since_ms"] < down["since_ms"] == pytest.approx(again * 1000, abs=1)
    assert answered_by(12, begun)["pids"] == [12, 21], "one that still runs comes back"
