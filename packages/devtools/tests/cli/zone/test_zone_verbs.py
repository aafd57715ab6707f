"""The verbs that talk to an emulator, run in this process against a real one."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.cli.zone.conftest import Wwspec, printed
from tests.support.apps import write_files
from tests.support.emulator import Emulator, SealedProgram, free_socket, http_server, url_of
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.settings import EmulatorSettings
from wwspec_devtools.emulator.standin.wwspec_standin import seal
from wwspec_router.cli.main import main


def test_the_clock_goes_forward_by_units_and_to_a_date_and_back_to_now(wwspec: Wwspec, emulator: Emulator) -> None:
    start, week = 1_750_000_000, 7 * 86_400
    now = start
    for time, moved in (("90", 90), ("7d", week), ("1w", week), ("90min", 5400), ("0.5h", 1800)):
        now += moved
        assert printed(wwspec("zone", "advance", time)) == {"now": now}
    assert printed(wwspec("zone", "advance", "2025-07-01T00:00:00+08:00"))["now"] == 1_751_299_200
    passed = wwspec("zone", "advance", "2025-06-01")
    assert passed.exit_code == 2
    assert "It goes only forward, or back by `wwspec zone advance now`" in passed.stderr
    assert printed(wwspec("zone", "advance", "now")) == {"now": start}
    row = printed(wwspec("zone", "traffic", "--json", "--kind", "clock"))[-1]
    assert (row["name"], row["advanced_ms"]) == ("back", (start - 1_751_299_200) * 1000)
    for wrong in ("7x", "-1", "", "1e999", "2025-13-01"):
        refused = wwspec("zone", "advance", wrong)
        assert refused.exit_code == 2
        assert f"{wrong!r} is no time. Write seconds (600), a number with its unit s, min, h, d or w" in refused.stderr


def test_somebody_says_something_or_many_things_each_an_event(wwspec: Wwspec, emulator: Emulator) -> None:
    said = printed(wwspec("zone", "say", "lina", "您好", "--to", "mahui"))
    pulled = emulator.sdk("sync_msg", {"limit": 1000})["msg_list"][-1]
    assert pulled["msgid"] == said["msgid"]
    for receivers in ([], ["--to", "mahui"]):
        said = wwspec("zone", "say", "nobody", "您好", *receivers).stderr
        assert "robot 'nobody'; there are zhangwei, wangfang, lina, liuyang, chenjing: " in said
        assert "`wwspec zone info --json` lists all 52, [[employees]] of a scene file adds one" in said
    emulator.receive_events()
    last = printed(wwspec("zone", "say", "lina", "报价 {n}", "--to", "mahui", "--count", "3"))
    newest = printed(wwspec("zone", "messages", "--limit", "3"))
    assert [each["text"] for each in newest] == ["报价 3", "报价 2", "报价 1"]
    assert emulator.sdk("sync_msg", {"limit": 1000})["msg_list"][-1]["msgid"] == last["msgid"]
    events = printed(wwspec("zone", "traffic", "--kind", "event", "--json"))
    assert [each["name"] for each in events] == ["conversation_new_message"] * 3


def test_an_application_is_registered_with_all_that_it_says_of_itself(
    wwspec: Wwspec, emulator: Emulator, tmp_path: Path
) -> None:
    files = {"abilities/registry.toml": '[abilities.pull]\napi = "sync_msg"\n\n[abilities.status]\nkind = "status"\n'}
    app = str(write_files(tmp_path, files))
    assert printed(wwspec("zone", "register", "--app", app)) == {"registered": 2}
    assert emulator.call_program(ability_id="other")["errcode"] == 800003
    with EmulatorClient(emulator.url) as client:
        pull = client.contracts()["pull"]
    assert (pull.target, pull.input["limit"]) == ("SDK API sync_msg", 1)
    assert pull.declared == "abilities/registry.toml:1 [abilities.pull]"
    assert pull.doc.startswith("Pull conversation records")
    limit = pull.schemas["input"]["$defs"]["Request"]["properties"]["limit"]
    assert limit == {
        "type": "integer",
        "minimum": 0,
        "maximum": 1000,
        "description": "Messages a page; WeCom takes 200 when left out.",
    }
    refused = wwspec("zone", "register", "--app", str(tmp_path / "missing"))
    assert (refused.exit_code, "there is no such folder" in refused.stderr) == (1, True)


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
    assert '"value": -10003,' in wwspec("zone", "faults").stdout, "as it was given"
    printed(wwspec("zone", "fault", "app", "drop"))
    assert printed(wwspec("zone", "clear", set_fault["id"])) == {"cleared": 1}
    missing = wwspec("zone", "clear", set_fault["id"])
    assert (missing.exit_code, missing.stderr) == (1, f"Error: there is no fault {set_fault['id']}\n")
    assert printed(wwspec("zone", "clear")) == {"cleared": 1}
    refused = wwspec("zone", "fault", "callback", "drop")
    assert refused.exit_code == 1
    assert "late, twice, never" in refused.stderr


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
            report_result(emulator, call, result, errcode)
            return "{}"

        return reply

    program.reply = report('{"b": 1}')
    assert printed(wwspec("call", "--async", "slow", '{"a": 1}')) == {"b": 1}
    program.reply = report("", errcode=9)
    failed = wwspec("call", "--async", "slow")
    refusal = "slow: refused by the program with errcode 9: the program gives no errmsg"
    assert (failed.exit_code, failed.stderr) == (1, f"Error: {refusal}\n")
    program.reply = lambda call: "{}"
    late = wwspec("call", "--async", "slow", "--wait", "0.05")
    assert late.exit_code == 1
    assert "the program has reported no result within 0.05 seconds; `wwspec task job_" in late.stderr
    assert wwspec("call", "--async", "slow", "--notify-id", "n").exit_code == 2


def test_the_result_of_an_asynchronous_call_is_fetched_later(
    wwspec: Wwspec, emulator: Emulator, program: SealedProgram
) -> None:
    program.reply = lambda call: "{}"
    submitted = wwspec("call", "--async", "slow", "--wait", "0")
    jobid = printed(submitted)["jobid"]
    line = f"wwspec task {jobid} --url {emulator.url}"
    assert submitted.stderr == f"`{line}` prints the result\n"
    early = wwspec("task", jobid)
    assert (early.exit_code, early.stdout) == (1, "")
    assert early.stderr == f"Error: {jobid}: there is no result yet; `{line} --wait 30` waits for it\n"
    report_result(emulator, program.calls[-1], '{"b": 1}')
    assert printed(CliRunner().invoke(main, line.split()[1:])) == {"b": 1}
    unknown = wwspec("task", "made-up")
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert "made-up: refused by the platform with errcode 40088" in unknown.stderr
    assert wwspec("task").exit_code == 2


def test_a_request_comes_from_an_argument_a_file_or_standard_input(
    wwspec: Wwspec, program: SealedProgram, tmp_path: Path
) -> None:
    file = tmp_path / "request.json"
    file.write_text('\ufeff{"who": "王"}', "utf-8")  # Windows editors begin a file with this mark
    assert printed(wwspec("call", "echo", f"@{file}")) == {"who": "王"}
    assert [printed(wwspec("call", "echo", each, input="[1]")) for each in ("-", "@-")] == [[1], [1]]
    assert printed(wwspec("call", "echo", input="[1]")) == {}, "standard input is read only when it is asked for"
    file.write_bytes(b"\xff")
    for argument, text in ((f"@{file}", "is not text in UTF-8"), ("@no such file", "can't be read: No such file")):
        wrong = wwspec("call", "echo", argument)
        assert (wrong.exit_code, wrong.stdout) == (2, "")
        assert text in wrong.stderr
    assert len(program.calls) == 4


def test_a_program_that_does_not_run_is_named_with_its_url_and_the_fix(wwspec: Wwspec, emulator: Emulator) -> None:
    with free_socket() as bound:
        url = url_of(bound)
    emulator.http.post("/emulator/program", json={"program_url": url})
    fix = f"the program is not running at {url}: start it with `wwspec dev` or `wwspec serve --sdk emulator`"
    emulator.call_program()
    number = str(printed(wwspec("zone", "traffic", "--json", "--kind", "call"))[0]["number"])
    commands = (("call", "echo"), ("call", "--async", "echo"), ("fire", "hit_keyword"), ("zone", "replay", number))
    for command in commands:
        done = wwspec(*command)
        assert (done.exit_code, done.stdout) == (1, "")
        assert fix in done.stderr
    emulator.http.post("/emulator/faults", json={"on": "program", "effect": "errcode", "value": 710674})
    fault = wwspec("call", "echo").stderr
    assert "710674" in fault
    assert "is not running" not in fault, "the program is not to blame for a fault"


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ('{"errcode": 0, "errmsg": "ok"}', ""),
        ("{}", ""),
        ('{"errcode": 710660, "errmsg": "broken"}', "refused by the program with errcode 710660: broken"),
    ],
)
def test_an_exit_code_of_1_says_that_the_program_refused(
    wwspec: Wwspec, program: SealedProgram, reply: str, said: str
) -> None:
    program.reply = lambda call: reply
    first = wwspec("call", "echo").stderr.partition("\n")[0]
    assert ("echo  failed: errcode 710660: broken  " in first) == bool(said), "of a program that tells nothing"
    number = str(printed(wwspec("zone", "traffic", "--json", "--kind", "call"))[0]["number"])
    for command in (("call", "echo"), ("fire", "hit_keyword"), ("zone", "replay", number)):
        done = wwspec(*command)
        assert done.exit_code == (1 if said else 0), done.output
        assert said in done.stderr
        assert json.loads(done.stdout) is not None, "the reply is printed, also when it refuses"


def report_result(emulator: Emulator, call: seal.CallContent, result: str, errcode: int = 0) -> None:
    """Report what an asynchronous call resulted in, as a program does."""
    headers = {"ww-corpid": call.corpid, "ww-agentid": str(call.agentid), "ww-job-info": call.job_info}
    body = {"errcode": errcode, "result": result}
    emulator.http.post("/emulator/sdk/program_async_job_call_back", json=body, headers=headers)


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


def test_fire_prints_the_notifications_of_its_own_event_and_of_no_other_that_comes_meanwhile(
    wwspec: Wwspec, emulator: Emulator, program: SealedProgram
) -> None:
    def reply(call: seal.CallContent) -> str:
        before, own = program.calls[0].request_id, call.request_id
        for scene, request_id in ((6, before), (7, own), (7, before), (8, own)):
            request = {"notify_id": "the same", "notify_scene": scene}
            assert emulator.sdk("spec_notify_app", request, request_id=request_id)["errcode"] == 0
        return "{}"

    wwspec("fire", "hit_keyword")
    program.reply = reply
    notified = printed(wwspec("fire", "hit_keyword"))["notified"]
    assert [each["notify_scene"] for each in notified] == [7, 8]


def test_what_is_no_emulator_or_one_of_another_release_is_told_in_one_line() -> None:
    with http_server(lambda headers, body: (200, {}, b""), lambda path: (200, {}, b"<html>")) as url:
        done = CliRunner().invoke(main, ["zone", "info", "--url", url])
    said = f"Error: {url} (--url) is not an emulator: its answer is not a JSON object\n"
    assert (done.exit_code, done.stderr) == (1, said)
    with http_server(lambda headers, body: (200, {}, b"{}"), lambda path: (200, {}, b'{"last": 0}')) as url:
        done = CliRunner().invoke(main, ["call", "echo", "--async", "--url", url])
    assert done.exit_code == 1
    assert done.stderr == (
        f"Error: the emulator at {url} (--url) does not say its corpid: it is of another release; "
        "start it again with that of this command\n"
    )


def test_info_lists_who_and_what_the_corp_has(wwspec: Wwspec) -> None:
    info = printed(wwspec("zone", "info", "--json"))
    assert info["corpid"] == EmulatorSettings().corpid
    short = wwspec("zone", "info").stdout.splitlines()
    assert short[1] == f"WWSPEC_CORPID={EmulatorSettings().corpid}"
    assert len(short) < 40
    assert "and 15 more: --json" in " ".join(short)
    assert info["employees"]["lina"] == "李娜"
    assert all(each.startswith("wm") for each in info["customers"])
    assert all(each.startswith("wb") for each in info["robots"])
    assert all(len(group["members"]) >= 2 for group in info["groups"].values())
    assert len(info["knowledge_bases"]) == 1


def test_an_api_is_answered_by_hand_until_it_is_cleared(wwspec: Wwspec, emulator: Emulator, tmp_path: Path) -> None:
    write_files(tmp_path, {"reply.json": '{"errcode": 0, "errmsg": "ok", "msg_list": []}', "list.json": "[1]"})
    reply = str(tmp_path / "reply.json")
    assert printed(wwspec("zone", "answer", "sync_msg", reply, "--times", "2")) == {"id": "answer_1"}
    assert emulator.sdk("sync_msg", {}) == {"errcode": 0, "errmsg": "ok", "msg_list": []}
    [row] = printed(wwspec("zone", "faults", "--json"))
    assert (row["effect"], row["api"], row["count"], row["taken"]) == ("answer", "sync_msg", 2, 1)
    assert "reply" not in row
    assert "answered by hand (answer_1), not by the emulator" in wwspec("zone", "show", "1", "--all").stdout
    almost = wwspec("zone", "answer", "sync_mgs", reply)
    assert almost.stderr == "note: the emulator has no SDK API sync_mgs: did you mean sync_msg?\n"
    assert printed(wwspec("zone", "answer", "--clear", "sync_mgs")) == {"cleared": 1}
    assert printed(wwspec("zone", "answer", "--clear")) == {"cleared": 1}
    assert len(emulator.sdk("sync_msg", {"limit": 3})["msg_list"]) == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sync_msg"], "name an API and the FILE with its reply, or --clear"),
        (
            ["sync_msg", "list.json"],
            "list.json: the reply of sync_msg is a JSON object: Expected `object`, got `array`",
        ),
        (["sync_msg", "list.json", "--clear"], "--clear takes no FILE and no --times"),
        (["Sync Msg", "reply.json"], "an answer is that of one SDK API: api is its name"),
    ],
)
def test_an_answer_that_can_be_none_is_refused(
    wwspec: Wwspec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(write_files(tmp_path, {"reply.json": "{}", "list.json": "[1]"}))
    done = wwspec("zone", "answer", *arguments)
    assert done.exit_code != 0
    assert said in done.stderr


def test_calls_of_the_command_line_share_a_token_until_it_is_not_valid_any_more(
    wwspec: Wwspec, emulator: Emulator
) -> None:
    client = EmulatorClient(emulator.url)

    def asked_for() -> int:
        """Call twice, and return how many tokens the record says were asked for."""
        since = client.last_number()
        for _ in range(2):
            assert printed(wwspec("call", "echo", "{}")) == {}
        rows = client.traffic(since, "app")
        assert {row["verdict"] for row in rows} == {"ok"}
        return [row["name"] for row in rows].count("gettoken")

    assert [asked_for(), asked_for()] == [1, 0]
    client.expire_tokens()
    assert asked_for() == 1
    client.reset()
    assert [asked_for(), asked_for()] == [1, 0]
