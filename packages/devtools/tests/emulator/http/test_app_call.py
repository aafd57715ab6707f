"""What the console calls the program with: as the app does, with the number of what is recorded."""

from typing import Any

import pytest

from tests.support.emulator import Emulator, Json, SealedProgram
from wwspec_contracts.files import ConsoleContract


def call(emulator: Emulator, **body: Any) -> Json:
    answer: Json = emulator.http.post("/emulator/call", json=body).json()
    return answer


def test_a_call_is_made_as_the_app_makes_it_and_its_entry_is_named(emulator: Emulator, program: SealedProgram) -> None:
    answer = call(emulator, ability_id="echo", request={"limit": 2})
    assert answer["answer"]["response_data"] == '{"limit":2}'
    entry = emulator.http.get(f"/emulator/traffic/{answer['number']}").json()["entry"]
    assert (entry["kind"], entry["name"], entry["ability"]) == ("app", "sync_call_program", "echo")
    assert entry["http"]["path"] == "/cgi-bin/chatdata/sync_call_program?access_token=***"
    assert len(entry["children"]) == 1
    assert call(emulator, ability_id="echo")["answer"]["response_data"] == "{}"
    assert call(emulator, ability_id="echo", data='{"big": 9007199254740993}')["answer"]["errcode"] == 0
    assert program.calls[-1].data == '{"big": 9007199254740993}'
    assert call(emulator, ability_id="e", request={}, asynchronous=True)["answer"]["jobid"]
    assert program.calls[-1].is_async


def test_what_the_platform_refuses_is_an_answer_and_a_cut_is_none(emulator: Emulator) -> None:
    emulator.platform.register({"echo": ConsoleContract({"limit": 1}, {})})
    refused = call(emulator, ability_id="echo", request={"limit": "2"})
    assert (refused["errcode"], refused["answer"]["errcode"]) == (0, 790016)
    assert "$.limit: expected an integer, got a string" in refused["answer"]["errmsg"]
    assert call(emulator, ability_id="ech", request={})["answer"]["errcode"] == 800003
    assert call(emulator, ability_id="echo", data="{")["answer"]["errcode"] == 790015
    emulator.http.post("/emulator/faults", json={"on": "app", "effect": "drop", "count": 1})
    cut = call(emulator, ability_id="echo", request={})
    assert (cut["errcode"], cut["answer"]) == (0, None)
    assert emulator.http.get(f"/emulator/traffic/{cut['number']}").json()["entry"]["outcome"] == "cut"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"ability_id": ""}, "$.ability_id"),
        ({"ability_id": "echo", "request": {}, "data": "{}"}, "not both"),
        ({"ability_id": "echo", "asynchronous": True, "notify_id": "n"}, "notify_id"),
    ],
)
def test_a_call_that_says_too_little_or_too_much_is_refused(emulator: Emulator, body: Json, named: str) -> None:
    answer = call(emulator, **body)
    assert answer["errcode"] == 40058
    assert named in answer["errmsg"]
