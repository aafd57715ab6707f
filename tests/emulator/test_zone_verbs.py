"""The verbs that talk to an emulator, run in this process against a real one."""

import json
import threading
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.emulator.conftest import Emulator, SealedProgram
from wwspec_router.cli.main import main
from wwspec_router.emulator.standin.wwspec_standin import seal

Wwspec = Callable[..., Result]


@pytest.fixture
def emulator(zone: tuple[Emulator, SealedProgram]) -> Emulator:
    return zone[0]


@pytest.fixture
def program(zone: tuple[Emulator, SealedProgram]) -> SealedProgram:
    return zone[1]


@pytest.fixture
def wwspec(emulator: Emulator) -> Wwspec:
    """Run the command line with the emulator's URL in the environment."""

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, arguments, env={"WWSPEC_EMULATOR_URL": emulator.url})

    return run


def printed(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_info_and_advance_print_json(wwspec: Wwspec, emulator: Emulator) -> None:
    assert printed(wwspec("zone", "info"))["corpid"] == emulator.settings.corpid
    assert printed(wwspec("zone", "advance", "90")) == {"now": 1_750_000_090}
    assert wwspec("zone", "advance", "-1").exit_code == 2


def test_somebody_says_something(wwspec: Wwspec, emulator: Emulator) -> None:
    said = printed(wwspec("zone", "say", "lina", "您好", "--to", "mahui"))
    pulled = emulator.sdk("sync_msg", {"limit": 1000})["msg_list"][-1]
    assert pulled["msgid"] == said["msgid"]
    assert "nobody" in wwspec("zone", "say", "nobody", "您好", "--to", "mahui").stderr


def test_faults_are_set_listed_and_cleared(wwspec: Wwspec, emulator: Emulator) -> None:
    set_fault = printed(wwspec("zone", "fault", "sdk", "return_code", "-10003", "--api", "sync_msg", "--count", "2"))
    assert printed(wwspec("zone", "faults")) == [
        {
            "on": "sdk",
            "effect": "return_code",
            "api": "sync_msg",
            "value": -10003,
            "count": 2,
            "id": set_fault["id"],
            "taken": 0,
        }
    ]
    printed(wwspec("zone", "fault", "app", "drop"))
    assert printed(wwspec("zone", "clear", set_fault["id"])) == {"cleared": 1}
    missing = wwspec("zone", "clear", set_fault["id"])
    assert (missing.exit_code, missing.stderr) == (1, f"Error: there is no fault {set_fault['id']}\n")
    assert printed(wwspec("zone", "clear")) == {"cleared": 1}
    refused = wwspec("zone", "fault", "callback", "drop")
    assert refused.exit_code == 1
    assert "late, twice, never" in refused.stderr


def test_traffic_is_a_line_an_entry_or_json(wwspec: Wwspec, emulator: Emulator) -> None:
    printed(wwspec("zone", "fault", "program", "errcode", "710674", "--count", "1"))
    emulator.call_program()
    lines = wwspec("zone", "traffic").stdout.splitlines()
    assert [line.split() for line in lines] == [
        ["1", "1750000000", "app", "gettoken", "ok"],
        ["2", "1750000000", "app", "sync_call_program", "710674"],
        ["3", "1750000000", "call", "echo", "710674", "fault_1"],
    ]
    [entry] = printed(wwspec("zone", "traffic", "--json", "--kind", "call"))
    assert (entry["name"], entry["request"]) == ("echo", {})
    assert printed(wwspec("zone", "traffic", "--json", "--since", "3")) == []


def test_a_recorded_call_is_replayed_and_the_emulator_reset(
    wwspec: Wwspec, emulator: Emulator, program: SealedProgram
) -> None:
    emulator.call_program('{"a": 1}')
    assert printed(wwspec("zone", "replay", "3")) == {"a": 1}
    assert printed(wwspec("zone", "replay", "3", "--data", "[2]", "--ability-id", "x", "--notify-id", "n")) == [2]
    assert (program.calls[-1].ability_id, program.calls[-1].notify_id) == ("x", "n")
    program.reply = lambda call: "no json"
    assert wwspec("zone", "replay", "3").stdout == "no json\n"
    assert printed(wwspec("zone", "reset")) == {"now": 1_750_000_000}
    assert wwspec("zone", "replay", "3").exit_code == 1


def test_an_asynchronous_call_waits_for_its_result(wwspec: Wwspec, emulator: Emulator, program: SealedProgram) -> None:
    def report(result: str, errcode: int = 0) -> Callable[[seal.CallContent], str]:
        def reply(call: seal.CallContent) -> str:
            headers = {
                "ww-corpid": call.corpid,
                "ww-agentid": str(call.agentid),
                "ww-job-info": call.job_info,
            }
            body = {"errcode": errcode, "result": result}
            emulator.http.post("/emulator/sdk/program_async_job_call_back", json=body, headers=headers)
            return "{}"

        return reply

    program.reply = report('{"b": 1}')
    assert printed(wwspec("call", "--async", "slow", '{"a": 1}')) == {"b": 1}
    program.reply = report("", errcode=9)
    failed = wwspec("call", "--async", "slow")
    assert (failed.exit_code, failed.stderr) == (1, "Error: the program reported errcode 9\n")
    program.reply = lambda call: "{}"
    late = wwspec("call", "--async", "slow", "--wait", "0")
    assert late.exit_code == 1
    assert "reported no result of job_" in late.stderr
    assert wwspec("call", "--async", "slow", "--notify-id", "n").exit_code == 2


def test_an_event_is_fired_from_a_file_as_fields_or_whole(
    wwspec: Wwspec, program: SealedProgram, tmp_path: Path
) -> None:
    file = tmp_path / "event.json"
    file.write_text('{"learn_status": 1, "doc_id": 5}')
    event = printed(wwspec("fire", "knowledge_base_learn_done", "--file", str(file), "--set", "doc_id=7"))["event"]
    assert event["knowledge_base_learn_done"]["learn_status"] == 1
    assert event["knowledge_base_learn_done"]["doc_id"] == 7
    whole = {"event_type": "new_kind", "timestamp": 5, "new_kind": {"a": 1}}
    file.write_text(json.dumps(whole))
    assert printed(wwspec("fire", "--file", str(file)))["event"] == whole
    assert json.loads(program.calls[-1].data) == whole
    assert wwspec("fire", "hit_keyword", "--file", str(file)).exit_code == 2
    assert wwspec("fire", "--file", str(file), "--set", "a=1").exit_code == 2
    assert wwspec("fire").exit_code == 2
    file.write_text("[1]")
    assert "is not a JSON object" in wwspec("fire", "hit_keyword", "--file", str(file)).stderr


@pytest.mark.slow  # a thousand events
def test_fire_finds_its_notification_among_a_thousand(
    wwspec: Wwspec, emulator: Emulator, program: SealedProgram
) -> None:
    kept = emulator.platform.world.notifications.maxlen
    for _ in range(kept or 0):
        emulator.sdk("spec_notify_app", {"notify_id": "the same"})

    def reply(call: seal.CallContent) -> str:
        for scene in (7, 8):
            emulator.sdk("spec_notify_app", {"notify_id": "the same", "notify_scene": scene})
        return "{}"

    program.reply = reply
    notified = printed(wwspec("fire", "hit_keyword"))["notified"]
    assert [each["notify_scene"] for each in notified] == [7, 8]


def test_what_is_no_emulator_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "emulator").mkdir()
    (tmp_path / "emulator" / "info").write_text("<html>")
    handler = partial(QuietHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        url = f"http://127.0.0.1:{server.server_port}"
        done = CliRunner().invoke(main, ["zone", "--url", url, "info"])
        server.shutdown()
    assert (done.exit_code, done.stderr) == (1, f"Error: {url} is not an emulator: its answer is not a JSON object\n")


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - of the base class
        pass


def test_info_lists_who_and_what_the_corp_has(wwspec: Wwspec) -> None:
    info = printed(wwspec("zone", "info"))
    assert info["employees"]["lina"] == "李娜"
    assert all(each.startswith("wm") for each in info["customers"])
    assert all(each.startswith("wb") for each in info["robots"])
    assert all(len(group["members"]) >= 2 for group in info["groups"].values())
    assert len(info["knowledge_bases"]) == 1
